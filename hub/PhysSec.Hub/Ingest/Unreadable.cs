using System.Text.Json;
using PhysSec.Core.Wire;

namespace PhysSec.Hub.Ingest;

/// <summary>What a signed record says that this hub does not understand, because the node is newer or at fault. Never written anywhere: the record keeps its own text.</summary>
public sealed record Unreadable(string Fault) : Fact
{
    /// <summary>The record at this place, with whatever of its frame can be read. Its place is the one that the node has signed, whatever the text says.</summary>
    public static JournalRecord At(long epoch, string stream, long seq, string body, string fault)
    {
        var record = new JournalRecord(epoch, stream, seq, null, 0, "", ClockQuality.Unset, LinkState.Up, new Unreadable(fault));
        if (Parse(body) is not { ValueKind: JsonValueKind.Object } frame) return record;
        return record with
        {
            At = frame.TryGetProperty("at", out var at) && at.ValueKind == JsonValueKind.String && at.TryGetDateTimeOffset(out var time) ? time : null,
            Clock = Name<ClockQuality>(frame, "clock") ?? ClockQuality.Unset,
            Link = Name<LinkState>(frame, "link") ?? LinkState.Up,
        };
    }

    /// <summary>Where a record says that it stands; null when it does not.</summary>
    public static (long Epoch, string? Stream, long Seq)? PlaceOf(string body) =>
        Parse(body) is { ValueKind: JsonValueKind.Object } frame
        && frame.TryGetProperty("epoch", out var epoch) && epoch.ValueKind == JsonValueKind.Number && epoch.TryGetInt64(out var e)
        && frame.TryGetProperty("seq", out var seq) && seq.ValueKind == JsonValueKind.Number && seq.TryGetInt64(out var s)
        && frame.TryGetProperty("stream", out var stream) && stream.ValueKind == JsonValueKind.String
            ? (e, stream.GetString(), s) : null;

    private static T? Name<T>(JsonElement frame, string property)
        where T : struct, Enum =>
        frame.TryGetProperty(property, out var it) && it.ValueKind == JsonValueKind.String && Enum.TryParse<T>(it.GetString(), ignoreCase: true, out var value) && Enum.IsDefined(value) ? value : null;

    private static JsonElement? Parse(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
