using System.Device.Gpio;

namespace PhysSec.Tests.Hardware;

/// <summary>Lines in memory: the test sets levels and sees what is driven. Edges are delivered on the caller's thread.</summary>
internal sealed class FakeGpioDriver : GpioDriver
{
    private readonly Dictionary<int, bool> _levels = [];
    private readonly Dictionary<int, PinMode> _modes = [];
    private readonly List<(int Pin, PinEventTypes Kinds, PinChangeEventHandler Callback)> _callbacks = [];

    /// <summary>Everything that was driven, in order: (line, high).</summary>
    public List<(int Line, bool High)> Driven { get; } = [];

    /// <summary>Reads and writes fail while it is set.</summary>
    public bool Broken { get; set; }

    /// <summary>So many of the next writes fail.</summary>
    public int BrokenWrites { get; set; }

    public IEnumerable<int> OpenLines => _modes.Keys;

    protected override int PinCount => 28;

    /// <summary>Sets an input's level; an edge is delivered unless it is lost.</summary>
    public void Put(int line, bool high, bool lost = false)
    {
        if (_levels.GetValueOrDefault(line, true) == high) return;
        _levels[line] = high;
        var kind = high ? PinEventTypes.Rising : PinEventTypes.Falling;
        if (lost) return;
        foreach (var it in _callbacks.Where(it => it.Pin == line && it.Kinds.HasFlag(kind)).ToArray())
            it.Callback(this, new PinValueChangedEventArgs(kind, line));
    }

    /// <summary>An edge that carries more than its line and kind; the level is left as it was.</summary>
    public void Deliver(PinValueChangedEventArgs edge)
    {
        foreach (var it in _callbacks.Where(it => it.Pin == edge.PinNumber && it.Kinds.HasFlag(edge.ChangeType)).ToArray()) it.Callback(this, edge);
    }

    protected override void OpenPin(int pinNumber) => _modes.Add(pinNumber, PinMode.Input);

    protected override void ClosePin(int pinNumber) => _modes.Remove(pinNumber);

    protected override void SetPinMode(int pinNumber, PinMode mode) => _modes[pinNumber] = mode;

    protected override void SetPinMode(int pinNumber, PinMode mode, PinValue initialValue)
    {
        _modes[pinNumber] = mode;
        Write(pinNumber, initialValue);
    }

    protected override PinMode GetPinMode(int pinNumber) => _modes[pinNumber];

    protected override bool IsPinModeSupported(int pinNumber, PinMode mode) => true;

    protected override PinValue Read(int pinNumber) =>
        Broken ? throw new IOException("Error 19 (No such device)") : _levels.GetValueOrDefault(pinNumber, true) ? PinValue.High : PinValue.Low;

    protected override void Write(int pinNumber, PinValue value)
    {
        if (Broken || BrokenWrites-- > 0) throw new IOException("Error 19 (No such device)");
        Driven.Add((pinNumber, value == PinValue.High));
    }

    protected override WaitForEventResult WaitForEvent(int pinNumber, PinEventTypes eventTypes, CancellationToken cancellationToken) =>
        throw new NotSupportedException("The drivers use callbacks.");

    protected override void AddCallbackForPinValueChangedEvent(int pinNumber, PinEventTypes eventTypes, PinChangeEventHandler callback) =>
        _callbacks.Add((pinNumber, eventTypes, callback));

    protected override void RemoveCallbackForPinValueChangedEvent(int pinNumber, PinChangeEventHandler callback) =>
        _callbacks.RemoveAll(it => it.Pin == pinNumber && it.Callback == callback);
}
