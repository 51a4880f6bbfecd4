using System.Text.Json.Serialization;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;

namespace PhysSec.Node.Journal;

/// <summary>When and under which circumstances something happened. At is null while the clock is unset; Up is monotonic.</summary>
public sealed record Stamp(DateTimeOffset? At, TimeSpan Up, string Boot, ClockQuality Clock, LinkState Link);

/// <summary>The records of one step and what must survive with them: all of it or nothing.</summary>
public sealed record JournalWrite(IReadOnlyList<Entry> Entries, NodeMemory? Memory, Stamp Stamp);

/// <summary>A durable record. Prev and Hash are the chain before and after it; Body is its exact JSON.</summary>
public sealed record StoredRecord(long Epoch, string Stream, long Seq, string Prev, string Hash, string Body, bool Hot = false);

/// <summary>A record that the hub says it holds, with everything before it.</summary>
public sealed record HeldRecord(long Epoch, string Stream, long Seq, string Hash);

/// <summary>
/// Where a stream stands. A closed stream's epoch is over: what was not acknowledged was issued again in a later one. Refill: it is sent once more all the same, because the hub
/// was restored from a backup.
/// </summary>
public sealed record StreamState(long Seq, string Hash, long Acknowledged, long HubEpoch, bool Closed, bool Refill = false)
{
    public static StreamState New { get; } = new(0, Chain.Genesis, 0, 0, false);
}

/// <summary>What an acknowledgement did.</summary>
public enum AckOutcome
{
    /// <summary>Old, or for an epoch that is over.</summary>
    Stale,

    Advanced,

    /// <summary>The hub was restored from a backup: records up to its new point are sent again.</summary>
    Rewound,

    /// <summary>
    /// The hub holds records of this epoch that this journal never wrote (it is an old image), or was restored to before what this journal still has. The node is back in epoch 0.
    /// </summary>
    ContinuityLost,
}

/// <summary>What can go wrong with the journal; the message is one plain sentence.</summary>
public sealed class JournalException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The stored bytes contradict themselves.</summary>
internal sealed class JournalCorruptException(string message, Exception? inner = null) : Exception(message, inner);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(NodeMemory))]
[JsonSerializable(typeof(StreamState))]
[JsonSerializable(typeof(Dictionary<string, DateTimeOffset>))]
internal sealed partial class JournalJson : JsonSerializerContext;
