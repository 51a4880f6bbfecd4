using System.Device.Gpio;

namespace PhysSec.Hardware;

/// <summary>
/// A relay or transistor. Off is the safe state: it is driven before anything else is opened, at
/// <see cref="Dispose"/>, and when the process ends. For a lock, on = released.
/// </summary>
public sealed class SwitchedOutput : IDisposable
{
    private static readonly TimeSpan _retry = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly OutputEntry _entry;
    private readonly GpioController _gpio;
    private readonly ITimer _again;
    private readonly ITimer _end;
    private bool _on;
    private bool _faulted;
    private long _failures;
    private bool _disposed;

    internal SwitchedOutput(OutputEntry entry, GpioController gpio, TimeProvider clock)
    {
        (_entry, _gpio) = (entry, gpio);
        gpio.OpenPin(entry.Line, PinMode.Output, LevelFor(false));
        _again = clock.CreateTimer(_ => Retry(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _end = clock.CreateTimer(_ => End(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public string Id => _entry.Id;

    public DeviceRole Role => _entry.Role;

    public string? Door => _entry.Door;

    /// <summary>What a lock does without power; null for other outputs.</summary>
    public FailMode? FailMode => _entry.FailMode;

    /// <summary>What was asked for last; a lock that could not be released says off.</summary>
    public bool On
    {
        get
        {
            lock (_gate) return _on;
        }
    }

    /// <summary>The last write did not reach the line; it is tried again four times a second.</summary>
    public bool Faulted
    {
        get
        {
            lock (_gate) return _faulted;
        }
    }

    /// <summary>Writes that did not reach the line since the start; also of a release that was dropped, after which the line took the locking.</summary>
    public long Failures
    {
        get
        {
            lock (_gate) return _failures;
        }
    }

    /// <summary>
    /// Switches. Never throws for a device fault: see <see cref="Faulted"/>. A release that fails is dropped, never made
    /// up for later; a locking that fails is repeated until the line takes it. What is made for pulses goes off by itself after <see cref="OutputEntry.OnAtMost"/>.
    /// </summary>
    public void Set(bool on)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            Drive(on);
            if (_faulted && on && Role is DeviceRole.Lock or DeviceRole.Relock) Drive(false);
            if (_entry.OnAtMost is { } most) _end.Change(on ? most : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Drives off and gives the line back.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed) return;
            Drive(false);
            _disposed = true;
            _again.Dispose();
            _end.Dispose();
            _gpio.ClosePin(_entry.Line);
        }
    }

    /// <summary>The last act of a dying process; nothing may stop it from reaching the next output.</summary>
    internal void MakeSafe()
    {
        if (!_gate.TryEnter(TimeSpan.FromMilliseconds(100))) return; // The owner is mid-write: closing the line frees it.
        try
        {
            if (!_disposed) Drive(false);
        }
        finally
        {
            _gate.Exit();
        }
    }

    private void Retry()
    {
        lock (_gate)
        {
            if (!_disposed && _faulted) Drive(_on);
        }
    }

    private void End()
    {
        lock (_gate)
        {
            if (!_disposed && _on) Drive(false);
        }
    }

    private void Drive(bool on)
    {
        _on = on;
        try
        {
            _gpio.Write(_entry.Line, LevelFor(on));
            _faulted = false;
        }
        catch (Exception failure) when (GpioFault.Is(failure))
        {
            _faulted = true;
            _failures++;
            _again.Change(_retry, Timeout.InfiniteTimeSpan);
        }
    }

    private PinValue LevelFor(bool on) => on == (_entry.Active == Level.High) ? PinValue.High : PinValue.Low;
}
