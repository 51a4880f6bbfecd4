using System.Buffers;
using MQTTnet;
using MQTTnet.Exceptions;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub.Broker;

namespace PhysSec.Tests.Simulation.Record;

/// <summary>
/// The broker between nodes and hub. Embedded: it is the hub, and its PUBACK follows the commit. External: its PUBACK says that it has the message, and the hub reads from a
/// session that a crash of the broker may lose.
/// </summary>
internal sealed class Broker(bool embedded, Turns turns, TimeProvider clock, Random random, Tally tally) : INodeBroker
{
    private static readonly TimeSpan _keepAlive = TimeSpan.FromSeconds(20);

    private readonly List<(DateTimeOffset Due, LinkClient Client, MqttApplicationMessage Will, TaskCompletionSource<Connection> Answer)> _knocking = [];
    private readonly List<Connection> _connections = [];
    private readonly List<LinkedList<(DateTimeOffset Due, MqttApplicationMessage Message)>> _late = []; // Of connections that are gone: each in its own order.
    private readonly LinkedList<(MqttApplicationMessage Message, bool Kept)> _session = new(); // External: what the hub has not acknowledged.
    private readonly Dictionary<string, MqttApplicationMessage> _retained = [];
    private readonly Dictionary<string, (bool Up, bool Down)> _cuts = [];
    private ModelHub? _hub;
    private bool _up = true;

    public DateTimeOffset Now => clock.GetUtcNow();

    public bool Embedded => embedded;

    /// <summary>Faults of the line are drawn; false: every message arrives once.</summary>
    public bool Faulty { get; set; }

    /// <summary>The longest a message is on its way, in milliseconds.</summary>
    public int DelayMax { get; set; } = 150;

    public bool HubLinked { get; private set; }

    public bool Ready => _hub is not null && (embedded || HubLinked && _up);

    public int Port => 8883;

    /// <summary>Nothing is on its way or waits for the hub.</summary>
    public bool Quiet => _late.Count == 0 && _session.Count == 0 && _connections.TrueForAll(it => it.Ways.Count == 0);

    /// <summary>What the node's broker confirms, for a node that takes it for the hub's word.</summary>
    public Action<LinkClient, MqttApplicationMessage>? Puback { get; set; }

    /// <summary>Looks at everything that the hub says to a node.</summary>
    public Action<NodeTopic, byte[]>? Said { get; set; }

    public TimeSpan Delay() => TimeSpan.FromMilliseconds(random.Next(DelayMax + 1));

    public bool IsCut(string board) => _cuts.TryGetValue(board, out var cut) && (cut.Up || cut.Down);

    public void Cut(string board, bool up, bool down) => _cuts[board] = (up, down);

    public void HealAll() => _cuts.Clear();

    public void Connect(LinkClient client, MqttClientOptions options, TaskCompletionSource<Connection> answer)
    {
        var will = new MqttApplicationMessageBuilder().WithTopic(options.WillTopic).WithPayload(options.WillPayload).WithRetainFlag(true).Build();
        _knocking.Add((Now + Delay(), client, will, answer));
    }

    /// <summary>A hub process has this broker, or connects to it.</summary>
    public void Join(ModelHub hub)
    {
        _hub = hub;
        if (!embedded) return;
        _retained.Clear();
        HubLinked = true;
    }

    /// <summary>The hub process ended. Embedded, everybody's connection ends with it.</summary>
    public void Leave()
    {
        _hub = null;
        if (embedded) foreach (var it in _connections.ToList()) Cut(it);
        if (embedded) _late.Clear();
        else LoseHub();
    }

