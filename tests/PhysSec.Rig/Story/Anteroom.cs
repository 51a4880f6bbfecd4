using System.Text.Json.Nodes;
using static PhysSec.Rig.Story.Tale;

namespace PhysSec.Rig.Story;

/// <summary>The second door: card and PIN at an OSDP reader, a guesser, somebody under duress, cut cables, the interlock, and the fire alarm.</summary>
internal static class Anteroom
{
    private const string Door = Instance.SecondDoor;
    private const string Reader = "door-b.entry";
    private const int WrongAtMost = 5;

    public static async Task PlayAsync(Tale tale)
    {
        if (!tale.Instance.HasSecondDoor) return;

        var codes = Codes.Read(tale.Instance.State);
        await tale.TitleAsync("前室:OSDP読取装置、カードと暗証番号", "The anteroom: an OSDP reader, card and PIN");
        await FactorsAsync(tale, codes);
        await CablesAsync(tale);
        await InterlockAsync(tale, codes);
        await FireAsync(tale);
    }

    private static async Task FactorsAsync(Tale tale, IReadOnlyDictionary<string, Codes> codes)
    {
        var light = "";
        await tale.LineAsync("青木さん、カードと暗証番号で入室", "Aoki is let in with card and PIN", async () =>
        {
            light = await LetInAsync(tale, "alice", codes["alice"].Code);
            await tale.PassageAsync("p-alice", "in");
        });
        await tale.LineAsync("馬場さんのカードに誤った暗証番号を5回:6回目は正しくても拒否、警報", "Five wrong PINs with Baba's card: the sixth is refused though it is right, and an alarm is raised", async () =>
        {
            for (var i = 0; i < WrongAtMost; i++) await RefusedAsync(tale, "bob", Other(codes["bob"]), "WrongPin", i + 1);
            await RefusedAsync(tale, "bob", codes["bob"].Code, "PinBlocked", 1);
            await tale.AcknowledgeAsync(await tale.AlarmAsync("pin-guessing", active: true), "本人に確認 (asked the owner)");
        });
        await tale.LineAsync("加藤さん、脅迫を知らせる番号で入室:扉では何も変わらず、管理サーバで警報", "Kato enters her duress code: nothing differs at the door, the hub alarms", async () =>
        {
            var shown = await LetInAsync(tale, "carol", codes["carol"].Duress);
            Must(shown == light, $"the reader showed \"{shown}\" for the duress code and \"{light}\" for a PIN");
            var alarm = await tale.AlarmAsync("duress", active: true, Door);
            Must(!(bool)(await tale.Instance.RoomAsync(tale.Cancel))["siren"]!, "the siren sounds for a duress code");
            await tale.AcknowledgeAsync(alarm, "警備会社へ通報済み (the guard service knows)");
        });
    }

    private static async Task CablesAsync(Tale tale)
    {
        await tale.LineAsync("読取装置の配線を切断:警報、復旧で自動的に再開", "The reader's cable is cut: alarm; joined again, it works again by itself", async () =>
        {
            await tale.ActAsync($"reader {Reader} cut");
            await tale.AcknowledgeAsync(await tale.AlarmAsync("reader-offline", active: true, Reader), "配線を確認 (looking at the cable)");
            await tale.ActAsync($"reader {Reader} back");
            await tale.AlarmAsync("reader-offline", active: false, Reader);
            await Wait.UntilAsync("the reader to be in a session", async () => (await tale.ActAsync($"reader {Reader} status")).Contains(", secured,", StringComparison.Ordinal), Limit, tale.Cancel);
        });
        await tale.LineAsync("読取装置のこじ開け:警報と復旧", "The reader is opened: tamper, and over when it is shut", async () =>
        {
            await tale.ActAsync($"reader {Reader} tamper on");
            await tale.AcknowledgeAsync(await tale.AlarmAsync("tamper", active: true, Reader), "点検 (inspected)");
            await tale.ActAsync($"reader {Reader} tamper off");
            await tale.AlarmAsync("tamper", active: false, Reader);
        });
        await tale.LineAsync("扉接点の監視線を切断:警報と復旧", "The supervised line of the door's contact is cut: alarm, and over when it is joined", async () =>
        {
            await tale.ActAsync("line door-b.contact cut");
            await tale.AcknowledgeAsync(await tale.AlarmAsync("tamper", active: true, "door-b.contact"), "配線を確認 (looking at the cable)");
            await tale.ActAsync("line door-b.contact ok");
            await tale.AlarmAsync("tamper", active: false, "door-b.contact");
        });
    }

