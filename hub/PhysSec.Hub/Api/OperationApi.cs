using PhysSec.Core.Wire;
using PhysSec.Hub.Alarms;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Live;
using PhysSec.Hub.Notify;

namespace PhysSec.Hub.Api;

/// <summary>Nodes, doors, live values, alarms.</summary>
internal static class OperationApi
{
    public sealed record NewNode(string? Id, string? Name, int? Minutes, bool? Replace, string? Reason);

    public sealed record NewToken(string? Name, string? Role, int? Hours, bool? MayRelease);

    public sealed record NewBackup(string? To, string? Passphrase);

    public sealed record Erased(string? File);

    public sealed record Why(string? Reason);

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/nodes", (Nodes nodes) => nodes.List()).RequireAuthorization(HubApi.Any).WithSummary("The nodes and how they are. 制御装置");
        api.MapGet("/disks", (DiskWatch disks) => disks.List()).RequireAuthorization(HubApi.Any).WithSummary("How full each disk is, and when it will be. ディスク使用量と満杯予測");
        api.MapPost("/nodes", async (Enrolments enrolments, NewNode it, HttpContext http) => await enrolments.InviteAsync(http.Actor(), it.Id, it.Name, it.Minutes ?? 60, it.Replace == true ? it.Reason ?? "" : null))
            .RequireAuthorization(HubApi.A).WithSummary("Invites a node: a one-time code for physsec-node enroll, shown once. 機器登録コード発行");
        api.MapGet("/enrolment/authority", (HubHome state) => Results.Text(state.Authority.RootPem, "application/x-pem-file"))
            .AllowAnonymous().WithSummary("The site's certificate authority, to be compared with the code's pin. 認証局証明書");
        api.MapPost("/enrolment", async (Enrolments enrolments, EnrolmentRequest it, HttpContext http) =>
                await enrolments.RedeemAsync(it, http.Connection.RemoteIpAddress?.ToString() ?? "command line"))
            .AllowAnonymous().RequireRateLimiting(HubApi.Enrolment).WithSummary("A board comes with its code and its own key's request. 機器登録");
        api.MapPost("/nodes/{id}/revoke", async (Nodes nodes, string id, Why it, HttpContext http) =>
        {
            await nodes.RevokeAsync(http.Actor(), id, it.Reason);
            return Results.NoContent();
        }).RequireAuthorization(HubApi.A).WithSummary("Ends a node's certificate and its session. 機器失効");
        api.MapPost("/erasures", async (Erasures erasures, Erased it, HttpContext http) => await erasures.TakeAsync(http.Actor(), it.File))
            .RequireAuthorization(HubApi.A).WithSummary("Checks an erased board's certificate, puts it on record and ends that board's key. 消去証明書の確認");
        api.MapGet("/tokens", (Tokens tokens) => tokens.List()).RequireAuthorization(HubApi.A).WithSummary("The programs that may use this API. APIトークン");
        api.MapPost("/tokens", async (Tokens tokens, NewToken it, HttpContext http) =>
                new { token = await tokens.MakeAsync(http.Actor(), it.Name, it.Role, it.Hours ?? 24, it.MayRelease ?? false) })
            .RequireAuthorization(HubApi.A).WithSummary("Makes a token, shown once; only on the hub's own machine (physsec-hub token). トークン発行");
        api.MapPost("/tokens/{name}/remove", async (Tokens tokens, string name, Why it, HttpContext http) =>
        {
            await tokens.RemoveAsync(http.Actor(), name, it.Reason);
            return Results.NoContent();
        }).RequireAuthorization(HubApi.A).WithSummary("Ends a token at once. トークン失効");
        api.MapPost("/nodes/{id}/release-policy", async (Access.PolicyPublisher publisher, string id, Why it, HttpContext http) =>
        {
            await publisher.ReleaseAsync(http.Actor(), id, it.Reason);
            return Results.NoContent();
        }).RequireAuthorization(HubApi.A).WithSummary("Lets a node whose policy is newer than this hub's take this hub's. 復旧後の配布再開");
        api.MapPost("/backups", async (HubHome home, NewBackup it, TimeProvider clock, HttpContext http) =>
        {
            if (!http.Actor().AtTheMachine) throw new Access.InputException("to", "a backup is taken on the hub's own machine", "use physsec-hub backup");
            await Backup.TakeAsync(home, http.Actor(), it.To ?? "", it.Passphrase, clock.GetUtcNow(), http.RequestAborted);
            return Results.NoContent();
        }).RequireAuthorization(HubApi.A).WithSummary("Takes a sealed backup; only on the hub's own machine. バックアップ");
        api.MapPost("/accounts/recovery", async (Web.Accounts.AccountDesk desk, Enrolments enrolments, Why it, HttpContext http) =>
        {
            if (!http.Actor().AtTheMachine) throw new Access.InputException("role", "this is done on the hub's own machine", "use physsec-hub recover");
            if (string.IsNullOrWhiteSpace(it.Reason)) throw new Access.InputException("reason", "it is missing", "say why nobody can sign in");
            return new { link = new Uri(enrolments.Console!, await desk.RecoverAsync(it.Reason)).ToString() };
        }).RequireAuthorization(HubApi.A).WithSummary("A link for a new administrator; only on the hub's own machine. 管理者復旧");
        api.MapGet("/points", (LiveBoard live) => live.Points()).RequireAuthorization(HubApi.O).WithSummary("Live values with quality and age. 測定値");

        DoorApi.Map(api);
        api.MapGet("/alarms", (AlarmBoard alarms, string? state, HttpContext http) => alarms.List(http.Actor(), activeOnly: state == "active")).RequireAuthorization(HubApi.Any).WithSummary("Alarms, state=active or all. 警報");
        api.MapGet("/alarms/history", (AlarmBoard alarms, int? limit, long? cursor) => alarms.History(Math.Clamp(limit ?? 200, 1, 500), cursor))
            .RequireAuthorization(HubApi.Any).WithSummary("Every raise, clear and acknowledgement. 警報履歴");
        api.MapPost("/alarms/{key}/acknowledge", async (AlarmBoard alarms, string key, Why it, HttpContext http) =>
        {
            // The server leaves an escaped slash in a path as it stands.
            await alarms.AcknowledgeAsync(http.Actor(), key.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase), it.Reason ?? "");
            return Results.NoContent();
        }).RequireAuthorization(HubApi.O).WithSummary("Acknowledges with a reason; repetition and siren stop. 警報確認");
        api.MapGet("/notifications", (NotificationLog log, int? limit) => log.List(Math.Clamp(limit ?? 200, 1, 500))).RequireAuthorization(HubApi.Any).WithSummary("What was sent, and what failed. 配信結果");
    }
}
