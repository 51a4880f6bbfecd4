using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace PhysSec.Hub.Web.Accounts;

/// <summary>Checks authenticator and recovery codes. Each works once, also when two requests bring it at the same moment.</summary>
public sealed class SecondFactor(IDbContextFactory<OperatorsDb> databases, IDataProtectionProvider protection, TimeProvider clock)
{
    private readonly IDataProtector _secrets = protection.CreateProtector("authenticator");

    public string Protect(string secret) => _secrets.Protect(secret);

    public string Unprotect(string secret) => _secrets.Unprotect(secret);

    /// <summary>True once per code: the step is taken by a conditional update.</summary>
    public async Task<bool> TakeCodeAsync(string accountId, string? code)
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
