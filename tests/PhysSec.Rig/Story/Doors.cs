using static PhysSec.Rig.Story.Tale;

namespace PhysSec.Rig.Story;

/// <summary>People at the door: who is let in, who is not and why, how they leave, and what a door left open does.</summary>
internal static class Doors
{
    public static async Task PlayAsync(Tale tale)
    {
        await tale.TitleAsync("朝、サーバ室A", "Morning at server room A");
        await tale.LineAsync("青木さんのカードを許可、扉が開閉し入室", "Aoki is let in; the leaf opens and closes behind her", async () =>
        {
            await tale.WalkInAsync("alice");
            await tale.GrantedAsync("alice");
            await tale.PassageAsync("p-alice", "in");
        });
        await RefusedAsync(tale, "未登録のカードを拒否", "An unknown card is refused", "mallory", "UnknownCredential");
        await RefusedAsync(tale, "失効した後藤さんのカードを拒否", "Goto's revoked card is refused", "grace", "CredentialRevoked");
        await RefusedAsync(tale, "時間外の伊達さんを拒否", "Date is refused: outside permitted hours", "dave", "OutsideHours");
        await RefusedAsync(tale, "この部屋の権限がない原さんを拒否", "Hara is refused: no right to this room", "heidi", "NoRightHere");
        await tale.LineAsync("紛失届のカードを拒否し、警報を出す", "A card reported lost is refused and raises an alarm", async () =>
        {
            await tale.RefusedAsync("frank", "CredentialLost");
            await tale.AcknowledgeAsync(await tale.AlarmAsync("lost-card", active: true), "本人に連絡済み (owner called)");
        });
        await LeavingAsync(tale);
        await LeafAsync(tale);
    }

    private static Task RefusedAsync(Tale tale, string ja, string en, string badge, string reason) => tale.LineAsync(ja, en, async () =>
    {
        await tale.RefusedAsync(badge, reason);
        Must(!(bool)(await tale.Instance.RoomAsync(tale.Cancel))["lockOutput"]!, $"the lock let go for {badge}");
    });

    private static async Task LeavingAsync(Tale tale)
    {
        await tale.LineAsync("馬場さんが入室、退室カードで退室", "Baba comes in, and leaves with his badge at the exit reader", async () =>
        {
            await tale.WalkInAsync("bob");
            await tale.PassageAsync("p-bob", "in");
            await tale.LetThroughAsync("bob", "out");
            await tale.GrantedAsync("bob", "out");
            await tale.ActAsync("push");
            await tale.LockedAgainAsync();
            await tale.PassageAsync("p-bob", "out");
        });
        await tale.LineAsync("退室ボタンで一人退室(記録のみ、警報なし)", "Somebody leaves by the exit button: recorded, no alarm", async () =>
        {
            await tale.ActAsync("exit");
            await tale.RecordAsync("the exit button", it => Is(it, "door.exit-request"));
            await tale.ActAsync("push");
            await tale.LockedAgainAsync();
            await tale.PassageAsync(null, "out");
            Must(!await IsActiveAsync(tale, "exit-in-empty-room"), "an alarm says that the room was empty, but Aoki was inside");
        });
        await tale.LineAsync("無人の部屋で退室ボタン:警報", "The exit button is pressed in an empty room: alarm", async () =>
        {
            await tale.ActAsync("exit");
            await tale.AcknowledgeAsync(await tale.AlarmAsync("exit-in-empty-room", active: true), "現地確認、異常なし (checked on site)");
            await tale.LockedAgainAsync();
        });
    }

    private static async Task LeafAsync(Tale tale)
    {
        await tale.TitleAsync("扉", "The door");
        await tale.LineAsync("扉の開放時間を4秒に変更、制御装置に反映", "An administrator sets the door's open time to 4 s; the node applies it", async () =>
        {
            await Provision.PutDoorAsync(tale.Instance, 4, 2, tale.Cancel);
            await tale.RecordAsync("the policy in force", it => Is(it, "policy.applied"));
            await tale.Instance.NodeReadyAsync(tale.Cancel);
        });
        await tale.LineAsync("扉の閉め忘れ:予備警報、警報、閉めて復旧", "The door is held open: pre-alarm, alarm, and over when it is closed", async () =>
        {
            await tale.LetThroughAsync("carol");
            await tale.GrantedAsync("carol");
            await tale.ActAsync("open");
            await tale.RecordAsync("the pre-alarm", it => Is(it, "door.changed") && Same(HubApi.Fact(it)["to"], "PreAlarm"));
            await tale.AcknowledgeAsync(await tale.AlarmAsync("door-held", active: true), "閉めに向かう (going to close it)");
            await tale.LockedAgainAsync();
            await tale.AlarmAsync("door-held", active: false);
        });
        await tale.LineAsync("扉のこじ開け:警報、サイレン、警報確認で停止", "The door is forced: alarm and siren; acknowledging stops the siren", async () =>
        {
            await tale.ActAsync("force");
            var alarm = await tale.AlarmAsync("door-forced", active: true);
            await RoomShowsAsync(tale, "the siren to sound", "siren", true);
            await tale.AcknowledgeAsync(alarm, "警備員が確認 (guard on site)");
            await RoomShowsAsync(tale, "the siren to stop", "siren", false);
            await tale.LockedAgainAsync();
            await tale.AlarmAsync("door-forced", active: false);
        });
        await tale.LineAsync("読取装置のこじ開け検知と復旧", "Somebody opens the reader: tamper, and over when it is shut", async () =>
        {
            await tale.ActAsync("tamper door on");
            await tale.AcknowledgeAsync(await tale.AlarmAsync("tamper", active: true), "点検 (inspected)");
            await tale.ActAsync("tamper door off");
            await tale.AlarmAsync("tamper", active: false);
        });
    }

    public static Task RoomShowsAsync(Tale tale, string what, string field, bool value) => Wait.UntilAsync(
        what, async () => (bool)(await tale.Instance.RoomAsync(tale.Cancel))[field]! == value, Limit, tale.Cancel);

    private static async Task<bool> IsActiveAsync(Tale tale, string alarmClass) =>
        HubApi.Items(await tale.Instance.Operator.GetAsync("alarms?state=active", tale.Cancel))
            .Any(it => (string?)it["class"] == alarmClass && (bool)it["active"]!);
}
