using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;

namespace PhysSec.Hub.Web.Accounts;

/// <summary>Role names as they stand in claims, tokens and records.</summary>
public static class Roles
{
    public const string Administrator = "administrator";
    public const string Operator = "operator";
    public const string Auditor = "auditor";

    public static IReadOnlyList<string> All { get; } = [Administrator, Operator, Auditor];
}

/// <summary>A person who may sign in. The name is what records show.</summary>
public sealed class Account : IdentityUser
{
    public string Role { get; set; } = "";

    /// <summary><c>site</c>, or zone ids joined by ','.</summary>
    public string Scope { get; set; } = "site";

    /// <summary>The authenticator's secret, encrypted under the console's own keys.</summary>
    public string TotpSecret { get; set; } = "";

    public bool Disabled { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    public string InvitedBy { get; set; } = "";

    /// <summary>The administrator who made it, or switched it on again, with nobody else's approval; null for an account that two people stand for.</summary>
    public string? AloneById { get; set; }
    public DateTimeOffset? AloneAt { get; set; }
    public DateTimeOffset? DisabledAt { get; set; }
}

/// <summary>A link that makes one account, once. Only the code's hash is kept.</summary>
public sealed class Invitation
{
    public string CodeHash { get; set; } = "";
    public string Role { get; set; } = "";
    public string Scope { get; set; } = "";

    /// <summary>Empty for the very first link, which works only while there is no account.</summary>
    public string InvitedBy { get; set; } = "";

    /// <summary>The administrator who makes it with nobody else's approval.</summary>
    public string? AloneById { get; set; }

    /// <summary>Whose invitation ends when that account is disabled; null for the first link and the command line's.</summary>
    public string? InvitedById { get; set; }
    public DateTimeOffset ExpiresAt { get; set; }
    public DateTimeOffset? UsedAt { get; set; }
}

/// <summary>A change about an auditor or an administrator: it waits for a second person.</summary>
public sealed class PendingChange
{
    public string Id { get; set; } = "";
    public PendingKind Kind { get; set; }

    /// <summary>The account to disable or enable; null when one is to be made.</summary>
    public string? AccountId { get; set; }
    public string? AccountName { get; set; }
    public string Scope { get; set; } = "";
    public string Reason { get; set; } = "";
    public string RequestedById { get; set; } = "";
    public string RequestedBy { get; set; } = "";
    public DateTimeOffset RequestedAt { get; set; }
    public string? DecidedBy { get; set; }
    public DateTimeOffset? DecidedAt { get; set; }
}

public enum PendingKind { MakeAuditor = 1, DisableAuditor = 2, EnableAuditor = 3, MakeAdministrator = 4, EnableAdministrator = 5 }

/// <summary>
/// The newest 30-second step that an account's code was accepted for: it and what is older is never accepted again. A row of its own, because saving an account writes all its columns.
/// </summary>
public sealed class CodeStep
{
    public string AccountId { get; set; } = "";
    public long Step { get; set; }
}

/// <summary>One of ten single-use codes for whoever lost the authenticator.</summary>
public sealed class RecoveryCode
{
    public string Hash { get; set; } = "";
    public string AccountId { get; set; } = "";
    public DateTimeOffset? UsedAt { get; set; }
}

public sealed class OperatorsDb(DbContextOptions<OperatorsDb> options) : IdentityUserContext<Account>(options)
{
    private static readonly (string Table, string Column)[] _newColumns =
        [("AspNetUsers", "AloneById"), ("AspNetUsers", "AloneAt"), ("AspNetUsers", "DisabledAt"), ("Invitations", "AloneById"), ("Invitations", "InvitedById")];

    public DbSet<Invitation> Invitations => Set<Invitation>();
    public DbSet<PendingChange> PendingChanges => Set<PendingChange>();
    public DbSet<CodeStep> CodeSteps => Set<CodeStep>();
    public DbSet<RecoveryCode> RecoveryCodes => Set<RecoveryCode>();

    /// <summary>An older accounts' file lacks what came later; EnsureCreated leaves a file that is there as it is.</summary>
    public async Task AddNewColumnsAsync()
    {
        foreach (var (table, column) in _newColumns)
        {
            var there = await Database.SqlQuery<int>($"SELECT count(*) AS Value FROM pragma_table_info({table}) WHERE name = {column}").SingleAsync();
#pragma warning disable EF1002 // Both names are constants of this class.
            if (there == 0) await Database.ExecuteSqlRawAsync($"ALTER TABLE \"{table}\" ADD COLUMN \"{column}\" TEXT NULL");
#pragma warning restore EF1002
        }
    }

    protected override void OnModelCreating(ModelBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        base.OnModelCreating(builder);
        builder.Entity<Invitation>().HasKey(it => it.CodeHash);
        builder.Entity<PendingChange>().HasKey(it => it.Id);
        builder.Entity<CodeStep>().HasKey(it => it.AccountId);
        builder.Entity<RecoveryCode>().HasKey(it => it.Hash);
    }
}
