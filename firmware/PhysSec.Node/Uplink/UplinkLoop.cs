using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using MQTTnet;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using PhysSec.Node.Journal;

namespace PhysSec.Node.Uplink;

/// <summary>What the uplink asks of the rest of the node. Nothing here waits.</summary>
public sealed record NodeView(
    Func<JournalStore?> Journal, Func<Birth> Birth, Func<NodeState> State, Func<Stamp> Stamp, Action<Input> Post,
    IReadOnlyDictionary<PointId, double> Periods);

/// <summary>
/// The node's line to the hub, a loop of its own that only passes messages: when it is down, doors work on and the journal fills; when it is up, it says
/// what the node is and sends on from the last acknowledged record.
/// </summary>
public sealed partial class UplinkLoop
{
    private static readonly TimeSpan _deadline = TimeSpan.FromSeconds(10);

    private readonly UplinkIdentity _identity;
    private readonly NodeView _view;
    private readonly TimeProvider _clock;
    private readonly Func<double> _random;
    private readonly ILogger _log;
    private readonly Func<IMqttClient> _client;
    private readonly Inbox _inbox;
    private readonly Channel<Live> _live = Bounded<Live>(1024);
    private readonly Channel<StoredRecord> _hot = Bounded<StoredRecord>(256);
    private readonly Channel<Answer> _answers = Bounded<Answer>(256);
    private readonly Channel<Ack> _acks = Bounded<Ack>(256);
    private readonly Channel<bool> _wake = Bounded<bool>(1);
    private volatile bool _acknowledged;
    private volatile bool _birthIsOld;
    private volatile bool _hubAway;
    private volatile bool _linked;

    /// <param name="identity">Who the node is.</param>
    /// <param name="policies">Judges policies.</param>
    /// <param name="commands">Judges commands.</param>
    /// <param name="view">The rest of the node.</param>
    /// <param name="clock">Time of the waits.</param>
    /// <param name="random">Draws 0 to 1, for the jitter.</param>
    /// <param name="log">One line when the link comes or goes.</param>
    /// <param name="client">Makes the client of one connection; null: the real one.</param>
    public UplinkLoop(
        UplinkIdentity identity, PolicyIntake policies, CommandIntake commands, NodeView view, TimeProvider clock, Func<double> random, ILogger log,
        Func<IMqttClient>? client = null)
    {
        (_identity, _view, _clock, _random, _log) = (identity, view, clock, random, log);
        _client = client ?? new MqttClientFactory().CreateMqttClient;
        _inbox = new Inbox(identity, policies, commands, view, clock, log);
    }

    /// <summary>There is a connection, and the hub has signed how far it is since it was made.</summary>
    public bool Acknowledged => _linked && _acknowledged;

    /// <summary>Sends a live value, if there is a connection; an old one gives way.</summary>
    public void Publish(Live value)
    {
        _live.Writer.TryWrite(value);
        Wake();
    }

    public void Reply(CommandReply reply)
    {
        _answers.Writer.TryWrite(_inbox.AnswerTo(reply));
        Wake();
    }

    /// <summary>Puts on record how often refused policies were repeated. Called about every second.</summary>
    public void CountRefusals() => _inbox.CountRefusals();

    /// <summary>Records became durable.</summary>
    public void Committed(IReadOnlyList<StoredRecord> records)
    {
        foreach (var record in records.Where(it => it.Hot)) _hot.Writer.TryWrite(record);
        if (records.Count > 0) Wake();
    }

