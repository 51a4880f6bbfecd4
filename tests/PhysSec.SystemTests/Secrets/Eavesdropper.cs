using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Rig;
using PhysSec.Rig.Peers;

namespace PhysSec.SystemTests.Secrets;

/// <summary>An ear on the external broker that hears every message of the site.</summary>
internal sealed class Eavesdropper : IAsyncDisposable
{
    private readonly ConcurrentQueue<(string Topic, byte[] Payload)> _heard = new();
    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();

    private Eavesdropper()
    {
    }

    public IReadOnlyCollection<(string Topic, byte[] Payload)> Heard => [.. _heard];

    public static async Task<Eavesdropper> ListenAsync(Instance instance, CancellationToken cancel)
    {
        var ear = new Eavesdropper();
        var folder = Path.Combine(instance.State, Mosquitto.Eavesdropper);
        using var certificate = X509Certificate2.CreateFromPemFile(Path.Combine(folder, $"{Mosquitto.Eavesdropper}.crt"), Path.Combine(folder, $"{Mosquitto.Eavesdropper}.key"));
        using var authority = X509CertificateLoader.LoadCertificateFromFile(instance.Authority);
        ear._client.ApplicationMessageReceivedAsync += it =>
        {
            ear._heard.Enqueue((it.ApplicationMessage.Topic, it.ApplicationMessage.Payload.ToArray()));
            return Task.CompletedTask;
        };
        var options = new MqttClientOptionsBuilder().WithTcpServer("localhost", instance.BrokerPort).WithProtocolVersion(MqttProtocolVersion.V500)
            .WithTlsOptions(it => it.WithClientCertificates([certificate]).WithTrustChain([authority]).WithRevocationMode(X509RevocationMode.NoCheck).UseTls()).Build();
        var answer = await ear._client.ConnectAsync(options, cancel);
        Assert.Equal(MqttClientConnectResultCode.Success, answer.ResultCode);
        var everything = Topics.Hub(new SiteId(Instance.Site))[..^"hub".Length] + "#";
        await ear._client.SubscribeAsync(everything, MqttQualityOfServiceLevel.AtLeastOnce, cancel);
        return ear;
    }

    public async ValueTask DisposeAsync()
    {
        if (_client.IsConnected) await _client.DisconnectAsync();
        _client.Dispose();
    }
}
