using PhysSec.Hub.Fleet;

namespace PhysSec.Hub.Api;

/// <summary>
/// What moves a door or changes how it treats people. A person confirms such an act with the second factor at the console; a program's token must have been made for it. Every act is on
/// record before it is sent, with who and why, and its outcome (done, refused, no-answer; waits: for a second person at the console) after.
/// </summary>
internal static class DoorApi
{
    public sealed record Lockdown(bool On, string? Reason);

    public sealed record Timed(int Minutes, string? Reason);

    public sealed record Reader(string? Reason, int? Minutes = null, string? Device = null);

    public sealed record Tested(DateTimeOffset Since, string? Reason);

    public static void Map(RouteGroupBuilder api)
    {
        Move(api.MapPost("/doors/{id}/release", async (DoorCommands commands, string id, OperationApi.Why it, HttpContext http) => await commands.ReleaseAsync(http.Actor(), id, it.Reason)))
            .WithSummary("Releases a door once; not while entry is held. The token must have been made with --may-release, as for every act that moves a door. 解錠");
        Move(api.MapPost("/doors/{id}/unlock", async (Unlockings unlockings, string id, Timed it, HttpContext http) => await unlockings.UnlockAsync(http.Actor(), null, id, it.Minutes, it.Reason)))
            .WithSummary("Unlocks a door for so many minutes; waits for a second person at the console where the site's rule asks for one. 時間を決めた解錠");
        Move(api.MapPost("/doors/{id}/block", async (DoorCommands commands, string id, Timed it, HttpContext http) => await commands.BlockAsync(http.Actor(), id, it.Minutes, it.Reason)))
            .WithSummary("Nobody is let in for so many minutes; exit stays free. 入室停止");
        Move(api.MapPost("/doors/{id}/override-end", async (DoorCommands commands, string id, OperationApi.Why it, HttpContext http) => await commands.EndOverrideAsync(http.Actor(), id, it.Reason)))
            .WithSummary("Ends a timed unlocking or block before its time. 連続解錠・入室停止の終了");
        Move(api.MapPost("/doors/{id}/confirm-release", async (DoorCommands commands, string id, OperationApi.Why it, HttpContext http) => await commands.ConfirmReleaseAsync(http.Actor(), id, it.Reason)))
            .WithSummary("Lets a door that fire, broken glass or shaking freed lock again; refused while the contact is active. 非常解錠の終了の確認");
        Move(api.MapPost("/doors/{id}/lockdown", async (DoorCommands commands, string id, Lockdown it, HttpContext http) => await commands.LockdownAsync(http.Actor(), id, it.On, it.Reason)))
            .WithSummary("Entry refused to everybody; exit stays free. 緊急施錠(退室可)");
        Move(api.MapPost("/doors/{id}/readers/{side}/{act}", async (DoorCommands commands, string id, string side, string act, Reader it, HttpContext http) =>
                await commands.ReaderAsync(http.Actor(), id, side, act, it.Minutes, it.Device, it.Reason)), HubApi.A)
            .WithSummary("Begins install, rotate, replace, accept or end at an OSDP reader (side: entry or exit); GET readers follows it. Keys are made by the node and never told. リーダの登録・鍵の変更・交換");
        api.MapGet("/doors/{id}/readers", (Access.Doors doors, Live.LiveBoard live, string id, HttpContext http) => doors.Get(id) is { } door && http.Actor().Covers(door.Zone) && live.Door(id) is { } it ? Results.Ok(new { it.Quality, it.ReceivedAt, readers = it.State.Readers ?? [] }) : Results.NotFound())
            .RequireAuthorization(HubApi.O).WithSummary("The door's OSDP readers as their node sees them: link, device, fingerprint of the key, and what is under way. リーダの状態");
        api.MapGet("/doors/release-paths", (ReleasePaths paths) => paths.List()).RequireAuthorization(HubApi.Any).WithSummary("Each way out, its newest test with the measured time, and whether one is due. 解錠経路の試験");
        api.MapPost("/doors/{id}/release-path-test", async (ReleasePaths paths, string id, Tested it, HttpContext http) => await paths.RecordAsync(http.Actor(), id, it.Since, it.Reason))
            .RequireAuthorization(HubApi.O).WithSummary("Puts a test of a way out on record: exit button and opening since that time (10 min at most), measured from the record. 解錠経路の試験の記録");
        api.MapGet("/doors/unlock-requests", (Unlockings unlockings) => unlockings.Waiting().Select(it => new { it.Id, it.Door, it.Minutes, it.Reason, by = it.By.Name, it.At, it.Until }))
            .RequireAuthorization(HubApi.O).WithSummary("Timed unlockings that wait for a second person. 2人目の確認待ちの指示");
        api.MapPost("/doors/{id}/reset-presence", async (DoorCommands commands, string id, OperationApi.Why it, HttpContext http) =>
                await commands.ResetPresenceAsync(http.Actor(), id, it.Reason))
            .RequireAuthorization(HubApi.O).WithSummary("Empties the list of who is inside. 在室者の訂正");
    }

    private static RouteHandlerBuilder Move(RouteHandlerBuilder route, string policy = HubApi.O) => route.RequireAuthorization(policy).AddEndpointFilter(async (context, next) =>
        context.HttpContext.User.HasClaim(TokenAuthentication.MayReleaseClaim, "true") ? await next(context) : Results.Forbid(authenticationSchemes: [TokenAuthentication.Name]));
}
