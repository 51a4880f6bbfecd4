using System.Text;
using PhysSec.Hub.Access;
using PhysSec.Hub.Api;
using PhysSec.Hub.Ledger;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.Api;

public sealed class TokensTests
{
    [Fact]
    public async Task A_token_is_shown_once_and_only_its_hash_is_kept()
    {
        await using var hub = RunningHub.WithoutBroker();
        var tokens = hub.Get<Tokens>();

        var token = await tokens.MakeAsync(Actor.CommandLine, "siem", "operator", 24, mayRelease: true);

        Assert.Equal(64, token.Length);
        Assert.Equal(new TokenView("siem", "operator", true, hub.Time.GetUtcNow().AddHours(24).ToUniversalTime()), tokens.Find(token));
        Assert.Null(tokens.Find(token.ToUpperInvariant()));
        foreach (var file in Directory.GetFiles(hub.Home.Folder, "hub.db*"))
        {
            using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite), Encoding.Latin1);
            Assert.DoesNotContain(token, await reader.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("administrator", "x", "auditor", false, "role")]
    [InlineData("administrator", "x", "operator", true, "role")]
    [InlineData("administrator", "x", "operator", false, "role")] // A token outlives the session, the second factor and the account of its maker.
    [InlineData("administrator", "Not A Name", "operator", false, "name")]
    [InlineData("administrator", "x", "king", false, "role")]
    public async Task From_afar_nobody_makes_one(string actor, string name, string role, bool mayRelease, string field)
    {
        await using var hub = RunningHub.WithoutBroker();
        var tokens = hub.Get<Tokens>();
        await tokens.MakeAsync(Actor.CommandLine, "taken", "auditor", 1, false);

        var fault = await Assert.ThrowsAsync<InputException>(() => tokens.MakeAsync(new Actor("tanaka", actor, "api 127.0.0.1"), name, role, 1, mayRelease));

        Assert.Equal(field, fault.Field);
        Assert.Single(tokens.List());
    }

    [Fact]
    public async Task A_removed_token_opens_nothing_and_an_auditors_is_not_removed_from_afar()
    {
        await using var hub = RunningHub.WithoutBroker();
        var tokens = hub.Get<Tokens>();
        var token = await tokens.MakeAsync(Actor.CommandLine, "siem", "operator", 1, false);
        await tokens.MakeAsync(Actor.CommandLine, "kansa", "auditor", 1, false);

        await Assert.ThrowsAsync<InputException>(() => tokens.RemoveAsync(RunningHub.Admin, "siem", ""));
        await tokens.RemoveAsync(RunningHub.Admin, "siem", "契約終了");
        await Assert.ThrowsAsync<InputException>(() => tokens.RemoveAsync(RunningHub.Admin, "kansa", "no audits"));

        Assert.Null(tokens.Find(token));
        Assert.Equal(["kansa"], tokens.List().Select(it => it.Name));
    }
}
