using System.Device.Gpio;

namespace PhysSec.Hardware;

/// <summary>
/// A contact on one line, debounced: an edge starts a quiet time, and only the level read after it counts. The line is
/// also read four times a second, because the kernel queues 16 edges a line and drops the rest.
/// </summary>
public sealed class ContactInput : IDisposable
{
    private static readonly TimeSpan _poll = TimeSpan.FromMilliseconds(250);
    private const int BouncesMax = 8;

    private readonly Lock _gate = new();
    private readonly InputEntry _entry;
    private readonly GpioController _gpio;
    private readonly TimeProvider _clock;
    private readonly ITimer _settle;
    private readonly ITimer _refresh;
    private bool? _active;
    private long _firstEdge;
    private long _lastEdge;
    private bool _settling;
    private int _waits;
    private bool _disposed;

    internal ContactInput(InputEntry entry, GpioController gpio, TimeProvider clock)
    {
        (_entry, _gpio, _clock) = (entry, gpio, clock);
        _settle = clock.CreateTimer(_ => OnSettled(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _refresh = clock.CreateTimer(_ => Refresh(), null, _poll, _poll);
        gpio.OpenPin(entry.Line, entry.Pull switch
        {
            Pull.None => PinMode.Input,
            Pull.Up => PinMode.InputPullUp,
            Pull.Down => PinMode.InputPullDown,
        });
        gpio.RegisterCallbackForPinValueChangedEvent(entry.Line, PinEventTypes.Falling | PinEventTypes.Rising, OnEdge);
        lock (_gate) StartSettling();
    }

    public string Id => _entry.Id;

    public DeviceRole Role => _entry.Role;

    public string? Door => _entry.Door;

    /// <summary>What the role calls active; null until the first debounced read and while the line cannot be read.</summary>
    public bool? Active
    {
        get
        {
            lock (_gate) return _active;
        }
    }

    /// <summary>
    /// The settled state changed, or became known: (input, active, clock timestamp of the first edge). Raised on a driver
    /// thread: the subscriber only enqueues.
    /// </summary>
    public event Action<ContactInput, bool, long>? Changed;

    /// <summary>The line can no longer be read: (input, clock timestamp). <see cref="Active"/> is null until it can.</summary>
    public event Action<ContactInput, long>? BecameUnknown;

    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
        }

        _settle.Dispose();
        _refresh.Dispose();
        _gpio.UnregisterCallbackForPinValueChangedEvent(_entry.Line, OnEdge);
        _gpio.ClosePin(_entry.Line);
    }

    private void OnEdge(object sender, PinValueChangedEventArgs edge)
    {
        lock (_gate)
        {
            if (_disposed) return;
            _lastEdge = _clock.GetTimestamp();
            if (!_settling) StartSettling();
        }
    }

    private void StartSettling()
    {
        _firstEdge = _lastEdge = _clock.GetTimestamp();
        (_settling, _waits) = (true, 0);
        _settle.Change(_entry.Debounce, Timeout.InfiniteTimeSpan);
    }

    private void OnSettled()
    {
        lock (_gate)
        {
            if (_disposed || !_settling) return;
            var quiet = _clock.GetElapsedTime(_lastEdge);
            if (quiet < _entry.Debounce && ++_waits < BouncesMax) // A contact that chatters for ever is read all the same.
            {
                _settle.Change(_entry.Debounce - quiet, Timeout.InfiniteTimeSpan);
                return;
            }

            _settling = false;
        }

        Take(Read());
    }

    private void Refresh()
    {
        var level = Read();
        lock (_gate)
        {
            if (_disposed || _settling || level == _active) return;
            if (level is not null)
            {
                StartSettling(); // An edge was missed: it settles like any other.
                return;
            }
        }

        Take(null);
    }

    private bool? Read()
    {
        try
        {
            return (_gpio.Read(_entry.Line) == PinValue.High) == (_entry.Active == Level.High);
        }
        catch (Exception failure) when (GpioFault.Is(failure))
        {
            return null; // Unknown is not normal: whoever listens is told.
        }
    }

    private void Take(bool? active)
    {
        long since;
        lock (_gate)
        {
            if (_disposed || _active == active) return;
            _active = active;
            since = active is null ? _clock.GetTimestamp() : _firstEdge;
        }

        if (active is { } known) Changed?.Invoke(this, known, since);
        else BecameUnknown?.Invoke(this, since);
    }
}
