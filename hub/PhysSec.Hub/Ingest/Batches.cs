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
    /// <summary>No honest number of the wire comes near it: whatever is counted on from here fits.</summary>
    public const long NumberMax = 1L << 52;

    private const int RecordsMax = 500;

    /// <exception cref="BadPayloadException">Says what is wrong with it.</exception>
    public static (JournalBatch Batch, IReadOnlyList<CheckedRecord> Records) Check(SiteId site, EnrolledNode node, string stream, byte[] payload)
    {
        var batch = Read(payload, WireJson.Plain.JournalBatch);
        if (batch.Stream != stream) throw new BadPayloadException($"stream \"{batch.Stream}\" came on the topic of stream \"{stream}\"");
        if (batch.First is < 1 or > NumberMax || batch.Last < batch.First || batch.Records.Count is < 1 or > RecordsMax || batch.Last - batch.First != batch.Records.Count - 1)
            throw new BadPayloadException($"records {batch.First}–{batch.Last} do not fit a batch of {batch.Records.Count} (1–{RecordsMax})");
        if (!Chain.IsHash(batch.Prev) || !Chain.IsHash(batch.Head)) throw new BadPayloadException("prev or head is no SHA-256 in lower-case hex");
        if (!Signing.Verify(node.Key, Signing.BatchText(site, node.Id, batch), batch.Signature)) throw new BadPayloadException("the signature is not this node's");

        // Nothing is read of a record before its text has led to the head that was signed.
        var links = new List<(string Prev, string Hash, string Body)>(batch.Records.Count);
        var head = batch.Prev;
        foreach (var element in batch.Records)
        {
            var body = Text(element);
            links.Add((head, head = Chain.Next(head, body), body));
        }

        if (head != batch.Head) throw new BadPayloadException("the records do not lead to the head that was signed");
        return (batch, [.. links.Select((it, i) => new CheckedRecord(Record(it.Body, batch.Epoch, stream, batch.First + i), it.Prev, it.Hash, it.Body))]);
    }

    /// <inheritdoc cref="Check(SiteId, EnrolledNode, string, byte[])"/>
    public static CheckedRecord CheckHot(SiteId site, EnrolledNode node, byte[] payload)
    {
        var hot = Read(payload, WireJson.Plain.HotRecord);
        if (!Chain.IsHash(hot.Prev)) throw new BadPayloadException("prev is no SHA-256 in lower-case hex");
        var body = Text(hot.Record);
        var hash = Chain.Next(hot.Prev, body);
        if (!Signing.Verify(node.Key, Signing.HotText(site, node.Id, hot.Prev, hash), hot.Signature)) throw new BadPayloadException("the signature is not this node's");
        return Unreadable.PlaceOf(body) is ({ } epoch, Streams.Access, >= 1 and <= NumberMax and var seq)
            ? new CheckedRecord(Record(body, epoch, Streams.Access, seq), hot.Prev, hash, body)
            : throw new BadPayloadException("the record does not say where in the access stream it stands");
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

    private static string Text(JsonElement element)
    {
        try
        {
            return element.GetRawText();
        }
        catch (InvalidOperationException)
        {
            throw new BadPayloadException("a record is no UTF-8");
        }
    }

    // Once signed and in its chain a record is stored whatever it says: the node can never take it back, and the stream would stand behind it for ever.
    private static JournalRecord Record(string body, long epoch, string stream, long seq)
    {
        try
        {
            return JsonSerializer.Deserialize(body, WireJson.Plain.JournalRecord) is not { } record ? Unreadable.At(epoch, stream, seq, body, "it is null")
                : record.Epoch == epoch && record.Stream == stream && record.Seq == seq ? record
                : Unreadable.At(epoch, stream, seq, body, $"it calls itself {record.Epoch}/{record.Stream}/{record.Seq}");
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            return Unreadable.At(epoch, stream, seq, body, fault.Message);
        }
    }

}
