using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Api;

/// <summary>Bearer tokens of programs. Only a token's SHA-256 is stored; 256 random bits need no slow hash.</summary>
public sealed class TokenAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, Store store, TimeProvider clock)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string Name = "token";
    public const string MayReleaseClaim = "physsec:may-release";
    private const string Bearer = "Bearer ";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)) return Task.FromResult(AuthenticateResult.NoResult());
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(header[Bearer.Length..].Trim())));
        var found = store.Read(it => it.One(
            "select name, role, may_release, expires_at from tokens where hash = $hash",
            row => Tuple.Create(row.GetString(0), row.GetString(1), row.GetInt64(2) != 0, Rows.FromStored(row.GetInt64(3))), ("$hash", hash)));
        if (found is not var (name, role, mayRelease, expires)) return Task.FromResult(AuthenticateResult.Fail("the token is unknown"));
        if (expires <= clock.GetUtcNow()) return Task.FromResult(AuthenticateResult.Fail("the token has expired"));
        var identity = new ClaimsIdentity([new(ClaimTypes.Name, name), new(ClaimTypes.Role, role)], Name);
        if (mayRelease) identity.AddClaim(new(MayReleaseClaim, "true"));
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Name)));
    }
}

/// <summary>Who calls, for the record.</summary>
public static class Callers
{
    public static Actor Actor(this HttpContext context) => new(
        context.User.Identity?.Name ?? "", context.User.FindFirstValue(ClaimTypes.Role) ?? "", $"api {context.Connection.RemoteIpAddress}");
}
