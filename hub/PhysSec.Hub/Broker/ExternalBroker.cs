using System.Buffers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Protocol;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Ledger;

namespace PhysSec.Hub.Broker;

/// <summary>
/// Somebody else's broker (Mosquitto). The hub is a client with its own certificate; a message is acknowledged to the broker after its commit, in order of receipt.
/// Who may speak as which node is the broker's access list; a batch is believed for its signature alone.
/// </summary>
public sealed class ExternalBroker : INodeBroker, IDisposable
{
    private const string LogTopic = "$SYS/broker/log/";
    private const int InFlight = 64;
    private static readonly TimeSpan _retry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(10);

    private readonly HubHome _state;
    private readonly BrokerEvents _events;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _end = new();
    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly Channel<(MqttApplicationMessageReceivedEventArgs Message, Task Work, int Connection)> _open =
        Channel.CreateBounded<(MqttApplicationMessageReceivedEventArgs, Task, int)>(InFlight);
    private readonly Dictionary<NodeId, Task> _turns = [];
    private Task _loops = Task.CompletedTask;
    private int _connection;
    private volatile bool _hears;
    private MqttApplicationMessage? _said;

    public ExternalBroker(HubHome state, BrokerEvents events, TimeProvider clock, ILogger log)
    {
        (_state, _events, _clock, _log) = (state, events, clock, log);
        _client.ApplicationMessageReceivedAsync += Received;
    }

    /// <summary>Connected and hearing what it asked for.</summary>
    public bool Ready => _client.IsConnected && _hears;

    public int Port => _state.Configuration.Broker.Port;

    public async Task StartAsync(CancellationToken cancel)
    {
        _loops = Task.WhenAll(Task.Run(ConnectLoopAsync, CancellationToken.None), Task.Run(AcknowledgeLoopAsync, CancellationToken.None));
        while (!Ready) await Task.Delay(TimeSpan.FromMilliseconds(50), _clock, cancel);
    }

    public async Task StopAsync()
    {
        await _end.CancelAsync();
        await _loops;
        if (_client.IsConnected) await _client.DisconnectAsync();
    }

