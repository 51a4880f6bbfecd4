using System.Security.Cryptography;
using System.Text.Json;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Node.Journal;

namespace PhysSec.Node.Uplink;

/// <summary>Turns stored records into signed messages. The records travel as the exact bytes that are chained.</summary>
public static class Batches
{
    public const int RecordsMax = 500;
    public const int BytesMax = 64 << 10;

    /// <param name="site">Bound by the signature.</param>
    /// <param name="node">Bound by the signature.</param>
    /// <param name="deviceKey">The key of the node's certificate.</param>
    /// <param name="run">At least one record, without a gap.</param>
    public static byte[] Batch(SiteId site, NodeId node, ECDsa deviceKey, IReadOnlyList<StoredRecord> run)
    {
        var (first, last) = (run[0], run[^1]);
        var batch = new JournalBatch(
            first.Epoch, first.Stream, first.Seq, last.Seq, first.Prev, last.Hash, [.. run.Select(it => Element(it.Body))], "");
        batch = batch with { Signature = Signing.Sign(deviceKey, Signing.BatchText(site, node, batch)) };
        return JsonSerializer.SerializeToUtf8Bytes(batch, WireJson.Plain.JournalBatch);
    }

    public static byte[] Hot(SiteId site, NodeId node, ECDsa deviceKey, StoredRecord record) =>
        JsonSerializer.SerializeToUtf8Bytes(
            new HotRecord(record.Prev, Element(record.Body), Signing.Sign(deviceKey, Signing.HotText(site, node, record.Prev, record.Hash))),
            WireJson.Plain.HotRecord);

    private static JsonElement Element(string body)
    {
        using var document = JsonDocument.Parse(body);
        return document.RootElement.Clone();
    }
}
