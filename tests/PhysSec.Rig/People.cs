namespace PhysSec.Rig;

/// <summary>A person of the demo with a card. The names are invented.</summary>
/// <param name="Badge">What <c>sim badge</c> calls the card; the person's id is <c>p-{Badge}</c>.</param>
/// <param name="Number">The card's number (facility 77).</param>
/// <param name="Schedule">Schedule of the right; null = no right.</param>
/// <param name="State">State of the card, as the API spells it.</param>
public sealed record DemoPerson(
    string Badge, int Number, string Name, string Kana, string Department, string Kind, string? Schedule, string State = "active")
{
    public const int Facility = 77;

    public string Id => $"p-{Badge}";

    /// <summary>Everybody the hub knows. Mallory's card, which the room also knows, is a stranger's.</summary>
    public static IReadOnlyList<DemoPerson> All { get; } =
    [
        new("alice", 1001, "青木 里奈", "アオキ リナ", "情報政策課", "staff", "always"),
        new("bob", 1002, "馬場 健", "ババ ケン", "情報政策課", "staff", "always"),
        new("carol", 1003, "加藤 遥", "カトウ ハルカ", "施設管理課", "staff", "always"),
        new("dave", 1004, "伊達 大輔", "ダテ ダイスケ", "深谷電算サービス", "contractor", "other-hours"),
        new("erin", 1005, "榎本 英里", "エノモト エリ", "情報政策課", "staff", "always"),
        new("frank", 1006, "福田 文雄", "フクダ フミオ", "総務課", "staff", "always", "lost"),
        new("grace", 1007, "後藤 久美", "ゴトウ クミ", "総務課", "staff", "always", "revoked"),
        new("heidi", 1008, "原 ひで子", "ハラ ヒデコ", "会計課", "staff", null),
    ];

    public const int StrangerNumber = 6666;

    /// <summary>The badges that the simulated room can show.</summary>
    public static IReadOnlyDictionary<string, (int Facility, int Number)> Badges { get; } =
        All.Select(it => (it.Badge, it.Number)).Append(("mallory", StrangerNumber))
            .ToDictionary(it => it.Item1, it => (Facility, it.Item2));
}