    /// <summary>External: the hub's own connection ends; the broker says so for it.</summary>
    public void LoseHub()
    {
        if (!HubLinked) return;
        HubLinked = false;
        Retain(new MqttApplicationMessageBuilder().WithTopic(Topics.Hub(ModelHub.Site))
            .WithPayload(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new HubState("lost", 1, [Topics.Version], Now), WireJson.Plain.HubState)).WithRetainFlag(true).Build());
    }

    /// <summary>External: connected again. What the broker kept of the nodes is told first; the session's messages come again.</summary>
    public void LinkHub()
    {
        if (_hub is null || !_up || HubLinked) return;
        HubLinked = true;
        foreach (var it in _retained.Values.Where(it => it.Topic != Topics.Hub(ModelHub.Site)).OrderBy(it => it.Topic, StringComparer.Ordinal).Reverse()) _session.AddFirst((it, true));
        _hub.SayOnline();
    }

    /// <summary>External: the broker dies. What it had on its disk, if anything, is drawn.</summary>
    public void Crash()
    {
        foreach (var it in _connections.ToList()) Cut(it);
        _late.Clear();
        HubLinked = false;
        _up = false;
        if (random.Next(4) > 0) _session.Clear();
        if (random.Next(2) == 0) _retained.Clear();
    }

    public void Revive() => _up = true;

    /// <summary>Ends a connection at both ends at once.</summary>
    public void Cut(Connection it)
    {
        Close(it);
        it.Break();
    }

    public void CutOne()
    {
        if (_connections.Count > 0) Cut(_connections[random.Next(_connections.Count)]);
    }

    /// <summary>The broker lets go of a connection: some of what it had received comes late, the rest never; the will is published.</summary>
    public void Close(Connection it)
    {
        if (!_connections.Remove(it)) return;
        it.LetGo();
        var late = new LinkedList<(DateTimeOffset, MqttApplicationMessage)>();
        var due = Now;
        if (_hub is not null || !embedded)
        {
            var reaches = Faulty && random.Next(2) == 0 ? random.Next(it.Ways.Count + 1) : 0;
            foreach (var (_, what) in it.Ways.Take(reaches))
            {
                due += TimeSpan.FromMilliseconds(random.Next(5_000));
                if (what.Message is { } message) late.AddLast((due, message));
            }

            if (late.Count > 0) tally.Late++;
            late.AddLast((due + Delay(), it.Will));
            _late.Add(late);
        }

        it.Ways.Clear();
    }

    public Task StartAsync(CancellationToken cancel) => Task.CompletedTask;

    public Task StopAsync() => Task.CompletedTask;

    public Task DisconnectAsync(NodeId node) => Task.CompletedTask;

    public Task PublishAsync(string topic, byte[] payload, bool retain, CancellationToken cancel, string? responseTopic = null, byte[]? correlation = null)
    {
        if (!Ready) throw new MqttCommunicationException("the broker cannot be reached");
        var message = EmbeddedBroker.Message(topic, payload, retain, responseTopic, correlation);
        if (retain)
        {
            Retain(message);
            return Task.CompletedTask;
        }

        var parsed = Topics.Parse(topic)!.Value;
        Said?.Invoke(parsed, payload);
        foreach (var it in _connections.Where(it => it.Node == parsed.Node && it.Subscribed))
        {
            if (Lost(50)) continue;
            it.Tell(() => it.Client.Take(message));
            if (Doubled(30)) it.Tell(() => it.Client.Take(message));
        }

        return Task.CompletedTask;
    }

    public void Step()
    {
        Admit();
        foreach (var it in _connections.ToList())
        {
            var (upCut, downCut) = _cuts.GetValueOrDefault(it.Client.Board);
            if (!upCut && !downCut) it.BlockedSince = null;
            else it.BlockedSince ??= Now;
            if (it.BlockedSince is { } since && Now - since > _keepAlive) Cut(it);
            else if (!downCut) it.DeliverDown(Now);
        }

        if (!_up || embedded && _hub is null) return;
        while (Wave()) { }
        if (!embedded && HubLinked) while (HubLinked && HubWave()) { }
    }

    private void Admit()
    {
        foreach (var it in _knocking.Where(it => it.Due <= Now && !IsCut(it.Client.Board)).ToList())
        {
            _knocking.Remove(it);
            if (it.Client.Life.Dead || it.Answer.Task.IsCompleted) continue;
            if (!_up || embedded && _hub is null)
            {
                it.Answer.TrySetException(new MqttCommunicationException("connection refused"));
                continue;
            }

            var node = Topics.Parse(it.Will.Topic)!.Value.Node;
            foreach (var old in _connections.Where(old => old.Node == node).ToList()) Cut(old);
            var connection = new Connection(this, it.Client, node, it.Will);
            _connections.Add(connection);
            it.Answer.TrySetResult(connection);
        }
    }

    /// <summary>The next message of every connection, all at once: one connection keeps its order, several have none between them.</summary>
    private bool Wave()
    {
        var takes = new List<(Task<bool> Done, Connection? From, Up? What)>();
        foreach (var it in _connections.ToList())
        {
            if (_cuts.GetValueOrDefault(it.Client.Board).Up || !it.Held || it.Ways.First is not { Value: var (due, what) } || due > Now) continue;
            if (Lost(150)) // Before it is taken.
            {
                Cut(it);
                continue;
            }

            it.Ways.RemoveFirst();
            if (what.Message is not { } message) Attend(it, what);
            else takes.Add((Arrived(message), it, what));
        }

        foreach (var line in _late.ToList())
        {
            if (line.First is not { Value: var (due, message) } || due > Now) continue;
            line.RemoveFirst();
            if (line.Count == 0) _late.Remove(line);
            takes.Add((Arrived(message), null, null));
        }

        foreach (var (done, from, what) in takes)
        {
            if (_hub is { } hub && !done.IsCompleted) turns.Finish(hub.Life, done);
            if (from is null || !from.Held) continue;
            if (done is { IsCompletedSuccessfully: true, Result: true } && !Lost(150)) Confirm(from, what!);
            else Cut(from); // After it was taken, or instead.
        }

        return takes.Count > 0 && _up && (_hub is not null || !embedded);
    }

    private void Attend(Connection it, Up what)
    {
        it.Tell(() => what.Answer.TrySetResult(true));
        if (what.Bye is not null)
        {
            _connections.Remove(it);
            it.LetGo();
            return;
        }

        it.Subscribed = true;
        if (_retained.TryGetValue(Topics.Hub(ModelHub.Site), out var hub)) it.Tell(() => it.Client.Take(hub));
    }

    private void Confirm(Connection from, Up what) => from.Tell(() =>
    {
        Puback?.Invoke(from.Client, what.Message!);
        what.Answer.TrySetResult(true);
    });

    private Task<bool> Arrived(MqttApplicationMessage message)
    {
        if (message.Retain) _retained[message.Topic] = message;
        if (embedded) return Taken(message, false, Doubled(40));
        if (Lost(100)) return Task.FromResult(true); // A full queue at the broker: the sender never hears of it.
        _session.AddLast((message, false));
        if (Doubled(30)) _session.AddLast((message, false));
        return Task.FromResult(true);
    }

    private Task<bool> Taken(MqttApplicationMessage message, bool kept, bool twice = false)
    {
        if (_hub is not { Life.Dead: false } hub || Topics.Parse(message.Topic) is not { } topic) return Task.FromResult(false);
        tally.Taken++;
        return hub.TakeAsync(topic, message.Payload.ToArray(), kept, twice);
    }

    /// <summary>External: the next message of every node out of the hub's session. Gone from it when the hub has taken it and said so.</summary>
    private bool HubWave()
    {
        var batch = new List<(LinkedListNode<(MqttApplicationMessage Message, bool Kept)> Place, Task<bool> Done)>();
        var nodes = new HashSet<NodeId>();
        for (var place = _session.First; place is not null; place = place.Next)
            if (nodes.Add(Topics.Parse(place.Value.Message.Topic)!.Value.Node)) batch.Add((place, Taken(place.Value.Message, place.Value.Kept)));
        foreach (var (place, done) in batch)
        {
            if (_hub is not { } hub) return false;
            if (!done.IsCompleted) turns.Finish(hub.Life, done);
            if (hub.Life.Dead) return false;
            if (Lost(200) || done is not { IsCompletedSuccessfully: true, Result: true })
            {
                LoseHub(); // It was taken, and the broker does not know: it comes again.
                return false;
            }

            if (place.List is not null) _session.Remove(place);
        }

        return batch.Count > 0;
    }

    private void Retain(MqttApplicationMessage message)
    {
        _retained[message.Topic] = message;
        foreach (var it in _connections.Where(it => it.Subscribed && message.Topic == Topics.Hub(ModelHub.Site))) it.Tell(() => it.Client.Take(message));
    }

    private bool Lost(int oneIn) => Faulty && random.Next(oneIn) == 0 && Count(ref tally.Dropped);

    private bool Doubled(int oneIn) => Faulty && random.Next(oneIn) == 0 && Count(ref tally.Doubled);

    private static bool Count(ref long what)
    {
        what++;
        return true;
    }
}

/// <summary>What was tried.</summary>
internal sealed class Tally
{
    public long Dropped;
    public long Doubled;

    public long Late { get; set; }

    public long Taken { get; set; }

    public long Records { get; set; }

    public long Destroyed { get; set; }

    public long Unknown { get; set; }

    public SortedDictionary<string, long> Faults { get; } = new(StringComparer.Ordinal);

    public void Fault(string kind) => Faults[kind] = Faults.GetValueOrDefault(kind) + 1;

    public void Add(Tally other)
    {
        Dropped += other.Dropped;
        Doubled += other.Doubled;
        Late += other.Late;
        Taken += other.Taken;
        Records += other.Records;
        Destroyed += other.Destroyed;
        Unknown += other.Unknown;
        foreach (var (kind, count) in other.Faults) Faults[kind] = Faults.GetValueOrDefault(kind) + count;
    }
}
