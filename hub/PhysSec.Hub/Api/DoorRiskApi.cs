using PhysSec.Hub.Access;

namespace PhysSec.Hub.Api;

/// <summary>What remains at risk at each door, and who has accepted it.</summary>
internal static class DoorRiskApi
{
    public sealed record Acceptance(string? Hash, string? Reason);

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/door-risks", (DoorSheets sheets) => sheets.List()).RequireAuthorization(HubApi.Any).WithSummary("Residual-risk sheets of all doors. 残存リスク票");
        api.MapGet("/doors/{id}/risk", (DoorSheets sheets, string id) => sheets.Get(id) is { } it ? Results.Ok(it) : Results.NotFound())
            .RequireAuthorization(HubApi.Any).WithSummary("One door's sheet: readers, lock, unsupervised inputs, offline rules, exception, open checks. 残存リスク票");
        api.MapPost("/doors/{id}/risk/accept", async (DoorSheets sheets, string id, Acceptance it, HttpContext http) =>
        {
            await sheets.SignAsync(http.Actor(), id, it.Hash, it.Reason, http.RequestAborted);
            return Results.NoContent();
        }).RequireAuthorization(HubApi.A).WithSummary("Accepts what the sheet of this hash says, with a reason. 残存リスクの承認");
    }
}
