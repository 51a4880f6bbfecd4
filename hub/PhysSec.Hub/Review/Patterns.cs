using PhysSec.Hub.Configuration;

namespace PhysSec.Hub.Review;

/// <summary>A record of a door, as the rules look at it. At is the time of receipt where Timed is false: the node's clock was unset. To is the phase of a door that changed.</summary>
internal sealed record Trace(long Id, DateTimeOffset At, bool Timed, string Kind, string Node, string Door, bool Entry, string? Person, string? Card, string? To);

/// <summary>
/// What stands out among the records of the doors (R-LOG-20). Pure: the records of the period in the order of time, and which doors were entered before it. A finding says
/// that somebody should look, not that something is wrong.
/// </summary>
internal static class Patterns
{
    /// <summary>Somebody entered by a door for the first time ever.</summary>
    public const string FirstDoor = "first-door";

    /// <summary>Entries outside the zone's working hours, one finding for each person and door.</summary>
    public const string OutOfHours = "out-of-hours";

    /// <summary>Many refusals of one card, or of different cards at one door, in a short time.</summary>
    public const string DenialBurst = "denial-burst";

    /// <summary>One person or card at two places in less time than the way takes.</summary>
    public const string TwoPlaces = "two-places";

    /// <summary>Somebody entered a zone again without having left it, and nobody else's unread exit explains it: the card may have been handed on.</summary>
    public const string InsideTwice = "inside-twice";

    /// <summary>A door was opened with no release before: a key, force, or the lever from inside where no exit contact is wired.</summary>
    public const string OpenedWithoutRelease = "opened-without-release";

    public static IReadOnlyList<string> All { get; } = [OpenedWithoutRelease, TwoPlaces, InsideTwice, DenialBurst, FirstDoor, OutOfHours];

    /// <param name="period">In the order of time.</param>
    /// <param name="entered">Pairs of person and door that had an entry before the period.</param>
    /// <param name="zoneOf">The zone into which a door leads; of a door that is no more, its own name.</param>
    /// <param name="working">Whether a moment lies in a zone's working hours.</param>
    /// <param name="limits">The thresholds.</param>
    public static IEnumerable<Finding> Of(
        IReadOnlyList<Trace> period, IReadOnlySet<(string Person, string Door)> entered, Func<string, string> zoneOf, Func<string, DateTimeOffset, bool> working, ReviewConfiguration limits) =>
    [
        .. Forced(period), .. Apart(period, zoneOf, limits), .. Twice(period, zoneOf), .. Refused(period, limits), .. First(period, entered), .. Late(period, zoneOf, working),
    ];

    private static IEnumerable<Finding> Forced(IReadOnlyList<Trace> period) =>
        period.Where(it => it is { Kind: "door.changed", To: "Forced" }).Select(it => Finding.Of(OpenedWithoutRelease, [it], door: it.Door));

    private static IEnumerable<Finding> First(IReadOnlyList<Trace> period, IReadOnlySet<(string, string)> entered) =>
        period.Where(it => it is { Kind: "access.passage", Entry: true, Person: not null } && !entered.Contains((it.Person, it.Door)))
            .DistinctBy(it => (it.Person, it.Door)).Select(it => Finding.Of(FirstDoor, [it], it.Person, it.Door));

    private static IEnumerable<Finding> Late(IReadOnlyList<Trace> period, Func<string, string> zoneOf, Func<string, DateTimeOffset, bool> working) =>
        period.Where(it => it is { Kind: "access.granted", Entry: true, Timed: true } && !working(zoneOf(it.Door), it.At))
            .GroupBy(it => (it.Person, it.Door)).Select(it => Finding.Of(OutOfHours, [.. it], it.Key.Person, it.Key.Door));

    private static IEnumerable<Finding> Refused(IReadOnlyList<Trace> period, ReviewConfiguration limits)
    {
        var denials = period.Where(it => it is { Kind: "access.denied", Timed: true }).ToList();
        var within = TimeSpan.FromMinutes(limits.DenialMinutes);
        var told = new HashSet<long>();
        foreach (var card in denials.Where(it => it.Card is not null).GroupBy(it => it.Card))
            foreach (var burst in Bursts(card, limits.DenialCount, within))
            {
                told.UnionWith(burst.Select(it => it.Id));
                yield return Finding.Of(DenialBurst, burst, burst[0].Person, burst[0].Door, subject: card.Key);
            }

        foreach (var door in denials.GroupBy(it => it.Door))
            foreach (var burst in Bursts(door, limits.DenialCount, within).Where(it => !it.TrueForAll(one => told.Contains(one.Id)))) // What one card did is told already.
                yield return Finding.Of(DenialBurst, burst, door: door.Key);
    }

    private static IEnumerable<List<Trace>> Bursts(IEnumerable<Trace> denials, int count, TimeSpan within)
    {
        var (window, burst) = (new Queue<Trace>(), (List<Trace>?)null);
        foreach (var it in denials)
        {
            window.Enqueue(it);
            while (it.At - window.Peek().At > within) window.Dequeue();
            if (window.Count < count) continue;
            if (burst is not null && window.Contains(burst[^1]))
            {
                burst.AddRange(window.SkipWhile(one => one != burst[^1]).Skip(1).ToList());
                continue;
            }

            if (burst is not null) yield return burst;
            burst = [.. window];
        }

        if (burst is not null) yield return burst;
    }

    private static IEnumerable<Finding> Apart(IReadOnlyList<Trace> period, Func<string, string> zoneOf, ReviewConfiguration limits)
    {
        if (limits.TwoPlacesSeconds == 0) yield break;
        var within = TimeSpan.FromSeconds(limits.TwoPlacesSeconds);
        var connected = limits.Connected.SelectMany(it => new[] { (it[0], it[1]), (it[1], it[0]) }).ToHashSet();
        var last = new Dictionary<string, Trace>();
        foreach (var it in period.Where(it => it.Timed && it.Kind.StartsWith("access.", StringComparison.Ordinal)))
        {
            if ((it.Person ?? it.Card) is not { } who) continue;
            if (last.TryGetValue(who, out var before) && before.Door != it.Door && before.Node != it.Node && it.At - before.At < within
                && zoneOf(before.Door) != zoneOf(it.Door) && !connected.Contains((before.Door, it.Door)))
                yield return Finding.Of(TwoPlaces, [before, it], it.Person, before.Door, it.Door, it.Person is null ? it.Card : null);
            last[who] = it;
        }
    }

    private static IEnumerable<Finding> Twice(IReadOnlyList<Trace> period, Func<string, string> zoneOf)
    {
        var inside = new Dictionary<(string Person, string Zone), Trace>();
        var unread = new Dictionary<string, DateTimeOffset>();
        foreach (var it in period.Where(it => it is { Kind: "access.passage", Timed: true }))
        {
            var zone = zoneOf(it.Door);
            if (it.Person is not { } person)
            {
                if (!it.Entry) unread[zone] = it.At; // By the exit button: it may have been anybody.
                continue;
            }

            if (!it.Entry) inside.Remove((person, zone));
            else
            {
                if (inside.TryGetValue((person, zone), out var before) && !(unread.TryGetValue(zone, out var left) && left >= before.At))
                    yield return Finding.Of(InsideTwice, [before, it], person, before.Door, it.Door);
                inside[(person, zone)] = it;
            }
        }
    }
}
