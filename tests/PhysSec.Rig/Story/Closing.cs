using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using static PhysSec.Rig.Story.Tale;

namespace PhysSec.Rig.Story;

/// <summary>The end of the day: the register of entries and the list of alarms, as the auditor and the operator see them.</summary>
internal static class Closing
{
    public static async Task PlayAsync(Tale tale, DateTimeOffset begin)
    {
        var from = Uri.EscapeDataString(begin.ToString("O", CultureInfo.InvariantCulture));
        var to = Uri.EscapeDataString(TimeProvider.System.GetUtcNow().AddMinutes(1).ToString("O", CultureInfo.InvariantCulture));
        IReadOnlyList<JsonNode> register = [], alarms = [];

        await tale.TitleAsync("一日の終わり", "The end of the day");
        await tale.LineAsync("入退室管理簿を読む", "The register of entries is read", async () =>
        {
            register = HubApi.Items(await tale.Instance.Auditor.GetAsync($"register?from={from}&to={to}", tale.Cancel));
            Must(register.Any(it => (string?)it["person"] == "p-alice" && it["in"] is not null), "the register does not have Aoki's entry");
            Must(register.Any(it => (string?)it["person"] == "p-bob" && it["in"] is not null && it["out"] is not null), "the register does not have Baba's entry and exit");
        });
        await tale.LineAsync("開かなかった扉には理由の記録がある", "Whoever was not let in at once has the reason on record", tale.WhyShownAgainAsync);
        await tale.LineAsync("警報一覧を読む", "The list of alarms is read", async () =>
        {
            alarms = HubApi.Items(await tale.Instance.Operator.GetAsync("alarms?state=all", tale.Cancel));
            Must(alarms.All(it => it["title"]?["ja"] is not null && it["title"]?["en"] is not null), "an alarm lacks its title in one of the languages");
        });

        await tale.PrintAsync(Table("入退室管理簿  Register of entries", ["氏名 name", "所属 department", "目的 purpose", "入室 in", "退室 out", "遅延 late"],
            register.Select(it => new[]
            {
                (string?)it["personName"] ?? "—", (string?)it["department"] ?? "", (string?)it["purpose"] ?? "",
                Time(it["in"]), Time(it["out"]), (bool?)it["late"] == true ? "遅延 late" : "",
            })));
        await tale.PrintAsync(Table("警報  Alarms", ["警報 alarm", "場所 source", "発生 since", "状態 state", "確認 acknowledged"],
            alarms.Select(it => new[]
            {
                $"{(string?)it["title"]?["ja"]} {(string?)it["title"]?["en"]}", (string?)it["source"] ?? "", Time(it["since"]),
                (bool)it["active"]! ? "発生中 active" : "解消 over", (bool)it["acknowledged"]! ? $"{Time(it["ackAt"])} {(string?)it["ackReason"]}" : "未確認 not yet",
            })));
    }

    private static string Time(JsonNode? at) => at is null ? "—"
        : DateTimeOffset.Parse((string)at!, CultureInfo.InvariantCulture).ToOffset(TimeSpan.FromHours(9)).ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    private static string Table(string title, string[] head, IEnumerable<string[]> rows)
    {
        string[][] all = [head, .. rows];
        var widths = head.Select((_, column) => all.Max(it => Width(it[column]))).ToArray();
        var text = new StringBuilder().AppendLine().AppendLine(title);
        foreach (var row in all)
        {
            for (var i = 0; i < row.Length; i++) text.Append("  ").Append(row[i]).Append(' ', widths[i] - Width(row[i]));
            text.AppendLine();
        }

        return text.ToString();
    }

    /// <summary>Columns on a terminal: kana, kanji and full-width signs take two.</summary>
    private static int Width(string text) => text.EnumerateRunes().Sum(it => it.Value is >= 0x1100 and <= 0x115F or >= 0x2E80 and <= 0xA4CF or >= 0xAC00 and <= 0xD7A3
        or >= 0xF900 and <= 0xFAFF or >= 0xFE30 and <= 0xFE6F or >= 0xFF00 and <= 0xFF60 or >= 0xFFE0 and <= 0xFFE6 ? 2 : 1);
}
