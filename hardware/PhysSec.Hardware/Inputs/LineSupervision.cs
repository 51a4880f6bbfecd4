namespace PhysSec.Hardware;

/// <summary>
/// Samples in, the line's settled state out, without any wire or clock. Three equal samples over at least 50 ms are believed; a line that gives no three equal
/// ones for half a second is out of band, whatever it said before.
/// </summary>
public sealed class LineSupervision(LineBands bands)
{
    /// <summary>Equal samples that are believed.</summary>
    public const int EqualSamples = 3;

    /// <summary>Least time over which they lie.</summary>
    public static readonly TimeSpan Settled = TimeSpan.FromMilliseconds(50);

    /// <summary>Without three equal samples for this long the line does not come to rest.</summary>
    public static readonly TimeSpan Restless = TimeSpan.FromMilliseconds(500);

    private LineState _candidate;
    private int _count;
    private TimeSpan _since;
    private TimeSpan? _believed;

    /// <summary>Null until the first samples have been believed.</summary>
    public LineState? State { get; private set; }

    /// <summary>True when the state has changed, or become known.</summary>
    /// <param name="ratio">Share of the excitation; null: it could not be measured.</param>
    /// <param name="at">Monotonic time of the sample.</param>
    public bool Take(double? ratio, TimeSpan at)
    {
        var sample = bands.Classify(ratio);
        if (sample != _candidate || _count == 0) (_candidate, _count, _since) = (sample, 0, at);
        _count++;
        _believed ??= at;
        if (_count >= EqualSamples && at - _since >= Settled)
        {
            _believed = at;
            return Become(sample);
        }

        return at - _believed > Restless && Become(LineState.OutOfBand);
    }

    /// <summary>No sample has come for too long. True when that is new.</summary>
    public bool Lost()
    {
        (_count, _believed) = (0, null);
        return Become(LineState.Unreadable);
    }

    private bool Become(LineState state)
    {
        if (State == state) return false;
        State = state;
        return true;
    }
}
