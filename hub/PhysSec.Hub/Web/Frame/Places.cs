using PhysSec.Hub.Web.Accounts;

namespace PhysSec.Hub.Web.Frame;

/// <summary>A page of the menu and who may open it.</summary>
internal sealed record Place(string Id, string Path, string Word, string[] Roles);

/// <summary>Which roles open which page: the pages' own attributes and the menu name the same constants.</summary>
internal static class Places
{
    public const string Everybody = $"{Accounts.Roles.Administrator},{Accounts.Roles.Operator},{Accounts.Roles.Auditor}";
    public const string Operating = $"{Accounts.Roles.Administrator},{Accounts.Roles.Operator}";
    public const string Administering = Accounts.Roles.Administrator;
    public const string Auditing = $"{Accounts.Roles.Administrator},{Accounts.Roles.Auditor}";

    private static readonly Place[] _all =
    [
        new("overview", "/", "nav.overview", Everybody.Split(',')),
        new("alarms", "/alarms", "nav.alarms", Everybody.Split(',')),
        new("doors", "/doors", "nav.doors", Operating.Split(',')),
        new("keys", "/keys", "nav.keys", Everybody.Split(',')),
        new("log", "/log", "nav.log", Auditing.Split(',')),
        new("register", "/register", "nav.register", Auditing.Split(',')),
        new("review", "/review", "nav.review", Auditing.Split(',')),
        new("evidence", "/evidence", "nav.evidence", Auditing.Split(',')),
        new("retention", "/retention", "nav.retention", Auditing.Split(',')),
        new("turned-away", "/turned-away", "nav.turned-away", Auditing.Split(',')),
        new("people", "/people", "nav.people", Administering.Split(',')),
        new("nodes", "/nodes", "nav.nodes", Operating.Split(',')),
        new("notifications", "/notifications", "nav.notifications", Auditing.Split(',')),
        new("accounts", "/accounts", "nav.accounts", Auditing.Split(',')),
    ];

    public static IEnumerable<Place> For(SignedIn? actor) =>
        actor is null ? [] : _all.Where(it => it.Roles.Contains(actor.Role, StringComparer.Ordinal));
}
