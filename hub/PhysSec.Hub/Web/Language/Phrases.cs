using System.Globalization;
using System.Text.Json;
using PhysSec.Core.Access;
using PhysSec.Core.Sensing;
using PhysSec.Hub.Access;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Web.Desk;

namespace PhysSec.Hub.Web.Language;

/// <summary>Sentences that pages share. Every one is whole in both languages.</summary>
public static class Phrases
{
    private static readonly TimeSpan _fresh = TimeSpan.FromMinutes(3);

    /// <summary>"12.0 GB free of 58.0 GB (79 % used), full about 2026-12-20"; with its age when that is no news.</summary>
    public static string Disk(this Words words, DiskView it, SiteTime time, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(words);
        ArgumentNullException.ThrowIfNull(it);
        ArgumentNullException.ThrowIfNull(time);
        var percent = Math.Round(100 * new DiskUse(it.At, it.UsedBytes, it.TotalBytes).Share);
        var used = words.Say("disk.used", ("free", Size(it.TotalBytes - it.UsedBytes)), ("total", Size(it.TotalBytes)), ("percent", percent));
        var full = it.FullAt is { } day ? words.Say("disk.full-at", ("day", time.Day(day))) : words["disk.no-date"];
        return $"{(it.Filling ? "▲ " : "")}{used}{words["list.separator"]}{full}{words.Aged(it.At, now)}";
    }

    /// <summary>" (4 min ago)" of what is older than what a node in touch says; empty for news.</summary>
    public static string Aged(this Words words, DateTimeOffset at, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(words);
        return now - at > _fresh ? $" ({words.Say("age.ago", ("age", words.Age(now - at)))})" : "";
    }

