using System.Device.Gpio;
using System.Globalization;

namespace PhysSec.Hardware.Simulation;

/// <summary>GPIO lines of a simulated room, behind System.Device.Gpio's own driver type.</summary>
internal sealed class SimulatedGpioDriver : GpioDriver
{
    private const int Lines = 28;

    private readonly Lock _gate = new();
    private readonly RoomLink _link;
    private readonly Dictionary<int, Line> _open = [];

    public SimulatedGpioDriver(RoomLink link)
    {
        _link = link;
        link.LevelTold += OnLevel;
        link.Edge += OnEdge;
        link.Restored += OpenAgain;
    }

    protected override int PinCount => Lines;

    protected override void OpenPin(int pinNumber)
    {
        _link.Request(Say($"open {pinNumber}"));
        lock (_gate) _open[pinNumber] = new Line();
    }

    protected override void ClosePin(int pinNumber)
    {
        lock (_gate) _open.Remove(pinNumber);
        try
        {
            _link.Request(Say($"close {pinNumber}"));
        }
        catch (IOException)
        {
            // A room that is gone holds no line.
        }
    }

    protected override void SetPinMode(int pinNumber, PinMode mode) => SetPinMode(pinNumber, mode, PinValue.Low);

    protected override void SetPinMode(int pinNumber, PinMode mode, PinValue initialValue)
    {
        lock (_gate) (_open[pinNumber].Mode, _open[pinNumber].High) = (mode, initialValue == PinValue.High);
        ApplyMode(pinNumber);
    }

    protected override PinMode GetPinMode(int pinNumber)
    {
        lock (_gate) return _open[pinNumber].Mode;
    }

    protected override bool IsPinModeSupported(int pinNumber, PinMode mode) => true;

    /// <summary>The level as last told: a read costs no round trip, as on a chip's register.</summary>
    protected override PinValue Read(int pinNumber)
    {
        lock (_gate)
        {
            if (!_link.Up || !_open[pinNumber].Known) throw new IOException("Error 19 (The simulated room is gone).");
            return _open[pinNumber].High ? PinValue.High : PinValue.Low;
        }
    }

    protected override void Write(int pinNumber, PinValue value)
    {
        lock (_gate) _open[pinNumber].High = value == PinValue.High; // A room that comes back is told this level.
        _link.Request(Say($"write {pinNumber} {(value == PinValue.High ? 1 : 0)}"));
    }

    protected override void AddCallbackForPinValueChangedEvent(
        int pinNumber, PinEventTypes eventTypes, PinChangeEventHandler callback)
    {
        lock (_gate) _open[pinNumber].Callbacks.Add((eventTypes, callback));
    }

    protected override void RemoveCallbackForPinValueChangedEvent(int pinNumber, PinChangeEventHandler callback)
    {
        lock (_gate) _open[pinNumber].Callbacks.RemoveAll(it => it.Callback == callback);
    }

    protected override WaitForEventResult WaitForEvent(
        int pinNumber, PinEventTypes eventTypes, CancellationToken cancellationToken)
    {
        using var seen = new ManualResetEventSlim();
        var what = PinEventTypes.None;
        PinChangeEventHandler onEdge = (_, edge) =>
        {
            what = edge.ChangeType;
            seen.Set();
        };
        AddCallbackForPinValueChangedEvent(pinNumber, eventTypes, onEdge);
        try
        {
            seen.Wait(cancellationToken);
            return new WaitForEventResult { EventTypes = what };
        }
        catch (OperationCanceledException)
        {
            return new WaitForEventResult { TimedOut = true };
        }
        finally
        {
            RemoveCallbackForPinValueChangedEvent(pinNumber, onEdge);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _link.LevelTold -= OnLevel;
            _link.Edge -= OnEdge;
            _link.Restored -= OpenAgain;
            _link.Dispose();
        }

        base.Dispose(disposing);
    }

    private static string Say(FormattableString request) => request.ToString(CultureInfo.InvariantCulture);

    /// <summary>Tells the room the mode; the answer is the line's level.</summary>
    private void ApplyMode(int pin)
    {
        string mode;
        lock (_gate)
        {
            _open[pin].Known = false;
            mode = _open[pin].Mode switch
            {
                PinMode.Output => _open[pin].High ? "out 1" : "out 0",
                PinMode.InputPullUp => "in up",
                PinMode.InputPullDown => "in down",
                _ => "in none",
            };
        }

        var level = _link.Request(Say($"mode {pin} ") + mode) == "1";
        lock (_gate)
        {
            if (!_open[pin].Known) (_open[pin].High, _open[pin].Known) = (level, true); // Else an edge was newer.
        }
    }

    private void OnLevel(int pin, bool high)
    {
        lock (_gate)
        {
            if (_open.TryGetValue(pin, out var line) && line.Mode != PinMode.Output) (line.High, line.Known) = (high, true);
        }
    }

    private void OnEdge(RoomEdge edge)
    {
        var kind = edge.High ? PinEventTypes.Rising : PinEventTypes.Falling;
        (PinEventTypes, PinChangeEventHandler Callback)[] callbacks;
        lock (_gate)
        {
            if (!_open.TryGetValue(edge.Line, out var line)) return;
            callbacks = [.. line.Callbacks.Where(it => it.Kinds.HasFlag(kind))];
        }

        foreach (var (_, callback) in callbacks) callback(this, new StampedEdgeEventArgs(kind, edge.Line, edge.Wire, edge.Count));
    }

    /// <summary>A new room knows no line of ours: outputs first, each at the level that was asked for last.</summary>
    private void OpenAgain()
    {
        int[] pins;
        lock (_gate)
        {
            foreach (var line in _open.Values) line.Known = line.Mode == PinMode.Output;
            pins = [.. _open.OrderBy(it => it.Value.Mode != PinMode.Output).Select(it => it.Key)];
        }

        try
        {
            foreach (var pin in pins)
            {
                _link.Request(Say($"open {pin}"));
                ApplyMode(pin);
            }
        }
        catch (Exception failure) when (failure is IOException or KeyNotFoundException)
        {
            // Gone again, or closed meanwhile: the next return of the room, or nobody, opens the rest.
        }
    }

    private sealed class Line
    {
        public PinMode Mode { get; set; } = PinMode.Input;

        public bool High { get; set; }

        /// <summary>The room that answers now has told this line's level.</summary>
        public bool Known { get; set; }

        public List<(PinEventTypes Kinds, PinChangeEventHandler Callback)> Callbacks { get; } = [];
    }
}
