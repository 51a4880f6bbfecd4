using System.Text.Json;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Reports;

/// <summary>What one record tells the person whom it names: by a list of fields that may be told. Whatever is not on it stays out.</summary>
internal static class SubjectRecord
{
    // Field of the fact (or of what an act has under "before" and "after") and its label. Those who acted, applied, approved or escorted are told as third parties alone.
    private static readonly (string Field, string Label)[] _told =
    [
        ("purpose", "right.purpose"), ("items", "sheet.items"), ("name", "people.name"), ("kana", "people.kana"), ("department", "people.department"), ("email", "people.email"),
        ("state", "accounts.state"), ("prefix", "record.card"), ("zone", "right.zone"), ("validFrom", "right.from"), ("validTo", "right.to"), ("in", "register.in"), ("out", "register.out"),
    ];

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
    /// <param name="holder">Whom the record is about.</param>
    /// <param name="code">Of a refusal.</param>
    /// <param name="mask">Takes the others out.</param>
    public static string Content(string kind, string body, string subject, string? holder, int? code, ThirdParties mask)
    {
        var parts = new List<string>();
        if (code is { } number && Words.All.ContainsKey($"denial.{number}")) parts.Add(RegisterSheet.Both($"denial.{number}"));
        if (holder is not null && holder != subject) parts.Add($"{RegisterSheet.Both("log.person")}: {RegisterSheet.Both("extract.third-party")}");
        using var record = JsonDocument.Parse(body);
        if (record.RootElement.ValueKind != JsonValueKind.Object || !record.RootElement.TryGetProperty("fact", out var fact) || fact.ValueKind != JsonValueKind.Object) return string.Join("; ", parts);

        // What is told of another one's visit is that the subject was there.
        if (holder is null || holder == subject) Tell(fact, null);
        foreach (var side in (string[])["before", "after"])
            if ((holder is null || holder == subject) && fact.TryGetProperty(side, out var values) && values.ValueKind == JsonValueKind.Object) Tell(values, "record." + side);
        if (kind.StartsWith("hub.", StringComparison.Ordinal) && Text(fact, "reason") is { } reason) parts.Add($"{RegisterSheet.Both("record.reason")}: {mask.Mask(reason)}");
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

    private static string? Text(JsonElement from, string field) => !from.TryGetProperty(field, out var it) ? null : it.ValueKind switch
    {
        JsonValueKind.String => it.GetString(),
        JsonValueKind.Array => string.Join("、", it.EnumerateArray().Where(one => one.ValueKind == JsonValueKind.String).Select(one => one.GetString())),
        _ => null,
    };
}
