using System.Text.Json;
using System.Text.Json.Nodes;
using PhysSec.Core.Access;
using PhysSec.Hub.Access;
using PhysSec.Hub.Live;

namespace PhysSec.Hub.Api;

/// <summary>People, cards, rights and the rooms they open.</summary>
internal static class AccessApi
{
    private const int CsvMax = 8 << 20;

    public sealed record NewCredential(int? Facility, int? Number, int? Length, string? Presentation, DateTimeOffset? ValidFrom, DateTimeOffset? ValidTo);

    public sealed record NewPin(string Reason, bool Alone = false, int Digits = Pins.DigitsUsual);

    public sealed record NewState(CredentialState State, string Reason);

    public sealed record Reason(string? Text, [property: System.Text.Json.Serialization.JsonPropertyName("reason")] string? Why)
    {
        public string? Said => Why ?? Text;
    }

    public sealed record NewRight(
        string Person, string Zone, string Schedule, DateTimeOffset ValidFrom, DateTimeOffset ValidTo, string Applicant, string Approver, string ApplicationNumber, string Purpose);

    public sealed record NewPresentation(string Door, Direction Direction, string Use, string? Person);

    public sealed record ClosedDates(IReadOnlyList<DateOnly> Dates);

    public static void Map(RouteGroupBuilder api)
    {
        Settings(api);
        People(api);
        api.MapGet("/rights", (Rights rights, string? person) => rights.List(person)).RequireAuthorization(HubApi.Any).WithSummary("Rights with applicant, approver and application number. 入室権限");
        api.MapPost("/rights", async (Rights rights, NewRight it, HttpContext http) => await rights.AddAsync(http.Actor(), new RightRow(
            "", it.Person, it.Zone, it.Schedule, it.ValidFrom, it.ValidTo, it.Applicant, it.Approver, it.ApplicationNumber, it.Purpose)))
            .RequireAuthorization(HubApi.A).WithSummary("Adds a right; applicant and approver are two people. 権限の登録");
        api.MapPost("/rights/{id}/remove", async (Rights rights, string id, Reason reason, HttpContext http) =>
        {
            await rights.RemoveAsync(http.Actor(), id, reason.Said ?? "");
            return Results.NoContent();
        }).RequireAuthorization(HubApi.A).WithSummary("Removes a right. 権限の抹消");
        api.MapPost("/presentations", async (Presentations presentations, NewPresentation it, HttpContext http) =>
                new { id = await presentations.BeginAsync(http.Actor(), it.Door, it.Direction, it.Use, it.Person) })
            .RequireAuthorization(HubApi.A).WithSummary("Waits for the next card at a reader. カード読取の待受");
        api.MapGet("/presentations/{id}", (Presentations presentations, string id) => presentations.Get(id))
            .RequireAuthorization(HubApi.A).WithSummary("What became of it: waiting, taken or expired. 待受の結果");
    }

