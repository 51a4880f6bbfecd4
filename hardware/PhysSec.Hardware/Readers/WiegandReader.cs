using System.Device.Gpio;

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

/// <summary>
/// Gathers falling edges of D0 and D1 into frames. A frame that is already a good card is reported after one gap of
/// silence; anything else waits three more gaps, so that a busy board that saw an edge late does not tear a card in two.
/// </summary>
public sealed class WiegandReader : IDisposable
{
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _watch = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly WiegandEntry _entry;
    private readonly GpioController _gpio;
    private readonly TimeProvider _clock;
    private readonly ITimer _silence;
    private readonly ITimer _watchdog;
    private ulong _bits;
    private int _count;
    private long _first;
    private long _last;
    private bool _lowBefore;
    private bool _stuck;
    private bool _disposed;

    internal WiegandReader(WiegandEntry entry, GpioController gpio, TimeProvider clock)
    {
        (_entry, _gpio, _clock) = (entry, gpio, clock);
        _silence = clock.CreateTimer(_ => OnSilence(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _watchdog = clock.CreateTimer(_ => WatchLines(), null, _watch, _watch);
        foreach (var line in (int[])[entry.D0, entry.D1])
        {
            gpio.OpenPin(line, PinMode.InputPullUp);
            gpio.RegisterCallbackForPinValueChangedEvent(line, PinEventTypes.Falling, OnEdge);
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

        _silence.Dispose();
        _watchdog.Dispose();
        foreach (var line in (int[])[_entry.D0, _entry.D1])
        {
            _gpio.UnregisterCallbackForPinValueChangedEvent(line, OnEdge);
            _gpio.ClosePin(line);
        }
    }

    private void OnEdge(object sender, PinValueChangedEventArgs edge)
    {
        lock (_gate)
        {
            if (_disposed) return;
            var now = _clock.GetTimestamp();
            if (_count == 0) _first = now;
            if (_count < WiegandFrame.BitsMax) _bits = _bits << 1 | (edge.PinNumber == _entry.D1 ? 1UL : 0);
            if (_count <= WiegandFrame.BitsMax) _count++; // One more than the most is enough to know of an overrun.
            _last = now;
            _silence.Change(_entry.FrameGap, Timeout.InfiniteTimeSpan);
        }
    }

    private void OnSilence()
    {
        ReaderFrame frame;
        lock (_gate)
        {
            if (_disposed || _count == 0) return;
            var quiet = _clock.GetElapsedTime(_last);
            if (quiet < _entry.FrameGap)
            {
                _silence.Change(_entry.FrameGap - quiet, Timeout.InfiniteTimeSpan);
                return;
            }

            var (card, key, fault) = WiegandFrame.Parse(_bits, _count, _entry.Format, _entry.Keypad);
            if (fault != ReaderFault.None && quiet < _entry.FrameGap * 4)
            {
                _silence.Change((_entry.FrameGap * 4) - quiet, Timeout.InfiniteTimeSpan);
                return;
            }

            if (fault != ReaderFault.None && AnyLineLow()) (fault, _stuck) = (ReaderFault.LineStuck, true);
            frame = new ReaderFrame(_last, card, key, fault);
            (_bits, _count) = (0, 0);
        }

        FrameRead?.Invoke(frame);
    }

    /// <summary>Sees what edges cannot show: a line that was low from the start, and pulses that never pause.</summary>
    private void WatchLines()
    {
        ReaderFrame? frame = null;
        lock (_gate)
        {
            if (_disposed) return;
            var low = AnyLineLow();
            if (_count > 0 && _clock.GetElapsedTime(_first) > _longest)
            {
                frame = new ReaderFrame(_last, null, null, ReaderFault.Overrun);
                (_bits, _count) = (0, 0);
            }
            else if (low && _lowBefore && !_stuck)
            {
                _stuck = true;
                frame = new ReaderFrame(_clock.GetTimestamp(), null, null, ReaderFault.LineStuck);
            }

            _stuck &= low;
            _lowBefore = low;
        }

        if (frame is not null) FrameRead?.Invoke(frame);
    }

    private bool AnyLineLow()
    {
        try
        {
            return _gpio.Read(_entry.D0) == PinValue.Low || _gpio.Read(_entry.D1) == PinValue.Low;
        }
        catch (Exception failure) when (GpioFault.Is(failure))
        {
            return true; // A line that cannot be read gives no cards either.
        }
    }
}
