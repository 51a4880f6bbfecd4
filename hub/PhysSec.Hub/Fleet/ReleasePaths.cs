using System.Text.Json.Nodes;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Fleet;

/// <summary>A way out and its newest test on record. Due: it has none, or an old one.</summary>
public sealed record ReleasePath(string Door, string Zone, DateTimeOffset? TestedAt, double? Seconds, string? By, bool Due);

/// <summary>What the record says: from the exit request to the opening of the leaf, both by the node's monotonic clock, so the tester's own push is part of it. Request and Opening are ledger numbers.</summary>
public sealed record ReleaseMeasure(long Request, long Opening, DateTimeOffset At, double Seconds);

/// <summary>The monthly test of each way out (R-LIF-14): somebody presses the exit button and opens the door, and the time is taken from the record, never entered.</summary>
public sealed class ReleasePaths(Store store, TimeProvider clock)
{
    internal const string TestedVerb = "door.release-path-tested";

    /// <summary>A test is good for so long.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromDays(31);

    /// <summary>What lies further back is no part of a test that is put on record now.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    public IReadOnlyList<ReleasePath> List()
    {
        var due = clock.GetUtcNow() - Every;
        return store.Read(it =>
        {
            var tests = it.Query(
                """
                select door, coalesce(at, received_at) as tested_at, body ->> '$.fact.after.seconds' as seconds, body ->> '$.fact.actor' as actor from ledger
                where id in (select max(id) from ledger where kind = $kind group by door)
                """,
                row => (Door: row.Text("door")!, At: row.Time("tested_at"), Seconds: row.Real("seconds"), By: row.Text("actor")), ("$kind", "hub." + TestedVerb)).ToDictionary(row => row.Door);
            return Doors.All(it).Select(door => tests.TryGetValue(door.Id, out var last)
                ? new ReleasePath(door.Id, door.Zone, last.At, last.Seconds, last.By, last.At <= due)
                : new ReleasePath(door.Id, door.Zone, null, null, null, Due: true)).ToList();
        });
    }

    /// <summary>The newest opening after an exit request since then; null while there is none. Of several requests before one opening the first counts.</summary>
    public ReleaseMeasure? Measure(string door, DateTimeOffset since) => store.Read(it => Measure(it, door, since));

    /// <exception cref="InputException">No remark, no such door, not within the scope, or the record holds no such test, or it is on record already.</exception>
    public async Task<ReleaseMeasure> RecordAsync(Actor actor, string door, DateTimeOffset since, string? remark)
    {
        var why = DoorCommands.Reason(remark);
        var now = clock.GetUtcNow();
        return await store.WriteAsync(it =>
        {
            DoorCommands.Within(it, actor, door);
            var measure = Measure(it, door, since < now - Longest ? now - Longest : since)
                ?? throw new InputException("door", $"the record holds no exit request with an opening after it at {door}", "Press the exit button inside, open the door, and try again");
            if (it.Number("select count(*) from ledger where door = $door and kind = $kind and body ->> '$.fact.after.request' = $request", ("$door", door), ("$kind", "hub." + TestedVerb), ("$request", measure.Request)) > 0)
                throw new InputException("door", $"this opening of {door} is on record as a test already", "Press the exit button inside, open the door, and try again");
            Records.Act(it, new Act(
                actor, TestedVerb, door, why, null, new JsonObject { ["seconds"] = measure.Seconds, ["request"] = measure.Request, ["opening"] = measure.Opening }, door), now);
            return measure;
        });
    }

    private static ReleaseMeasure? Measure(Microsoft.Data.Sqlite.SqliteConnection store, string door, DateTimeOffset since)
    {
        ReleaseMeasure? newest = null;
        (long Id, string? Boot, double? Up)? asked = null;
        foreach (var it in store.Query(
            """
            select id, kind, coalesce(at, received_at) as happened, body ->> '$.boot' as boot, body ->> '$.up' as up from ledger
            where door = $door and coalesce(at, received_at) >= $since and (kind = 'door.exit-request' or kind = 'access.passage' and direction = 'out') order by source, epoch, seq
            """,
            row => (Id: row.Whole("id"), Kind: row.Text("kind"), At: row.Time("happened")!.Value, Boot: row.Text("boot"), Up: row.Real("up")), ("$door", door), ("$since", since)))
        {
            if (it.Kind == "door.exit-request") asked ??= (it.Id, it.Boot, it.Up);
            else if (asked is { } request)
            {
                if (request.Boot == it.Boot && it.Up - request.Up is { } micros and >= 0) newest = new(request.Id, it.Id, it.At, micros / 1e6);
                asked = null;
            }
        }

        return newest;
    }
}
