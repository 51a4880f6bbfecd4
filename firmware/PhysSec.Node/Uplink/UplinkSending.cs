using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using MQTTnet;
using MQTTnet.Protocol;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using PhysSec.Node.Journal;

namespace PhysSec.Node.Uplink;

/// <summary>What a node says while it is connected: one loop, one thing after the other, nothing in it waits for an answer.</summary>
public sealed partial class UplinkLoop
{
    private const int AccessFlyingMax = 3; // Four in all, and measurements can never hold up the rest.
    private const int MeasurementsFlyingMax = 1;
    private static readonly TimeSpan _stateEvery = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan _stateLook = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _birthEvery = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _greeting = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _linger = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _longestSleep = TimeSpan.FromMilliseconds(500);

    private readonly Dictionary<PointId, (Live Value, TimeSpan At)> _lastLive = [];

    private async Task<string> SendAsync(IMqttClient client, CancellationTokenSource ended)
    {
        var session = new Session(client, ended, _view.Stamp().Up);
        _inbox.Reconnect = false;
        Birth(session);
        while (!ended.IsCancellationRequested)
        {
            var now = _view.Stamp().Up;
            if (_birthIsOld || _view.Journal() is { Epoch: 0 } && now - session.BirthAt >= _birthEvery) Birth(session);
            if (now - session.StateAt >= _stateEvery || session.StateAt == default || IsNews(session, now)) State(session, now);
            while (_answers.Reader.TryRead(out var answer)) Publish(session, ReplyMessage(answer));
            while (_acks.Reader.TryRead(out var ack)) Take(session, ack);
            SendJournal(session, now);
            while (_live.Reader.TryRead(out var value)) SendLive(session, value, now);
            if (_inbox.Reconnect) session.End("the certificate was renewed; connecting with it");
            else await SleepAsync(ended.Token);
        }

        return session.Fault ?? "the connection was closed";
    }

    private async Task SleepAsync(CancellationToken ended)
    {
        using var limit = new TimeLimit(_longestSleep, _clock, ended);
        try
        {
            await _wake.Reader.ReadAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            // Time to look again, or the end.
        }
    }

    private void Birth(Session session)
    {
        _birthIsOld = false;
        session.BirthAt = _view.Stamp().Up;
        session.Windows.Clear(); // The epoch may be another.
        Publish(session, Message(Topics.Birth(_identity.Site, _identity.Node), Json(Counted(_view.Birth())), retain: true));
    }

    private Birth Counted(Birth birth)
    {
        if (_view.Journal() is not { } store) return birth;
        birth = birth with { HighestEpoch = store.HighestEpoch };
        try
        {
            var (journal, number) = store.NextBirth();
            return birth with { Journal = journal, Number = number };
        }
        catch (JournalException)
        {
            return birth; // A full disk keeps no node from saying what it is.
        }
    }

    private void State(Session session, TimeSpan now)
    {
        var state = _view.State();
        (session.StateAt, session.LookedAt, session.Told) = (now, now, Gist(state));
        Publish(session, Message(Topics.State(_identity.Site, _identity.Node), Json(state), retain: true));
        foreach (var (point, (value, at)) in _lastLive.ToList())
        {
            // What only changes now and then (doors, contacts) is said again, so that a hub that has just started knows it too.
            if (!_view.Periods.ContainsKey(point) && now - at >= _stateEvery) SendLive(session, value, now);
        }
    }

    /// <summary>A fault that comes or goes, or another policy in force, is told within a second.</summary>
    private bool IsNews(Session session, TimeSpan now)
    {
        if (now - session.LookedAt < _stateLook) return false;
        session.LookedAt = now;
        return Gist(_view.State()) != session.Told;
    }

    private static string Gist(NodeState it) => string.Create(CultureInfo.InvariantCulture, $"{it.State} {it.Health?.PolicyVersion} {string.Join('\n', it.Faults ?? [])}");