    private static void Settings(RouteGroupBuilder api)
    {
        api.MapGet("/zones", (Zones zones) => zones.List()).RequireAuthorization(HubApi.Any);
        api.MapGet("/zones/{id}", (Zones zones, string id) => zones.Get(id) is { } it ? Results.Ok(it) : Results.NotFound()).RequireAuthorization(HubApi.Any);
        api.MapPut("/zones/{id}", async (Zones zones, string id, ZoneSettings it, HttpContext http) => await zones.PutAsync(http.Actor(), it with { Id = id }))
            .RequireAuthorization(HubApi.A).WithSummary("A zone: its level 1–3, greatest policy age and what holds beyond it, required assurance, factors. 区域");
        api.MapGet("/doors", (Doors doors, LiveBoard live) => doors.List().Select(it => Door(it, live))).RequireAuthorization(HubApi.Any);
        api.MapGet("/doors/{id}", (Doors doors, LiveBoard live, string id) => doors.Get(id) is { } it ? Results.Ok(Door(it, live)) : Results.NotFound()).RequireAuthorization(HubApi.Any);
        api.MapPut("/doors/{id}", async (Doors doors, string id, DoorSettings it, HttpContext http) => await doors.PutAsync(http.Actor(), it with { Id = id }))
            .RequireAuthorization(HubApi.A).WithSummary("A door: node, zone, times in seconds, reader assurance and its exception. 扉");
        api.MapGet("/schedules", (SchedulesStore schedules) => schedules.List()).RequireAuthorization(HubApi.Any);
        api.MapGet("/schedules/{id}", (SchedulesStore schedules, string id) => schedules.Get(id) is { } it ? Results.Ok(it) : Results.NotFound()).RequireAuthorization(HubApi.Any);
        api.MapPut("/schedules/{id}", async (SchedulesStore schedules, string id, ScheduleSettings it, HttpContext http) => await schedules.PutAsync(http.Actor(), it with { Id = id }))
            .RequireAuthorization(HubApi.A).WithSummary("Weekly windows in site time. 時間帯");
        api.MapGet("/closed-days", (ClosedDays days) => new ClosedDates(days.Get())).RequireAuthorization(HubApi.Any);
        api.MapPut("/closed-days", async (ClosedDays days, ClosedDates it, HttpContext http) => await days.PutAsync(http.Actor(), it.Dates))
            .RequireAuthorization(HubApi.A).WithSummary("Days closed besides the national holidays, which are computed. 閉庁日");
        api.MapGet("/sensing", (SensingRules rules) => rules.List().Select(Sensing)).RequireAuthorization(HubApi.Any);
        api.MapGet("/sensing/{point}", (SensingRules rules, string point) => rules.Get(point) is { } it ? Results.Ok(Sensing(it)) : Results.NotFound()).RequireAuthorization(HubApi.Any);
        api.MapPut("/sensing/{point}", async (SensingRules rules, string point, JsonObject body, HttpContext http) =>
        {
            var node = body["node"] is JsonValue value && value.TryGetValue(out string? named)
                ? named : throw new InputException("node", "it is missing", "name the node that reads this point");
            body.Remove("node");
            body["point"] = point;
            var rule = Read<SensingRule>(body);
            await rules.PutAsync(http.Actor(), node, rule);
        }).RequireAuthorization(HubApi.A).WithSummary("Limits, dead-band, delays, rate and silence of a point. しきい値");
    }

