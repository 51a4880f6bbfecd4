using PhysSec.Hardware;

namespace PhysSec.Node.Commissioning;

/// <summary>What an installer reads, in both languages.</summary>
internal static class CommissioningWords
{
    public static Say Keys { get; } = new(
        "y: yes, n REASON: no, s REASON: leave it out, r: begin this check again, q: stop and go on later",
        "y: はい、n 理由: いいえ、s 理由: 保留、r: この項目をやり直す、q: 中断(後で続行)");

    public static Say Ask(CommissioningPlan plan, Check check)
    {
        var device = plan.Device(check.Device);
        var number = plan.Checks.ToList().IndexOf(check) + 1;
        var (english, japanese) = Instruction(check, device);
        return new($"[{number}/{plan.Checks.Count}] {Title(check, device).English}: {english}", $"{Title(check, device).Japanese}: {japanese}");
    }

    /// <summary>What the check proves, as a heading.</summary>
    public static Say Title(Check check, DeviceEntry? device)
    {
        var (english, japanese) = device is null ? ("board", "制御盤") : Role(device.Role);
        var what = check.Kind switch
        {
            CheckKind.ContactMoves => new Say("moves", "動作"),
            CheckKind.WireIsWatched => new Say("cut wire", "断線検知"),
            CheckKind.CardIsRead => new Say("reads a card", "カード読取"),
            CheckKind.ValuesAreRight => new Say("values", "測定値"),
            CheckKind.OutputIsSeen => new Say("works", "動作"),
            CheckKind.LockHolds => new Say("holds", "施錠"),
            CheckKind.LockReleases => new Say("releases", "解錠"),
            CheckKind.ExitByButton => new Say("way out by the exit button", "退出(退室ボタン)"),
            CheckKind.ExitByLever => new Say("way out by lever or thumb-turn", "退出(レバー・サムターン)"),
            CheckKind.ExitByBreakGlass => new Say("way out by the break glass", "退出(非常解錠ボタン)"),
            CheckKind.ExitByFireContact => new Say("way out by the fire panel", "退出(火災報知設備連動)"),
            CheckKind.ExitWithoutBoard => new Say("ways out without the board", "退出(制御盤の電源断)"),
            _ => new Say("inside the protected room", "設置場所"),
        };
        return new($"{english} {check.Device}, {what.English}", $"{japanese} {check.Device} {what.Japanese}");
    }

    public static Say State(DeviceRole role, bool active) => (role, active) switch
    {
        (DeviceRole.ExitButton, true) => new("pressed", "押下"),
        (DeviceRole.ExitButton, false) => new("let go", "解放"),
        (DeviceRole.MainsPresent, true) => new("mains there", "通電"),
        (DeviceRole.MainsPresent, false) => new("mains away", "停電"),
        (DeviceRole.Leak, true) => new("wet", "漏水あり"),
        (DeviceRole.Leak, false) => new("dry", "漏水なし"),
        (DeviceRole.FireRelease or DeviceRole.SeismicRelease or DeviceRole.BreakGlass, true) => new("calls", "作動"),
        (DeviceRole.FireRelease or DeviceRole.SeismicRelease or DeviceRole.BreakGlass, false) => new("reset", "復旧"),
        (DeviceRole.BoltFeedback or DeviceRole.BondFeedback, true) => new("holds", "施錠"),
        (DeviceRole.BoltFeedback or DeviceRole.BondFeedback, false) => new("free", "解錠"),
        (DeviceRole.GuardArmed, true) => new("armed", "警備中"),
        (DeviceRole.GuardArmed, false) => new("disarmed", "警備解除"),
        (_, true) => new("open", "開"),
        (_, false) => new("shut", "閉"),
    };

