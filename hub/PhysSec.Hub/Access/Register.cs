using System.Text.Json;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Wire;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>
/// A line of the 入退室管理簿. In and Out are record times; null is missing and never invented. Note is null or one of no-exit-recorded, no-entry-recorded,
/// unidentified (left by the button, without a card) and clock-unset (the node did not know the time). Id is the number of the record that began the line.
/// </summary>
public sealed record Visit(
    string? Person, string? PersonName, string? Department, string? Purpose, string Door, DateTimeOffset? In, DateTimeOffset? Out,
    string? Escort, IReadOnlyList<string> Items, string? Note, bool Late)
{
    public long Id { get; init; }

    /// <summary>What a person wrote into this line afterwards (後日入力); everything else comes from the doors.</summary>
    public LateEntry? Later { get; init; }
}

/// <summary>The register of visits, made from the records of passages and from what was entered later by hand.</summary>
public sealed class Register(Store store, People people)
{
    internal const string Sql =
        """
        select id, kind, door, direction, person, at, received_at, late, case kind when 'access.granted' then body else '' end as body from ledger
        where kind in ('access.granted', 'access.passage') and body_hash is null and coalesce(at, received_at) >= $from and coalesce(at, received_at) < $to
        order by coalesce(at, received_at), source, epoch, seq
        """;

    // A visit that began before the period or ends after it is still shown whole.
    private static readonly TimeSpan _margin = TimeSpan.FromDays(2);

    /// <summary>Visits that began or ended within the period, in the order of time.</summary>
    /// <exception cref="InputException">The end is not after the beginning.</exception>
    public IReadOnlyList<Visit> List(DateTimeOffset from, DateTimeOffset to)
    {
        var later = store.Read(LateEntries.All);
        var departments = people.List().ToDictionary(it => it.Id, it => it.Department);
        var recorded = Pair(from, to, departments).Select(it => later.TryGetValue(it.Visit.Id, out var entry) ? (it.Order, Visit: entry.Complete(it.Visit)) : it);
        var written = later.Values.Where(it => it.Visit is null).Select(it => (Order: it.Value.In ?? it.Value.Out!.Value, Visit: it.Whole(people, departments)));
        return Sorted(recorded.Concat(written), from, to);
    }

    /// <summary>The same as the doors alone have it.</summary>
    internal IReadOnlyList<Visit> Recorded(DateTimeOffset from, DateTimeOffset to) => Sorted(Pair(from, to, people.List().ToDictionary(it => it.Id, it => it.Department)), from, to);

    private static List<Visit> Sorted(IEnumerable<(DateTimeOffset Order, Visit Visit)> visits, DateTimeOffset from, DateTimeOffset to)
    {
        bool Within(DateTimeOffset? at) => at >= from && at < to;
        return [.. visits.Where(it => Within(it.Order) || Within(it.Visit.In) || Within(it.Visit.Out)).OrderBy(it => it.Order).Select(it => it.Visit)];
    }

    private List<(DateTimeOffset Order, Visit Visit)> Pair(DateTimeOffset from, DateTimeOffset to, Dictionary<string, string> departments)
    {
        if (from >= to) throw new InputException("to", "it is not after from", "Correct the period");
        var (records, purposes) = store.Read(it => (
            it.Query(
                Sql,
                Row, ("$from", Back(from)), ("$to", Ahead(to))),
            it.Query("select id, purpose from rights", row => (Id: row.GetString(0), Purpose: row.GetString(1))).ToDictionary(row => row.Id, row => row.Purpose)));

        var visits = new List<(DateTimeOffset Order, Visit Visit)>();
        var inside = new Dictionary<(string Person, string Door), int>();
        var granted = new Dictionary<(string Person, string Door), AccessGranted>();
        foreach (var it in records)
        {
            if (it is { Kind: "access.granted", Person: { } holder })
            {
                if (it.Entry) granted[(holder, it.Door)] = (AccessGranted)JsonSerializer.Deserialize(it.Body, WireJson.Plain.JournalRecord)!.Fact;
                continue;
            }

            if (it.Kind != "access.passage") continue;
            if (it.Person is not { } person)
            {
                visits.Add((it.Order, New(it, null, it.At is null ? "clock-unset" : "unidentified")));
            }
            else if (it.Entry)
            {
                granted.Remove((person, it.Door), out var grant);
                inside[(person, it.Door)] = visits.Count;
                visits.Add((it.Order, New(it, grant, it.At is null ? "clock-unset" : "no-exit-recorded")));
            }
            else if (inside.Remove((person, it.Door), out var at))
            {
                var entry = visits[at].Visit;
                var note = entry.Note == "clock-unset" || it.At is null ? "clock-unset" : null;
                visits[at] = (visits[at].Order, entry with { Out = it.At, Note = note, Late = entry.Late || it.Late });
            }
            else
            {
                visits.Add((it.Order, New(it, null, it.At is null ? "clock-unset" : "no-entry-recorded")));
            }
        }

        return visits;

        Visit New(Record it, AccessGranted? grant, string note) => new(
            it.Person, people.NameOf(it.Person), it.Person is null ? null : departments.GetValueOrDefault(it.Person),
            grant?.Purpose ?? (grant?.Right is { } right ? purposes.GetValueOrDefault(right.Value) : null), it.Door,
            it.Entry ? it.At : null, it.Entry ? null : it.At, people.NameOf(grant?.Escort?.Value) ?? grant?.Escort?.Value, grant?.Items ?? [], note, it.Late)
        {
            Id = it.Id,
        };
    }

    private static DateTimeOffset Back(DateTimeOffset at) => at - DateTimeOffset.MinValue > _margin ? at - _margin : at;

    private static DateTimeOffset Ahead(DateTimeOffset at) => DateTimeOffset.MaxValue - at > _margin ? at + _margin : at;

    private static Record Row(SqliteDataReader it) => new(
        it.Whole("id"), it.Text("kind")!, it.Text("door")!, it.Text("direction") == "in", it.Text("person"), it.Time("at"), it.Time("at") ?? it.Time("received_at")!.Value, it.Flag("late"), it.Text("body")!);

    private sealed record Record(long Id, string Kind, string Door, bool Entry, string? Person, DateTimeOffset? At, DateTimeOffset Order, bool Late, string Body);
}
