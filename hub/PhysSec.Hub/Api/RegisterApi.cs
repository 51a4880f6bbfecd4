using PhysSec.Hub.Access;
using PhysSec.Hub.Reports;

namespace PhysSec.Hub.Api;

/// <summary>The 入退室管理簿: read, handed over as a file, and completed by hand.</summary>
internal static class RegisterApi
{
    public sealed record LateEntryWithReason(
        long? Line, string? Person, string? Name, string? Department, string? Purpose, string? Door, DateTimeOffset? In, DateTimeOffset? Out, string? Escort,
        IReadOnlyList<string>? Items, string? Reason)
    {
        internal NewLateEntry Entry => new(Line, Person, Name, Department, Purpose, Door, In, Out, Escort, Items);
    }

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/register", async (Register register, AccessLog log, TimeProvider clock, DateTimeOffset? from, DateTimeOffset? to, HttpContext http) =>
        {
            var (since, until) = (from ?? clock.GetUtcNow().AddDays(-31), to ?? clock.GetUtcNow().AddMinutes(1));
            await log.SearchedAsync(http.Actor(), new(since, until, Kind: "register"));
            return register.List(since, until);
        }).RequireAuthorization(HubApi.U).WithSummary("Entries paired with exits; a missing exit stays missing. 入退室管理簿");
        api.MapGet("/register.csv", async (RegisterSheet sheet, AccessLog log, string? month, HttpContext http) =>
        {
            var made = await MadeAsync(sheet, log, month, "csv", http);
            var file = new MemoryStream();
            await sheet.WriteCsvAsync(made, file, http.RequestAborted);
            return Given(file, "text/csv; charset=utf-8", made, "csv");
        }).RequireAuthorization(HubApi.U).WithSummary("A month (yyyy-MM) in the city's form, as CSV. 入退室管理簿CSV");
        api.MapGet("/register.pdf", async (RegisterSheet sheet, AccessLog log, string? month, HttpContext http) =>
        {
            JapaneseFont.Need();
            var made = await MadeAsync(sheet, log, month, "pdf", http);
            var file = new MemoryStream();
            RegisterPdf.Write(sheet, made, file);
            return Given(file, "application/pdf", made, "pdf");
        }).RequireAuthorization(HubApi.U).WithSummary("The same to print, with completeness and checkpoint. 入退室管理簿PDF");
        api.MapPost("/register/late-entries", async (LateEntries later, LateEntryWithReason it, HttpContext http) =>
        {
            await later.AddAsync(http.Actor(), it.Entry, it.Reason ?? "", http.RequestAborted);
            return Results.NoContent();
        }).RequireAuthorization(HubApi.A).WithSummary("Enters later what no door has on record. 後日入力");
    }

    private static async Task<RegisterMonth> MadeAsync(RegisterSheet sheet, AccessLog log, string? month, string file, HttpContext http)
    {
        var made = await sheet.OfAsync(month, http.Actor(), http.RequestAborted);
        await log.SearchedAsync(http.Actor(), new(made.From, made.To, Kind: "register"), file, http.RequestAborted);
        return made;
    }

    private static IResult Given(MemoryStream file, string type, RegisterMonth made, string ending)
    {
        file.Position = 0;
        return Results.File(file, type, $"register-{made.Name}.{ending}");
    }
}