    private void Take(Session session, Ack ack)
    {
        if (_view.Journal() is not { } store) return;
        (session.Greeted, _acknowledged) = (true, true);
        var window = session.Window(store, ack.Epoch, ack.Stream);
        switch (store.Acknowledge(ack.Epoch, ack.Stream, ack.Through, ack.HubEpoch, window.Sent, ack.Resend))
        {
            case AckOutcome.Advanced:
                window.Take(store.State(ack.Epoch, ack.Stream).Acknowledged, ack.Epoch == store.Epoch ? ack.Resend : []);
                break;
            case AckOutcome.Rewound:
                _log.LogWarning("the hub was restored: stream {Stream} is sent again from {Through}", ack.Stream, store.State(ack.Stream).Acknowledged + 1);
                window.Rewind(store.State(ack.Stream).Acknowledged);
                break;
            case AckOutcome.ContinuityLost:
                _log.LogError("the hub is at record {Through} of stream {Stream}, and this journal does not go on from there: asking for a new epoch", ack.Through, ack.Stream);
                Birth(session);
                break;
            case AckOutcome.Stale:
                if (ack.Epoch == store.Epoch && ack.HubEpoch == store.State(ack.Stream).HubEpoch) window.Take(0, ack.Resend);
                break;
        }
    }

    private void SendJournal(Session session, TimeSpan now)
    {
        // The hub's first word tells whether it knows this journal: nothing that could contradict it is sent before.
        if (!session.Greeted && now - session.BirthAt < _greeting) return;
        if (_view.Journal() is not { } store || store.Epoch == 0) return;

        try
        {
            foreach (var window in session.Windows.Values) window.Expire(now);
            while (_hot.Reader.TryRead(out var record)) SendHot(session, store, record);
            var refill = store.Refill;
            var accessMax = refill is null ? AccessFlyingMax : AccessFlyingMax - 1;
            while (session.Window(store, store.Epoch, Streams.Access).MaySend(accessMax) && SendBatch(session, store, store.Epoch, Streams.Access, now)) { }
            while (session.Window(store, store.Epoch, Streams.Measurements).MaySend(MeasurementsFlyingMax) && MeasurementsAreDue(session, store, now)
                && SendBatch(session, store, store.Epoch, Streams.Measurements, now)) { }
            while (refill is var (epoch, stream) && session.Window(store, epoch, stream).MaySend(1) && SendBatch(session, store, epoch, stream, now)) { }
        }
        catch (JournalException failure)
        {
            if (session.JournalFault != failure.Message) _log.LogError("{Fault}", failure.Message);
            session.JournalFault = failure.Message;
        }
    }

    private bool SendBatch(Session session, JournalStore store, long epoch, string stream, TimeSpan now)
    {
        var window = session.Window(store, epoch, stream);
        var head = store.State(epoch, stream).Seq;
        if (window.Next(head) is not { } range) return false;
        var run = store.Read(epoch, stream, range.First, range.Last, Batches.RecordsMax, Batches.BytesMax);
        if (run.Count == 0)
        {
            window.Skip(range);
            store.EndRefill(epoch, stream);
            return true;
        }

        window.Sending(range, run[^1].Seq, now);
        var payload = Batches.Batch(_identity.Site, _identity.Node, _identity.DeviceKey, run);
        Publish(session, Message(Topics.Journal(_identity.Site, _identity.Node, stream), payload));
        return true;
    }

    private void SendHot(Session session, JournalStore store, StoredRecord record)
    {
        var window = session.Window(store, record.Epoch, record.Stream);
        if (record.Epoch != store.Epoch || window.Sent >= record.Seq || window.Acknowledged >= record.Seq - 1) return; // It goes with the next batch, at once.
        if (!MayOvertake(session, record)) return;
        Publish(session, Message(Topics.Hot(_identity.Site, _identity.Node), Batches.Hot(_identity.Site, _identity.Node, _identity.DeviceKey, record)));
    }

    /// <summary>The end of an alarm overtakes only after its beginning: one that still waits in the backlog would come to the hub as long over, and a latched one would ask nobody to look.</summary>
    private static bool MayOvertake(Session session, StoredRecord record) => JsonSerializer.Deserialize(record.Body, WireJson.Plain.JournalRecord)?.Fact switch
    {
        AlarmRaised it => session.RaisedAhead.Add(it.Alarm) || true, // Also the second time.
        AlarmCleared it => session.RaisedAhead.Remove(it.Alarm),
        _ => true,
    };

    private static bool MeasurementsAreDue(Session session, JournalStore store, TimeSpan now)
    {
        var waiting = store.State(Streams.Measurements).Seq - session.Window(store, store.Epoch, Streams.Measurements).Sent;
        if (waiting <= 0)
        {
            session.MeasuredSince = null;
            return true; // A hole may be waiting.
        }

        session.MeasuredSince ??= now;
        return waiting >= Batches.RecordsMax || now - session.MeasuredSince >= _linger;
    }

