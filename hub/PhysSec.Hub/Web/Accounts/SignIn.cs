using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;

namespace PhysSec.Hub.Web.Accounts;

/// <summary>Checks name, password and second factor together, so that the answer never tells which of them was wrong.</summary>
public sealed class SignIn(
    UserManager<Account> users, SecondFactor factor, SignInTries tries, AccountDesk desk, ConsoleRecords records, ConsoleSessions sessions, TimeProvider clock)
{
    /// <summary>Verified for a name that does not exist, so that the answer takes as long.</summary>
    private static readonly string _nobody = new PasswordHasher<Account>().HashPassword(new(), "nobody's password");

    /// <summary>The account, or null; see <see cref="SignInTries"/> for how often. A recovery code may stand in for the six digits.</summary>
    /// <param name="name">As typed.</param>
    /// <param name="password">As typed.</param>
    /// <param name="code">Six digits, or a recovery code.</param>
    /// <param name="address">Where the request comes from.</param>
    public async Task<Account?> CheckAsync(string? name, string? password, string? code, string address)
    {
        var account = await users.FindByNameAsync((name ?? "").Trim());
        var who = account?.Id ?? "nobody";
        var mayTry = tries.Begin(who, address);
        if (mayTry && account is null) new PasswordHasher<Account>().VerifyHashedPassword(new(), _nobody, password ?? "");
        var right = mayTry && account is { Disabled: false }
            && await users.CheckPasswordAsync(account, password ?? "")
            && (await factor.TakeCodeAsync(account.Id, code) || await factor.TakeRecoveryCodeAsync(account.Id, code))
            && await desk.IsEnabledAsync(account.Id); // Disabled a moment ago counts.
        if (!right)
        {
            var why = !mayTry ? "too many failures" : account is null ? "no such account" : account.Disabled ? "disabled" : "wrong password or code";
            if (tries.WorthARecord(address) is { } count)
                await records.AddAsync(null, mayTry ? "sign-in.failed" : "sign-in.locked", account?.UserName ?? "unknown name", $"{why}; from {address}, {count} in a row");
            return null;
        }

        tries.Succeeded(who, address);
        await records.AddAsync(new(account!.Id, account.UserName!, account.Role, account.Scope), "sign-in", account.UserName!, $"password and second factor; from {address}");
        return account;
    }

    /// <summary>What the cookie holds.</summary>
    public ClaimsPrincipal Principal(Account account)
    {
        ArgumentNullException.ThrowIfNull(account);
        var session = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
        sessions.Touch(session);
        return new(new ClaimsIdentity(
            [
                new(ClaimTypes.NameIdentifier, account.Id),
                new(ClaimTypes.Name, account.UserName!),
                new(ClaimTypes.Role, account.Role),
                new(SignedIn.ScopeClaim, account.Scope),
                new(SignedIn.SessionClaim, session),
                new(SignedIn.StampClaim, account.SecurityStamp!),
                new(SignedIn.BeganClaim, clock.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)),
            ],
            IdentityConstants.ApplicationScheme));
    }
}

/// <summary>How long a session lasts: 8 hours from sign-in, 30 minutes without a sign of life from its browser.</summary>
public sealed class ConsoleSessions(AccountDesk desk, TimeProvider clock)
{
    public static readonly TimeSpan Longest = TimeSpan.FromHours(8);
    public static readonly TimeSpan Idle = TimeSpan.FromMinutes(30);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _seen = new(StringComparer.Ordinal);

    /// <summary>The person did something.</summary>
    public void Touch(string session)
    {
        var now = clock.GetUtcNow();
        _seen[session] = now;
        foreach (var (key, seen) in _seen)
        {
            if (now - seen > Longest) _seen.TryRemove(key, out _);
        }
    }

    public void End(string session) => _seen.TryRemove(session, out _);

    /// <summary>False once the session ended, idled out, or its account was disabled or changed.</summary>
    public async Task<bool> IsAliveAsync(ClaimsPrincipal user)
    {
        ArgumentNullException.ThrowIfNull(user);
        if (SignedIn.From(user) is not { } actor) return false;
        if (user.FindFirstValue(SignedIn.SessionClaim) is not { } session || !_seen.TryGetValue(session, out var seen)) return false;

        var now = clock.GetUtcNow();
        if (now - seen > Idle) return false;
        if (!long.TryParse(user.FindFirstValue(SignedIn.BeganClaim), NumberStyles.None, CultureInfo.InvariantCulture, out var began)) return false;
        if (now - DateTimeOffset.FromUnixTimeSeconds(began) > Longest) return false;

        return await desk.IsCurrentAsync(actor, user.FindFirstValue(SignedIn.StampClaim));
    }
}
