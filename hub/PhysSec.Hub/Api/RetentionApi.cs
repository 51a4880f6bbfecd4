using PhysSec.Hub.Reports;
using PhysSec.Hub.Retention;
using PhysSec.Hub.Web.Accounts;

namespace PhysSec.Hub.Api;

/// <summary>Retention, to be read; and holds, to be set. Nothing here deletes, and a hold is lifted at the console, where two people show who they are.</summary>
internal static class RetentionApi
{
    private const int Shown = 200;

    public sealed record HoldWithReason(DateTimeOffset? From, DateTimeOffset? To, string? Person, string? Door, string? Reason);

    public static void Map(RouteGroupBuilder api)
    {
        var retention = api.MapGroup("/retention").RequireAuthorization(HubApi.U);
        retention.MapGet("", (RetentionBook book, LegalHolds holds, RetentionClock clock) => new { clock = clock.Doubt(), classes = book.Classes(), holds = holds.List(), certificates = book.Certificates(Shown) })
            .WithSummary("Periods, what is deleted next, holds and certificates. 保存期間");
        retention.MapPost("/holds", async (LegalHolds holds, HoldWithReason it, HttpContext http) =>
                new { id = await holds.SetAsync(http.Actor(), Account(http), new(it.From, it.To, it.Person, it.Door), it.Reason ?? "", http.RequestAborted) })
            .WithSummary("Sets a legal hold. 廃棄停止");
        retention.MapGet("/certificates/{record:long}.pdf", async (CertificateSheet sheet, long record, HttpContext http) =>
        {
            JapaneseFont.Need();
            var file = new MemoryStream();
            await sheet.WriteAsync(record, http.Actor(), file, http.RequestAborted);
            file.Position = 0;
            return Results.File(file, "application/pdf", $"deletion-{record}.pdf");
        }).WithSummary("A certificate of deletion to print. 廃棄証明書");
        api.MapGet("/people/{id}/extract.zip", async (SubjectExtract extract, Configuration.HubHome home, string id, string? reason, HttpContext http) =>
        {
            JapaneseFont.Need();
            // Made aside, so that nobody is handed half an extract as a whole one.
            var file = LedgerApi.Aside(Path.Combine(home.Folder, $"extract-{Path.GetRandomFileName()}.partial"), keep: false);
            try
            {
                await extract.WriteAsync(http.Actor(), id, reason ?? "", file, http.RequestAborted);
                file.Position = 0;
                return Results.File(file, "application/zip", $"extract-{id}.zip");
            }
            catch
            {
                await file.DisposeAsync();
                throw;
            }
        }).RequireAuthorization(HubApi.A).WithSummary("All records about one person, others masked; the reason goes on record. 本人開示");
    }

    // The same as the console gives, or whoever sets a hold here would count there as somebody else. A program's token is named token:….
    private static string Account(HttpContext http) => SignedIn.From(http.User)?.Id ?? http.Actor().Name;
}
