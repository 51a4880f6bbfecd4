using System.Device.Gpio;

namespace PhysSec.Hardware;

/// <summary>
/// A relay or transistor. Off is the safe state: it is driven before anything else is opened, at
/// <see cref="Dispose"/>, and when the process ends. For a lock, on = released.
/// </summary>
public sealed class SwitchedOutput : BoardOutput
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
        : base(entry)
    {
        (_entry, _gpio) = (entry, gpio);
        gpio.OpenPin(entry.Line, PinMode.Output, LevelFor(false));
        _again = clock.CreateTimer(_ => Retry(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _end = clock.CreateTimer(_ => End(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public override bool On
    {
        get
        {
            lock (_gate) return _on;
        }
    }

    /// <summary>The last write did not reach the line; it is tried again four times a second.</summary>
    public override string? Fault
    {
        get
        {
            lock (_gate) return _faulted ? Words : null;
        }
    }

    public override long Failures
    {
        get
        {
            lock (_gate) return _failures;
        }
    }

    public override string? LastFailure => Failures > 0 ? Words : null;

    /// <summary>
    /// Switches. Never throws for a device fault: see <see cref="Fault"/>. A release that fails is dropped, never made
    /// up for later; a locking that fails is repeated until the line takes it. What is made for pulses goes off by itself after <see cref="BoardOutputEntry.OnAtMost"/>.
    /// </summary>
    public override void Set(bool on)
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
    public override void Dispose()
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

    internal override void MakeSafe()
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

    private string Words => $"output {Id} does not take what is written to it";

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
