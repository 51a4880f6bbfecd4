using System.Globalization;

namespace PhysSec.Hub.Configuration;

/// <summary>When the record is to be reviewed, by when, and what counts as worth a look.</summary>
public sealed record ReviewConfiguration
{
    /// <summary>Reviews are due for what was recorded from this day on; null: from the day on which this hub first kept a queue of them.</summary>
    public DateOnly? Since { get; init; }

    /// <summary>The review of a month is due by the end of this day of the next one (1–28).</summary>
    public int MonthDueDay { get; init; } = 10;

    /// <summary>The review of a week is due so many days after it (1–28).</summary>
    public int WeekDueDays { get; init; } = 7;

    /// <summary>The review of a day on which something grave happened is due so many days after it (1–28).</summary>
    public int EventDueDays { get; init; } = 3;

    /// <summary>The signed report of a month is to be acknowledged within so many days (1–60).</summary>
    public int AcknowledgeDays { get; init; } = 14;

    /// <summary>The account of the セキュリティ統括責任者, who alone acknowledges; null: any administrator or auditor but the reviewer.</summary>
    public string? Chief { get; init; }

    /// <summary>Working hours on weekdays that are no closed days, HH:mm in site time, for zones that name no schedule.</summary>
    public string Opens { get; init; } = "08:30";

    public string Closes { get; init; } = "17:15";

    /// <summary>Zone → the schedule whose hours are its working hours.</summary>
    public IReadOnlyDictionary<string, string> Schedules { get; init; } = new Dictionary<string, string>();

    /// <summary>So many denials of one card, or at one door (2–100) …</summary>
    public int DenialCount { get; init; } = 5;

    /// <summary>… within so many minutes (1–1440) are a burst.</summary>
    public int DenialMinutes { get; init; } = 10;

    /// <summary>One card at doors of two places within so many seconds (0–3600; 0: not looked for).</summary>
    public int TwoPlacesSeconds { get; init; } = 30;

    /// <summary>Pairs of doors between which nobody takes that long, like ["door-a", "door-b"]. Doors of one zone or of one node are always one place.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Connected { get; init; } = [];

    internal TimeOnly From => TimeOnly.ParseExact(Opens, "HH:mm", CultureInfo.InvariantCulture);

    internal TimeOnly Until => TimeOnly.ParseExact(Closes, "HH:mm", CultureInfo.InvariantCulture);

    internal IEnumerable<ConfigurationFault> Faults()
    {
        foreach (var (field, value, low, high) in new[]
        {
            ("monthDueDay", MonthDueDay, 1, 28), ("weekDueDays", WeekDueDays, 1, 28), ("eventDueDays", EventDueDays, 1, 28), ("acknowledgeDays", AcknowledgeDays, 1, 60),
            ("denialCount", DenialCount, 2, 100), ("denialMinutes", DenialMinutes, 1, 1_440), ("twoPlacesSeconds", TwoPlacesSeconds, 0, 3_600),
        })
            if (value < low || value > high) yield return new($"review.{field}", $"{value} is out of range", $"Use {low}–{high}");
        foreach (var (field, value) in new[] { ("opens", Opens), ("closes", Closes) })
            if (!TimeOnly.TryParseExact(value, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)) yield return new($"review.{field}", $"\"{value}\" is no time of day", "Use one like 08:30");
        if (Since is { Year: < 2000 or > 2200 }) yield return new("review.since", $"{Since:yyyy-MM-dd} is no likely day", "Use one like 2026-11-01, or leave it out");
        if (Chief is { } chief && string.IsNullOrWhiteSpace(chief)) yield return new("review.chief", "it is empty", "Name an account, or leave it out");
        foreach (var (zone, schedule) in Schedules.Where(it => !Core.Names.IsPlain(it.Key) || !Core.Names.IsPlain(it.Value)))
            yield return new("review.schedules", $"\"{zone}\": \"{schedule}\" are no names of a zone and a schedule", "Use the names under which they were set up");
        if (Connected.Any(it => it.Count != 2 || it.Any(door => !Core.Names.IsPlain(door)))) yield return new("review.connected", "each entry has to be two doors", "Use a list like [[\"door-a\", \"door-b\"]]");
    }
}
