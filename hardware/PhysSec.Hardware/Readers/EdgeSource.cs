namespace PhysSec.Hardware;

/// <summary>One falling edge of a reader's two lines.</summary>
/// <param name="One">It came on D1.</param>
/// <param name="At">When, in nanoseconds of the source's clock.</param>
/// <param name="Sequence">Counts the edges of both lines; a number that is missing is an edge that was lost.</param>
internal readonly record struct LineEdge(bool One, long At, uint Sequence);

/// <summary>How far an edge's time can be trusted, and so what ends a frame.</summary>
/// <param name="Gap">The silence that ends a frame.</param>
/// <param name="Cut">Two edges further apart than this belong to two frames.</param>
/// <param name="Patience">So long after its last edge a frame that is no good card is judged; a good one after the gap.</param>
/// <param name="Closest">Edges that are closer together have no certain order.</param>
internal sealed record EdgeTiming(TimeSpan Gap, TimeSpan Cut, TimeSpan Patience, TimeSpan Closest)
{
    /// <summary>
    /// Bits are 200 µs apart at the least. Closer stamps mean that the interrupt was held up with an edge waiting on each line, and then
    /// the chip no longer tells which was first: two swapped bits would pass the parity.
    /// </summary>
    private static readonly TimeSpan _closest = TimeSpan.FromMicroseconds(100);

    /// <summary>Stamped where the edge happened, and told that nothing is on its way.</summary>
    public static EdgeTiming OfKernel(TimeSpan gap) => new(gap, gap, gap, _closest);

    /// <summary>Stamped where the edge happened, but it may still be on its way.</summary>
    public static EdgeTiming OfWire(TimeSpan gap) => new(gap, gap, gap * 4, _closest);

    /// <summary>Stamped when the program got to see it.</summary>
    public static EdgeTiming OfCallback(TimeSpan gap) => new(gap, gap * 4, gap * 4, TimeSpan.Zero);
}

/// <summary>Where a reader's edges come from; nothing comes before <see cref="Start"/>.</summary>
/// <param name="clock">The clock of its timestamps.</param>
/// <param name="zero">That clock's timestamp at the source's own time zero.</param>
internal abstract class EdgeSource(TimeProvider clock, long zero) : IDisposable
{
    private const long Billion = 1_000_000_000;

    /// <summary>Nanoseconds of the source's clock.</summary>
    protected long Now => (long)((Int128)(clock.GetTimestamp() - zero) * Billion / clock.TimestampFrequency);

    public abstract EdgeTiming Timing { get; }

    /// <param name="onEdge">Gets every edge.</param>
    /// <param name="onSilence">
    /// Hears that every edge up to this time has been delivered, as far as the source can know, and after lost edges the first that was
    /// kept; says when it wants to hear that again.
    /// </param>
    public abstract void Start(Action<LineEdge> onEdge, Func<long, long?> onSilence);

    /// <summary>The clock's timestamp at a time of this source.</summary>
    public long TimestampOf(long at) => zero + (long)((Int128)at * clock.TimestampFrequency / Billion);

    /// <summary>A data line is low now, or cannot be read: such a line gives no cards either.</summary>
    public abstract bool AnyLineLow();

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
