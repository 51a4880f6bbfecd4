using System.Text.Json;
using PhysSec.Hub.Access;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Reports;

/// <summary>What one record tells the person whom it names: by a list of fields that may be told. Whatever is not on it stays out.</summary>
internal static class SubjectRecord
{
    // Field of the fact (or of what an act has under "before" and "after") and its label. Those who acted, applied, approved or escorted are told as third parties alone.
    private static readonly (string Field, string Label)[] _told =
    [
        ("purpose", "right.purpose"), ("items", "sheet.items"), ("name", "people.name"), ("kana", "people.kana"), ("department", "people.department"), ("email", "people.email"), ("note", "register.note"),
        ("state", "accounts.state"), ("prefix", "record.card"), ("zone", "right.zone"), ("validFrom", "right.from"), ("validTo", "right.to"), ("in", "register.in"), ("out", "register.out"), ("label", "keys.label"),
    ];

    private const string LateKind = "hub." + LateEntries.Verb;

    // The subject's own, though somebody else may be called alike.
    private static readonly HashSet<string> _own = ["name", "kana", "email", "prefix"];

    private static readonly (string Field, string Label)[] _others =
        [("actor", "record.actor"), ("escort", "register.escort"), ("applicant", "right.applicant"), ("approver", "right.approver")];

    public static string Kind(string kind)
    {
        var key = kind.StartsWith("hub.", StringComparison.Ordinal) ? "act." + kind[4..] : "extract-kind." + kind;
        return Words.All.ContainsKey(key) ? RegisterSheet.Both(key) : kind;
    }

    /// <param name="kind">The record's kind.</param>
    /// <param name="body">Its text.</param>
    /// <param name="subject">Whose extract it is.</param>
    /// <param name="holder">Whom the record is about; null: nobody in particular.</param>
    /// <param name="code">Of a refusal.</param>
    /// <param name="mask">Takes the others out.</param>
    public static string Content(string kind, string body, string subject, string? holder, int? code, ThirdParties mask)
    {
        var parts = new List<string>();
        if (code is { } number && Words.All.ContainsKey($"denial.{number}")) parts.Add(RegisterSheet.Both($"denial.{number}"));
        using var record = JsonDocument.Parse(body);
        var fact = Object(record.RootElement, "fact");

        // On a paper form somebody who is not registered is named (来訪者): another one's visit, unless the name is the subject's own.
        var (name, escort) = kind == LateKind && fact is { } act && Object(act, "after") is { } visit ? (Text(visit, "name"), Text(visit, "escort")) : (null, null);
        var alike = holder is null && mask.IsOwn(name);
        if (alike || (holder != subject && mask.IsOwn(escort))) parts.Add(RegisterSheet.Both("extract.confirm"));
        var mine = holder == subject || alike || (holder is null && kind != LateKind);
        if (!mine) parts.Add($"{RegisterSheet.Both("log.person")}: {RegisterSheet.Both("extract.third-party")}");
        if (fact is not { } told) return string.Join("; ", parts);

        // What is told of another one's visit is that the subject was there.
        if (!mine)
        {
            if (escort == subject || mask.IsOwn(escort)) parts.Add($"{RegisterSheet.Both("register.escort")}: {RegisterSheet.Both("extract.self")}");
            return string.Join("; ", parts);
        }

        Tell(told, null);
        foreach (var side in (string[])["before", "after"])
            if (Object(told, side) is { } values) Tell(values, "record." + side);
        if (kind.StartsWith("hub.", StringComparison.Ordinal) && Text(told, "reason") is { } reason) parts.Add($"{RegisterSheet.Both("record.reason")}: {mask.Mask(reason)}");
        return string.Join("; ", parts);

        void Tell(JsonElement from, string? side)
        {
            var before = side is null ? "" : RegisterSheet.Both(side) + " ";
            foreach (var (field, label) in _told)
                if (Text(from, field) is { } text) parts.Add($"{before}{RegisterSheet.Both(label)}: {(_own.Contains(field) ? text : mask.Mask(text))}");
            foreach (var (field, label) in _others)
                if (Text(from, field) is { } who) parts.Add($"{RegisterSheet.Both(label)}: {RegisterSheet.Both(who == subject ? "extract.self" : "extract.third-party")}");
        }
    }

    /// <summary>Whether an entry made later that is not known to be about the subject names them: by name as who came, or as who escorted.</summary>
    public static bool IsNamedLater(string body, string subject, string? holder, ThirdParties mask)
    {
        using var record = JsonDocument.Parse(body);
        if (Object(record.RootElement, "fact") is not { } fact || Object(fact, "after") is not { } visit) return false;
        return (holder is null && mask.IsOwn(Text(visit, "name"))) || (Text(visit, "escort") is { } escort && (escort == subject || mask.IsOwn(escort)));
    }

    private static JsonElement? Object(JsonElement from, string field) =>
        from.ValueKind == JsonValueKind.Object && from.TryGetProperty(field, out var it) && it.ValueKind == JsonValueKind.Object ? it : null;

    private static string? Text(JsonElement from, string field) => !from.TryGetProperty(field, out var it) ? null : it.ValueKind switch
    {
        JsonValueKind.String => it.GetString(),
        JsonValueKind.Array => string.Join("、", it.EnumerateArray().Where(one => one.ValueKind == JsonValueKind.String).Select(one => one.GetString())),
        _ => null,
    };
}