    public async Task PublishAsync(string topic, byte[] payload, bool retain, CancellationToken cancel, string? responseTopic = null, byte[]? correlation = null)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel, _end.Token);
        limit.CancelAfter(_limit);
        var message = EmbeddedBroker.Message(topic, payload, retain, responseTopic, correlation);
        if (retain) _said = message; // The will replaces it when the line breaks; said again at the next connection.
        await _client.PublishAsync(message, limit.Token);
    }

    /// <summary>A foreign broker's sessions are its own: the certificate is on no list of ours there, so its records are refused from now on by their key.</summary>
    public Task DisconnectAsync(NodeId node) => Task.CompletedTask;

    public void Dispose()
    {
        _client.Dispose();
        _end.Dispose();
    }

    private MqttClientOptions Options()
    {
        var issued = _state.Authority.Issue(Kinds.Hub, Kinds.Hub, _clock.GetUtcNow());
        using var pem = X509Certificate2.CreateFromPem(issued.CertificatePem, issued.KeyPem);
        var certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        var broker = _state.Configuration.Broker;
        var options = new MqttClientOptionsBuilder()
            .WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500)
            .WithClientId(Kinds.Hub)
            .WithTcpServer(broker.Host, broker.Port)
            .WithCleanStart(false)
            .WithSessionExpiryInterval(3600)
            .WithTlsOptions(it => it.WithTargetHost(broker.Host).WithClientCertificates([certificate]).WithTrustChain(_state.Authority.Trust)
                .WithRevocationMode(X509RevocationMode.NoCheck))
            .WithTimeout(_limit)
            .Build();
        ((MqttClientTcpOptions)options.ChannelOptions).BufferSize = 262_144;

        // Nodes stay connected to this broker when the hub dies: they must know that nobody hears them.
        var will = new HubState("lost", _state.Store.Read(Records.HubEpoch), [Topics.Version], _clock.GetUtcNow());
        options.WillTopic = Topics.Hub(_state.Site);
        options.WillPayload = JsonSerializer.SerializeToUtf8Bytes(will, WireJson.Plain.HubState);
        options.WillRetain = true;
        options.WillQualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce;
        return options;
    }

    private async Task ConnectLoopAsync()
    {
        var options = Options();
        while (!_end.IsCancellationRequested)
        {
            try
            {
                if (!_client.IsConnected) await ConnectAsync(options);
                await Task.Delay(_retry, _clock, _end.Token);
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                if (_end.IsCancellationRequested) return;
                _log.LogWarning("broker {Host}:{Port}: {Fault}; trying again", _state.Configuration.Broker.Host, _state.Configuration.Broker.Port, fault.Message);
                await Task.Delay(_retry, _clock, CancellationToken.None);
            }
        }
    }

    private async Task ConnectAsync(MqttClientOptions options)
    {
        Interlocked.Increment(ref _connection);
        _hears = false;
        var result = await _client.ConnectAsync(options, _end.Token);
        if (result.ResultCode != MqttClientConnectResultCode.Success) throw new InvalidOperationException($"refused: {result.ResultCode}");
        var topics = new MqttClientSubscribeOptionsBuilder();
        foreach (var topic in Topics.HubReads(_state.Site)) topics.WithTopicFilter(topic, MqttQualityOfServiceLevel.AtLeastOnce);
        if (_state.Configuration.Broker.LogTopic) topics.WithTopicFilter(LogTopic + "#");
        try
        {
            var granted = await _client.SubscribeAsync(topics.Build(), _end.Token);
            if (granted.Items.FirstOrDefault(it => it.ResultCode > MqttClientSubscribeResultCode.GrantedQoS2) is { } refused)
                throw new InvalidOperationException($"the broker does not let the hub read {refused.TopicFilter.Topic} ({refused.ResultCode}); grant it to the user \"hub\"");
            if (_said is { } said) await _client.PublishAsync(said, _end.Token);
            _hears = true;
        }
        catch
        {
            await HangUpAsync(); // Connected but deaf would look well.
            throw;
        }
    }

    /// <summary>Ends the connection, whatever is left of it; the next one begins clean and is sent everything again.</summary>
    private async Task HangUpAsync()
    {
        try
        {
            await _client.DisconnectAsync();
        }
        catch (Exception fault) when (fault is MqttCommunicationException or InvalidOperationException or OperationCanceledException or ObjectDisposedException)
        {
            _log.LogInformation("the broker was left without goodbye: {Fault}", fault.Message);
        }
    }

    private async Task Received(MqttApplicationMessageReceivedEventArgs e)
    {
        e.AutoAcknowledge = false;
        await _open.Writer.WriteAsync((e, TakeAsync(e.ApplicationMessage), Volatile.Read(ref _connection)), _end.Token);
    }

    private Task TakeAsync(MqttApplicationMessage message)
    {
        if (message.Topic.StartsWith(LogTopic, StringComparison.Ordinal))
        {
            var line = Encoding.UTF8.GetString(message.Payload);
            if (BrokerLog.Refusal(line) is { } fault) _events.Refused("broker log", fault.Claimed, fault.Fault);
            return Task.CompletedTask;
        }

        if (Topics.Parse(message.Topic) is not { } topic || topic.Site != _state.Site)
        {
            return _events.Bad(null, message.Topic, message.Payload.ToArray(), "the topic is none of this site");
        }

        var payload = message.Payload.ToArray();
        if (payload.Length > EmbeddedBroker.PayloadMax) return _events.Bad(topic, message.Topic, payload, $"{payload.Length} bytes; at most {EmbeddedBroker.PayloadMax} are taken");
        var take = message.Retain ? _events.Kept ?? _events.Taken : _events.Taken;
        return _turns[topic.Node] = InTurnAsync(_turns.GetValueOrDefault(topic.Node, Task.CompletedTask), () => take(topic, payload));
    }

    // One node's messages keep their order: a birth must not be overtaken by the batch behind it. A failure before is dealt with by its own acknowledgement.
    private static async Task InTurnAsync(Task before, Func<Task> work)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await work();
    }

    // An acknowledgement of an older connection would acknowledge another message of the new one that has the same packet id.
    private async Task AcknowledgeLoopAsync()
    {
        try
        {
            await foreach (var (message, work, connection) in _open.Reader.ReadAllAsync(_end.Token))
            {
                try
                {
                    await work;
                    if (connection == Volatile.Read(ref _connection)) await message.AcknowledgeAsync(_end.Token);
                }
                catch (Exception fault) when (fault is not OutOfMemoryException && !_end.IsCancellationRequested)
                {
                    _log.LogError("a message on {Topic} was not stored: {Fault}; it is asked for again", message.ApplicationMessage.Topic, fault.Message);
                    await HangUpAsync();
                }
            }
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // The hub stops; what was not acknowledged is delivered again.
        }
    }
}

/// <summary>Reads whom a Mosquitto refused out of its log lines.</summary>
public static class BrokerLog
{
    /// <summary>Null for a line that tells of no refusal.</summary>
    public static (string? Claimed, string Fault)? Refusal(string line)
    {
        var text = line.Length <= 200 ? line : line[..200];
        if (text.Contains("unexpected eof", StringComparison.Ordinal)) return null; // A client of ours that was killed, not a stranger.
        if (text.Contains("OpenSSL Error", StringComparison.Ordinal) || text.Contains("SSL", StringComparison.Ordinal) && text.Contains("error", StringComparison.OrdinalIgnoreCase))
            return (null, "the TLS handshake failed: " + Reason(text));
        if (text.Contains("Denied", StringComparison.Ordinal) || text.Contains("not authorised", StringComparison.Ordinal) || text.Contains("<unknown>", StringComparison.Ordinal) && text.Contains("protocol error", StringComparison.OrdinalIgnoreCase))
            return (null, Reason(text));
        return null;
    }

    private static string Reason(string line)
    {
        var start = line.IndexOf(": ", StringComparison.Ordinal);
        return start > 0 && line[..start].All(char.IsDigit) ? line[(start + 2)..] : line;
    }
}
