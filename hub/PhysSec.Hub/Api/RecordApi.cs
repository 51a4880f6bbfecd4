using System.Globalization;
using PhysSec.Hub.Access;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Api;

/// <summary>The record, for those who review it. A search by an auditor is a record too.</summary>
internal static class RecordApi
{
    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/records", async (AccessLog log, [AsParameters] RecordQuery query, HttpContext http) =>
        {
            await log.SearchedAsync(http.Actor(), query.Filter(http));
            return log.Search(query.Filter(http));
        }).RequireAuthorization(HubApi.U).WithSummary("Searches the record, newest first, paged by cursor. 入退室記録");
        api.MapGet("/records.csv", async (AccessLog log, TimeProvider clock, [AsParameters] RecordQuery query, HttpContext http) =>
        {
            await log.SearchedAsync(http.Actor(), query.Filter(http), "csv");
            http.Response.ContentType = "text/csv; charset=utf-8";
            http.Response.Headers.ContentDisposition = $"attachment; filename={FileName(http.Actor().Name, clock.GetUtcNow())}";
            await log.WriteCsvAsync(http.Response.Body, query.Filter(http), http.Actor(), http.RequestAborted);
        }).RequireAuthorization(HubApi.U).WithSummary("The same as CSV, streamed. 記録CSV");
        api.MapGet("/dead-letters", (TurnedAway away, int? limit) => away.DeadLetters(Math.Clamp(limit ?? 200, 1, 500))).RequireAuthorization(HubApi.Any);
        api.MapGet("/refusals", (TurnedAway away, int? limit) => away.Refusals(Math.Clamp(limit ?? 200, 1, 500))).RequireAuthorization(HubApi.Any);
        api.MapGet("/policies/{node}", async (Store store, AccessLog log, string node, HttpContext http) =>
        {
            await log.SearchedAsync(http.Actor(), new(Kind: "policy", Node: node));
            return store.Read(it => it.One<object>(
                "select version, hash, issued_at, in_force_at, body from policies where node = $node order by version desc limit 1",
                row => new
                {
                    version = row.Whole("version"),
                    hash = row.Text("hash"),
                    issuedAt = row.Time("issued_at"),
                    inForceAt = row.Time("in_force_at"),
                    body = row.Text("body"),
                },
                ("$node", node))) is { } found ? Results.Ok(found) : Results.NotFound();
        }).RequireAuthorization(HubApi.U).WithSummary("The newest policy of a node, and since when it is in force there. 署名付き入室条件");
    }

    // Whose copy it is and what class it has stands in the name too: a download that broke off has no last line.
    private static string FileName(string who, DateTimeOffset at) => string.Create(
        CultureInfo.InvariantCulture, $"records_confidentiality-2_{string.Concat(who.Where(it => char.IsAsciiLetterOrDigit(it) || it is '-' or '.'))}_{at.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}.csv");

    /// <summary>All optional; times in ISO 8601 with offset.</summary>
    public sealed record RecordQuery(
        DateTimeOffset? From, DateTimeOffset? To, string? Person, string? Credential, string? Door, string? Zone, string? Outcome, string? Reason, string? Kind, string? Alarm, string? Node, bool? Late,
        long? Cursor, int? Limit)
    {
        // What an auditor looked for is nobody else's business.
        public LogFilter Filter(HttpContext http) =>
            new(From, To, Person, Door, Outcome, Reason, Kind, Node, Late, Cursor, Limit ?? 100, Searches: http.User.IsInRole("auditor"), Credential, Zone, Alarm);
    }
}
