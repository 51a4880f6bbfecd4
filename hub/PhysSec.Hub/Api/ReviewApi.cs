using PhysSec.Hub.Access;
using PhysSec.Hub.Reports;
using PhysSec.Hub.Review;
using PhysSec.Hub.Web.Accounts;
using PhysSec.Hub.Web.Desk;

namespace PhysSec.Hub.Api;

/// <summary>Reviews and samples for audits. Programs may read; a signature takes a person with the second factor.</summary>
internal static class ReviewApi
{
    public sealed record Signing(string? Code, string? Digest, bool? Finding, string? Statement, IReadOnlyDictionary<string, string>? Notes);

    public sealed record Acknowledging(string? Code, string? Remark, Instruction? Instruction);

    public sealed record Closing(string? Code, string? Note);

    public static void Map(RouteGroupBuilder api)
    {
        var group = api.MapGroup("/reviews").RequireAuthorization(HubApi.U);
        group.MapGet("", (Reviews reviews) => reviews.List()).WithSummary("The reviews that are due or were signed. 点検の一覧");
        group.MapGet("/{id}", async (Reviews reviews, AccessLog log, string id, HttpContext http) =>
        {
            var view = reviews.Find(id);
            await log.SearchedAsync(http.Actor(), new(view.Task.From, view.Task.To, Kind: "review"), cancel: http.RequestAborted);
            var sheet = await reviews.LookAsync(id, http.RequestAborted);
            return new { review = view, completeness = sheet.Completeness, checkpoint = sheet.Checkpoint.Note, findings = sheet.Findings, list = sheet.Origin };
        }).WithSummary("What a review shows: completeness, checkpoint, findings and their digest; list says whether these are the findings of now, those that were signed, or made anew. 点検の内容");
        group.MapGet("/{id}/report.pdf", async (Reviews reviews, ReviewReport report, AccessLog log, string id, HttpContext http) =>
        {
            var task = reviews.Find(id).Task;
            await log.SearchedAsync(http.Actor(), new(task.From, task.To, Kind: "review"), cancel: http.RequestAborted);
            var file = new MemoryStream();
            await report.WriteAsync(id, http.Actor(), file, http.RequestAborted);
            file.Position = 0;
            return Results.File(file, "application/pdf", $"review-{id}.pdf");
        }).WithSummary("The report for the chief, to print. 点検報告書PDF");
        group.MapPost("/{id}/sign", (ReviewDesk desk, string id, Signing it, HttpContext http) =>
            AsPersonAsync(http, by => desk.SignAsync(by, it.Code, id, new(it.Digest, it.Finding, it.Statement, it.Notes)))).WithSummary("Signs a review, with the second factor. 点検の署名");
        group.MapPost("/{id}/acknowledge", (ReviewDesk desk, string id, Acknowledging it, HttpContext http) =>
            AsPersonAsync(http, by => desk.AcknowledgeAsync(by, it.Code, id, it.Remark, it.Instruction))).WithSummary("The chief has seen the report, and may have something done. 報告の確認と指示");
        group.MapPost("/{id}/close", (ReviewDesk desk, string id, Closing it, HttpContext http) =>
            AsPersonAsync(http, by => desk.CloseAsync(by, it.Code, id, it.Note))).WithSummary("What was instructed is done. 指示の完了");
        api.MapGet("/audit-sample.pdf", async (AuditSamples samples, AuditSamplePdf paper, DateTimeOffset from, DateTimeOffset to, int? count, string? seed, HttpContext http) =>
        {
            JapaneseFont.Need();
            var sample = await samples.DrawAsync(http.Actor(), from, to, count ?? 25, seed, http.RequestAborted);
            var file = new MemoryStream();
            paper.Write(sample, http.Actor(), file);
            file.Position = 0;
            return Results.File(file, "application/pdf", $"audit-sample-{sample.Seed}.pdf");
        }).RequireAuthorization(HubApi.U).WithSummary("A random sample of granted entries as a working paper; the paper says how it can be drawn again. 監査調書PDF");
    }

    private static async Task<IResult> AsPersonAsync(HttpContext http, Func<SignedIn, Task> act)
    {
        if (SignedIn.From(http.User) is not { } by) return Results.Forbid(authenticationSchemes: [TokenAuthentication.Name]);
        await act(by);
        return Results.NoContent();
    }
}
