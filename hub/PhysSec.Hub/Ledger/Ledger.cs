using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Alarms;
using PhysSec.Core.Doors;
using PhysSec.Core.Wire;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Ingest;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Ledger;

/// <summary>What came of storing one record.</summary>
public enum Stored
{
    New,

    /// <summary>The same key with the same hash was there already.</summary>
    Repeated,

    /// <summary>The same key with another hash: kept beside the first, and an alarm.</summary>
    Diverged,
}

/// <summary>The append-only table of everything that happened at a node or was done at the hub. Runs inside the caller's transaction.</summary>
public static class Records
{
    /// <summary>The source of the hub's own records.</summary>
    public const string Hub = "hub";

    /// <summary>Stores a node's record under its key (node, epoch, stream, seq).</summary>
    public static Stored Append(SqliteConnection store, NodeId node, JournalRecord record, string hash, string body, DateTimeOffset receivedAt, bool late)
    {
        var columns = Columns.Of(node, record.Fact);
        return Append(store, node.Value, record.Epoch, record.Stream, record.Seq, hash, body, receivedAt, record.At, late, columns);
    }

    /// <summary>Writes down what a person (or the hub itself) did, chained to the hub's record before it.</summary>
    public static void Act(SqliteConnection store, Act act, DateTimeOffset at)
    {
        var epoch = HubEpoch(store);
        var (seq, head) = Through(store, Hub, epoch, Streams.Access);
        var fact = new JsonObject
        {
            ["kind"] = "hub.act",
            ["verb"] = act.Verb,
            ["actor"] = act.Actor.Name,
            ["role"] = act.Actor.Role,
            ["origin"] = act.Actor.Origin,
            ["target"] = act.Target,
            ["reason"] = act.Reason,
            ["before"] = act.Before?.DeepClone(),
            ["after"] = act.After?.DeepClone(),
        };
        var body = new JsonObject { ["epoch"] = epoch, ["stream"] = Streams.Access, ["seq"] = seq + 1, ["at"] = at.ToString("O"), ["fact"] = fact }
            .ToJsonString(WireJson.Plain.Options);
        var hash = Chain.Next(head, body);
        Append(store, Hub, epoch, Streams.Access, seq + 1, hash, body, at, at, late: false, new Columns("hub." + act.Verb, Door: act.Door, Person: act.Person, Credential: act.Credential, Alarm: act.Alarm));
        SetThrough(store, Hub, epoch, Streams.Access, seq + 1, hash);
    }

    /// <summary>Up to where a stream is stored without a hole, and the chain value there.</summary>
    public static (long Seq, string Head) Through(SqliteConnection store, string source, long epoch, string stream) =>
        store.One(
            "select through, head from streams where source = $source and epoch = $epoch and stream = $stream",
            it => Tuple.Create(it.GetInt64(0), it.GetString(1)), ("$source", source), ("$epoch", epoch), ("$stream", stream)) is var (seq, head)
            ? (seq, head) : (0, Chain.Genesis);

    public static void SetThrough(SqliteConnection store, string source, long epoch, string stream, long seq, string head) =>
        store.Execute(
            "insert into streams values ($source, $epoch, $stream, $seq, $head) on conflict do update set through = $seq, head = $head",
            ("$source", source), ("$epoch", epoch), ("$stream", stream), ("$seq", seq), ("$head", head));

    /// <summary>
    /// Moves on over what is stored without a hole. A stretch of measurements that the node itself has declared thinned is no hole: it will never come. The
    /// chain value after such a stretch is not known and is kept as an empty text.
    /// </summary>
    /// <returns>False: a record does not continue the chain of the one before it. It counts all the same, or the stream would stand for ever.</returns>
    public static bool Advance(SqliteConnection store, string source, long epoch, string stream)
    {
        var (before, head) = Through(store, source, epoch, stream);
        var (through, whole) = (before, true);
        using (var command = store.Command(
            """
            select seq, hash, body, body_hash, null as prev from ledger where source = $source and epoch = $epoch and stream = $stream and seq > $through
            union all select seq, hash, '', null, prev from reissued where source = $source and epoch = $epoch and stream = $stream and seq > $through
            order by seq
            """,
            ("$source", source), ("$epoch", epoch), ("$stream", stream), ("$through", before)))
        using (var waiting = command.ExecuteReader())
        {
            while (waiting.Read()) // A hole ends it: behind one may lie a whole backlog.
            {
                var (seq, hash) = (waiting.GetInt64(0), waiting.GetString(1));
                if (seq > through + 1) PassThinned();
                if (seq <= through) continue;
                if (seq != through + 1) break;
                whole &= head.Length == 0 || !waiting.IsDBNull(3) // Of a deleted text nothing can be said.
                    || (waiting.IsDBNull(4) ? Chain.Next(head, waiting.GetString(2)) == hash : waiting.GetString(4) == head);
                (through, head) = (seq, hash);
            }
        }

        PassThinned();
        if (through != before) SetThrough(store, source, epoch, stream, through, head);
        return whole;

        void PassThinned()
        {
            if (stream != Streams.Measurements) return;
            // In order of their ends one pass is enough: whoever ends later and begins earlier covers the other.
            foreach (var (first, last) in store.Query(
                "select first, last from thinned where source = $source and epoch = $epoch and last > $through order by last",
                it => (it.GetInt64(0), it.GetInt64(1)), ("$source", source), ("$epoch", epoch), ("$through", through)))
                if (first <= through + 1) (through, head) = (last, "");
        }
    }

