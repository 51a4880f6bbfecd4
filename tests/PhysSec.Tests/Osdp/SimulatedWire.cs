using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;

namespace PhysSec.Tests.Osdp;

/// <summary>The control side and simulated readers on one wire in simulated time: bytes need the time that they need at the line's speed, and a control unit can be killed at any event.</summary>
internal sealed class SimulatedWire : IDisposable
{
    private const int BitsPerByte = 10;
    private static readonly TimeSpan _turnRound = TimeSpan.FromMilliseconds(2);

    private readonly int _baud;
    private readonly Random _random;
    private readonly Dictionary<byte, OsdpReaderMemory> _disk = [];
    private OsdpBus? _control;
    private byte[] _coming = [];
    private TimeSpan _comesAt;

    public SimulatedWire(int seed, int baud, params PeripheralSettings[] readers)
    {
        (_random, _baud) = (new Random(seed), baud);
        Readers = new PeripheralBus(readers, it => _random.NextBytes(it));
        foreach (var it in readers) _disk[it.Address] = new(new(it.Key, null), null);
    }

    public PeripheralBus Readers { get; }

    public OsdpBus Control => _control!;

    public TimeSpan Now { get; private set; } = TimeSpan.FromSeconds(1);

    public List<OsdpEvent> Events { get; } = [];

    /// <summary>Return true at an event: the control unit dies there and then, before what the event asks for is done.</summary>
    public Predicate<OsdpEvent>? DiesAt { get; set; }

    /// <summary>Gets each frame of the control side; returns true when the control unit dies before it is sent.</summary>
    public Predicate<byte[]>? DiesBeforeSending { get; set; }

    /// <summary>Gets each answer; returns true when it is lost on the wire.</summary>
    public Predicate<byte[]>? LosesAnswer { get; set; }

    public bool IsDead => _control is null;

    public OsdpReaderMemory Disk(byte address) => _disk[address];

    public void Forget(byte address) => _disk[address] = OsdpReaderMemory.None;

    /// <summary>A control unit begins with what is on the disk.</summary>
    public void PowerUp()
    {
        (_coming, DiesAt, DiesBeforeSending) = ([], null, null);
        _control = new OsdpBus(_baud, [.. _disk.Select(it => new OsdpLink(new OsdpLinkSettings(it.Key) { Pin = it.Value.Pin }, it.Value.Keys, _random.NextBytes))]);
    }

    public void Tell(byte address, OsdpLinkInput input) => Take(_control!.Tell(address, input, Now));

    /// <summary>Lets time pass.</summary>
    public void Run(TimeSpan time) => RunUntil(() => false, time);

    /// <summary>Lets time pass until something is so.</summary>
    /// <returns>Whether it became so in time.</returns>
    public bool RunUntil(Func<bool> isSo, TimeSpan within)
    {
        var end = Now + within;
        while (!isSo())
        {
            if (Now >= end || _control is null) return false;
            byte[] received = [];
            if (_coming.Length > 0 && Now >= _comesAt) (received, _coming) = (_coming, []);
            var step = _control.Step(received, Now);
            Take(step.Events);
            if (_control is null) continue;
            if (step.Send.Length > 0) Send(step.Send.ToArray());
            if (_control is null) continue;
            var next = _coming.Length > 0 && _comesAt < step.Next ? _comesAt : step.Next;
            if (next > end) next = end;
            Now = next > Now ? next : Now + TimeSpan.FromTicks(1_000); // What was told may be due at once.
        }

        return true;
    }

    public void Dispose() => _control?.Dispose();

    private void Send(byte[] frame)
    {
        if (DiesBeforeSending?.Invoke(frame) is true)
        {
            Die();
            return;
        }

        var heard = Now + Wire(frame.Length);
        var answer = Readers.Take(frame, heard);
        if (answer.Length == 0 || LosesAnswer?.Invoke(answer) is true) return;
        (_coming, _comesAt) = ([.. _coming, .. answer], heard + _turnRound + Wire(answer.Length));
    }

    private void Take(IReadOnlyList<OsdpEvent> events)
    {
        foreach (var it in events)
        {
            if (_control is null) return;
            Events.Add(it);
            if (DiesAt?.Invoke(it) is true)
            {
                Die();
                return;
            }

            if (it is OsdpEvent.Pinned pinned) _disk[it.Address] = _disk[it.Address] with { Pin = pinned.Pin };
            if (it is not OsdpEvent.KeysChanged keys) continue;
            _disk[it.Address] = new(keys.Keys, keys.ForgetsDevice ? null : _disk[it.Address].Pin);
            Take(_control.Tell(it.Address, new OsdpLinkInput.KeysStored(keys.Keys), Now));
        }
    }

    private void Die()
    {
        _control!.Dispose();
        _control = null;
    }

    private TimeSpan Wire(int bytes) => TimeSpan.FromSeconds((double)bytes * BitsPerByte / _baud);
}
