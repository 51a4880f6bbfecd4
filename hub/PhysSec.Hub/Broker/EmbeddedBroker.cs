using System.Buffers;
using System.Collections;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MQTTnet;
using MQTTnet.Diagnostics.Logger;
using MQTTnet.Protocol;
using MQTTnet.Server;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Fleet;

namespace PhysSec.Hub.Broker;

/// <summary>
/// The hub's own broker. Strangers end in the TLS handshake; a client's certificate is its identity; a node speaks and hears below its own name only.
/// Records are committed inside the publish handler, the one place that is awaited before PUBACK.
/// </summary>
public sealed class EmbeddedBroker : INodeBroker, IDisposable
{
    /// <summary>Bytes. A node's batch has at most 64 KiB.</summary>
    public const int PayloadMax = 1 << 20;

    private const string IdentityKey = "identity";
    private static readonly Identity _hub = new(Kinds.Hub, Kinds.Hub);
    private static readonly TimeSpan _communication = TimeSpan.FromSeconds(10);

    private readonly HubHome _state;
    private readonly BrokerEvents _events;
    private readonly TimeProvider _clock;
    private readonly MqttServer _server;
    private readonly X509Certificate2 _certificate;
    private int _observers;

    public EmbeddedBroker(HubHome state, BrokerEvents events, TimeProvider clock)
    {
        (_state, _events, _clock) = (state, events, clock);
        var issued = state.Authority.Issue(state.Configuration.Names[0], Kinds.Broker, clock.GetUtcNow(), state.Configuration.Names);
        using var pem = X509Certificate2.CreateFromPem(issued.CertificatePem, issued.KeyPem);
        _certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null); // The server needs the key in the certificate itself.
        var broker = state.Configuration.Broker;
        Port = broker.Port == 0 ? FreePort() : broker.Port;
        var options = new MqttServerOptionsBuilder()
            .WithoutDefaultEndpoint()
            .WithEncryptedEndpoint()
            .WithEncryptedEndpointBoundIPAddress(IPAddress.Parse(broker.Listen))
            .WithEncryptedEndpointBoundIPV6Address(IPAddress.None)
            .WithEncryptedEndpointPort(Port)
            .WithEncryptionCertificate(_certificate)
            .WithEncryptionSslProtocol(SslProtocols.None)
            .WithClientCertificate(CheckCertificate)
            .WithDefaultCommunicationTimeout(_communication)
            .WithMaxPendingMessagesPerClient(1_000)
            .WithPersistentSessions(false)
            .Build();
        _server = new MqttServerFactory(Logger()).CreateMqttServer(options);
        _server.ValidatingConnectionAsync += Connecting;
        _server.InterceptingSubscriptionAsync += Subscribing;
        _server.InterceptingPublishAsync += Publishing;
        _server.ClientDisconnectedAsync += Disconnected;
    }

    public bool Ready => _server.IsStarted;

    public int Port { get; }

    public Task StartAsync(CancellationToken cancel) => _server.StartAsync();

    public async Task StopAsync()
    {
        if (_server.IsStarted) await _server.StopAsync();
    }

    public Task PublishAsync(string topic, byte[] payload, bool retain, CancellationToken cancel, string? responseTopic = null, byte[]? correlation = null) =>
        _server.InjectApplicationMessage(
            new InjectedMqttApplicationMessage(Message(topic, payload, retain, responseTopic, correlation))
            {
                SenderClientId = Kinds.Hub,
                CustomSessionItems = new Hashtable { [IdentityKey] = _hub },
            }, cancel);

    public async Task DisconnectAsync(NodeId node)
    {
        foreach (var client in await _server.GetClientsAsync())
            if (client.Id == node.Value) await _server.DisconnectClientAsync(client.Id, MqttDisconnectReasonCode.NotAuthorized);
    }

    public void Dispose()
    {
        _server.Dispose();
        _certificate.Dispose();
    }

    internal static MqttApplicationMessage Message(string topic, byte[] payload, bool retain, string? responseTopic, byte[]? correlation)
    {
        var builder = new MqttApplicationMessageBuilder().WithTopic(topic).WithPayload(payload).WithRetainFlag(retain)
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce);
        if (responseTopic is not null) builder = builder.WithResponseTopic(responseTopic).WithCorrelationData(correlation);
        return builder.Build();
    }

    private static int FreePort()
    {
        using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private bool CheckCertificate(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null)
        {
            _events.Refused("tls", null, "no client certificate");
            return false;
        }

        using var copy = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        if (_state.Authority.Refusal(copy, _clock.GetUtcNow()) is not { } fault) return true;
        _events.Refused("tls", Identity.Of(copy)?.Name ?? copy.Subject, fault);
        return false;
    }

    private Task Connecting(ValidatingConnectionEventArgs e)
    {
        var identity = e.ClientCertificate is null ? null : Identity.Of(e.ClientCertificate);
        var fault = identity switch
        {
            null => "the certificate names no kind and name",
            { Kind: Kinds.Node } when e.ClientId != identity.Name => $"the certificate of {identity.Name} was used to connect as \"{Cut(e.ClientId)}\"",
            { Kind: Kinds.Node } when !_events.Enrolled(new NodeId(identity.Name), e.ClientCertificate!.GetCertHashString(HashAlgorithmName.SHA256)) => "the node is not enrolled, or was revoked",
            // A client id that is in use ends the older session: nobody may take a node's, or pass for the hub.
            { Kind: Kinds.Observer } when e.ClientId == Kinds.Hub || Names.IsPlain(e.ClientId) && _events.Known(new NodeId(e.ClientId)) =>
                $"an observer was used to connect as \"{Cut(e.ClientId)}\"",
            { Kind: Kinds.Node or Kinds.Observer } => null,
            _ => $"a {identity.Kind} does not connect here",
        };
        if (fault is null)
        {
            e.SessionItems[IdentityKey] = identity;
            if (identity!.Kind == Kinds.Observer) Interlocked.Increment(ref _observers);
            return Task.CompletedTask;
        }

        _events.Refused(Origin(e.RemoteEndPoint), identity?.Name, fault);
        e.ReasonCode = MqttConnectReasonCode.NotAuthorized;
        e.ReasonString = fault;
        return Task.CompletedTask;
    }

    private Task Disconnected(ClientDisconnectedEventArgs e)
    {
        if (e.SessionItems[IdentityKey] is Identity { Kind: Kinds.Observer }) Interlocked.Decrement(ref _observers);
        return Task.CompletedTask;
    }

    private Task Subscribing(InterceptingSubscriptionEventArgs e)
    {
        if (e.SessionItems[IdentityKey] is Identity identity && identity.MaySubscribe(_state.Site, e.TopicFilter.Topic)) return Task.CompletedTask;
        e.ProcessSubscription = false;
        e.Response.ReasonCode = MqttSubscribeReasonCode.NotAuthorized;
        _events.Refused("broker", e.ClientId, $"may not read {Cut(e.TopicFilter.Topic)}");
        return Task.CompletedTask;
    }

    private async Task Publishing(InterceptingPublishEventArgs e)
    {
        var identity = e.SessionItems[IdentityKey] as Identity;
        if (ReferenceEquals(identity, _hub)) return; // Our own, injected; no connection can have this object.
        var topic = e.ApplicationMessage.Topic;
        if (identity is null || !identity.MayPublish(_state.Site, topic))
        {
            e.ProcessPublish = false;
            e.Response.ReasonCode = MqttPubAckReasonCode.NotAuthorized;
            _events.Refused("broker", e.ClientId, $"may not write {Cut(topic)}");
            return;
        }

        var parsed = Topics.Parse(topic)!.Value;
        var payload = e.ApplicationMessage.Payload.ToArray();
        e.ProcessPublish = parsed.Channel is "birth" or "state" || parsed.Channel == "live" && !Topics.SpeaksOfPersons(parsed) && Volatile.Read(ref _observers) > 0;
        if (parsed.Channel == "live") e.ApplicationMessage.Retain = false; // A value that outlives its node would look alive.
        if (payload.Length > PayloadMax)
        {
            e.ProcessPublish = false;
            await _events.Bad(parsed, topic, payload, string.Create(CultureInfo.InvariantCulture, $"{payload.Length} bytes; at most {PayloadMax} are taken"));
            return;
        }

        await _events.Taken(parsed, payload); // A failed commit throws: no PUBACK, the connection closes, the node sends again.
    }

    private MqttNetEventLogger Logger()
    {
        var logger = new MqttNetEventLogger();
        logger.LogMessagePublished += (_, e) =>
        {
            // Strangers whose bytes are no TLS show here only.
            for (var fault = e.LogMessage.Exception; fault is not null; fault = fault.InnerException)
            {
                if (fault is not AuthenticationException) continue;
                if (fault.Message.Contains(nameof(RemoteCertificateValidationCallback), StringComparison.Ordinal)) return; // Told by CheckCertificate, and better.
                _events.Refused("tls", null, "the TLS handshake failed: " + Cut(fault.Message));
                return;
            }
        };
        return logger;
    }

    private static string Origin(EndPoint? endPoint) => endPoint is IPEndPoint ip ? ip.Address.ToString() : "broker";

    private static string Cut(string? text) => text is null ? "" : text.Length <= 120 ? text : text[..120] + "…";
}
