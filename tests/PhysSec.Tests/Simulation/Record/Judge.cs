using System.Text.Json;
using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hub.Storage;

namespace PhysSec.Tests.Simulation.Record;

/// <summary>The round's verdict: every finding is a sentence that begins with what it is.</summary>
internal sealed class Judge(ModelHub hub, Truth truth, IReadOnlyList<NodeId> nodes, IReadOnlySet<string> told, Tally tally)
{
    private static readonly TimeSpan _lateAfter = TimeSpan.FromSeconds(30);

    private readonly List<string> _findings = [];

    public IReadOnlyList<string> Findings => _findings;

    public void Look()
    {
        var (rows, again, aside, acts, alarms) = hub.Store.Read(store => (Rows(store), Again(store), Aside(store), Acts(store), Alarms(store)));
        tally.Records += rows.Count;
        Once(rows, again, aside);
        Written(rows, aside, alarms);
        InOrder(rows, again);
        Late(rows);
        Whole(rows, aside, acts);
    }

    private void Once(List<Row> rows, List<Row> again, List<Row> aside)
    {
        foreach (var (it, copies) in rows.GroupBy(it => truth.Of(it.Place.Node, it.Body)).Where(it => it.Key is not null && it.Count() > 1).Select(it => (it.Key!, it.ToList())))
            _findings.Add($"doubled: {Named(it)} stands {copies.Count} times in the ledger, as {string.Join(" and ", copies.Select(copy => Key(copy.Place)))}");
        foreach (var it in again.Where(it => truth.At(it.Place)?.Text != Truth.Text(it.Body)))
            _findings.Add($"lost: {Key(it.Place)} was taken for one that is here already, and is another");
        foreach (var it in aside.Where(it => !rows.Concat(again).Any(row => SameKey(row.Place, it.Place))))
            _findings.Add($"lost: {Key(it.Place)} was put aside as another version, and no first one is in the ledger");
    }

    /// <summary>What a ledger says that no board has written, and versions put aside that are none.</summary>
    private void Written(List<Row> rows, List<Row> aside, List<string> alarms)
    {
        foreach (var it in rows.Concat(aside).Where(it => truth.At(it.Place) is not { } known || known.Text != Truth.Text(it.Body)))
            _findings.Add($"invented: no board ever wrote {Key(it.Place)}: {it.Body}");
        foreach (var node in aside.Select(it => it.Place.Node).Distinct().Where(it => !alarms.Contains(AlarmClasses.Key(AlarmClasses.RecordDiverged, it.Value))))
            _findings.Add($"silent: {node} has two versions of a record, and no alarm says so");
    }

    /// <summary>
    /// Under the keys that it has written a board's records keep the order in which they happened; what a twin issues again of its copy is the twin's. Over the end of an epoch that holds for what stands in one chain from its beginning: what came
    /// ahead of a hole stays there when the hole is filled in a later epoch. What was gone from a board until an older copy of its card brought it back has no place in the order.
    /// </summary>
    private void InOrder(List<Row> rows, List<Row> again)
    {
        // What stands in the ledger under a later key is no link of the earlier chain.
        var first = rows.GroupBy(it => truth.Of(it.Place.Node, it.Body)).Where(it => it.Key is not null).ToDictionary(it => it.Key!, it => it.Min(row => row.Place.Epoch));
        var chained = Chained([.. rows, .. again.Where(it => truth.Of(it.Place.Node, it.Body) is { } known && first.GetValueOrDefault(known, long.MaxValue) < it.Place.Epoch)]);
        foreach (var stream in rows.Select(it => (it.Place, It: truth.At(it.Place))).Where(it => it.It is { DestroyedAt.Count: 0 }).GroupBy(it => (truth.Writer(it.Place), it.Place.Stream)))
        {
            (Place Place, Happening It)? before = null;
            (Place Place, Happening It)? ended = null;

            // The first record of an epoch says where the one before ended, and then come its leftovers.
            foreach (var (place, it) in stream.Where(it => !it.It!.Text.Contains("\"epoch.began\"", StringComparison.Ordinal)).OrderBy(it => it.Place.Epoch).ThenBy(it => it.Place.Seq))
            {
                if (before is { } last && last.Place.Epoch != place.Epoch) before = null;
                foreach (var (_, earlier) in new[] { before, ended }.OfType<(Place, Happening)>().Where(other => other.Item2.No > it!.No))
                    _findings.Add($"out of order: {Named(it!)} stands behind {Named(earlier)}, at {Key(place)}");
                before = (place, it!);
                if (chained.Contains(place)) ended = before;
            }
        }
    }

    private HashSet<Place> Chained(List<Row> rows)
    {
        var chained = new HashSet<Place>();
        foreach (var stream in rows.Select(it => it.Place).GroupBy(it => (it.Node, it.Epoch, it.Stream)))
        {
            var head = Chain.Genesis;
            foreach (var place in stream.OrderBy(it => it.Seq))
            {
                if (truth.Before(place.Hash) != head) break;
                chained.Add(place);
                head = place.Hash;
            }
        }

        return chained;
    }