    /// <summary>Notes that a stretch of measurements will never come. One without an end is no stretch.</summary>
    public static void NoteThinned(SqliteConnection store, string source, long epoch, MeasurementsThinned it)
    {
        if (it.First < 1 || it.Last < it.First || it.Last > Batches.NumberMax) return;
        store.Execute(
            "insert into thinned values ($source, $epoch, $first, $last) on conflict do nothing", ("$source", source), ("$epoch", epoch), ("$first", it.First), ("$last", it.Last));
    }

    /// <summary>Keeps the node's signature over a batch, unless a kept one covers the same records (<paramref name="always"/>: they may be others).</summary>
    public static void KeepSignature(SqliteConnection store, EnrolledNode node, JournalBatch it, bool always)
    {
        var covered = store.Number(
            "select last from batch_signatures where source = $source and epoch = $epoch and stream = $stream and first <= $first order by first desc, last desc limit 1",
            ("$source", node.Id.Value), ("$epoch", it.Epoch), ("$stream", it.Stream), ("$first", it.First));
        if (covered >= it.Last && !always) return;
        store.Execute(
            "insert into batch_signatures values ($source, $epoch, $stream, $first, $last, $prev, $head, $signature, $thumbprint) on conflict do nothing",
            ("$source", node.Id.Value), ("$epoch", it.Epoch), ("$stream", it.Stream), ("$first", it.First), ("$last", it.Last), ("$prev", it.Prev), ("$head", it.Head),
            ("$signature", it.Signature), ("$thumbprint", node.Thumbprint));
    }

    public static long HubEpoch(SqliteConnection store) => store.Number("select value from meta where name = 'hub-epoch'");

    private static Stored Append(
        SqliteConnection store, string source, long epoch, string stream, long seq, string hash, string body, DateTimeOffset receivedAt, DateTimeOffset? at, bool late, Columns columns)
    {
        var added = store.Execute(
            """
            insert into ledger (id, source, epoch, stream, seq, hash, body, received_at, at, late, kind, door, direction, person, credential, outcome, reason, code, alarm)
            values ((select coalesce(max(id), 0) + 1 from ledger), $source, $epoch, $stream, $seq, $hash, $body, $received, $at, $late, $kind, $door, $direction, $person, $credential, $outcome, $reason, $code, $alarm)
            on conflict do nothing
            """,
            ("$source", source), ("$epoch", epoch), ("$stream", stream), ("$seq", seq), ("$hash", hash), ("$body", body), ("$received", receivedAt), ("$at", at),
            ("$late", late), ("$kind", columns.Kind), ("$door", columns.Door), ("$direction", columns.Direction), ("$person", columns.Person),
            ("$credential", columns.Credential), ("$outcome", columns.Outcome), ("$reason", columns.Reason), ("$code", columns.Code), ("$alarm", columns.Alarm));
        if (added == 1) return Stored.New;

        var same = store.Number(
            "select count(*) from ledger where source = $source and epoch = $epoch and stream = $stream and seq = $seq and hash = $hash",
            ("$source", source), ("$epoch", epoch), ("$stream", stream), ("$seq", seq), ("$hash", hash)) == 1;
        if (same) return Stored.Repeated;
        KeepBeside(store, source, epoch, stream, seq, hash, body, receivedAt);
        return Stored.Diverged;
    }

    internal static void KeepBeside(SqliteConnection store, string source, long epoch, string stream, long seq, string hash, string body, DateTimeOffset receivedAt) => store.Execute(
        """
        insert into divergence (source, epoch, stream, seq, hash, body, received_at) values ($source, $epoch, $stream, $seq, $hash, $body, $received)
        on conflict do nothing
        """,
        ("$source", source), ("$epoch", epoch), ("$stream", stream), ("$seq", seq), ("$hash", hash), ("$body", body), ("$received", receivedAt));
}

