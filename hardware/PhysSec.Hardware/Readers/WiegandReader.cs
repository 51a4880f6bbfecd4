namespace PhysSec.Hardware;

/// <summary>One finished frame. It prints without card and key.</summary>
/// <param name="Timestamp">The clock's timestamp of the last edge.</param>
/// <param name="Card">The card; null when there is a fault or a key.</param>
/// <param name="PinKey">A key of the keypad, 0 to 15 (10 = *, 11 = #); a secret.</param>
/// <param name="Fault">Why there is neither.</param>
public sealed record ReaderFrame(long Timestamp, CardBits? Card, int? PinKey, ReaderFault Fault)
{
    public override string ToString() =>
        Fault != ReaderFault.None ? Fault.ToString() : Card is { } card ? card.ToString() : "a key";
}

/// <summary>A Wiegand reader: its source's edges through the assembler, and a look at its lines once a second.</summary>
public sealed class WiegandReader : IDisposable
{
    private static readonly TimeSpan _watch = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly WiegandEntry _entry;
    private readonly EdgeSource _source;
    private readonly TimeProvider _clock;
    private readonly WiegandAssembler _assembler;
    private readonly ITimer _watchdog;
    private bool _lowBefore;
    private bool _stuck;
    private bool _disposed;

    /// <param name="entry">The device.</param>
    /// <param name="source">Its edges; the reader owns it.</param>
    /// <param name="clock">For the look at the lines.</param>
    internal WiegandReader(WiegandEntry entry, EdgeSource source, TimeProvider clock)
    {
        (_entry, _source, _clock) = (entry, source, clock);
        _assembler = new WiegandAssembler(entry.Format, entry.Keypad, source.Timing);
        _watchdog = clock.CreateTimer(_ => WatchLines(), null, _watch, _watch);
        try
        {
            source.Start(OnEdge, OnSilence);
        }
        catch
        {
            Dispose(); // A line that is held elsewhere: the other one is given back.
            throw;
        }
    }

    public string Id => _entry.Id;

    public DeviceRole Role => _entry.Role;

    public string? Door => _entry.Door;

    /// <summary>Raised on a driver thread: the subscriber only enqueues.</summary>
    public event Action<ReaderFrame>? FrameRead;

    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
        }

        _watchdog.Dispose();
        _source.Dispose();
    }

    private void OnEdge(LineEdge edge)
    {
        lock (_gate) _assembler.Add(edge);
    }

    private long? OnSilence(long until)
    {
        List<ReaderFrame>? frames = null;
        long? due;
        lock (_gate)
        {
            if (_disposed) return null;
            foreach (var it in _assembler.SilentUntil(until))
            {
                var fault = it.Fault;
                var silent = until - it.At >= _source.Timing.Gap.Ticks * 100; // Else it may be the pulse itself.
                if (fault != ReaderFault.None && silent && _source.AnyLineLow()) (fault, _stuck) = (ReaderFault.LineStuck, true);
                (frames ??= []).Add(new(_source.TimestampOf(it.At), it.Card, it.PinKey, fault));
            }

            due = _assembler.Due(until);
        }

        foreach (var it in frames ?? []) FrameRead?.Invoke(it);
        return due;
    }

    /// <summary>Sees what edges cannot show: a line that was low from the start.</summary>
    private void WatchLines()
    {
        var told = false;
        lock (_gate)
        {
            if (_disposed) return;
            var low = _source.AnyLineLow();
            told = low && _lowBefore && !_stuck;
            _stuck = low && (_stuck || told);
            _lowBefore = low;
        }

        if (told) FrameRead?.Invoke(new(_clock.GetTimestamp(), null, null, ReaderFault.LineStuck));
    }
}