    /// <summary>Connects, and connects again, until told to stop.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var failures = 0;
        string? said = null;
        while (!stop.IsCancellationRequested)
        {
            _acknowledged = false;
            var fault = await SessionAsync(stop);
            if (stop.IsCancellationRequested) return;
            if (_acknowledged) (failures, said) = (0, null);
            failures++;
            if (fault != said) _log.LogWarning("no link to the hub at {Host}:{Port}: {Fault}", _identity.Hub.Host, _identity.Hub.Port, fault);
            said = fault;
            try
            {
                await Task.Delay(Backoff.Wait(failures, _random()), _clock, stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task<string> SessionAsync(CancellationToken stop)
    {
        using var client = _client();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var up = false;
        client.DisconnectedAsync += _ =>
        {
            ended.Cancel();
            return Task.CompletedTask;
        };
        client.ApplicationMessageReceivedAsync += it =>
        {
            Receive(it.ApplicationMessage);
            return Task.CompletedTask;
        };
        try
        {
            var stamp = _view.Stamp();
            var will = new NodeState("lost", stamp.Boot, _view.Journal()?.Epoch ?? 0, null);
            using var limit = new TimeLimit(_deadline, _clock, ended.Token);
            var answer = await client.ConnectAsync(HubConnection.Options(_identity, will, () => _view.Stamp().Clock != ClockQuality.Unset), limit.Token);
            if (answer.ResultCode != MqttClientConnectResultCode.Success) return $"the broker refuses the connection: {answer.ResultCode}";

            Drain();
            _hubAway = false; // A broker that retains nothing of the hub is the hub's own.
            await client.SubscribeAsync(Subscription(), limit.Token);
            up = _linked = true;
            _view.Post(new LinkChanged(!_hubAway));
            _log.LogInformation("linked to the hub at {Host}:{Port}", _identity.Hub.Host, _identity.Hub.Port);
            return await SendAsync(client, ended);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException) // Whatever a broker sends, the line to it is all that it can end.
        {
            return (failure.InnerException ?? failure).Message.ReplaceLineEndings(" ");
        }
        finally
        {
            ended.Cancel();
            _linked = false;
            if (up) _view.Post(new LinkChanged(false));
            if (up && stop.IsCancellationRequested) await LeaveAsync(client);
        }
    }

    private async Task LeaveAsync(IMqttClient client)
    {
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2), _clock);
            var state = _view.State() with { State = "offline", Health = null };
            await client.PublishAsync(Message(Topics.State(_identity.Site, _identity.Node), Json(state), retain: true).Build(), limit.Token);
            await client.DisconnectAsync(new MqttClientDisconnectOptionsBuilder().Build(), limit.Token);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            _log.LogInformation("left without goodbye: {Fault}", failure.Message); // The will says lost instead.
        }
    }

    private void Receive(MqttApplicationMessage message)
    {
        if (_inbox.HubIsThere(message) is { } there)
        {
            // On somebody else's broker the line can stand while the hub is gone: what happens then is recorded as without link.
            if (there && _hubAway) _birthIsOld = true; // A hub that is back is greeted anew: it answers with how far it is.
            _hubAway = !there;
            if (_linked) _view.Post(new LinkChanged(there));
            return;
        }

        var (ack, answer, birthIsOld) = _inbox.Take(message);
        if (ack is not null) _acks.Writer.TryWrite(ack);
        if (answer is not null) _answers.Writer.TryWrite(answer);
        if (birthIsOld) _birthIsOld = true;
        Wake();
    }

    private void Wake() => _wake.Writer.TryWrite(true);

    private void Drain()
    {
        while (_acks.Reader.TryRead(out _)) { }
        while (_hot.Reader.TryRead(out _)) { } // They are part of the backlog that is sent now.
    }

    private MqttClientSubscribeOptions Subscription()
    {
        var options = new MqttClientSubscribeOptionsBuilder();
        foreach (var topic in Topics.NodeReads(_identity.Site, _identity.Node))
            options.WithTopicFilter(new MqttTopicFilter { Topic = topic, QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce });
        return options.Build();
    }

    private static Channel<T> Bounded<T>(int size) =>
        Channel.CreateBounded<T>(new BoundedChannelOptions(size) { FullMode = BoundedChannelFullMode.DropOldest });
}
