using System.Collections.Concurrent;
using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using MQTTnet;
using MQTTnet.Protocol;
using MQTTnet.Server;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub.Broker;
using PhysSec.Hub.Fleet;
using PhysSec.Tests.Ingest;
using PhysSec.Tests.Uplink;

namespace PhysSec.Tests.Broker;

/// <summary>The hub as a client of somebody else's broker: connected means that it hears.</summary>
public sealed class ExternalBrokerTests : IAsyncLifetime
{
    private readonly RunningHub _hub = RunningHub.WithoutBroker(external: TestHub.FreePort());
    private readonly ConcurrentQueue<string> _taken = new();
    private readonly LineLog _log = new();
    private MqttServer _server = null!;
    private volatile bool _denies;
    private volatile Func<string, Task> _take = _ => Task.CompletedTask;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var issued = _hub.Home.Authority.Issue("localhost", Kinds.Broker, TimeProvider.System.GetUtcNow());
        using var pem = X509Certificate2.CreateFromPem(issued.CertificatePem, issued.KeyPem);
        var options = new MqttServerOptionsBuilder().WithoutDefaultEndpoint().WithEncryptedEndpoint().WithEncryptedEndpointBoundIPAddress(IPAddress.Loopback)
            .WithEncryptedEndpointBoundIPV6Address(IPAddress.None).WithEncryptedEndpointPort(_hub.Home.Configuration.Broker.Port)
            .WithEncryptionCertificate(X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null)).WithEncryptionSslProtocol(SslProtocols.None)
            .WithPersistentSessions().Build();
        _server = new MqttServerFactory().CreateMqttServer(options);
        _server.InterceptingSubscriptionAsync += it =>
        {
            if (!_denies) return Task.CompletedTask;
            it.Response.ReasonCode = MqttSubscribeReasonCode.NotAuthorized;
            it.ProcessSubscription = false;
            return Task.CompletedTask;
        };
        await _server.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.StopAsync(new MqttServerStopOptionsBuilder().Build());
        _server.Dispose();
        await _hub.DisposeAsync();
    }

    [Fact]
    public async Task A_broker_that_lets_the_hub_read_nothing_is_not_ready_and_the_log_says_what_to_grant()
    {
        _denies = true;
        using var broker = Broker();
        var starting = broker.StartAsync(Cancel);
        await Eventually.TrueAsync(() => _log.Lines.Any(it => it.Contains("does not let the hub read", StringComparison.Ordinal)));
        Assert.False(broker.Ready);

        _denies = false;
        await starting;
        Assert.True(broker.Ready);
        await broker.StopAsync();
    }

    [Fact]
    public async Task A_message_that_is_not_stored_ends_the_connection_and_is_delivered_again()
    {
        using var broker = Broker();
        await broker.StartAsync(Cancel);
        var failures = 3;
        _take = _ => Interlocked.Decrement(ref failures) >= 0 ? throw new IOException("the disk is full") : Task.CompletedTask;
        await SayAsync("one");
        await SayAsync("two");
        await Eventually.TrueAsync(() => _taken.Contains("one") && _taken.Contains("two"));

        // The loop that acknowledges is alive: more than its queue holds goes through.
        for (var i = 0; i < 200; i++) await SayAsync($"more {i}");
        await Eventually.TrueAsync(() => _taken.Contains("more 199"));
        await broker.StopAsync();
    }

    private ExternalBroker Broker() => new(
        _hub.Home,
        new BrokerEvents(TakeAsync, (_, _, _, _) => Task.CompletedTask, (_, _, _) => { }, (_, _) => true, _ => true),
        TimeProvider.System, _log);

    private async Task TakeAsync(NodeTopic topic, byte[] payload)
    {
        var text = System.Text.Encoding.UTF8.GetString(payload);
        await _take(text);
        _taken.Enqueue(text);
    }

    private Task SayAsync(string text)
    {
        var message = new MqttApplicationMessageBuilder().WithTopic(Topics.Hot(RunningHub.Site, new NodeId("node-a"))).WithPayload(text)
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build();
        return _server.InjectApplicationMessage(new InjectedMqttApplicationMessage(message) { SenderClientId = "node-a" }, Cancel);
    }
}
