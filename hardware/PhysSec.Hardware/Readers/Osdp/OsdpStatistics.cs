namespace PhysSec.Hardware;

/// <summary>One reader's counts since the start.</summary>
public sealed record OsdpStatistics
{
    public long Polls { get; init; }

    public long Replies { get; init; }

    public long Missed { get; init; }

    /// <summary>Bytes that were no frame while this reader was to answer: wrong check character, wrong length, cut off.</summary>
    public long Damaged { get; init; }

    /// <summary>Replies to what was asked before, or out of turn.</summary>
    public long Stale { get; init; }

    /// <summary>Whole replies that were not believed.</summary>
    public long Refused { get; init; }

    public long Busy { get; init; }

    public long Sessions { get; init; }

    public long SessionsLost { get; init; }

    public long ReadsDiscarded { get; init; }

    /// <summary>By code.</summary>
    public IReadOnlyDictionary<OsdpNak, long> Naks { get; init; } = new Dictionary<OsdpNak, long>();

    /// <summary>From a command's first byte to the end of its reply.</summary>
    public TimeSpan RoundTripLast { get; init; }

    public TimeSpan RoundTripMax { get; init; }

    internal OsdpStatistics WithNak(byte code)
    {
        var known = Enum.IsDefined((OsdpNak)code) ? (OsdpNak)code : OsdpNak.None;
        return this with { Naks = new Dictionary<OsdpNak, long>(Naks) { [known] = Naks.GetValueOrDefault(known) + 1 } };
    }

    internal OsdpStatistics WithReply(TimeSpan roundTrip) =>
        this with { Replies = Replies + 1, RoundTripLast = roundTrip, RoundTripMax = roundTrip > RoundTripMax ? roundTrip : RoundTripMax };
}
