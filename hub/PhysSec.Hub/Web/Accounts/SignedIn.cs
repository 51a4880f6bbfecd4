using System.Security.Claims;

namespace PhysSec.Hub.Web.Accounts;

/// <summary>Who acts: as signed in.</summary>
public sealed record SignedIn(string Id, string Name, string Role, string Scope)
{
    public const string ScopeClaim = "scope";
    public const string SessionClaim = "session";
    public const string BeganClaim = "began";
    public const string StampClaim = "stamp";

    /// <summary>The same person as the ledger names it.</summary>
    public Ledger.Actor Actor => new(Name, Role, "console", Scope.Split(','));

    public bool IsAdministrator => Role == Roles.Administrator;

    public bool IsAuditor => Role == Roles.Auditor;

    /// <summary>May acknowledge, release and lock down.</summary>
    public bool Operates => Role is Roles.Administrator or Roles.Operator;

    public bool Covers(string zone) => Scope == "site" || Scope.Split(',').Contains(zone, StringComparer.Ordinal);

    /// <summary>Null for whoever has not signed in at the console.</summary>
    public static SignedIn? From(ClaimsPrincipal? user) =>
        user?.Identity?.IsAuthenticated == true && user.FindFirstValue(ClaimTypes.NameIdentifier) is { } id
            ? new(id, user.FindFirstValue(ClaimTypes.Name) ?? "", user.FindFirstValue(ClaimTypes.Role) ?? "", user.FindFirstValue(ScopeClaim) ?? "")
            : null;
}
