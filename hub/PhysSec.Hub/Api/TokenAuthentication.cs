using System.Net.Sockets;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Options;
using PhysSec.Hub.Ledger;

namespace PhysSec.Hub.Api;

/// <summary>Signs programs in by their bearer tokens, and whoever has reached the socket in the hub's own folder as the command line.</summary>
public sealed class TokenAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, Tokens tokens, TimeProvider clock)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string Name = "token";
    public const string Local = "command line";
    public const string MayReleaseClaim = "physsec:may-release";
    private const string Bearer = "Bearer ";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Context.Features.Get<IConnectionSocketFeature>()?.Socket.AddressFamily == AddressFamily.Unix)
        {
            var person = new ClaimsIdentity([new(ClaimTypes.Name, Actor.CommandLine.Name), new(ClaimTypes.Role, Actor.CommandLine.Role)], Local);
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(person), Name)));
        }

        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)) return Task.FromResult(AuthenticateResult.NoResult());
        if (tokens.Find(header[Bearer.Length..].Trim()) is not { } found) return Task.FromResult(AuthenticateResult.Fail("the token is unknown"));
        if (found.ExpiresAt <= clock.GetUtcNow()) return Task.FromResult(AuthenticateResult.Fail("the token has expired"));
        var identity = new ClaimsIdentity([new(ClaimTypes.Name, $"token:{found.Name}"), new(ClaimTypes.Role, found.Role)], Name);
        if (found.MayRelease) identity.AddClaim(new(MayReleaseClaim, "true"));
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Name)));
    }
}

/// <summary>Who calls, for the record.</summary>
public static class Callers
{
    public static Actor Actor(this HttpContext context) => context.User.Identity?.AuthenticationType == TokenAuthentication.Local ? Ledger.Actor.CommandLine : new(
        context.User.Identity?.Name ?? "", context.User.FindFirstValue(ClaimTypes.Role) ?? "", $"api {context.Connection.RemoteIpAddress}",
        context.User.FindFirstValue(Web.Accounts.SignedIn.ScopeClaim)?.Split(','));
}
