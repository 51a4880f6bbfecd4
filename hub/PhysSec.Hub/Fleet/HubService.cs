using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Alarms;
using PhysSec.Hub.Broker;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ingest;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Live;

namespace PhysSec.Hub.Fleet;

/// <summary>Starts the broker, joins both roads to it, and stops it before the store closes.</summary>
public sealed class HubService(
    HubHome state, Nodes nodes, Ingestion ingestion, NodeLink link, TurnedAway turnedAway, AlarmBoard alarms, DoorCommands commands, PolicyPublisher publisher, LiveBoard live,
    TimeProvider clock, ILoggerFactory logs) : IHostedService, IDisposable
{
    // Refusals come from handshake callbacks, which must not wait for the disk.
    private readonly Channel<(string Origin, string? Claimed, string Fault)> _refusals =
        Channel.CreateBounded<(string, string?, string)>(new BoundedChannelOptions(1_000) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly CancellationTokenSource _end = new();
    private readonly ILogger _log = logs.CreateLogger<HubService>();
    private INodeBroker? _broker;
    private Task _refusalLoop = Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var events = new BrokerEvents(
            // The will of a node that was just revoked tells nothing new.
            (topic, payload) => topic.Channel == "state" && nodes.Knows(topic.Node) && nodes.Find(topic.Node) is null ? Task.CompletedTask : ingestion.TakeAsync(topic, payload),
            ingestion.SetAsideAsync,
            (origin, claimed, fault) => _refusals.Writer.TryWrite((origin, claimed, fault)),
            nodes.MayConnect,
            nodes.Knows)
        {
            Kept = (topic, payload) => ingestion.TakeAsync(topic, payload, kept: true),
        };
        _broker = state.Configuration.Broker.Kind == "embedded"
            ? new EmbeddedBroker(state, events, clock)
            : new ExternalBroker(state, events, clock, logs.CreateLogger<ExternalBroker>());
        nodes.Revoked += it =>
        {
            live.Forget(it);
            _ = _broker.DisconnectAsync(it);
        };
        alarms.Acknowledged += (node, alarm) => commands.Tell(node, Verbs.Silence, "acknowledged", new() { ["alarm"] = alarm });
        publisher.Ahead += (node, version, known) => _ = known is { } here
            ? alarms.RaiseAsync(AlarmClasses.PolicyAhead, node.Value, node, $"the node obeys policy {version}, this hub knows {here}")
            : alarms.ClearAsync(AlarmClasses.PolicyAhead, node.Value);
        commands.LockdownChanged += publisher.RequestAll;
        _refusalLoop = Task.Run(RefusalsAsync, CancellationToken.None);
        await _broker.StartAsync(cancellationToken);
        link.Attach(_broker);
        publisher.Sender = SendPolicyAsync;
        await SayAsync("online", cancellationToken);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_broker is not null)
        {
            if (_broker.Ready) await SayAsync("offline", cancellationToken);
            await _broker.StopAsync();
            (_broker as IDisposable)?.Dispose();
        }

        _refusals.Writer.TryComplete();
        await _end.CancelAsync();
        await _refusalLoop;
    }

    public void Dispose() => _end.Dispose();

    private Task<bool> SendPolicyAsync(NodeId node, PolicyMessage message, CancellationToken cancel) =>
        link.PublishAsync(Topics.Policy(state.Site, node), JsonSerializer.SerializeToUtf8Bytes(message, WireJson.Plain.PolicyMessage), cancel: cancel);

    private Task<bool> SayAsync(string what, CancellationToken cancel)
    {
        var epoch = state.Store.Read(Records.HubEpoch);
        var message = new HubState(what, epoch, [Topics.Version], clock.GetUtcNow());
        return link.PublishAsync(Topics.Hub(state.Site), JsonSerializer.SerializeToUtf8Bytes(message, WireJson.Plain.HubState), retain: true, cancel: cancel);
    }

    private async Task RefusalsAsync()
    {
        try
        {
            await foreach (var it in _refusals.Reader.ReadAllAsync(_end.Token))
            {
                _log.LogWarning("refused at {Origin}: {Claimed} {Fault}", it.Origin, it.Claimed, it.Fault);
                try
                {
                    await turnedAway.RefuseAsync(it.Origin, it.Claimed, it.Fault);
                    await alarms.RaiseAsync(AlarmClasses.StrangerAtBroker, "broker", null, it.Claimed is null ? it.Fault : $"{it.Claimed}: {it.Fault}");
                }
                catch (SqliteException fault)
                {
                    _log.LogError("a refusal stands in this log only: the store refused: {Fault}", fault.Message);
                }
            }
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // The hub stops.
        }
    }
}
