using PhysSec.Hub.Broker;

namespace PhysSec.Hub.Fleet;

/// <summary>The way down to the nodes. The broker is attached once it exists; before that nothing is sent, and a node asks again by its birth.</summary>
public sealed class NodeLink(ILogger<NodeLink> log)
{
    private INodeBroker? _broker;

    public bool Ready => _broker?.Ready ?? false;

    public int Port => _broker?.Port ?? 0;

    public void Attach(INodeBroker broker) => _broker = broker;

    /// <summary>Sends with QoS 1. What is lost is made good by the node's own asking: acks and policies by its next birth, commands by their missing answer.</summary>
    public async Task<bool> PublishAsync(
        string topic, byte[] payload, bool retain = false, string? responseTopic = null, byte[]? correlation = null, CancellationToken cancel = default)
    {
        if (_broker is not { Ready: true } broker) return false;
        try
        {
            await broker.PublishAsync(topic, payload, retain, cancel, responseTopic, correlation);
            return true;
        }
        catch (Exception fault) when (fault is MQTTnet.Exceptions.MqttCommunicationException or OperationCanceledException or InvalidOperationException)
        {
            log.LogWarning("{Topic} was not sent: {Fault}", topic, fault.Message);
            return false;
        }
    }
}