    private static async Task InterlockAsync(Tale tale, IReadOnlyDictionary<string, Codes> codes)
    {
        await tale.LineAsync("二つの扉のインターロックを設定、制御装置に反映", "An administrator joins both doors in an interlock; the node applies it", async () =>
        {
            await Provision.PutDoorAsync(tale.Instance, 20, 10, tale.Cancel, SecondRoom.Interlock);
            await SecondRoom.PutDoorAsync(tale.Instance, SecondRoom.Interlock, tale.Cancel);
            await tale.RecordAsync("the policy in force", it => Is(it, "policy.applied"));
            await tale.Instance.NodeReadyAsync(tale.Cancel);
        });
        await tale.LineAsync("サーバ室の扉が開いている間、前室は入室拒否、退室は自由", "While the server room's door stands open nobody is let into the anteroom, and anybody may leave it", async () =>
        {
            await tale.LetThroughAsync("bob");
            await tale.ActAsync("open");
            await RefusedAsync(tale, "alice", codes["alice"].Code, "Interlocked", 1);
            await tale.ActAsync($"exit {Door}");
            await tale.RecordAsync("the exit button of the anteroom", it => Is(it, "door.exit-request") && (string?)it["door"] == Door);
            await tale.ActAsync($"push {Door}");
            await LockedAgainAsync(tale);
            await tale.LockedAgainAsync();
            await tale.PassageAsync("p-bob", "in");
        });
        await tale.LineAsync("閉めれば入室できる", "Once it is shut, one is let in", async () => await LetInAsync(tale, "alice", codes["alice"].Code));
    }

    private static async Task FireAsync(Tale tale)
    {
        await tale.LineAsync("火災信号:サーバ室の扉を解放、通電時解錠型の前室は内側レバーで退室、警備へ通報", "The fire panel calls: the server room's door is freed; the anteroom's lock needs current to open, so people leave by its lever and the guard service is called", async () =>
        {
            await tale.ActAsync("fire on");
            await tale.AcknowledgeAsync(await tale.AlarmAsync("fire-release", active: true), "避難誘導 (leading people out)");
            await tale.AcknowledgeAsync(await tale.AlarmAsync("release-withheld", active: true, Door), "警備員を派遣 (a guard is on the way)");
            await Doors.RoomShowsAsync(tale, "the server room's lock to be free", "lockOutput", true);
            Must(!(bool)(await SecondDoorAsync(tale))["lockFree"]!, "the fire opened the anteroom from the corridor");
        });
        await tale.LineAsync("信号が続く間の確認は拒否、復旧後も人が確認するまで施錠しない", "A confirmation is refused while the panel calls; after its reset the door stays free until a person confirms", async () =>
        {
            Must(!await ConfirmAsync(tale, Instance.Door), "the door was locked again while the fire panel called");
            await tale.ActAsync("fire off");
            await Wait.UntilAsync("a person to be able to confirm", async () =>
            {
                Must((bool)(await tale.Instance.RoomAsync(tale.Cancel))["lockFree"]!, "the door locked by itself after the fire");
                return await ConfirmAsync(tale, Instance.Door) && await ConfirmAsync(tale, Door);
            }, Limit, tale.Cancel);
            await Doors.RoomShowsAsync(tale, "the server room's door to be locked", "lockFree", false);
            await tale.AlarmAsync("fire-release", active: false);
            await tale.AlarmAsync("release-withheld", active: false, Door);
        });
    }

    private static async Task<bool> ConfirmAsync(Tale tale, string door) => Same(
        (await tale.Instance.Operator.PostAsync($"doors/{door}/confirm-release", new JsonObject { ["reason"] = "火災受信機の復旧を確認 (the panel is reset)" }, tale.Cancel))["outcome"], "done");

    private static async Task<JsonNode> SecondDoorAsync(Tale tale) => (await tale.Instance.RoomAsync(tale.Cancel))["doors"]![Door]!;

    private static async Task LockedAgainAsync(Tale tale)
    {
        await Wait.UntilAsync("the anteroom's lock to end its release", async () => !(bool)(await SecondDoorAsync(tale))["lockOutput"]!, Limit, tale.Cancel);
        await tale.ActAsync($"close {Door}");
    }

    /// <summary>Card, PIN, through the door.</summary>
    /// <returns>What the reader showed.</returns>
    private static async Task<string> LetInAsync(Tale tale, string badge, string code)
    {
        await tale.LetThroughAsync(badge, () => tale.EnterCodeAsync($"pin {badge} {code} {Door}"), async () => (bool)(await SecondDoorAsync(tale))["lockOutput"]!);
        await tale.RecordAsync($"{badge} let into the anteroom", it => Is(it, "access.granted") && (string?)it["person"] == $"p-{badge}" && (string?)it["door"] == Door);
        var shown = await tale.ActAsync($"reader {Reader} status");
        await tale.ActAsync($"open {Door}");
        await LockedAgainAsync(tale);
        return shown.Split(',')[0];
    }

    private static async Task RefusedAsync(Tale tale, string badge, string code, string reason, int times)
    {
        await tale.EnterCodeAsync($"pin {badge} {code} {Door}");
        await Wait.UntilAsync($"{badge} refused because of {reason}", async () => (await tale.RecordsAsync()).Count(it =>
            Is(it, "access.denied") && Same(it["reason"], reason) && (string?)it["person"] == $"p-{badge}" && (string?)it["door"] == Door) == times, Limit, tale.Cancel);
        Must(!(bool)(await SecondDoorAsync(tale))["lockOutput"]!, $"the lock let go for {badge}");
    }

    /// <summary>As long as the right ones, and neither of them.</summary>
    private static string Other(Codes codes)
    {
        var wrong = new string('7', codes.Code.Length);
        return wrong == codes.Code || wrong == codes.Duress ? new('3', wrong.Length) : wrong;
    }
}
