using System.Device.Gpio;

namespace PhysSec.Hardware;

/// <summary>An edge that carries the time of its wire and a count: a simulated room gives both.</summary>
internal sealed class StampedEdgeEventArgs(PinEventTypes kind, int line, long wire, uint lineSequence) : PinValueChangedEventArgs(kind, line)
{
    /// <summary>Nanoseconds of the wire's own clock.</summary>
    public long Wire { get; } = wire;

    /// <summary>Counts this line's edges of this kind from 1.</summary>
    public uint LineSequence { get; } = lineSequence;
}

/// <summary>
/// Edges by System.Device.Gpio's callbacks: for the simulated room, whose edges are stamped, and for a kernel without the GPIO character device's
/// second interface, whose edges get the time of the callback and cannot be counted.
/// </summary>
internal sealed class CallbackEdges : EdgeSource
{
    /// <summary>After so long a silence the wire's clock is set against ours anew.</summary>
    private const long Pause = 500_000_000;

    private readonly Lock _gate = new();
    private readonly GpioController _gpio;
    private readonly int[] _lines;
    private readonly uint[] _seen = [0, 0];
    private readonly ITimer _silence;
    private Action<LineEdge>? _onEdge;
    private Func<long, long?>? _onSilence;
    private uint _sequence;
    private long _lastWire = long.MinValue;
    private long _offset;
    private bool _closed;

    public CallbackEdges(WiegandEntry entry, GpioController gpio, TimeProvider clock, bool stamped)
        : base(clock, clock.GetTimestamp())
    {
        (_gpio, _lines) = (gpio, [entry.D0, entry.D1]);
        Timing = stamped ? EdgeTiming.OfWire(entry.FrameGap) : EdgeTiming.OfCallback(entry.FrameGap);
        _silence = clock.CreateTimer(_ => Tell(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public override EdgeTiming Timing { get; }

    public override void Start(Action<LineEdge> onEdge, Func<long, long?> onSilence)
    {
        (_onEdge, _onSilence) = (onEdge, onSilence);
        foreach (var line in _lines)
        {
            _gpio.OpenPin(line, PinMode.InputPullUp);
            _gpio.RegisterCallbackForPinValueChangedEvent(line, PinEventTypes.Falling, OnFalling);
        }
    }

    public override bool AnyLineLow()
    {
        try
        {
            return _lines.Any(it => _gpio.Read(it) == PinValue.Low);
        }
        catch (Exception failure) when (GpioFault.Is(failure))
        {
            return true;
        }
    }

    protected override void Dispose(bool disposing)
    {
        lock (_gate) _closed = true;
        _silence.Dispose();
        foreach (var line in _lines.Where(_gpio.IsPinOpen))
        {
            _gpio.UnregisterCallbackForPinValueChangedEvent(line, OnFalling);
            _gpio.ClosePin(line);
        }
    }

    private void OnFalling(object sender, PinValueChangedEventArgs edge)
    {
        lock (_gate)
        {
            if (_closed) return;
            var one = edge.PinNumber == _lines[1];
            var at = Now;
            if (edge is StampedEdgeEventArgs stamped) (at, _sequence) = (Local(stamped.Wire, at), unchecked(_sequence + Step(one, stamped)));
            else _sequence = unchecked(_sequence + 1);
            _onEdge!(new(one, at, _sequence));
        }

        Tell();
    }

    /// <summary>How many edges of this line there were since the last that came.</summary>
    private uint Step(bool one, StampedEdgeEventArgs edge)
    {
        ref var seen = ref _seen[one ? 1 : 0];
        var step = seen == 0 ? 1 : unchecked(edge.LineSequence - seen);
        seen = edge.LineSequence;
        return step;
    }

    private long Local(long wire, long now)
    {
        if (_lastWire == long.MinValue || wire < _lastWire || wire - _lastWire > Pause) _offset = now - wire;
        _lastWire = wire;
        return wire + _offset;
    }

    private void Tell()
    {
        var now = Now;
        if (_onSilence!(now) is not { } due) return;

        lock (_gate)
            if (!_closed) _silence.Change(TimeSpan.FromMilliseconds(Math.Max(1, (due - now + 999_999) / 1_000_000)), Timeout.InfiniteTimeSpan); // Never early.
    }
}
