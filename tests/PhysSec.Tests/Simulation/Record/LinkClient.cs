using MQTTnet;
using MQTTnet.Diagnostics.PacketInspection;
using MQTTnet.Exceptions;
using MQTTnet.Packets;
using PhysSec.Node.Journal;

namespace PhysSec.Tests.Simulation.Record;

/// <summary>The framework's client on a connection of the modelled broker instead of a socket.</summary>
internal sealed class LinkClient(Broker broker, string board, Life life, Func<JournalStore?> journal) : IMqttClient
{
    private Connection? _connection;

    public event Func<MqttApplicationMessageReceivedEventArgs, Task>? ApplicationMessageReceivedAsync;

    public event Func<MqttClientDisconnectedEventArgs, Task>? DisconnectedAsync;

    // Nobody in the node listens to these.
    public event Func<MqttClientConnectedEventArgs, Task> ConnectedAsync { add { } remove { } }

    public event Func<MqttClientConnectingEventArgs, Task> ConnectingAsync { add { } remove { } }

    public event Func<InspectMqttPacketEventArgs, Task> InspectPacketAsync { add { } remove { } }

    public bool IsConnected => _connection is { Open: true };

    public MqttClientOptions? Options { get; private set; }

    public string Board => board;

    public Life Life => life;

    public JournalStore? Journal() => journal();

    public async Task<MqttClientConnectResult> ConnectAsync(MqttClientOptions options, CancellationToken cancellationToken = default)
    {
        Options = options;
        var answer = Waiting<Connection>(cancellationToken);
        broker.Connect(this, options, answer);
        _connection = await answer.Task;
        return new MqttClientConnectResult { ResultCode = MqttClientConnectResultCode.Success };
    }

    public async Task<MqttClientSubscribeResult> SubscribeAsync(MqttClientSubscribeOptions options, CancellationToken cancellationToken = default)
    {
        var answer = Waiting<bool>(cancellationToken);
        Opened().Send(new Up(null, answer, null));
        await answer.Task;
        return new MqttClientSubscribeResult(1, [], null, []);
    }

    public async Task<MqttClientPublishResult> PublishAsync(MqttApplicationMessage applicationMessage, CancellationToken cancellationToken = default)
    {
        var answer = Waiting<bool>(cancellationToken);
        Opened().Send(new Up(applicationMessage, answer, null));
        await answer.Task;
        return new MqttClientPublishResult(1, MqttClientPublishReasonCode.Success, null, []);
    }

    public async Task DisconnectAsync(MqttClientDisconnectOptions options, CancellationToken cancellationToken = default)
    {
        var answer = Waiting<bool>(cancellationToken);
        Opened().Send(new Up(null, answer, options));
        await answer.Task;
    }

    public Task PingAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task SendEnhancedAuthenticationExchangeDataAsync(MqttEnhancedAuthenticationExchangeData data, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<MqttClientUnsubscribeResult> UnsubscribeAsync(MqttClientUnsubscribeOptions options, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public void Dispose() => _connection?.Abandon();

    /// <summary>A message has arrived.</summary>
    public void Take(MqttApplicationMessage message) => life.Turn(_ => ApplicationMessageReceivedAsync?.Invoke(
        new MqttApplicationMessageReceivedEventArgs("model", message, new MqttPublishPacket(), (_, _) => Task.CompletedTask)));

    /// <summary>The connection is gone, and the client has noticed.</summary>
    public void Lost() => life.Turn(_ => DisconnectedAsync?.Invoke(
        new MqttClientDisconnectedEventArgs(true, null, MqttClientDisconnectReason.UnspecifiedError, "lost", [], null)));

    private Connection Opened() => _connection is { Open: true } it ? it : throw new MqttCommunicationException("the connection is closed");

    private static TaskCompletionSource<T> Waiting<T>(CancellationToken cancel)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        cancel.Register(() => answer.TrySetCanceled(cancel));
        return answer;
    }
}