    private void SendLive(Session session, Live value, TimeSpan now)
    {
        _lastLive[value.Point] = (value, now);
        var message = new LiveValue(Element(value.Value), value.Quality, _view.Stamp().At, value.Unit);
        var expiry = 3 * _view.Periods.GetValueOrDefault(value.Point, _stateEvery.TotalSeconds);
        Publish(session, new MqttApplicationMessageBuilder()
            .WithTopic(Topics.Live(_identity.Site, _identity.Node, value.Point))
            .WithPayload(JsonSerializer.SerializeToUtf8Bytes(message, WireJson.Plain.LiveValue))
            .WithMessageExpiryInterval((uint)Math.Clamp(Math.Ceiling(expiry), 1, 3600)));
    }

    private static JsonElement Element(object? value) => value switch
    {
        null => JsonDocument.Parse("null").RootElement,
        double number => JsonSerializer.SerializeToElement(number, WireJson.Plain.Double),
        bool flag => JsonSerializer.SerializeToElement(flag, WireJson.Plain.Boolean),
        DoorLive door => JsonSerializer.SerializeToElement(door, WireJson.Plain.DoorLive),
        _ => throw new ArgumentException($"a {value.GetType().Name} is no live value", nameof(value)),
    };

    private MqttApplicationMessageBuilder ReplyMessage(Answer answer)
    {
        var message = Message(
            Topics.Reply(_identity.Site, _identity.Node), JsonSerializer.SerializeToUtf8Bytes(answer.Reply, WireJson.Plain.CommandReply));
        return answer.Correlation is { } correlation ? message.WithCorrelationData(correlation) : message;
    }

    private static MqttApplicationMessageBuilder Message(string topic, byte[] payload, bool retain = false) =>
        new MqttApplicationMessageBuilder().WithTopic(topic).WithPayload(payload).WithRetainFlag(retain)
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce);

    private static byte[] Json(NodeState state) => JsonSerializer.SerializeToUtf8Bytes(state, WireJson.Plain.NodeState);

    private static byte[] Json(Birth birth) => JsonSerializer.SerializeToUtf8Bytes(birth, WireJson.Plain.Birth);

    private void Publish(Session session, MqttApplicationMessageBuilder message) => _ = PublishAsync(session, message.Build());

    /// <summary>Hands a message over, in the order of the calls. One that the broker does not take in time ends the connection: the next one starts clean.</summary>
    private async Task PublishAsync(Session session, MqttApplicationMessage message)
    {
        try
        {
            using var limit = new TimeLimit(_deadline, _clock, session.Ended.Token);
            var result = await session.Client.PublishAsync(message, limit.Token);
            if (result.IsSuccess || result.ReasonCode == MqttClientPublishReasonCode.NoMatchingSubscribers) return;
            session.End($"the broker refused {message.Topic}: {result.ReasonCode}");
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            session.End($"{message.Topic} was not taken: {failure.Message}");
        }
    }

    /// <summary>One connection's state; owned by the sending loop.</summary>
    private sealed class Session(IMqttClient client, CancellationTokenSource ended, TimeSpan now)
    {
        public IMqttClient Client { get; } = client;

        public CancellationTokenSource Ended { get; } = ended;

        public Dictionary<(long Epoch, string Stream), SendWindow> Windows { get; } = [];

        public TimeSpan BirthAt { get; set; } = now;

        public TimeSpan StateAt { get; set; }

        public TimeSpan LookedAt { get; set; }

        public string? Told { get; set; }

        public TimeSpan? MeasuredSince { get; set; }

        public bool Greeted { get; set; }

        /// <summary>Alarms whose beginning has overtaken the backlog on this connection.</summary>
        public HashSet<string> RaisedAhead { get; } = [];

        public string? Fault { get; private set; }

        public string? JournalFault { get; set; }

        public SendWindow Window(JournalStore store, long epoch, string stream)
        {
            var acknowledged = store.State(epoch, stream).Acknowledged;
            if (!Windows.TryGetValue((epoch, stream), out var window)) Windows[(epoch, stream)] = window = new(acknowledged);
            if (window.Acknowledged > acknowledged) window.Rewind(acknowledged); // A restored hub is owed more than this connection knew.
            return window;
        }

        public void End(string fault)
        {
            Fault ??= fault;
            if (!Ended.IsCancellationRequested) Ended.Cancel();
        }
    }
}