    /// <summary>GB of 1,000,000,000 bytes, as disks are sold.</summary>
    public static string Size(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB");

    /// <summary>"4 min", never a bare number.</summary>
    public static string Age(this Words words, TimeSpan age)
    {
        ArgumentNullException.ThrowIfNull(words);
        return age switch
        {
            { TotalSeconds: < 60 } => words.Say("age.seconds", ("n", Math.Max(0, (int)age.TotalSeconds))),
            { TotalMinutes: < 60 } => words.Say("age.minutes", ("n", (int)age.TotalMinutes)),
            { TotalHours: < 48 } => words.Say("age.hours", ("n", (int)age.TotalHours)),
            _ => words.Say("age.days", ("n", (int)age.TotalDays)),
        };
    }

    public static string Name(this Words words, DoorCard door)
    {
        ArgumentNullException.ThrowIfNull(words);
        ArgumentNullException.ThrowIfNull(door);
        return words.Pick(door.NameJa, door.NameEn);
    }

    /// <summary>Why entry was refused, as a sentence for those signed in. Reason is the enum's name in any spelling of its first letter.</summary>
    public static string Denial(this Words words, string? reason)
    {
        ArgumentNullException.ThrowIfNull(words);
        return Enum.TryParse<DenialReason>(reason, ignoreCase: true, out var known)
            ? words.Member("denial", ((int)known).ToString(CultureInfo.InvariantCulture))
            : reason ?? "";
    }

    /// <summary>24.5 with as many digits as say something.</summary>
    public static string Number(double value) => value.ToString(Math.Abs(value) >= 100 ? "0" : "0.0", CultureInfo.InvariantCulture);

    /// <summary>What a record says, in one sentence.</summary>
    public static string Sentence(this Words words, LogItem row, Func<string?, string> doorName)
    {
        ArgumentNullException.ThrowIfNull(words);
        ArgumentNullException.ThrowIfNull(row);
        ArgumentNullException.ThrowIfNull(doorName);
        var person = row.PersonName ?? row.Person ?? words["log.nobody-known"];
        var door = doorName(row.Door);
        if (row.DeletedAt is not null) return words["record.text-deleted"];
        using var body = JsonDocument.Parse(row.Body);
        var fact = body.RootElement.ValueKind == JsonValueKind.Object && body.RootElement.TryGetProperty("fact", out var it) ? it : body.RootElement;
        return (row.Kind, row.Direction) switch
        {
            ("access.granted", "out") => words.Say("record.granted-out", ("person", person), ("door", door)),
            ("access.granted", _) => words.Say(
                Text(fact, "factors") switch
                {
                    nameof(FactorRule.PinOnly) => "record.granted-pin-only",
                    nameof(FactorRule.CardAndPin) => "record.granted-card-and-pin",
                    nameof(FactorRule.TwoCards) => "record.granted-two-cards",
                    _ => "record.granted-in",
                },
                ("person", person), ("door", door)),
            ("access.denied", var side) when row.Person is null => words.Say(
                side == "out" ? "record.denied-nobody-out" : "record.denied-nobody-in", ("door", door), ("why", words.Denial(row.Reason))),
            ("access.denied", "out") => words.Say("record.denied-out", ("person", person), ("door", door), ("why", words.Denial(row.Reason))),
            ("access.denied", _) => words.Say("record.denied-in", ("person", person), ("door", door), ("why", words.Denial(row.Reason))),
            ("access.passage", "out") when row.Person is null => words.Say("record.passage-button", ("door", door)),
            ("access.passage", "out") => words.Say("record.passage-out", ("person", person), ("door", door)),
            ("access.passage", _) when row.Person is null => words.Say("record.passage-unknown", ("door", door)),
            ("access.passage", _) => words.Say("record.passage-in", ("person", person), ("door", door)),
            ("access.no-passage", _) => words.Say("record.no-passage", ("person", person), ("door", door)),
            ("door.exit-request", _) => words.Say("record.exit-request", ("door", door)),
            ("door.changed", _) => words.Say(
                "record.door-changed", ("door", door), ("from", words.Member("door-state", Text(fact, "from"))), ("to", words.Member("door-state", Text(fact, "to")))),
            ("alarm.raised", _) => words.Say("record.alarm-raised", ("alarm", words.AlarmTitle(Text(fact, "class"))), ("source", Text(fact, "source"))),
            ("alarm.cleared", _) => words.Say("record.alarm-cleared", ("alarm", words.AlarmTitle(Text(fact, "class"))), ("source", Text(fact, "source"))),
            ("reader.commissioned", var side) => words.Say(
                "record.reader", ("door", door), ("side", words[side == "out" ? "door.reader-exit" : "door.reader-entry"]),
                ("act", words.Member("reader-act", Text(fact, "act"))), ("outcome", words.Member("reader-outcome", Text(fact, "outcome")))),
            ("board.commissioned", _) when row.Outcome == "complete" => words.Say("record.commissioned", ("installer", Text(fact, "installer")), ("board", Text(fact, "board"))),
            ("board.commissioned", _) => words.Say(
                "record.commissioned-open", ("installer", Text(fact, "installer")), ("board", Text(fact, "board")), ("open", string.Join(", ", fact.GetProperty("open").EnumerateArray().Select(it => it.GetString())))),
            ("hub." + KeyRegister.LentVerb, _) => words.Say("record.key-lent", ("actor", Text(fact, "actor")), ("person", person), ("key", Text(fact, "target")), ("door", door)),
            ("hub." + KeyRegister.ReturnedVerb, _) => words.Say("record.key-returned", ("actor", Text(fact, "actor")), ("person", person), ("key", Text(fact, "target")), ("door", door)),
            ("hub." + KeyOpenings.MatchedVerb, _) => words.Say("record.key-opening", ("person", person), ("key", After(fact, "label")), ("door", door)),
            ("hub." + KeyOpenings.UnmatchedVerb, _) => words.Say("record.key-unmatched", ("door", door)),
            var (kind, _) when kind.StartsWith("hub.", StringComparison.Ordinal) => words.Say(
                "record.act", ("actor", Text(fact, "actor")), ("role", words.Member("role", Text(fact, "role"))), ("act", words.Member("act", Text(fact, "verb"))), ("target", Text(fact, "target"))),
            var (kind, _) => words.Member("kind", kind),
        };
    }

    /// <summary>Somebody was let in by a number that can be copied.</summary>
    public static bool IsLowAssurance(this LogItem row)
    {
        ArgumentNullException.ThrowIfNull(row);
        if (row is not { Kind: "access.granted", Direction: "in", DeletedAt: null }) return false;
        using var body = JsonDocument.Parse(row.Body);
        return body.RootElement.TryGetProperty("fact", out var fact) && Text(fact, "assurance") == nameof(Core.Access.Assurance.Low);
    }

    /// <summary>What an alarm class is called; its id when this version does not know it.</summary>
    public static string AlarmTitle(this Words words, string classId)
    {
        ArgumentNullException.ThrowIfNull(words);
        return Catalogue.Find(classId) is { } known ? words.Pick(known.TitleJa, known.TitleEn) : classId;
    }

    private static Core.Alarms.AlarmCatalogue Catalogue { get; } = Core.Alarms.AlarmCatalogue.Shipped();

    private static string After(JsonElement fact, string field) => fact.ValueKind == JsonValueKind.Object && fact.TryGetProperty("after", out var after) ? Text(after, field) : "";

    private static string Text(JsonElement fact, string field) =>
        fact.ValueKind == JsonValueKind.Object && fact.TryGetProperty(field, out var it) && it.ValueKind == JsonValueKind.String ? it.GetString() ?? "" : "";
}