/// <summary>Who acts: a console account, an API token, the command line or the hub itself. Role is administrator, operator, auditor or system.</summary>
public sealed record Actor(string Name, string Role, string Origin, IReadOnlyList<string>? Scope = null)
{
    public static Actor System { get; } = new("hub", "system", "hub");

    /// <summary>Whoever has a shell on the hub's own machine.</summary>
    public static Actor CommandLine { get; } = new(Environment.UserName, "administrator", "command line");

    /// <summary>Whether a zone lies in the scope of whoever acts; the hub, the command line and programs have the whole site.</summary>
    public bool Covers(string zone) => Scope is null || Scope.Contains("site", StringComparer.Ordinal) || Scope.Contains(zone, StringComparer.Ordinal);

    /// <summary>Acts by the command line and not from afar.</summary>
    public bool AtTheMachine => ReferenceEquals(this, CommandLine);
}

/// <summary>One act for the record. Before and After never hold secrets. Door, Person, Credential (the beginning of its token) and Alarm (its key) are what a search finds it by.</summary>
public sealed record Act(
    Actor Actor, string Verb, string? Target, string? Reason, JsonNode? Before = null, JsonNode? After = null, string? Door = null, string? Person = null, string? Credential = null, string? Alarm = null);

/// <summary>What a search looks for, taken out of a record's fact.</summary>
public sealed record Columns(
    string Kind, string? Door = null, string? Direction = null, string? Person = null, string? Credential = null, string? Outcome = null, string? Reason = null, int? Code = null,
    string? Alarm = null)
{
    public static Columns Of(NodeId node, Fact fact) => fact switch
    {
        AccessGranted it => new("access.granted", it.Door.Value, Name(it.Direction), it.Person.Value, it.Credential.Prefix, "granted"),
        AccessDenied it => new(
            "access.denied", it.Door.Value, Name(it.Direction), it.Person?.Value, it.Credential?.Prefix, "denied", JsonNamingPolicy.CamelCase.ConvertName(it.Reason.ToString()), it.Code),
        Passage it => new("access.passage", it.Door.Value, Name(it.Direction), it.Person?.Value),
        NoPassage it => new("access.no-passage", it.Door.Value, Name(it.Direction), it.Person?.Value),
        ExitRequested it => new("door.exit-request", it.Door.Value, "out"),
        DoorChanged it => new("door.changed", it.Door.Value, Reason: it.By),
        ReaderFaulted it => new("reader.fault", it.Door.Value, Name(it.Direction), Reason: it.Fault),
        AlarmRaised it => new("alarm.raised", Reason: it.Class, Alarm: AlarmClasses.Key(node, it.Class, it.Source)),
        AlarmCleared it => new("alarm.cleared", Reason: it.Class, Alarm: AlarmClasses.Key(node, it.Class, it.Source)),
        Measured => new("measured"),
        CommandExecuted it => new("command", Outcome: it.Outcome, Reason: it.Verb),
        PolicyApplied => new("policy.applied"),
        PolicyRefused => new("policy.refused"),
        NodeStarted => new("node.started"),
        NodeStopped => new("node.stopped"),
        ClockStepped => new("clock.stepped"),
        JournalRepaired => new("journal.repaired"),
        EpochBegan => new("epoch.began"),
        MeasurementsThinned => new("measurements.thinned"),
        CertificateRenewed => new("certificate.renewed"),
        BoardConfigured => new("board.configured"),
        BoardCommissioned it => new("board.commissioned", Outcome: it.Complete ? "complete" : "open"),
        DoorModeChanged it => new("door.mode", it.Door.Value, Outcome: DoorModes.Word(it.To), Reason: it.By),
        EmergencySignalled it => new("door.emergency", it.Door.Value, Outcome: it.Active ? "active" : "reset", Reason: it.Signal.ToString()),
        UnbadgedPassage it => new("door.unbadged", it.Door.Value),
        ReaderCommissioned it => new("reader.commissioned", it.Door.Value, Name(it.Direction), Outcome: it.Outcome, Reason: it.Act),
        GuardContact it => new("guard.contact", Outcome: it.On ? "on" : "off", Reason: it.Contact),
        _ => new("unknown"),
    };

    private static string Name(Core.Access.Direction direction) => direction == Core.Access.Direction.In ? "in" : "out";
}
