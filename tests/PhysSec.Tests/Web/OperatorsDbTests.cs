using Microsoft.EntityFrameworkCore;
using PhysSec.Hub.Web.Accounts;

namespace PhysSec.Tests.Web;

public sealed class OperatorsDbTests
{
    [Fact]
    public async Task An_accounts_file_of_an_older_version_is_brought_up_to_date_and_keeps_its_accounts()
    {
        var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        var options = new DbContextOptionsBuilder<OperatorsDb>().UseSqlite($"Data Source={file};Pooling=False").Options;
        try
        {
            await using (var old = new OperatorsDb(options))
            {
                await old.Database.EnsureCreatedAsync(TestContext.Current.CancellationToken);
                old.Users.Add(new() { UserName = "Suzuki", Role = Roles.Administrator });
                await old.SaveChangesAsync(TestContext.Current.CancellationToken);
#pragma warning disable EF1002 // Constants.
                foreach (var (table, column) in new[] { ("AspNetUsers", "AloneById"), ("AspNetUsers", "AloneAt"), ("AspNetUsers", "DisabledAt"), ("Invitations", "AloneById") })
                    await old.Database.ExecuteSqlRawAsync($"alter table {table} drop column {column}", TestContext.Current.CancellationToken);
#pragma warning restore EF1002
            }

            await using var db = new OperatorsDb(options);
            await db.AddNewColumnsAsync();
            await db.AddNewColumnsAsync(); // The next start finds them.
            var account = await db.Users.SingleAsync(TestContext.Current.CancellationToken);
            Assert.Equal(("Suzuki", null, null), (account.UserName, account.AloneById, account.DisabledAt));
            Assert.Empty(await db.Invitations.ToListAsync(TestContext.Current.CancellationToken));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
