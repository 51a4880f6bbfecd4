using System.Globalization;
using System.Text;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Alarms;

namespace PhysSec.Hub.Notify;

/// <summary>The words of an alarm's message: what, where, since when, what it may do, what to do.</summary>
public static class Letter
{
    public static string Subject(AlarmView alarm, NotifyKind kind) =>
        $"[PhysSec] {Mark(alarm.Priority)} {KindJa(kind)} {alarm.Title.Ja} / {KindEn(kind)} {alarm.Title.En}: {alarm.Source}{(alarm.Node is { } node && node != alarm.Source ? $" ({node})" : "")}";

    public static string Body(AlarmView alarm, NotifyKind kind, string language, TimeSpan siteOffset)
    {
        var (ja, en) = (Japanese(alarm, kind, siteOffset), English(alarm, kind, siteOffset));
        return language == "en" ? en + "\n----\n\n" + ja : ja + "\n----\n\n" + en;
    }

    private static string Japanese(AlarmView it, NotifyKind kind, TimeSpan offset)
    {
        var text = new StringBuilder();
        text.AppendLine($"{KindJa(kind)}: {it.Title.Ja}(優先度: {PriorityJa(it.Priority)})");
        text.AppendLine();
        text.AppendLine($"場所: {it.Source}{(it.Node is null ? "" : $"(制御装置 {it.Node})")}");
        text.AppendLine($"発生: {Time(it.Since, offset)}");
        if (it.ClearedAt is not null && !it.Active) text.AppendLine($"解消: {Time(it.ClearedAt, offset)}");
        if (it.Value is { } value) text.AppendLine($"測定値: {Number(value)} {it.Unit}{(it.Limit is { } limit ? $"(しきい値 {Number(limit)} {it.Unit})" : "")}");
        if (it.Detail is not null) text.AppendLine($"詳細: {it.Detail}");
        if (it.AckBy is not null) text.AppendLine($"警報確認: {it.AckBy} {Time(it.AckAt, offset)} 「{it.AckReason}」");
        text.AppendLine().AppendLine($"考えられる原因: {it.Cause.Ja}").AppendLine($"放置した場合: {it.Consequence.Ja}").AppendLine($"対応: {it.Response.Ja}");
        text.AppendLine($"担当: {it.Owner}({it.TimeLimitMinutes}分以内)");
        if (!it.Acknowledged && it.Active) text.AppendLine("確認されるまで繰り返し通知します。");
        return text.ToString();
    }

    private static string English(AlarmView it, NotifyKind kind, TimeSpan offset)
    {
        var text = new StringBuilder();
        text.AppendLine($"{KindEn(kind)}: {it.Title.En} (priority: {it.Priority})");
        text.AppendLine();
        text.AppendLine($"Where: {it.Source}{(it.Node is null ? "" : $" (node {it.Node})")}");
        text.AppendLine($"Since: {Time(it.Since, offset)}");
        if (it.ClearedAt is not null && !it.Active) text.AppendLine($"Over at: {Time(it.ClearedAt, offset)}");
        if (it.Value is { } value) text.AppendLine($"Reading: {Number(value)} {it.Unit}{(it.Limit is { } limit ? $" (limit {Number(limit)} {it.Unit})" : "")}");
        if (it.Detail is not null) text.AppendLine($"Detail: {it.Detail}");
        if (it.AckBy is not null) text.AppendLine($"Acknowledged: {it.AckBy} {Time(it.AckAt, offset)} \"{it.AckReason}\"");
        text.AppendLine().AppendLine($"Likely cause: {it.Cause.En}").AppendLine($"If nothing is done: {it.Consequence.En}").AppendLine($"What to do: {it.Response.En}");
        text.AppendLine($"Owner: {it.Owner} (within {it.TimeLimitMinutes} min)");
        if (!it.Acknowledged && it.Active) text.AppendLine("This message is repeated until somebody acknowledges.");
        return text.ToString();
    }

    private static string Mark(string priority) => priority switch { "critical" => "◆", "high" => "▲", "medium" => "■", _ => "●" };

    private static string PriorityJa(string priority) => priority switch { "critical" => "最優先", "high" => "高", "medium" => "中", _ => "低" };

    private static string KindJa(NotifyKind kind) => kind switch
    {
        NotifyKind.Raised => "警報",
        NotifyKind.Repeat => "警報(未確認・再通知)",
        NotifyKind.Cleared => "解消",
        NotifyKind.Acknowledged => "警報確認",
    };

    private static string KindEn(NotifyKind kind) => kind switch
    {
        NotifyKind.Raised => "Alarm",
        NotifyKind.Repeat => "Alarm, not acknowledged, again",
        NotifyKind.Cleared => "Over",
        NotifyKind.Acknowledged => "Acknowledged",
    };

    private static string Time(DateTimeOffset? at, TimeSpan offset) =>
        at is { } it ? it.ToOffset(offset).ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture) : "—";

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
