using PhysSec.Core;
using PhysSec.Core.Wire;

namespace PhysSec.Hub.Broker;

/// <summary>The hub's end of MQTT: its own broker, or a connection to somebody else's.</summary>
public interface INodeBroker
{
    bool Ready { get; }

    /// <summary>The broker's port; 0 until it listens.</summary>
    int Port { get; }

    Task StartAsync(CancellationToken cancel);

    Task StopAsync();

    /// <summary>QoS 1. Hands the message on; delivery shows by the node's own answer.</summary>
    Task PublishAsync(string topic, byte[] payload, bool retain, CancellationToken cancel, string? responseTopic = null, byte[]? correlation = null);

    /// <summary>Ends a node's session at once.</summary>
    Task DisconnectAsync(NodeId node);
}

/// <summary>
/// What the broker hands inward. Taken: ends after the commit, before the sender gets its PUBACK; throws when the store refused. Enrolled: whether a node may connect
/// with this certificate. Known: whether a node, revoked or not, has this name.
/// </summary>
public sealed record BrokerEvents(
    Func<NodeTopic, byte[], Task> Taken,
    Func<NodeTopic?, string, byte[], string, Task> Bad,
    Action<string, string?, string> Refused,
    Func<NodeId, string, bool> Enrolled,
    Func<NodeId, bool> Known)
{
    /// <summary>A retained message from before the hub's connection: what a node once said, not what it says now. Null: as Taken.</summary>
    public Func<NodeTopic, byte[], Task>? Kept { get; init; }
}
