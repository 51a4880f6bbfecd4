using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.RateLimiting;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Ledger;

namespace PhysSec.Hub.Api;

/// <summary>The HTTP API, version 1. Every call needs a token or a signed-in console; every change is a ledger record.</summary>
public static class HubApi
{
    /// <summary>Administrators.</summary>
    public const string A = "administrator";

    /// <summary>Operators and administrators.</summary>
    public const string O = "operator";

    /// <summary>Auditors and administrators.</summary>
    public const string U = "auditor";

    /// <summary>The second machine that cosigns checkpoints: it sees digests, and nobody's name. Auditors and administrators see what it sees.</summary>
    public const string W = "witness";

    /// <summary>Everybody with a role.</summary>
    public const string Any = "any";

    /// <summary>Strangers may knock with enrolment codes so often in a minute, all together.</summary>
    public const string Enrolment = "enrolment";

    public static void AddLimits(RateLimiterOptions options)
    {
        options.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
        options.AddFixedWindowLimiter(Enrolment, it => (it.PermitLimit, it.Window, it.QueueLimit) = (300, TimeSpan.FromMinutes(1), 0));
    }

    public static void AddPolicies(AuthorizationOptions options)
    {
        Add(A, "administrator");
        Add(O, "administrator", "operator");
        Add(U, "administrator", "auditor");
        Add(W, "administrator", "auditor", W);
        Add(Any, "administrator", "operator", "auditor");

        void Add(string name, params string[] roles) => options.AddPolicy(name, it => it
            .AddAuthenticationSchemes(TokenAuthentication.Name, IdentityConstants.ApplicationScheme).RequireRole(roles));
    }

    public static void Map(IEndpointRouteBuilder app)
    {
        var api = app.MapGroup("/api/v1").DisableAntiforgery();
        api.MapGet("/health", Health).AllowAnonymous().WithSummary("Whether store and broker work. 稼働状態");
        AccessApi.Map(api);
        DoorRiskApi.Map(api);
        OperationApi.Map(api);
        RecordApi.Map(api);
        RegisterApi.Map(api);
        KeyApi.Map(api);
        LedgerApi.Map(api);
        RetentionApi.Map(api);
        ReviewApi.Map(api);
    }

    private static object Health(HubHome state, NodeLink link)
    {
        long? epoch = null;
        try
        {
            epoch = state.Store.Read(Records.HubEpoch);
        }
        catch (Microsoft.Data.Sqlite.SqliteException)
        {
            // Told as store = false.
        }

        var store = epoch is not null && state.Store.Writes;

        return new
        {
            status = store && link.Ready ? "ok" : "degraded",
            store,
            broker = link.Ready,
            hubEpoch = epoch,
            version = typeof(HubApi).Assembly.GetName().Version?.ToString(3),
        };
    }
}