    /// <summary>Late is what waited for the line, for longer than it is news, or for this very hub to start.</summary>
    private void Late(List<Row> rows)
    {
        foreach (var it in rows)
        {
            var record = JsonSerializer.Deserialize(it.Body, WireJson.Plain.JournalRecord)!;
            var late = record.Link == LinkState.Down || record.At < hub.Starts.LastOrDefault(start => start < it.ReceivedAt) || it.ReceivedAt - record.At > _lateAfter;
            if (late == it.Late || hub.Starts.Contains(it.ReceivedAt)) continue; // A hub that ended and one that began had it in the same instant.
            if (late && !it.Late) _findings.Add($"late and not said: {Key(it.Place)} of {record.At:T}, received at {it.ReceivedAt:T}");
            if (!late && it.Late) _findings.Add($"called late: {Key(it.Place)} of {record.At:T}, received at {it.ReceivedAt:T}");
        }
    }

    /// <summary>Everything that was durable at a board is there, or its loss is declared.</summary>
    private void Whole(List<Row> rows, List<Row> aside, List<Declaration> acts)
    {
        var there = rows.Concat(aside).Select(it => truth.Of(it.Place.Node, it.Body)).ToHashSet();
        var thinned = rows.Select(it => (it.Place, Fact: JsonSerializer.Deserialize(it.Body, WireJson.Plain.JournalRecord)!.Fact as MeasurementsThinned)).Where(it => it.Fact is not null).ToList();
        foreach (var it in truth.All.Where(it => !there.Contains(it)))
        {
            if (it.DestroyedAt.Count == 0)
            {
                _findings.Add($"lost: {Named(it)}, durable as {string.Join(" and ", it.Places.Select(Key))}, is not in the ledger");
                continue;
            }

            tally.Destroyed++;
            var at = it.DestroyedAt[0];
            if (it.Thinned && it.Places.Exists(place => thinned.Exists(gap => gap.Place.Node == place.Node && (gap.Fact!.Epoch ?? gap.Place.Epoch) == place.Epoch && place.Stream == Streams.Measurements
                && gap.Fact!.First <= place.Seq && place.Seq <= gap.Fact.Last))) continue;
            if (acts.Exists(act => act.At >= at && (act.Node == it.By.Node || act.Node is null && hub.Restores.Exists(lost => lost.At >= at && it.Places.Exists(place => lost.Hashes.Contains(place.Hash)))))) continue;
            if (!it.Places.Exists(place => told.Contains(place.Hash))) tally.Unknown++;
            else _findings.Add($"not declared: {Named(it)}, destroyed at {at:T} as {string.Join(" and ", it.Places.Select(Key))}, is missed by nobody");
        }
    }

    private List<Row> Rows(SqliteConnection store) => [.. nodes.SelectMany(node => store.Query(
        "select epoch, stream, seq, hash, body, received_at, late from ledger where source = $node order by epoch, stream, seq", row => Of(node, row), ("$node", node.Value)))];

    private List<Row> Again(SqliteConnection store) => [.. nodes.SelectMany(node => store.Query(
        """
        select it.epoch, it.stream, it.seq, it.hash, ledger.body, it.received_at, 0 from reissued it join ledger on ledger.id = it.first where it.source = $node
        """, row => Of(node, row), ("$node", node.Value)))];

    private List<Row> Aside(SqliteConnection store) => [.. nodes.SelectMany(node => store.Query(
        "select epoch, stream, seq, hash, body, received_at, 0 from divergence where source = $node", row => Of(node, row), ("$node", node.Value)))];

    /// <summary>What says that something is missing: the hub about a node or about itself, a node about its journal.</summary>
    private static List<Declaration> Acts(SqliteConnection store) => store.Query(
        """
        select source, kind, coalesce(at, received_at), body from ledger
        where kind in ('hub.node.new-epoch', 'hub.hub.restored', 'journal.repaired')
        """,
        row => new Declaration(
            row.GetString(1) switch { "hub.hub.restored" => null, "journal.repaired" => new NodeId(row.GetString(0)), _ => new NodeId(Target(row.GetString(3))) },
            PhysSec.Hub.Storage.Rows.FromStored(row.GetInt64(2))));

    private static List<string> Alarms(SqliteConnection store) => store.Query("select key from alarms", it => it.GetString(0));

    private static string Target(string body)
    {
        using var document = JsonDocument.Parse(body);
        return document.RootElement.GetProperty("fact").GetProperty("target").GetString()!;
    }

    private static Row Of(NodeId node, SqliteDataReader row) => new(
        new(node, row.GetInt64(0), row.GetString(1), row.GetInt64(2), row.GetString(3)), row.GetString(4), PhysSec.Hub.Storage.Rows.FromStored(row.GetInt64(5)), row.GetInt64(6) == 1);

    private static bool SameKey(Place one, Place other) => one with { Hash = "" } == other with { Hash = "" };

    private static string Named(Happening it) => $"what happened {it.No}. ({it.By.Name}, stream {it.Stream})";

    private static string Key(Place it) => $"{it.Node}/{it.Epoch}/{it.Stream}/{it.Seq}";

    private sealed record Row(Place Place, string Body, DateTimeOffset ReceivedAt, bool Late);

    private sealed record Declaration(NodeId? Node, DateTimeOffset At);
}
