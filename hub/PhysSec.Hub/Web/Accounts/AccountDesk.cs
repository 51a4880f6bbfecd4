using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace PhysSec.Hub.Web.Accounts;

/// <summary>What came of a request about accounts. Fault is a key of the words; Link is a path shown once.</summary>
public sealed record DeskAnswer(string? Fault, string? Link = null, bool Waits = false)
{
    public static DeskAnswer Done { get; } = new((string?)null);

    public bool Ok => Fault is null;
}

/// <summary>
/// Makes, disables and enables accounts. An administrator alone can neither make nor disable an auditor, nor make another administrator where there is one to ask
/// (<see cref="SecondPerson"/>): a second administrator or an auditor confirms with an own second factor.
/// Every method reads the actor's account anew, so that a role that was taken away a moment ago counts.
/// </summary>
public sealed class AccountDesk(
    IDbContextFactory<OperatorsDb> databases, SecondFactor factor, ConsoleRecords records, TimeProvider clock)
{
    private static readonly TimeSpan _linkLife = TimeSpan.FromHours(24);

    /// <summary>The path of a new first sign-in link, or null when somebody can sign in already. An older link stops working.</summary>
    public async Task<string?> FirstLinkAsync()
    {
        await using var db = await databases.CreateDbContextAsync();
        if (await db.Users.AnyAsync()) return null;

        await db.Invitations.Where(it => it.InvitedBy == "").ExecuteDeleteAsync();
        return await AddInvitationAsync(db, Roles.Administrator, "site", "", "/first");
    }

    /// <summary>The invitation behind a code, while it may still be used.</summary>
    public async Task<Invitation?> FindAsync(string? code)
    {
        if (string.IsNullOrEmpty(code)) return null;

        var hash = SecondFactor.Hash(code);
        await using var db = await databases.CreateDbContextAsync();
        var found = await db.Invitations.AsNoTracking().SingleOrDefaultAsync(it => it.CodeHash == hash);
        if (found is null || found.UsedAt is not null || found.ExpiresAt <= clock.GetUtcNow()) return null;
        if (found.InvitedBy.Length == 0 && await db.Users.AnyAsync()) return null;
        if (found.InvitedById is { } inviter && !await db.Users.AnyAsync(it => it.Id == inviter && !it.Disabled)) return null; // What a disabled person handed out ends too.

        return found;
    }

    public async Task<IReadOnlyList<Account>> ListAsync()
    {
        await using var db = await databases.CreateDbContextAsync();
        return await db.Users.AsNoTracking().OrderBy(it => it.UserName).ToListAsync();
    }

    public async Task<IReadOnlyList<PendingChange>> WaitingAsync()
    {
        await using var db = await databases.CreateDbContextAsync();
        var waiting = await db.PendingChanges.AsNoTracking().Where(it => it.DecidedAt == null).ToListAsync();
        return [.. waiting.OrderBy(it => it.RequestedAt)];
    }

    /// <summary>A link for a new account; for an auditor, and for a further administrator, a request that waits for a second person.</summary>
    public async Task<DeskAnswer> InviteAsync(SignedIn by, string role, string scope, string reason)
    {
        ArgumentNullException.ThrowIfNull(by);
        await using var db = await databases.CreateDbContextAsync();
        if (await FreshAsync(db, by) is not { Role: Roles.Administrator } inviter) return new("fault.not-allowed");
        if (!Roles.All.Contains(role, StringComparer.Ordinal)) return new("fault.role");
        if (!IsScope(scope)) return new("fault.scope");
        if (!Covers(inviter.Scope, scope)) return new("fault.scope-wider");
        if (string.IsNullOrWhiteSpace(reason)) return new("fault.reason");

        if (role == Roles.Auditor) return await WaitAsync(db, by, PendingKind.MakeAuditor, null, scope, reason);
        if (role == Roles.Administrator && await NeedsSecondAsync(db, by)) return await WaitAsync(db, by, PendingKind.MakeAdministrator, null, scope, reason);

        var alone = role == Roles.Administrator;
        var link = await AddInvitationAsync(db, role, scope, by.Name, "/first", SecondPerson.Behind(inviter, clock.GetUtcNow()), by.Id); // An operator's account too: it may not be the second person to its maker's order.
        await records.AddAsync(by, "account.invited", role, $"{reason} (scope {scope}{(alone ? "; by the only administrator, nobody else approved" : "")})");
        return new(null, link);
    }

    /// <summary>
    /// Switches an account off or on; for an auditor, and to have an administrator back, a request that waits for a second person.
    /// An administrator is disabled at once: whoever sees a stolen account must be able to stop it.
    /// </summary>
    public async Task<DeskAnswer> SwitchAsync(SignedIn by, string accountId, bool disable, string reason)
    {
        ArgumentNullException.ThrowIfNull(by);
        await using var db = await databases.CreateDbContextAsync();
        if (await FreshAsync(db, by) is not { Role: Roles.Administrator } fresh) return new("fault.not-allowed");
        if (string.IsNullOrWhiteSpace(reason)) return new("fault.reason");
        if (await db.Users.SingleOrDefaultAsync(it => it.Id == accountId) is not { } account) return new("fault.no-such-account");
        if (accountId == by.Id) return new("fault.not-yourself");
        if (!Covers(by.Scope, account.Scope)) return new("fault.scope-wider");

        if (account.Role == Roles.Auditor)
            return await WaitAsync(db, by, disable ? PendingKind.DisableAuditor : PendingKind.EnableAuditor, account, account.Scope, reason);
        var alone = account.Role == Roles.Administrator && !disable;
        if (alone && await NeedsSecondAsync(db, by)) return await WaitAsync(db, by, PendingKind.EnableAdministrator, account, account.Scope, reason);

        if (alone) (account.AloneById, account.AloneAt) = (SecondPerson.Behind(fresh, clock.GetUtcNow()), clock.GetUtcNow());
        await SwitchAsync(db, account, disable);
        await records.AddAsync(
            by, disable ? "account.disabled" : "account.enabled", account.UserName!, alone ? $"{reason} (by the only administrator, nobody else approved)" : reason);
        return DeskAnswer.Done;
    }

    /// <summary>A second person says yes, with an own second factor.</summary>
    public async Task<DeskAnswer> ApproveAsync(SignedIn by, string pendingId, string? code)
    {
        ArgumentNullException.ThrowIfNull(by);
        await using var db = await databases.CreateDbContextAsync();
        if (await FreshAsync(db, by) is not { Role: Roles.Administrator or Roles.Auditor } approver) return new("fault.not-allowed");
        var pending = await db.PendingChanges.SingleOrDefaultAsync(it => it.Id == pendingId && it.DecidedAt == null);
        if (pending is null) return new("fault.no-such-request");
        if (await db.Users.AsNoTracking().SingleOrDefaultAsync(it => it.Id == pending.RequestedById) is not { Disabled: false } asker) return new("fault.asker-disabled");
        if (asker.Id == approver.Id) return new("fault.second-person");
        if (!SecondPerson.AreTwo(asker, approver, clock.GetUtcNow())) return new("fault.second-person-new");
        if (pending.AccountId == by.Id) return new("fault.not-yourself");
        if (!await factor.TakeCodeAsync(by.Id, code)) return new("fault.code");

        if (!await DecideAsync(db, pending, by)) return new("fault.no-such-request");

        string? link = null;
        if (pending.Kind is PendingKind.MakeAuditor or PendingKind.MakeAdministrator)
        {
            var role = pending.Kind == PendingKind.MakeAuditor ? Roles.Auditor : Roles.Administrator;
            link = await AddInvitationAsync(db, role, pending.Scope, pending.RequestedBy, "/first", invitedById: pending.RequestedById);
        }
        else if (await db.Users.SingleOrDefaultAsync(it => it.Id == pending.AccountId) is { } account)
        {
            (account.AloneById, account.AloneAt) = (null, null);
            await SwitchAsync(db, account, pending.Kind == PendingKind.DisableAuditor);
        }

        await records.AddAsync(by, "account.approved", Target(pending), $"{pending.Reason} (requested by {pending.RequestedBy})");
        return new(null, link);
    }

    /// <summary>Whether somebody signed in may say yes to what others began: another person than each of them, by <see cref="SecondPerson"/>, with an own code.</summary>
    /// <param name="by">Who says yes.</param>
    /// <param name="others">The accounts of those who began it; one that is no account of the console, like a program's token, is nobody's.</param>
    /// <param name="code">The code of who says yes.</param>
    /// <param name="roles">Whose yes counts; nobody named: administrators' and auditors'.</param>
    /// <returns>The fault's key; null: the person may.</returns>
    public async Task<string?> SecondPersonFaultAsync(SignedIn by, IEnumerable<string> others, string? code, params string[] roles)
    {
        ArgumentNullException.ThrowIfNull(by);
        ArgumentNullException.ThrowIfNull(others);
        await using var db = await databases.CreateDbContextAsync();
        if (await FreshAsync(db, by) is not { } approver || !(roles is [] ? [Roles.Administrator, Roles.Auditor] : roles).Contains(approver.Role)) return "fault.not-allowed";
        foreach (var id in others)
        {
            if (id == approver.Id) return "fault.second-person";
            if (await db.Users.AsNoTracking().SingleOrDefaultAsync(it => it.Id == id) is { } other && !SecondPerson.AreTwo(other, approver, clock.GetUtcNow())) return "fault.second-person-new";
        }

        return await factor.TakeCodeAsync(by.Id, code) ? null : "fault.code";
    }

    /// <summary>Whether an account may still move doors: what it ordered before goes out only then.</summary>
    public async Task<bool> MayOperateAsync(string accountId)
    {
        await using var db = await databases.CreateDbContextAsync();
        return await db.Users.AsNoTracking().SingleOrDefaultAsync(it => it.Id == accountId) is { Disabled: false, Role: Roles.Administrator or Roles.Operator };
    }

    /// <summary>Anybody who could approve, and the one who asked, may say no; nobody about oneself.</summary>
    public async Task<DeskAnswer> RejectAsync(SignedIn by, string pendingId)
    {
        ArgumentNullException.ThrowIfNull(by);
        await using var db = await databases.CreateDbContextAsync();
        if (await FreshAsync(db, by) is not { Role: Roles.Administrator or Roles.Auditor }) return new("fault.not-allowed");
        var pending = await db.PendingChanges.SingleOrDefaultAsync(it => it.Id == pendingId && it.DecidedAt == null);
        if (pending is null) return new("fault.no-such-request");
        if (pending.AccountId == by.Id) return new("fault.not-yourself");
        if (!await DecideAsync(db, pending, by)) return new("fault.no-such-request");

        await records.AddAsync(by, "account.rejected", Target(pending), pending.Reason);
        return DeskAnswer.Done;
    }

    public async Task<bool> IsEnabledAsync(string accountId)
    {
        await using var db = await databases.CreateDbContextAsync();
        return await db.Users.AnyAsync(it => it.Id == accountId && !it.Disabled);
    }

    /// <summary>
    /// The way back in for a site whose only administrator has lost everything: a link for a new administrator, made by whoever has a shell as the service's user on the
    /// hub's own machine, who could as well replace the files. It stands on the record as what it is.
    /// </summary>
    public async Task<string> RecoverAsync(string reason)
    {
        await using var db = await databases.CreateDbContextAsync();
        var link = await AddInvitationAsync(db, Roles.Administrator, "site", "command line", "/first");
        await records.AddAsync(null, "account.recovery", Roles.Administrator, $"{reason} (at the hub's own machine, by {Environment.UserName})");
        return link;
    }

    /// <summary>The account behind a session, unless it was disabled or its security stamp changed.</summary>
    public async Task<bool> IsCurrentAsync(SignedIn by, string? stamp)
    {
        ArgumentNullException.ThrowIfNull(by);
        await using var db = await databases.CreateDbContextAsync();
        return await FreshAsync(db, by) is { } account && account.Role == by.Role && account.SecurityStamp == stamp;
    }

    /// <summary>Makes the account of an invitation: name, password and a confirmed authenticator at once, so that none exists without a second factor.</summary>
    public async Task<(string? Fault, Account? Account, IReadOnlyList<string> RecoveryCodes)> EnrolAsync(
        UserManager<Account> users, string? invitationCode, string name, string password, string secret, string? totp)
    {
        ArgumentNullException.ThrowIfNull(users);
        ArgumentNullException.ThrowIfNull(password);
        name = Narrow(name ?? "").Trim();
        var now = clock.GetUtcNow();
        if (await FindAsync(invitationCode) is not { } invitation) return ("fault.link", null, []);
        if (name.Length is < 1 or > 64 || name.EnumerateRunes().Any(IsUnseen)) return ("fault.name", null, []);
        if (password.Length is < 12 or > 256) return ("fault.password", null, []);
        if (password.Contains(name, StringComparison.OrdinalIgnoreCase) && name.Length >= 4) return ("fault.password-name", null, []);
        if (Totp.Match(secret, totp?.Replace(" ", "", StringComparison.Ordinal), now, 0) is not { } step) return ("fault.code", null, []);
        if (await users.FindByNameAsync(name) is not null) return ("fault.name-taken", null, []);

        await using var db = await databases.CreateDbContextAsync();
        var won = await db.Invitations.Where(it => it.CodeHash == invitation.CodeHash && it.UsedAt == null)
            .ExecuteUpdateAsync(it => it.SetProperty(row => row.UsedAt, now));
        if (won != 1) return ("fault.link", null, []);

        var account = new Account
        {
            UserName = name,
            Role = invitation.Role,
            Scope = invitation.Scope,
            InvitedBy = invitation.InvitedBy,
            AloneById = invitation.AloneById,
            AloneAt = invitation.AloneById is null ? null : now,
            CreatedAt = now,
            TotpSecret = factor.Protect(secret),
            TwoFactorEnabled = true,
        };
        var made = await users.CreateAsync(account, password);
        if (!made.Succeeded)
        {
            await db.Invitations.Where(it => it.CodeHash == invitation.CodeHash)
                .ExecuteUpdateAsync(it => it.SetProperty(row => row.UsedAt, (DateTimeOffset?)null));
            return ("fault.name", null, []);
        }

        db.CodeSteps.Add(new() { AccountId = account.Id, Step = step });
        var codes = SecondFactor.NewRecoveryCodes();
        db.RecoveryCodes.AddRange(codes.Select(it => new RecoveryCode { Hash = SecondFactor.Hash(SecondFactor.Plain(it)), AccountId = account.Id }));
        await db.SaveChangesAsync();
        await records.AddAsync(
            new(account.Id, name, account.Role, account.Scope), "account.made", name, invitation.InvitedBy.Length == 0 ? "first sign-in" : $"invited by {invitation.InvitedBy}");
        return (null, account, codes);
    }

    // Full-width letters are the plain ones (the framework normalizes nothing without a culture library).
    private static string Narrow(string name) => new([.. name.Select(it => it is >= '！' and <= '～' ? (char)(it - '！' + '!') : it == '　' ? ' ' : it)]);

    // Two names that look alike would be one person to whoever reads the record.
    private static bool IsUnseen(System.Text.Rune it) => System.Text.Rune.GetUnicodeCategory(it) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    private static bool IsScope(string scope) => scope == "site" || scope.Split(',').All(Core.Names.IsPlain);

    private static bool Covers(string mine, string others) => mine == "site" || others != "site" && others.Split(',').All(it => mine.Split(',').Contains(it, StringComparer.Ordinal));

    private static string Target(PendingChange it) => it.Kind switch
    {
        PendingKind.MakeAuditor => "make auditor",
        PendingKind.DisableAuditor => $"disable auditor {it.AccountName}",
        PendingKind.EnableAuditor => $"enable auditor {it.AccountName}",
        PendingKind.MakeAdministrator => "make administrator",
        PendingKind.EnableAdministrator => $"enable administrator {it.AccountName}",
    };

    private static async Task<Account?> FreshAsync(OperatorsDb db, SignedIn by) =>
        await db.Users.AsNoTracking().SingleOrDefaultAsync(it => it.Id == by.Id && !it.Disabled);

    private async Task<bool> NeedsSecondAsync(OperatorsDb db, SignedIn by) =>
        SecondPerson.IsNeededFor(by.Id, await db.Users.AsNoTracking().Where(it => it.Role == Roles.Administrator).ToListAsync(), clock.GetUtcNow());

    private async Task SwitchAsync(OperatorsDb db, Account account, bool disable)
    {
        // Each column by itself: whatever else is saving this account at the moment must not write the old ones back.
        DateTimeOffset? at = disable ? clock.GetUtcNow() : null;
        var (stamp, concurrency) = (Convert.ToHexString(RandomNumberGenerator.GetBytes(16)), Guid.CreateVersion7(clock.GetUtcNow()).ToString());
        var (aloneById, aloneAt) = (account.AloneById, account.AloneAt);
        await db.Users.Where(it => it.Id == account.Id).ExecuteUpdateAsync(it => it
            .SetProperty(row => row.Disabled, disable).SetProperty(row => row.DisabledAt, at)
            .SetProperty(row => row.AloneById, aloneById).SetProperty(row => row.AloneAt, aloneAt)
            .SetProperty(row => row.SecurityStamp, stamp) // Ends every session of the account.
            .SetProperty(row => row.ConcurrencyStamp, concurrency));
    }

    private async Task<DeskAnswer> WaitAsync(OperatorsDb db, SignedIn by, PendingKind kind, Account? account, string scope, string reason)
    {
        var accountId = account?.Id;
        if (accountId is not null && await db.PendingChanges.AnyAsync(it => it.DecidedAt == null && it.AccountId == accountId)) return new("fault.already-waiting");

        var pending = new PendingChange
        {
            Id = Guid.CreateVersion7(clock.GetUtcNow()).ToString("N"),
            Kind = kind,
            AccountId = accountId,
            AccountName = account?.UserName,
            Scope = scope,
            Reason = reason,
            RequestedById = by.Id,
            RequestedBy = by.Name,
            RequestedAt = clock.GetUtcNow(),
        };
        db.PendingChanges.Add(pending);
        await db.SaveChangesAsync();
        await records.AddAsync(by, "account.requested", Target(pending), reason);
        return new(null, Waits: true);
    }

    private async Task<bool> DecideAsync(OperatorsDb db, PendingChange pending, SignedIn by)
    {
        var now = clock.GetUtcNow();
        return await db.PendingChanges.Where(it => it.Id == pending.Id && it.DecidedAt == null)
            .ExecuteUpdateAsync(it => it.SetProperty(row => row.DecidedAt, now).SetProperty(row => row.DecidedBy, by.Name)) == 1;
    }

    private async Task<string> AddInvitationAsync(OperatorsDb db, string role, string scope, string by, string path, string? aloneById = null, string? invitedById = null)
    {
        var code = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        db.Invitations.Add(new()
        {
            CodeHash = SecondFactor.Hash(code),
            Role = role,
            Scope = scope,
            InvitedBy = by,
            AloneById = aloneById,
            InvitedById = invitedById,
            ExpiresAt = clock.GetUtcNow() + _linkLife,
        });
        await db.SaveChangesAsync();
        return $"{path}?code={code}";
    }
}
