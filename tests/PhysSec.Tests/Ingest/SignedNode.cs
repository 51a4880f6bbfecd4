using System.Security.Cryptography;
using System.Text.Json;
using PhysSec.Core;
using PhysSec.Core.Wire;

namespace PhysSec.Tests.Ingest;

/// <summary>What an enrolled board holds.</summary>
internal sealed record TestIdentity(string Node, long Epoch, string CertificatePem, string KeyPem, string HubKeyPem);

/// <summary>A node's journal and signature, without the node: records are chained as they are written and sent in whatever pieces a test likes.</summary>
internal sealed class SignedNode : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create();
    private readonly List<string> _bodies = [];
    private readonly List<string> _heads = [Chain.Genesis];

    private readonly string _stream;

    public SignedNode(TestIdentity bundle, string stream = Streams.Access)
    {
        (Bundle, Id, Epoch, _stream) = (bundle, new NodeId(bundle.Node), bundle.Epoch, stream);
        _key.ImportFromPem(bundle.KeyPem);
    }

    public TestIdentity Bundle { get; }

    public NodeId Id { get; }

    public long Epoch { get; }

    public IReadOnlyList<string> Bodies => _bodies;

    public string Head => _heads[^1];

    public string HashAt(int seq) => _heads[seq];

    /// <summary>Writes so many dull records.</summary>
    public SignedNode Write(int count, DateTimeOffset at)
    {
        for (var i = 0; i < count; i++) Write(new ExitRequested(new("door-a"), i), at);
        return this;
    }

    public SignedNode Write(Fact fact, DateTimeOffset? at, LinkState link = LinkState.Up, ClockQuality clock = ClockQuality.Synced) => Write(JsonSerializer.Serialize(
        new JournalRecord(Epoch, _stream, _bodies.Count + 1, at, (_bodies.Count + 1) * 1_000, "boot", clock, link, fact), WireJson.Plain.JournalRecord));

    /// <summary>Writes this text as the next record, whatever it says.</summary>
    public SignedNode Write(string body)
    {
        _bodies.Add(body);
        _heads.Add(Chain.Next(Head, body));
        return this;
    }

    /// <summary>Records first…last, signed.</summary>
    public byte[] Batch(long first, long last) => Sign(new JournalBatch(
        Epoch, _stream, first, last, _heads[(int)first - 1], _heads[(int)last], [.. _bodies[((int)first - 1)..(int)last].Select(Element)], ""));

    /// <summary>Signs whatever it is.</summary>
    public byte[] Sign(JournalBatch batch) => JsonSerializer.SerializeToUtf8Bytes(
        batch with { Signature = Signing.Sign(_key, Signing.BatchText(RunningHub.Site, Id, batch)) }, WireJson.Plain.JournalBatch);

    public JournalBatch Read(long first, long last) => JsonSerializer.Deserialize(Batch(first, last), WireJson.Plain.JournalBatch)!;

    public byte[] Hot(long seq)
    {
        var (prev, head) = (_heads[(int)seq - 1], _heads[(int)seq]);
        var hot = new HotRecord(prev, Element(_bodies[(int)seq - 1]), Signing.Sign(_key, Signing.HotText(RunningHub.Site, Id, prev, head)));
        return JsonSerializer.SerializeToUtf8Bytes(hot, WireJson.Plain.HotRecord);
    }

    /// <summary>The birth of a node whose journal ends with this record.</summary>
    public byte[] Birth(long lastSeq, long policy = 0, long? epoch = null, long? number = null, string? journal = null, long? highest = null) => JsonSerializer.SerializeToUtf8Bytes(
        new Birth(Topics.Version, Id.Value, "1.0", "test", true, epoch ?? Epoch, "boot", lastSeq, _heads[(int)lastSeq], policy, [], [], null, null, number, journal, highest), WireJson.Plain.Birth);

    public void Dispose() => _key.Dispose();

    private static JsonElement Element(string body)
    {
        using var document = JsonDocument.Parse(body);
        return document.RootElement.Clone();
    }
}
