using PhysSec.Hub.Access;
using PhysSec.Hub.Reports;

namespace PhysSec.Hub.Api;

/// <summary>The 鍵管理簿: the mechanical keys of the doors, who has which, and who had.</summary>
internal static class KeyApi
{
    public sealed record NewKey(string? Door, string? Label, KeyKind? Kind, string? Reason);

    public sealed record Lending(string? Person, string? Purpose, DateTimeOffset DueAt, DateTimeOffset? LentAt);

    /// <summary>Loan is the one that the caller saw; null: whichever there is.</summary>
    public sealed record Return(string? Reason, long? Loan);

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/keys", (KeyRegister keys, HttpContext http) => keys.List(http.Actor()))
            .RequireAuthorization(HubApi.Any).WithSummary("The keys within the scope, and who has which. 鍵の一覧と貸出状況");
        api.MapPost("/keys", async (KeyRegister keys, NewKey it, HttpContext http) => await keys.AddAsync(http.Actor(), it.Door, it.Label, it.Kind, it.Reason))
            .RequireAuthorization(HubApi.A).WithSummary("Registers a key of a door; kind main (正) or spare (副). 鍵の登録");
        api.MapPost("/keys/{id}/remove", async (KeyRegister keys, string id, OperationApi.Why it, HttpContext http) =>
        {
            await keys.RemoveAsync(http.Actor(), id, it.Reason);
            return Results.NoContent();
        }).RequireAuthorization(HubApi.A).WithSummary("Takes a lost, replaced or destroyed key off the register. 鍵の抹消");
        api.MapPost("/keys/{id}/lend", async (KeyRegister keys, string id, Lending it, HttpContext http) =>
                await keys.LendAsync(http.Actor(), new(id, it.Person ?? "", it.Purpose ?? "", it.DueAt, it.LentAt)))
            .RequireAuthorization(HubApi.O).WithSummary("Lends a key to somebody with a right to the zone, for 7 days at most; lentAt may lie a day back. 鍵の貸出");
        api.MapPost("/keys/{id}/return", async (KeyRegister keys, string id, Return it, HttpContext http) =>
        {
            await keys.ReturnAsync(http.Actor(), id, it.Reason, it.Loan is { } loan ? new SeenLoan(loan) : null);
            return Results.NoContent();
        }).RequireAuthorization(HubApi.O).WithSummary("Takes a key back; with loan only if that is the one it is out with. 鍵の返却");
        api.MapGet("/keys/loans", async (KeyRegister keys, AccessLog log, TimeProvider clock, DateTimeOffset? from, DateTimeOffset? to, HttpContext http) =>
        {
            var (since, until) = (from ?? clock.GetUtcNow().AddDays(-31), to ?? clock.GetUtcNow().AddMinutes(1));
            await log.SearchedAsync(http.Actor(), new(since, until, Kind: KeySheet.Searched));
            return keys.Loans(http.Actor(), since, until);
        }).RequireAuthorization(HubApi.Any).WithSummary("The loans of a period. 鍵管理簿");
        api.MapGet("/keys/loans.csv", async (KeySheet sheet, string? month, HttpContext http) =>
        {
            var file = new MemoryStream();
            var name = await sheet.WriteCsvAsync(month, http.Actor(), file, http.RequestAborted);
            file.Position = 0;
            return Results.File(file, "text/csv; charset=utf-8", $"keys-{name}.csv");
        }).RequireAuthorization(HubApi.Any).WithSummary("A month (yyyy-MM) of loans as CSV. 鍵管理簿CSV");
    }
}
