using System.Globalization;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Alarms;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Live;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Ingest;

/// <summary>
/// The one entrance for what nodes say: check, commit record and projections in one transaction, then acknowledge. Idempotent by (node, epoch, stream, seq).
/// A payload that cannot be believed goes to the dead letters and never blocks the stream.
/// </summary>
public sealed class Ingestion(
    HubHome state, Nodes nodes, AlarmBoard alarms, Presentations presentations, LiveBoard live, PolicyPublisher publisher, NodeLink link,
    DoorCommands commands, TurnedAway turnedAway, TimeProvider clock, ILogger<Ingestion> log)
{
    private const int HolesMax = 100;
    private const int EpochsAheadMax = 1_000; // A hub from a backup may have forgotten some; whoever names more would use up the numbers.
    private static readonly TimeSpan _lateAfter = TimeSpan.FromSeconds(30);

    private readonly DateTimeOffset _startedAt = clock.GetUtcNow();

    /// <summary>Something new is in the ledger.</summary>
    public event Action? Committed;

    /// <summary>Takes one message; ends after its commit.</summary>
    /// <param name="topic">Where it came.</param>
    /// <param name="payload">Its bytes.</param>
    /// <param name="kept">A broker kept it from before the hub's connection: it tells what was.</param>
    /// <exception cref="SqliteException">The store refused: the sender must not get its PUBACK.</exception>
    public async Task TakeAsync(NodeTopic topic, byte[] payload, bool kept = false)
    {
        try
        {
            var node = nodes.Find(topic.Node) ?? throw new BadPayloadException("the node is not enrolled, or was revoked");
            nodes.Seen(topic.Node);
            await (topic.Channel switch
            {
                "journal" => BatchAsync(node, topic.Rest!, payload, kept),
                "hot" => HotAsync(node, payload, kept),
                "birth" => BirthAsync(node, payload, kept),
                "state" => StateAsync(node, payload),
                "live" => Live(topic, payload),
                "reply" => Reply(payload),
                _ => throw new BadPayloadException($"nothing is taken on {topic.Channel}"),
            });
        }
        catch (Exception fault) when (IsThePayloads(fault)) // Whatever it set off: behind a broker that gives it again it would stop every node's way in for ever.
        {
            await SetAsideAsync(topic, string.Join('/', topic.Site, topic.Node, topic.Channel, topic.Rest), payload, fault.Message);
        }
    }

    private static bool IsThePayloads(Exception fault) => fault switch
    {
        SqliteException store => store.SqliteErrorCode is SQLitePCL.raw.SQLITE_CONSTRAINT or SQLitePCL.raw.SQLITE_TOOBIG or SQLitePCL.raw.SQLITE_MISMATCH,
        OperationCanceledException or OutOfMemoryException or ObjectDisposedException or System.Threading.Channels.ChannelClosedException => false, // The hub stops, or cannot go on.
        _ => true,
    };

    /// <summary>Keeps what cannot be used, and says so.</summary>
    public async Task SetAsideAsync(NodeTopic? topic, string text, byte[] payload, string fault)
    {
        log.LogWarning("set aside {Length} bytes on {Topic}: {Fault}", payload.Length, text.TrimEnd('/'), fault);
        await turnedAway.SetAsideAsync(topic, text.TrimEnd('/'), payload, fault);
        await alarms.RaiseAsync(AlarmClasses.DeadLetter, topic?.Node.Value ?? "broker", topic?.Node, fault);
    }

    private async Task BatchAsync(EnrolledNode node, string stream, byte[] payload, bool kept)
    {
        var (batch, records) = Batches.Check(state.Site, node, stream, payload);
        if (await NeverIssuedAsync(node, batch.Epoch, kept)) return;
        var now = clock.GetUtcNow();
        var odd = new List<string>();
        var (acks, diverged, missed) = await state.Store.WriteAsync(store =>
        {
            var forked = false;
            foreach (var record in records) forked |= Store(store, node, record, now, kept, odd) == Stored.Diverged;
            forked |= !Records.Advance(store, node.Id.Value, batch.Epoch, stream);
            Records.KeepSignature(store, node, batch, forked);
            var root = Severed.Take(store, node.Id, records);
            // What was thinned will never come in a batch of its own: the node is told here that it is waited for no more.
            string[] streams = records.Any(it => it.Record.Fact is MeasurementsThinned) && stream == Streams.Access ? [stream, Streams.Measurements] : [stream];
            var answers = streams.Select(it => AckOf(store, node.Id, batch.Epoch, it, now, batch.Epoch < node.Epoch, it == stream ? root : Severed.Lowest(store, node.Id, batch.Epoch, it))).ToList();
            var why = stream == Streams.Access ? Told.Missed(store, node, batch) : null;
            return (answers, forked, why is null ? null : Discontinuity.Within(store, node, why));
        });
        await AfterAsync(node.Id, records, diverged, odd, now, kept);
        foreach (var ack in acks) await SendAckAsync(node.Id, ack);
        if (missed is not null) await BreakAsync(node, missed, batch.Epoch, store => Told.Forget(store, node, batch));
    }

    private async Task HotAsync(EnrolledNode node, byte[] payload, bool kept)
    {
        var record = Batches.CheckHot(state.Site, node, payload);
        if (await NeverIssuedAsync(node, record.Record.Epoch, kept)) return;
        var now = clock.GetUtcNow();
        var odd = new List<string>();
        var diverged = await state.Store.WriteAsync(store =>
        {
            var forked = Store(store, node, record, now, kept, odd) == Stored.Diverged;
            Severed.Take(store, node.Id, [record]);
            return forked;
        });
        await AfterAsync(node.Id, [record], diverged, odd, now, kept);
    }

    // A hub from a backup may have forgotten an epoch, and the birth that would tell of it may be lost on the way: the node gets one above and issues its records again.
    private async Task<bool> NeverIssuedAsync(EnrolledNode node, long epoch, bool kept)
    {
        if (epoch >= 1 && epoch <= node.Epoch) return false;
        var why = string.Create(CultureInfo.InvariantCulture, $"epoch {epoch} was never issued to this node; its epoch is {node.Epoch}");
        if (kept || epoch < 1 || epoch - node.Epoch > EpochsAheadMax) throw new BadPayloadException(why);
        await BreakAsync(node, state.Store.Read(store => Discontinuity.Within(store, node, why)), epoch, _ => { });
        return true;
    }

    private Stored Store(SqliteConnection store, EnrolledNode node, CheckedRecord it, DateTimeOffset now, bool kept, List<string> odd)
    {
        var late = IsLate(it.Record, now, kept);
        if (node.Epoch > 1 && Reissues.Find(store, node.Id, it) is { } first) return Reissues.Keep(store, node.Id, it, first, now);
        var stored = Records.Append(store, node.Id, it.Record, it.Hash, it.Body, now, late);
        if (stored != Stored.New) return stored;
        var fault = (it.Record.Fact as Unreadable)?.Fault;
        store.Execute("savepoint projection");
        try
        {
            Project(store, node.Id, it.Record, now, late);
        }
        catch (Exception thrown) when (IsThePayloads(thrown)) // The record stays; what it should have moved does not.
        {
            store.Execute("rollback to projection");
            fault = thrown.Message;
        }

        store.Execute("release projection");
        if (fault is not null) odd.Add($"record {it.Record.Epoch}/{it.Record.Stream}/{it.Record.Seq} is stored and was not understood: {fault}");
        return stored;
    }

    private void Project(SqliteConnection store, NodeId node, JournalRecord record, DateTimeOffset now, bool late)
    {
        switch (record.Fact)
        {
            case AlarmRaised or AlarmCleared:
                alarms.Apply(store, node, Finite(record.Fact), new(record.Epoch, record.Seq), record.At < now ? record.At.Value : now, now, late); // Nothing happens later than it is heard.
                break;
            case MeasurementsThinned thinned when (thinned.Epoch ?? record.Epoch) is >= 1 and var of && of <= record.Epoch: // Issued again, it tells of the old epoch's numbers.
                Records.NoteThinned(store, node.Value, of, thinned);
                Records.Advance(store, node.Value, of, Streams.Measurements);
                break;
            case PolicyApplied applied:
                PolicyPublisher.MarkInForce(store, node, applied.Version, now);
                break;
        }
    }

    // JSON can write a number that no double holds; the alarm counts all the same.
    private static Fact Finite(Fact fact) => fact switch
    {
        AlarmRaised it => it with { Value = Finite(it.Value), Limit = Finite(it.Limit) },
        AlarmCleared it => it with { Value = Finite(it.Value) },
        _ => fact,
    };

    private static double? Finite(double? value) => value is { } it && double.IsFinite(it) ? it : null;

    // It waited for the network, or (behind a broker that kept it) for this hub to run again. A node whose clock nobody has confirmed says nothing by an old
    // time: its alarms would all be silent for as long as its clock is slow.
    private bool IsLate(JournalRecord record, DateTimeOffset now, bool kept) =>
        record.Link == LinkState.Down || (kept || record.Clock == ClockQuality.Synced) && (record.At < _startedAt || now - record.At > _lateAfter);

    // Under the sender's keys others may stand here: nothing of what hangs on a record that is not here (root) is acknowledged before that one has come.
    private static Ack AckOf(SqliteConnection store, NodeId node, long epoch, string stream, DateTimeOffset now, bool over, long? root)
    {
        var (through, _) = Records.Through(store, node.Value, epoch, stream);
        var severed = root <= through ? Severed.Ask(root.Value) : null;
        if (over) return new Ack(Records.HubEpoch(store), epoch, stream, through, [.. severed is null ? [] : (SeqRange[])[severed], .. Lacking(store, node, epoch, stream, through)], now, "");
        if (severed is not null) return new Ack(Records.HubEpoch(store), epoch, stream, severed.First - 1, [severed], now, "");
        var first = store.Number(
            """
            select min(seq) from (
              select min(seq) as seq from ledger where source = $source and epoch = $epoch and stream = $stream and seq > $through
              union all select min(seq) from reissued where source = $source and epoch = $epoch and stream = $stream and seq > $through)
            """,
            ("$source", node.Value), ("$epoch", epoch), ("$stream", stream), ("$through", through));
        return new Ack(Records.HubEpoch(store), epoch, stream, through, first > through + 1 ? [new SeqRange(through + 1, first - 1)] : [], now, "");
    }

    /// <summary>Everything that is not here of an epoch that is over: the node may have pruned some of it, and then knows that nothing of it is waited for.</summary>
    private static List<SeqRange> Lacking(SqliteConnection store, NodeId node, long epoch, string stream, long through)
    {
        var holes = store.Query(
            """
            select before + 1, seq - 1 from (select seq, lag(seq, 1, $through) over (order by seq) as before from (
              select seq from ledger where source = $source and epoch = $epoch and stream = $stream and seq > $through
              union all select seq from reissued where source = $source and epoch = $epoch and stream = $stream and seq > $through))
            where seq > before + 1 order by seq limit $most
            """,
            it => new SeqRange(it.GetInt64(0), it.GetInt64(1)), ("$source", node.Value), ("$epoch", epoch), ("$stream", stream), ("$through", through), ("$most", HolesMax));
        var last = holes.Count == HolesMax ? holes[^1].Last : store.Number(
            """
            select max($through, (select coalesce(max(seq), 0) from ledger where source = $source and epoch = $epoch and stream = $stream),
              (select coalesce(max(seq), 0) from reissued where source = $source and epoch = $epoch and stream = $stream))
            """,
            ("$source", node.Value), ("$epoch", epoch), ("$stream", stream), ("$through", through));
        return [.. holes, new SeqRange(last + 1, Batches.NumberMax)];
    }

    private async Task SendAckAsync(NodeId node, Ack ack)
    {
        var signed = ack with { Signature = Signing.Sign(state.Keys.Signing, Signing.AckText(state.Site, node, ack)) };
        await link.PublishAsync(Topics.Ack(state.Site, node), JsonSerializer.SerializeToUtf8Bytes(signed, WireJson.Plain.Ack));
    }

    private async Task AfterAsync(NodeId node, IReadOnlyList<CheckedRecord> records, bool diverged, List<string> odd, DateTimeOffset now, bool kept)
    {
        foreach (var it in records.Where(it => !IsLate(it.Record, now, kept)))
        {
            if (it.Record.Fact is AccessGranted granted) presentations.Offer(granted.Door, granted.Direction, granted.Credential, it.Record.At);
            if (it.Record.Fact is AccessDenied { Credential: { } credential } denied) presentations.Offer(denied.Door, denied.Direction, credential, it.Record.At);
        }

        foreach (var fault in odd) log.LogWarning("{Node}: {Fault}", node, fault);
        if (odd.Count > 0) await alarms.RaiseAsync(AlarmClasses.DeadLetter, node.Value, node, odd[0]);
        if (diverged) await alarms.RaiseAsync(AlarmClasses.RecordDiverged, node.Value, node, "the node's records differ from what is stored under the same keys");
        if (records.Any(it => it.Record.Fact is AlarmRaised or AlarmCleared)) alarms.Announce();
        Committed?.Invoke();
    }

    private async Task BirthAsync(EnrolledNode node, byte[] payload, bool kept)
    {
        var birth = Batches.Read(payload, WireJson.Plain.Birth);
        if (birth.Schema != Topics.Version) throw new BadPayloadException($"schema {birth.Schema} is not spoken here; schema {Topics.Version} is");
        if (birth.Node != node.Id.Value) throw new BadPayloadException($"the birth of \"{birth.Node}\" came on the topic of {node.Id}");
        var named = Math.Max(birth.Epoch, birth.HighestEpoch ?? 0);
        if (birth.Epoch < 0 || named > Batches.NumberMax || birth.LastSeqAccess is < 0 or > Batches.NumberMax || birth.PolicyVersion is < 0 or > Batches.NumberMax)
            throw new BadPayloadException($"epoch {named}, record {birth.LastSeqAccess} or policy {birth.PolicyVersion} is beyond every count");
        if (birth.HeadAccess is not { } end || (end.Length > 0 && !Chain.IsHash(end))) throw new BadPayloadException("headAccess is no SHA-256 in lower-case hex");
        if (named - node.Epoch > EpochsAheadMax) throw new BadPayloadException($"epoch {named} is further beyond {node.Epoch}, which was issued, than any backup is old");
        var before = nodes.BirthOf(node.Id);
        live.Take(node.Id, "birth", null, payload);

        var now = clock.GetUtcNow();
        // A birth that a broker kept is older than what is stored: it proves nothing, but what it tells of must come.
        var (broken, above) = await state.Store.WriteAsync(store =>
        {
            var (gone, highest) = kept ? (null, 0) : Told.Short(store, node, birth);
            if (kept || birth.Epoch > 0) Told.Remember(store, node, birth);
            return (kept ? null : Discontinuity.Find(store, node, birth, before, gone), Math.Max(highest, named));
        });
        if (broken is not null)
        {
            await BreakAsync(node, broken, above, store => Told.Forget(store, node, birth));
        }
        else
        {
            foreach (var stream in (string[])[Streams.Access, Streams.Measurements])
                await SendAckAsync(node.Id, state.Store.Read(store => AckOf(store, node.Id, node.Epoch, stream, now, over: false, Severed.Lowest(store, node.Id, node.Epoch, stream))));
        }

        // What it says next is held against what it said to this hub itself; only now, for what was found by the birth before must not be lost with this message.
        if (!kept || before is null) await nodes.BornAsync(node.Id, birth, System.Text.Encoding.UTF8.GetString(payload));
        await publisher.ResendAsync(node.Id, birth.PolicyVersion, CancellationToken.None);
    }

    // What shows the loss is forgotten with the epoch that declares it, in one transaction.
    private async Task BreakAsync(EnrolledNode node, Discontinuity broken, long above, Action<SqliteConnection> forget)
    {
        var epoch = broken.Waiting ? await state.Store.WriteAsync(store => { forget(store); return node.Epoch; }) : await nodes.NextEpochAsync(node.Id, broken.Why, above, forget);
        log.LogWarning("{Node} cannot prove continuity: {Why}; its next epoch is {Epoch}", node.Id, broken.Why, epoch);
        if (broken.History) await alarms.RaiseAsync(AlarmClasses.RecordDiverged, node.Id.Value, node.Id, broken.Why);
        commands.Tell(node.Id, Verbs.Epoch, broken.Why, new(broken.Held) { ["epoch"] = epoch.ToString(CultureInfo.InvariantCulture) });
    }

    private async Task StateAsync(EnrolledNode node, byte[] payload)
    {
        var message = Batches.Read(payload, WireJson.Plain.NodeState);
        if (message.State is not ("online" or "degraded" or "updating" or "offline" or "lost")) throw new BadPayloadException($"\"{message.State}\" is no state of a node");
        await nodes.StateAsync(node.Id, message, System.Text.Encoding.UTF8.GetString(payload));
        live.Take(node.Id, "state", null, payload);
    }

    private Task Live(NodeTopic topic, byte[] payload)
    {
        Batches.Read(payload, WireJson.Plain.LiveValue);
        live.Take(topic.Node, "live", topic.Rest, payload);
        return Task.CompletedTask;
    }

    private Task Reply(byte[] payload)
    {
        commands.Complete(Batches.Read(payload, WireJson.Plain.CommandReply));
        return Task.CompletedTask;
    }
}