    private static (string English, string Japanese) Instruction(Check check, DeviceEntry? device) => check.Kind switch
    {
        CheckKind.ContactMoves => device!.Role switch
        {
            DeviceRole.DoorContact => ("open the leaf and shut it again.", "扉を開けて、閉めてください。"),
            DeviceRole.ExitButton => ("press it and let it go.", "押して離してください。"),
            DeviceRole.MainsPresent => ("switch the mains off at its breaker, and on again.", "ブレーカーで商用電源を切り、入れてください。"),
            DeviceRole.Leak => ("wet the sensing band, and dry it again.", "検知帯を濡らし、拭き取ってください。"),
            DeviceRole.FireRelease => ("let the fire panel's test operate its contact, and reset it.", "火災報知設備の試験で接点を動作させ、復旧してください。"),
            DeviceRole.BreakGlass => ("use the break glass with its test key, and reset it.", "非常解錠ボタンを試験キーで動作させ、復旧してください。"),
            DeviceRole.SeismicRelease => ("let the seismic device's test operate its contact, and reset it.", "感震装置の試験で接点を動作させ、復旧してください。"),
            DeviceRole.BoltFeedback or DeviceRole.BondFeedback => ("open the leaf and shut it again.", "扉を開けて、閉めてください。"),
            DeviceRole.GuardArmed => ("arm the guard service and disarm it again.", "機械警備をセットし、解除してください。"),
            _ => ("open the cover and shut it again.", "蓋を開けて、閉めてください。"),
        },
        CheckKind.WireIsWatched => ("loosen one of its wires at the terminal, and fasten it again.", "端子で配線を 1 本外し、元に戻してください。"),
        CheckKind.CardIsRead => ("hold any card to it. The number is not kept.", "カードをかざしてください(番号は保存しません)。"),
        CheckKind.ValuesAreRight => ("measuring.", "測定します。"),
        CheckKind.OutputIsSeen => ("Enter switches it on for 3 s.", "Enter で 3 秒間オンにします。"),
        CheckKind.LockHolds => ("with the leaf shut, pull it from outside. Does it hold? y / n reason", "扉を閉めて、外から引いてください。開きませんか。 y / n 理由"),
        CheckKind.LockReleases => ("Enter releases the lock for 10 s; open the leaf from outside and shut it.", "Enter で 10 秒間解錠します。外から扉を開けて、閉めてください。"),
        CheckKind.ExitByButton => ("from inside, press the exit button and leave; then shut the leaf.", "室内から退室ボタンを押して出て、扉を閉めてください。"),
        CheckKind.ExitByLever => ("from inside, leave by the lever or thumb-turn alone; then shut the leaf.", "室内からレバー(サムターン)だけで出て、扉を閉めてください。"),
        CheckKind.ExitByBreakGlass => ("from inside, use the break glass and leave; reset it and shut the leaf.", "室内から非常解錠ボタンで出て、復旧し、扉を閉めてください。"),
        CheckKind.ExitByFireContact => ("let the fire panel's test open its contact, leave, and shut the leaf after the reset.", "火災報知設備の試験で接点を動作させて出て、復旧後に扉を閉めてください。"),
        CheckKind.ExitWithoutBoard => (
            "pull the board's plug and leave by each of these ways; then start this again: it goes on here. Did all of them work? y / n reason",
            "制御盤の電源を抜き、各方法で退出してください。その後このコマンドを再実行すると続きから始まります。すべて退出できましたか。 y / n 理由"),
        _ => (
            "the board stands inside the room it protects, can be reached only from there, and no reader outside holds a relay. True? y and the name of the photo / n reason",
            "制御盤は保護する室内にあり、室外からは触れられず、室外の読取機に錠用リレーはありませんか。 y 写真名 / n 理由"),
    };

    private static (string English, string Japanese) Role(DeviceRole role) => role switch
    {
        DeviceRole.EntryReader => ("entry reader", "入室読取機"),
        DeviceRole.ExitReader => ("exit reader", "退室読取機"),
        DeviceRole.DoorContact => ("door contact", "扉接点"),
        DeviceRole.ExitButton => ("exit button", "退室ボタン"),
        DeviceRole.Lock => ("lock", "電気錠"),
        DeviceRole.DoorTamper => ("door tamper", "扉側こじ開け検知"),
        DeviceRole.EnclosureTamper => ("enclosure tamper", "盤こじ開け検知"),
        DeviceRole.MainsPresent => ("mains", "商用電源"),
        DeviceRole.Leak => ("leak detector", "漏水検知器"),
        DeviceRole.Environment => ("sensor", "環境センサー"),
        DeviceRole.Lamp => ("alarm lamp", "警報灯"),
        DeviceRole.Siren => ("siren", "サイレン"),
        DeviceRole.ReaderLed => ("reader light", "読取機の表示灯"),
        DeviceRole.ReaderBuzzer => ("reader tone", "読取機のブザー"),
        DeviceRole.Ups => ("UPS", "無停電電源装置"),
        DeviceRole.FireRelease => ("fire contact", "火災信号"),
        DeviceRole.BreakGlass => ("break glass", "非常解錠ボタン"),
        DeviceRole.SeismicRelease => ("seismic contact", "地震信号"),
        DeviceRole.BoltFeedback => ("bolt contact", "デッドボルト接点"),
        DeviceRole.BondFeedback => ("bond contact", "電磁錠の吸着接点"),
        DeviceRole.GuardArmed => ("guard armed", "機械警備のセット信号"),
        DeviceRole.Relock => ("relock pulse", "施錠パルス"),
        DeviceRole.GuardAlarm => ("guard alarm", "機械警備への警報"),
        DeviceRole.GuardCall => ("guard call", "警備員の呼出し"),
        _ => (role.ToString(), role.ToString()),
    };
}
