using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using MQTTnet;
using MQTTnet.Protocol;
using PhysSec.Benchmarks.Record;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Rig;

namespace PhysSec.Benchmarks;

/// <summary>
/// A client that speaks a node's side of the wire with an enrolled node's certificate: it sends signed, chained batches as fast as the hub acknowledges them,
/// at most four in flight.
/// </summary>
public sealed class LoadNode : IAsyncDisposable
{
    private const int RecordsPerBatch = 250;
    private const int BatchesInFlight = 4;

    private readonly SiteId _site;
    private readonly NodeId _node;
    private readonly long _epoch;
    private readonly ECDsa _key;
    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly MqttClientOptions _options;
    private readonly SemaphoreSlim _window = new(BatchesInFlight);
    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly X509Certificate2 _certificate;
    private readonly X509Certificate2 _authority;
    private long _acknowledgedBatches;
    private long _last;

    public LoadNode(EnrolledKey enrolled, string host, int port)
    {
        ArgumentNullException.ThrowIfNull(enrolled);
        (_site, _node, _epoch) = (new SiteId(enrolled.Site), new NodeId(enrolled.Node), enrolled.Epoch);
        _certificate = X509Certificate2.CreateFromPem(enrolled.Certificate, enrolled.Key);
        _authority = X509Certificate2.CreateFromPem(enrolled.Authority);
        _key = _certificate.GetECDsaPrivateKey()!;
        var trust = new X509Certificate2Collection(_authority);
        _options = new MqttClientOptionsBuilder()
            .WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500)
            .WithClientId(enrolled.Node)
            .WithTcpServer(host, port)
            .WithTlsOptions(it => it.WithTargetHost("localhost").WithClientCertificates([_certificate]).WithTrustChain(trust)
                .WithRevocationMode(X509RevocationMode.NoCheck))
            .Build();
        ((MqttClientTcpOptions)_options.ChannelOptions).BufferSize = 262_144;
        _client.ApplicationMessageReceivedAsync += Received;
    }

    public async Task ConnectAsync(CancellationToken stop)
    {
        var result = await _client.ConnectAsync(_options, stop);
        if (result.ResultCode != MqttClientConnectResultCode.Success)
            throw new InvalidOperationException($"the broker refused {_node}: {result.ResultCode}");
        await _client.SubscribeAsync(Topics.Ack(_site, _node), MqttQualityOfServiceLevel.AtLeastOnce, stop);
    }

    /// <summary>Makes the batches beforehand, so that only the hub is measured: people at the node's two doors.</summary>
    public IReadOnlyList<byte[]> Prepare(int records, DateTimeOffset at, Random random)
    {
        var batches = new List<byte[]>();
        var facts = new Queue<Fact>();
        var head = Chain.Genesis;
        for (var first = 1L; first <= records; first += RecordsPerBatch)
        {
            var last = Math.Min(records, first + RecordsPerBatch - 1);
            var prev = head;
            var elements = new List<JsonElement>();
            for (var seq = first; seq <= last; seq++)
            {
                if (facts.Count == 0)
                    foreach (var fact in Building.Happening(random, new DoorId($"{_node}-{random.Next(2)}"))) facts.Enqueue(fact);
                var record = new JournalRecord(
                    _epoch, Streams.Access, seq, at.AddMilliseconds(seq), seq * 1000, "bench-boot", ClockQuality.Synced, LinkState.Up,
                    facts.Dequeue());
                var text = JsonSerializer.SerializeToUtf8Bytes(record, WireJson.Plain.JournalRecord);
                head = Chain.Next(head, text);
                using var document = JsonDocument.Parse(text);
                elements.Add(document.RootElement.Clone());
            }

            var batch = new JournalBatch(_epoch, Streams.Access, first, last, prev, head, elements, "");
            batch = batch with { Signature = Signing.Sign(_key, Signing.BatchText(_site, _node, batch)) };
            batches.Add(JsonSerializer.SerializeToUtf8Bytes(batch, WireJson.Plain.JournalBatch));
            _last = last;
        }

        return batches;
    }

    /// <summary>Ends when the hub has acknowledged the last record.</summary>
    public async Task SendAsync(IReadOnlyList<byte[]> batches, CancellationToken stop)
    {
        foreach (var batch in batches)
        {
            await _window.WaitAsync(stop);
            _ = PublishAsync(batch, stop);
        }

        await _all.Task.WaitAsync(stop);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisconnectAsync();
        _client.Dispose();
        _window.Dispose();
        _key.Dispose();
        _certificate.Dispose();
        _authority.Dispose();
    }

    private async Task PublishAsync(byte[] payload, CancellationToken stop)
    {
        try
        {
            var result = await _client.PublishAsync(
                new MqttApplicationMessageBuilder().WithTopic(Topics.Journal(_site, _node, Streams.Access))
                    .WithPayload(payload).WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build(), stop);
            if (!result.IsSuccess) _all.TrySetException(new InvalidOperationException($"the broker refused a batch: {result.ReasonCode}"));
        }
        catch (Exception fault)
        {
            _all.TrySetException(fault);
        }
    }

    private Task Received(MqttApplicationMessageReceivedEventArgs e)
    {
        var ack = JsonSerializer.Deserialize(Encoding.UTF8.GetString(e.ApplicationMessage.Payload), WireJson.Plain.Ack)!;
        var batches = (ack.Through + RecordsPerBatch - 1) / RecordsPerBatch;
        var more = batches - Interlocked.Exchange(ref _acknowledgedBatches, Math.Max(batches, Interlocked.Read(ref _acknowledgedBatches)));
        if (more > 0) _window.Release((int)more);
        if (ack.Through >= _last) _all.TrySetResult();
        return Task.CompletedTask;
    }
}
