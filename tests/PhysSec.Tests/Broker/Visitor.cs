using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.Broker;

/// <summary>An MQTT client at the hub's broker, with whatever certificate and name.</summary>
internal sealed class Visitor : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();

    private Visitor() => _client.ApplicationMessageReceivedAsync += it =>
    {
        Received.Enqueue((it.ApplicationMessage.Topic, it.ApplicationMessage.ConvertPayloadToString()));
        return Task.CompletedTask;
    };

    public ConcurrentQueue<(string Topic, string Payload)> Received { get; } = new();

    public bool Connected => _client.IsConnected;

    /// <summary>Null when the broker refuses, by an answer or by hanging up.</summary>
    public static async Task<Visitor?> ComeAsync(RunningHub hub, string clientId, string? certificatePem, string? keyPem)
    {
        var visitor = new Visitor();
        X509Certificate2Collection own = [];
        if (certificatePem is not null) own.Add(X509CertificateLoader.LoadPkcs12(X509Certificate2.CreateFromPem(certificatePem, keyPem).Export(X509ContentType.Pkcs12), null));
        var options = new MqttClientOptionsBuilder().WithProtocolVersion(MqttProtocolVersion.V500).WithClientId(clientId).WithTcpServer("localhost", hub.Port).WithTimeout(_patience)
            .WithTlsOptions(it => it.WithTargetHost("localhost").WithTrustChain(hub.Home.Authority.Trust).WithClientCertificates(own).WithRevocationMode(X509RevocationMode.NoCheck))
            .Build();
        try
        {
            if ((await visitor._client.ConnectAsync(options, TestContext.Current.CancellationToken)).ResultCode == MqttClientConnectResultCode.Success) return visitor;
        }
        catch (Exception hungUp) when (hungUp is MqttCommunicationException or IOException)
        {
            // Refused without an answer.
        }

        await visitor.DisposeAsync();
        return null;
    }

    public static async Task<Visitor> ComeAsync(RunningHub hub, SignedNode node)
    {
        var visitor = await ComeAsync(hub, node.Id.Value, node.Bundle.CertificatePem, node.Bundle.KeyPem);
        Assert.NotNull(visitor);
        return visitor;
    }

    public async Task<MqttClientPublishReasonCode> PublishAsync(string topic, byte[] payload, MqttQualityOfServiceLevel quality = MqttQualityOfServiceLevel.AtLeastOnce) =>
        (await _client.PublishAsync(
            new MqttApplicationMessageBuilder().WithTopic(topic).WithPayload(payload).WithQualityOfServiceLevel(quality).Build(), TestContext.Current.CancellationToken)).ReasonCode;

    public async Task<MqttClientSubscribeResultCode> SubscribeAsync(string filter) =>
        (await _client.SubscribeAsync(filter, MqttQualityOfServiceLevel.AtLeastOnce, TestContext.Current.CancellationToken)).Items.Single().ResultCode;

    public async ValueTask DisposeAsync()
    {
        if (_client.IsConnected) await _client.DisconnectAsync();
        _client.Dispose();
    }
}
