using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using MQTTnet;
using MQTTnet.Protocol;
using MQTTnet.Server;
using PhysSec.Core.Wire;

namespace PhysSec.Tests.Uplink;

/// <summary>A real broker with mutual TLS, and a hub behind it that stores what it gets and acknowledges it.</summary>
internal sealed class TestHub : IAsyncDisposable
{
    private readonly TestSite _site;
    private readonly MqttServer _broker;
    private readonly Lock _gate = new();
    private readonly List<(Func<bool> Until, TaskCompletionSource Done)> _waiting = [];

    private TestHub(TestSite site, int port)
    {
        (_site, Port) = (site, port);
        var options = new MqttServerOptionsBuilder()
            .WithoutDefaultEndpoint()
            .WithEncryptedEndpoint()
            .WithEncryptedEndpointBoundIPAddress(IPAddress.Loopback)
            .WithEncryptedEndpointPort(port)
            .WithEncryptionCertificate(site.HubCertificate)
            .WithEncryptionSslProtocol(SslProtocols.None)
            .Build();
        options.TlsEndpointOptions.ClientCertificateRequired = true;
        options.TlsEndpointOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => Issued(certificate);
        _broker = new MqttServerFactory().CreateMqttServer(options);
        _broker.InterceptingPublishAsync += OnPublish;
        _broker.ValidatingConnectionAsync += it => Seen(() => Certificate = it.ClientCertificate?.GetCertHashString(HashAlgorithmName.SHA256));
        _broker.ClientConnectedAsync += _ => Seen(() => Connections++);
        _broker.ClientDisconnectedAsync += _ => Seen(() => Disconnections++);
    }

    public int Port { get; }

    public long HubEpoch { get; set; } = 1;

    /// <summary>SHA-256 of the certificate of the newest connection.</summary>
    public string? Certificate { get; private set; }

    public int Connections { get; private set; }

    public int Disconnections { get; private set; }

    /// <summary>What is stored: one body for each key.</summary>
    public SortedDictionary<(long Epoch, string Stream, long Seq), string> Ledger { get; } = [];

    public List<JournalBatch> Batches { get; } = [];

    public List<HotRecord> Hot { get; } = [];

    public Dictionary<string, string> Last { get; } = [];

    public List<CommandReply> Replies { get; } = [];

    public List<byte[]?> Correlations { get; } = [];

    /// <summary>Asked before a batch is stored; false loses it.</summary>
    public Func<JournalBatch, bool> Accepts { get; set; } = _ => true;

    public bool Acknowledges { get; set; } = true;

    public static async Task<TestHub> StartAsync(TestSite site, int port = 0)
    {
        var hub = new TestHub(site, port == 0 ? FreePort() : port);
        await hub._broker.StartAsync();
        return hub;
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Waits until something that the hub sees makes this true.</summary>
    public async Task Until(Func<bool> condition)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (condition()) return;
            _waiting.Add((condition, done));
        }

        await done.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    public T Locked<T>(Func<T> read)
    {
        lock (_gate) return read();
    }

    public Task SayAsync(Command command, byte[]? correlation = null, string? verb = null) =>
        InjectAsync(Topics.Command(TestSite.Site, TestSite.Node, verb ?? command.Verb), JsonSerializer.Serialize(command, WireJson.Plain.Command), correlation);

    public Task SayAsync(PolicyMessage policy) =>
        InjectAsync(Topics.Policy(TestSite.Site, TestSite.Node), JsonSerializer.Serialize(policy, WireJson.Plain.PolicyMessage));

    public Task SayAsync(Ack ack) => InjectAsync(Topics.Ack(TestSite.Site, TestSite.Node), JsonSerializer.Serialize(ack, WireJson.Plain.Ack));

    public async Task InjectAsync(string topic, string payload, byte[]? correlation = null)
    {
        var message = new MqttApplicationMessageBuilder().WithTopic(topic).WithPayload(payload).WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce);
        if (correlation is not null) message.WithCorrelationData(correlation);
        await _broker.InjectApplicationMessage(new InjectedMqttApplicationMessage(message.Build()) { SenderClientId = "hub" });
    }

    /// <summary>Says how far a stream of an epoch is stored.</summary>
    public async Task AcknowledgeAsync(long epoch, string stream, params SeqRange[] resend) => await SayAsync(_site.Sign(
        new Ack(HubEpoch, epoch, stream, Through(epoch, stream), resend, TimeProvider.System.GetUtcNow(), "")));

    public async ValueTask DisposeAsync()
    {
        await _broker.StopAsync(new MqttServerStopOptionsBuilder().Build());
        _broker.Dispose();
    }

    private async Task OnPublish(InterceptingPublishEventArgs it)
    {
        if (it.ClientId == "hub") return;
        var text = Encoding.UTF8.GetString(it.ApplicationMessage.Payload.ToArray());
        if (Topics.Parse(it.ApplicationMessage.Topic) is not { } topic) return;
        JournalBatch? stored = null;
        await Seen(() =>
        {
            Last[topic.Channel + (topic.Rest is null ? "" : "/" + topic.Rest)] = text;
            if (topic.Channel == "journal") stored = Store(JsonSerializer.Deserialize(text, WireJson.Plain.JournalBatch)!);
            if (topic.Channel == "hot") Hot.Add(JsonSerializer.Deserialize(text, WireJson.Plain.HotRecord)!);
            if (topic.Channel != "reply") return;
            Replies.Add(JsonSerializer.Deserialize(text, WireJson.Plain.CommandReply)!);
            Correlations.Add(it.ApplicationMessage.CorrelationData);
        });
        if (topic.Channel == "birth" && Acknowledges && JsonSerializer.Deserialize(text, WireJson.Plain.Birth)!.Epoch is > 0 and var epoch)
        {
            foreach (var stream in new[] { Streams.Access, Streams.Measurements }) await AcknowledgeAsync(epoch, stream);
        }

        if (stored is not null && Acknowledges) await AcknowledgeAsync(stored.Epoch, stored.Stream);
    }

    private JournalBatch? Store(JournalBatch batch)
    {
        using var key = _site.NodeCertificate.GetECDsaPublicKey()!;
        Assert.True(Signing.Verify(key, Signing.BatchText(TestSite.Site, TestSite.Node, batch), batch.Signature));
        Assert.Equal(batch.Last - batch.First + 1, batch.Records.Count);
        Assert.Equal(batch.Head, batch.Records.Aggregate(batch.Prev, (before, it) => Chain.Next(before, it.GetRawText())));
        Batches.Add(batch);
        if (!Accepts(batch)) return null;
        foreach (var record in batch.Records)
        {
            var body = record.GetRawText();
            var place = (batch.Epoch, batch.Stream, record.GetProperty("seq").GetInt64());
            if (!Ledger.TryAdd(place, body)) Assert.Equal(Ledger[place], body);
        }

        return batch;
    }

    private long Through(long epoch, string stream)
    {
        lock (_gate)
        {
            var through = 0L;
            while (Ledger.ContainsKey((epoch, stream, through + 1))) through++;
            return through;
        }
    }

    private Task Seen(Action what)
    {
        lock (_gate)
        {
            what();
            foreach (var it in _waiting.Where(it => it.Until()).ToList())
            {
                _waiting.Remove(it);
                it.Done.TrySetResult();
            }
        }

        return Task.CompletedTask;
    }

    private bool Issued(X509Certificate? certificate)
    {
        if (certificate is null) return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_site.Authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.2"));
        using var copy = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(copy);
    }
}