    private static void People(RouteGroupBuilder api)
    {
        api.MapGet("/people", (People people, string? search) => people.List(search)).RequireAuthorization(HubApi.Any);
        api.MapGet("/people/{id}", (People people, string id) => people.Find(id) is { } it ? Results.Ok(it) : Results.NotFound()).RequireAuthorization(HubApi.Any);
        api.MapPost("/people", async (People people, JsonObject body, HttpContext http) =>
        {
            body["id"] ??= "";
            return await people.AddAsync(http.Actor(), Read<Person>(body));
        }).RequireAuthorization(HubApi.A).WithSummary("Adds a person. 登録者の追加");
        api.MapPut("/people/{id}", async (People people, string id, Person it, HttpContext http) => await people.ChangeAsync(http.Actor(), it with { Id = id })).RequireAuthorization(HubApi.A);
        api.MapGet("/people.csv", async (PeopleCsv csv, string? encoding, HttpContext http) =>
        {
            http.Response.ContentType = $"text/csv; charset={(encoding == "cp932" ? "shift_jis" : "utf-8")}";
            http.Response.Headers.ContentDisposition = "attachment; filename=people.csv";
            using var buffer = new MemoryStream();
            await csv.ExportAsync(http.Actor(), buffer, encoding ?? "utf-8", http.RequestAborted);
            buffer.Position = 0;
            await buffer.CopyToAsync(http.Response.Body, http.RequestAborted);
        }).RequireAuthorization(HubApi.A).WithSummary("People as CSV, utf-8 or cp932. 登録者CSV");
        api.MapPost("/people.csv", async (PeopleCsv csv, string? encoding, HttpContext http) =>
        {
            using var buffer = new MemoryStream();
            await http.Request.Body.CopyToAsync(buffer, http.RequestAborted);
            if (buffer.Length > CsvMax) throw new InputException("body", $"it has {buffer.Length} bytes", $"send at most {CsvMax}");
            return await csv.ImportAsync(http.Actor(), buffer.ToArray(), encoding ?? "utf-8", http.RequestAborted);
        }).RequireAuthorization(HubApi.A).WithSummary("Takes the good rows and names what is wrong with the others. CSV取込");
        api.MapGet("/credentials", (Credentials credentials, string? person) => credentials.List(person)).RequireAuthorization(HubApi.A);
        api.MapPost("/people/{id}/credentials", async (Credentials credentials, Presentations presentations, string id, NewCredential it, HttpContext http) =>
        {
            if (it.Presentation is { } shown)
                return await credentials.AddAsync(http.Actor(), id, presentations.TokenOf(shown), it.ValidFrom, it.ValidTo);

            if (it.Facility is not { } facility || it.Number is not { } number)
                throw new InputException("facility, number", "they are missing", "give what is printed on the card, or the id of a presentation");
            return await credentials.AddAsync(http.Actor(), id, facility, number, it.Length ?? 26, it.ValidFrom, it.ValidTo);
        }).RequireAuthorization(HubApi.A).WithSummary("Gives a person a card. カードの登録");
        api.MapGet("/people/{id}/pin", (Pins pins, string id) => pins.Find(id) is { } it ? Results.Ok(it) : Results.NotFound()).RequireAuthorization(HubApi.A);
        api.MapPost("/people/{id}/pin", async (Pins pins, string id, NewPin it, HttpContext http) =>
        {
            http.Response.Headers.CacheControl = "no-store";
            return await pins.IssueAsync(http.Actor(), id, it.Alone, it.Reason ?? "", it.Digits);
        }).RequireAuthorization(HubApi.A).WithSummary("Draws a PIN and a duress code; the answer is the only place where they ever stand. 暗証番号の発行");
        api.MapPost("/people/{id}/pin/withdraw", async (Pins pins, string id, Reason reason, HttpContext http) =>
        {
            await pins.WithdrawAsync(http.Actor(), id, reason.Said ?? "");
            return Results.NoContent();
        }).RequireAuthorization(HubApi.A).WithSummary("Withdraws a PIN. 暗証番号の取消");
        api.MapPost("/credentials/{token}/state", async (Credentials credentials, string token, NewState it, HttpContext http) =>
                await credentials.SetStateAsync(http.Actor(), token, it.State, it.Reason ?? ""))
            .RequireAuthorization(HubApi.A).WithSummary("Revoked, lost, suspended or active; in force at online nodes within seconds. 失効・紛失");
    }

    private static JsonObject Sensing(SensingSettings it)
    {
        var json = JsonSerializer.SerializeToNode(it.Rule, AccessJson.Options)!.AsObject();
        json["node"] = it.Node;
        return json;
    }

    private static JsonObject Door(DoorSettings it, LiveBoard live)
    {
        var json = JsonSerializer.SerializeToNode(it, AccessJson.Options)!.AsObject();
        json["live"] = live.Door(it.Id) is { } now ? JsonSerializer.SerializeToNode(now, AccessJson.Options) : null;
        return json;
    }

    private static T Read<T>(JsonObject body)
    {
        try
        {
            return body.Deserialize<T>(AccessJson.Options) ?? throw new InputException("body", "it is null", "send an object");
        }
        catch (JsonException fault)
        {
            throw new InputException(fault.Path ?? "body", fault.Message, "send it as /openapi/v1.json describes it");
        }
    }
}
