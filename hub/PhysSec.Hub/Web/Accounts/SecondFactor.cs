using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace PhysSec.Hub.Web.Accounts;

/// <summary>Checks authenticator and recovery codes. Each works once, also when two requests bring it at the same moment.</summary>
public sealed class SecondFactor(IDbContextFactory<OperatorsDb> databases, IDataProtectionProvider protection, TimeProvider clock)
{
    private const int WrongMax = 5;
    private static readonly TimeSpan _pause = TimeSpan.FromMinutes(15);

    private readonly ConcurrentDictionary<string, (int Count, DateTimeOffset Last)> _wrong = new(StringComparer.Ordinal);
    private readonly IDataProtector _secrets = protection.CreateProtector("authenticator");

    public string Protect(string secret) => _secrets.Protect(secret);

    public string Unprotect(string secret) => _secrets.Unprotect(secret);

    /// <summary>True once per code. After five wrong ones in a row none is taken for 15 minutes: six digits must not be guessed from an open session.</summary>
    public async Task<bool> TakeCodeAsync(string accountId, string? code)
    {
        var now = clock.GetUtcNow();
        var (count, last) = _wrong.GetValueOrDefault(accountId);
        if (count >= WrongMax && now - last < _pause) return false;

        if (await TakeAsync(accountId, code))
        {
            _wrong.TryRemove(accountId, out _);
            return true;
        }

        _wrong.AddOrUpdate(accountId, (1, now), (_, it) => (now - it.Last < _pause ? it.Count + 1 : 1, now));
        return false;
    }

    /// <summary>The step is taken by a conditional update.</summary>
    private async Task<bool> TakeAsync(string accountId, string? code)
    {
        await using var db = await databases.CreateDbContextAsync();
        var account = await db.Users.AsNoTracking().SingleOrDefaultAsync(it => it.Id == accountId);
        if (account is null || account.Disabled) return false;

        var last = await db.CodeSteps.Where(it => it.AccountId == accountId).Select(it => it.Step).SingleOrDefaultAsync();
        if (Totp.Match(Unprotect(account.TotpSecret), Digits(code), clock.GetUtcNow(), last) is not { } step) return false;

        return await db.CodeSteps.Where(it => it.AccountId == accountId && it.Step < step)
            .ExecuteUpdateAsync(it => it.SetProperty(row => row.Step, step)) == 1;
    }

    /// <summary>True once per recovery code.</summary>
    public async Task<bool> TakeRecoveryCodeAsync(string accountId, string? code)
    {
        if (string.IsNullOrWhiteSpace(code)) return false;

        var hash = Hash(Plain(code));
        var now = clock.GetUtcNow();
        await using var db = await databases.CreateDbContextAsync();
        return await db.RecoveryCodes.Where(it => it.Hash == hash && it.AccountId == accountId && it.UsedAt == null)
            .ExecuteUpdateAsync(it => it.SetProperty(recovery => recovery.UsedAt, now)) == 1;
    }

    /// <summary>Ten codes of 80 bits, to be shown once.</summary>
    public static IReadOnlyList<string> NewRecoveryCodes() =>
        [.. Enumerable.Range(0, 10).Select(_ => Totp.ToBase32(RandomNumberGenerator.GetBytes(10))).Select(it =>
            $"{it[..4]}-{it[4..8]}-{it[8..12]}-{it[12..]}")];

    public static string Plain(string code) => code.Replace("-", "", StringComparison.Ordinal).Trim().ToUpperInvariant();

    public static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string? Digits(string? code) => code?.Replace(" ", "", StringComparison.Ordinal);
}
