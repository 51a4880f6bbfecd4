namespace PhysSec.Hardware;

/// <summary>A frame as it was cut out of the edges.</summary>
/// <param name="At">The last edge's time, in nanoseconds of the source's clock.</param>
/// <param name="Card">The card; null when there is a fault or a key.</param>
/// <param name="PinKey">A key; a secret.</param>
/// <param name="Fault">Why there is neither.</param>
internal readonly record struct AssembledFrame(long At, CardBits? Card, int? PinKey, ReaderFault Fault);

/// <summary>
/// Edges in, frames out, without any wire or clock. What counts is when an edge happened and how many there were, never when or in which order
/// they were delivered. A frame with a number missing before, between or after its edges is no card, whatever its parity says.
/// </summary>
internal sealed class WiegandAssembler(CardFormat format, bool keypad, EdgeTiming timing)
{
    /// <summary>A source that is so far behind has lost the frames' ends as well.</summary>
    internal const int EdgesMax = 2_048;

    private const long LongestFrame = 1_000_000_000;
    private readonly long _gap = Nanoseconds(timing.Gap), _cut = Nanoseconds(timing.Cut);
    private readonly long _patience = Nanoseconds(timing.Patience), _closest = Nanoseconds(timing.Closest);

    /// <summary>By time; edges of the same time in the order of their numbers.</summary>
    private readonly List<LineEdge> _edges = [];

    private uint _expected = 1;
    private bool _overflowed;
    private long? _dropped;

    public void Add(LineEdge edge)
    {
        if (_edges.Count == EdgesMax)
        {
            _expected = Next(_edges[^1]);
            _dropped = _edges[^1].At;
            _edges.Clear();
            _overflowed = true;
        }

        var at = _edges.Count;
        while (at > 0 && IsBefore(edge, _edges[at - 1])) at--;
        _edges.Insert(at, edge);
    }

    /// <summary>Judges what is complete once every edge up to this time has been added.</summary>
    public IReadOnlyList<AssembledFrame> SilentUntil(long now)
    {
        List<AssembledFrame>? frames = null;
        if (_dropped is { } dropped) (frames, _dropped) = ([new(dropped, null, null, ReaderFault.Overrun)], null);
        while (_edges.Count > 0)
        {
            var length = 1;
            while (length < _edges.Count && _edges[length].At - _edges[length - 1].At <= _cut) length++;
            var (first, last) = (_edges[0].At, _edges[length - 1].At);
            var frame = Judge(length, now);
            var endless = now - first > LongestFrame && now - last < _gap;
            var followed = length < _edges.Count;
            if (!endless && now - last < (frame.Fault == ReaderFault.None || followed ? _gap : _patience)) break;

            if (endless) frame = new(last, null, null, ReaderFault.Overrun);
            (frames ??= []).Add(frame);
            _expected = Next(_edges[length - 1]);
            _overflowed = false;
            _edges.RemoveRange(0, length);
        }

        return frames ?? [];
    }

    /// <summary>When <see cref="SilentUntil"/> may have something to say, once it has been called for this time; null: not before the next edge.</summary>
    public long? Due(long now)
    {
        if (_edges.Count == 0) return null;

        var last = _edges[^1].At;
        return now < last + _gap ? last + _gap : Math.Max(now + 1, last + _patience);
    }

    private static long Nanoseconds(TimeSpan time) => time.Ticks * 100;

    private static bool IsBefore(LineEdge a, LineEdge b) => a.At != b.At ? a.At < b.At : Distance(b.Sequence, a.Sequence) < 0;

    private static uint Next(LineEdge edge) => unchecked(edge.Sequence + 1);

    /// <summary>Numbers wrap around after 2^32.</summary>
    private static int Distance(uint from, uint to) => unchecked((int)(to - from));

    private AssembledFrame Judge(int length, long now)
    {
        var at = _edges[length - 1].At;
        if (_overflowed || !AllThere(length, now)) return new(at, null, null, ReaderFault.EdgeLost);

        var bits = 0UL;
        for (var i = 0; i < Math.Min(length, WiegandFrame.BitsMax); i++) bits = bits << 1 | (_edges[i].One ? 1UL : 0);
        var (card, key, fault) = WiegandFrame.Parse(bits, length, format, keypad);
        return new(at, card, key, fault);
    }

    private bool AllThere(int length, long now)
    {
        var expected = _expected;
        for (var i = 0; i < length; i++)
        {
            if (_edges[i].Sequence != expected || (i > 0 && _edges[i].At - _edges[i - 1].At < _closest)) return false;
            expected = Next(_edges[i]);
        }

        // What was lost between two frames may be the end of the first; but a later edge that is ahead of others proves nothing.
        return length == _edges.Count || _edges[length].At > now || _edges[length].Sequence == expected;
    }
}
