using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;
using PhysSec.Hub.Web.Accounts;

namespace PhysSec.Hub.Web.Frame;

/// <summary>Somebody asked for what the role does not allow, or the session has ended.</summary>
public sealed class NotAllowedException() : Exception("not allowed");

/// <summary>Asked before every act of a page, whatever the page shows: the session lives and the role allows it.</summary>
public sealed class ConsoleGate(AuthenticationStateProvider identity, ConsoleSessions sessions)
{
    /// <exception cref="NotAllowedException">The session has ended or the role is not among the allowed ones.</exception>
    public async Task<SignedIn> RequireAsync(params string[] roles)
    {
        var user = (await identity.GetAuthenticationStateAsync()).User;
        if (SignedIn.From(user) is { } actor && roles.Contains(actor.Role, StringComparer.Ordinal) && await sessions.IsAliveAsync(user)) return actor;

        throw new NotAllowedException();
    }

    public async Task<SignedIn?> WhoAsync() => SignedIn.From((await identity.GetAuthenticationStateAsync()).User);
}

/// <summary>Looks again every half minute whether the person behind an open page may still be there.</summary>
public sealed class CircuitIdentity(ILoggerFactory logs, ConsoleSessions sessions) : RevalidatingServerAuthenticationStateProvider(logs)
{
    protected override TimeSpan RevalidationInterval => TimeSpan.FromSeconds(30);

    protected override Task<bool> ValidateAuthenticationStateAsync(AuthenticationState authenticationState, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(authenticationState);
        return sessions.IsAliveAsync(authenticationState.User);
    }
}
