using System.Text.Json;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub.Fleet;

namespace PhysSec.Hub.Ingest;

/// <summary>One record of a checked batch: its place in the chain and its exact text.</summary>
public sealed record CheckedRecord(JournalRecord Record, string Prev, string Hash, string Body);

/// <summary>A payload that cannot be understood or believed; it goes to the dead letters.</summary>
public sealed class BadPayloadException(string message) : Exception(message);

/// <summary>Everything that can be checked of a batch without the store: shape, key, chain, signature.</summary>
public static class Batches
{
    private const int RecordsMax = 500;

    /// <exception cref="BadPayloadException">Says what is wrong with it.</exception>
    public static (JournalBatch Batch, IReadOnlyList<CheckedRecord> Records) Check(SiteId site, EnrolledNode node, string stream, byte[] payload)
    {
        var batch = Read(payload, WireJson.Plain.JournalBatch);
        if (batch.Stream != stream) throw new BadPayloadException($"stream \"{batch.Stream}\" came on the topic of stream \"{stream}\"");
        if (batch.First < 1 || batch.Records.Count is < 1 or > RecordsMax || batch.Last - batch.First + 1 != batch.Records.Count)
            throw new BadPayloadException($"records {batch.First}–{batch.Last} do not fit a batch of {batch.Records.Count} (1–{RecordsMax})");
        if (!IsHash(batch.Prev) || !IsHash(batch.Head)) throw new BadPayloadException("prev or head is no SHA-256 in lower-case hex");
        if (!Signing.Verify(node.Key, Signing.BatchText(site, node.Id, batch), batch.Signature)) throw new BadPayloadException("the signature is not this node's");

        var records = new List<CheckedRecord>(batch.Records.Count);
        var head = batch.Prev;
        for (var i = 0; i < batch.Records.Count; i++)
        {
            var record = Check(batch.Records[i], head, batch.Epoch, stream, batch.First + i);
            records.Add(record);
            head = record.Hash;
        }

        return head == batch.Head ? (batch, records) : throw new BadPayloadException("the records do not lead to the head that was signed");
    }

    /// <inheritdoc cref="Check(SiteId, EnrolledNode, string, byte[])"/>
    public static CheckedRecord CheckHot(SiteId site, EnrolledNode node, byte[] payload)
    {
        var hot = Read(payload, WireJson.Plain.HotRecord);
        if (!IsHash(hot.Prev)) throw new BadPayloadException("prev is no SHA-256 in lower-case hex");
        var record = Check(hot.Record, hot.Prev, null, Streams.Access, null);
        return Signing.Verify(node.Key, Signing.HotText(site, node.Id, hot.Prev, record.Hash), hot.Signature)
            ? record : throw new BadPayloadException("the signature is not this node's");
    }

    /// <summary>Reads one message of the wire.</summary>
    /// <exception cref="BadPayloadException">It is no JSON, or not of this shape.</exception>
    public static T Read<T>(ReadOnlySpan<byte> payload, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(payload, type) ?? throw new BadPayloadException("the payload is null");
        }
        catch (Exception fault) when (fault is JsonException or NotSupportedException or FormatException or InvalidOperationException)
        {
            throw new BadPayloadException($"the payload is no {typeof(T).Name}: {fault.Message}");
        }
    }

    private static CheckedRecord Check(JsonElement element, string prev, long? epoch, string stream, long? seq)
    {
        var body = element.GetRawText();
        JournalRecord record;
        try
        {
            record = JsonSerializer.Deserialize(body, WireJson.Plain.JournalRecord) ?? throw new BadPayloadException("a record is null");
        }
        catch (Exception fault) when (fault is JsonException or NotSupportedException)
        {
            throw new BadPayloadException($"record {seq} cannot be read: {fault.Message}");
        }

        if (epoch is { } e && record.Epoch != e || record.Stream != stream || seq is { } s && record.Seq != s || record.Seq < 1)
            throw new BadPayloadException($"record {record.Epoch}/{record.Stream}/{record.Seq} stands where {epoch}/{stream}/{seq} belongs");
        return new CheckedRecord(record, prev, Chain.Next(prev, body), body);
    }

    private static bool IsHash(string text) => text is { Length: 64 } && text.All(it => it is >= '0' and <= '9' or >= 'a' and <= 'f');
}
