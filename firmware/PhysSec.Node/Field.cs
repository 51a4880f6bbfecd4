using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Hardware;
using PhysSec.Node.Control;
using PhysSec.Node.Readers;

namespace PhysSec.Node;

/// <summary>
/// The board as the control loop sees it: what happens becomes an input, what is to be done becomes a level on a line. Card numbers become tokens
/// here, in the reader's callback, and go no further. Callbacks only post; none of them waits.
/// </summary>
public sealed class Field
{
    private readonly Board _board;
    private readonly byte[] _siteKey;
    private readonly Action<Input> _post;
    private readonly LockWatch[] _locks;
    private readonly ReaderField _osdp;
    private readonly Dictionary<(DoorId Door, Direction Direction), Indication> _shown = [];
    private long _framesDiscarded;

    /// <param name="board">Open.</param>
    /// <param name="siteKey">32 bytes.</param>
    /// <param name="post">Called on driver threads; never blocks.</param>
    public Field(Board board, byte[] siteKey, Action<Input> post)
    {
        (_board, _siteKey, _post) = (board, siteKey, post);
        var doors = board.Outputs.Select(it => it.Door).Concat(board.Inputs.Select(it => it.Door)).Concat(board.Readers.Select(it => it.Door)).Concat(board.Lines.Select(it => it.Entry.Door))
            .Concat(board.OsdpReaders.Select(it => it.Entry.Door)); // What hangs at a reader is of the reader's door.
        _locks = [.. doors.OfType<string>().Distinct().Select(door =>
            new LockWatch(new(door), [.. board.Outputs.Where(it => it.Role is DeviceRole.Lock or DeviceRole.Relock && it.Door == door)]))];
        _osdp = new(board.OsdpReaders, siteKey, post);
        foreach (var reader in board.Readers) reader.FrameRead += frame => OnFrame(reader, frame);
        foreach (var input in board.Inputs)
        {
            input.Changed += (it, active, _) => OnContact(it, active);
            input.BecameUnknown += (it, _) => OnContact(it, null);
        }

        foreach (var line in board.Lines) line.Changed += OnLine;
        foreach (var input in board.ReaderInputs) input.Changed += OnReaderInput;
    }

    /// <summary>Frames that were no card (noise, faults) since the start.</summary>
    public long FramesDiscarded => Interlocked.Read(ref _framesDiscarded);

    public IReadOnlyList<Sensor> Sensors => _board.Sensors;

    public bool Simulated => _board.Simulated;

    /// <summary>Devices that do not do what they are told, in words.</summary>
    public IReadOnlyList<string> Faults => [.. _board.Outputs.Select(it => it.Fault).OfType<string>(), .. _osdp.Faults];

    /// <summary>Locks that have begun or ceased to obey since the last call; the first call names every door. For the control loop alone.</summary>
    public IReadOnlyList<LockFaultChanged> LockFaultChanges() => [.. _locks.Select(it => it.Look()).OfType<LockFaultChanged>()];

    /// <summary>Lets the readers that are spoken to be spoken to; from here on inputs come from them.</summary>
    public void StartReaders()
    {
        _osdp.PostAll();
        _board.StartReaders();
    }

    /// <summary>Says how every contact stands that has settled since the start; the others follow by themselves.</summary>
    public void PostSettledContacts()
    {
        foreach (var input in _board.Inputs.Where(it => it.Active is not null)) OnContact(input, input.Active);
        PostLines(settledOnly: true);
    }

    /// <summary>Says again how every contact and every reader stands, because inputs were lost.</summary>
    public void PostAll()
    {
        foreach (var input in _board.Inputs) OnContact(input, input.Active);
        PostLines();
        _osdp.PostAll();
    }

    /// <summary>Something is to be done to a reader.</summary>
    public void Carry(ReaderTask task) => _osdp.Carry(task);

    public void Secure(DoorId door)
    {
        Switch(DeviceRole.Lock, door, false);
        Switch(DeviceRole.Relock, door, true); // Only a lock that is driven by pulses has one.
    }

    public void Release(DoorId door)
    {
        Switch(DeviceRole.Relock, door, false);
        Switch(DeviceRole.Lock, door, true);
    }

    /// <summary>A pulse has had its time.</summary>
    public void Rest(DoorId door)
    {
        Switch(DeviceRole.Lock, door, false);
        Switch(DeviceRole.Relock, door, false);
    }

    public void Show(Signal signal)
    {
        switch (signal)
        {
            case LampSignal lamp:
                Switch(DeviceRole.Lamp, null, lamp.On);
                break;
            case SirenSignal siren:
                Switch(DeviceRole.Siren, null, siren.On);
                break;
            case GuardSignal guard:
                Switch(guard.Call ? DeviceRole.GuardCall : DeviceRole.GuardAlarm, null, guard.On);
                break;
            case ReaderSignal reader:
                _osdp.Show(reader);
                _shown[(reader.Door, reader.Direction)] = reader.Indication;
                var shown = _shown.Where(it => it.Key.Door == reader.Door).Select(it => it.Value).ToList(); // Both sides share one light and one tone.
                Switch(DeviceRole.ReaderLed, reader.Door, shown.Contains(Indication.Granted));
                Switch(DeviceRole.ReaderBuzzer, reader.Door, shown.Contains(Indication.Denied) || shown.Contains(Indication.PreAlarm));
                break;
            default:
                throw new ArgumentException($"{signal.GetType().Name} has no device", nameof(signal));
        }
    }

    /// <summary>Everything off: a lock without power stands as its wiring says. Never throws for a device fault.</summary>
    public void MakeSafe()
    {
        foreach (var output in _board.Outputs) output.Set(false);
    }

    /// <summary>Samples one sensor for ever.</summary>
    public async Task SampleAsync(Sensor sensor, TimeProvider clock, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(sensor.Period, clock);
        do
        {
            _post(Read(sensor));
        }
        while (await timer.WaitForNextTickAsync(stop));
    }

    /// <summary>What a device is to the rules; null when it is no contact.</summary>
    public static ContactRole? RoleOf(DeviceRole role) => role switch
    {
        DeviceRole.DoorContact => ContactRole.DoorLeaf,
        DeviceRole.ExitButton => ContactRole.ExitButton,
        DeviceRole.DoorTamper => ContactRole.DoorTamper,
        DeviceRole.EnclosureTamper => ContactRole.EnclosureTamper,
        DeviceRole.MainsPresent => ContactRole.Mains,
        DeviceRole.Leak => ContactRole.Leak,
        DeviceRole.FireRelease => ContactRole.FireRelease,
        DeviceRole.BreakGlass => ContactRole.BreakGlass,
        DeviceRole.SeismicRelease => ContactRole.SeismicRelease,
        DeviceRole.BoltFeedback or DeviceRole.BondFeedback => ContactRole.LockFeedback,
        DeviceRole.GuardArmed => ContactRole.GuardArmed,
        _ => null,
    };

    private static Sampled Read(Sensor sensor)
    {
        var units = sensor.Points.ToDictionary(it => it.Id, it => it.Unit, StringComparer.Ordinal);
        return new([.. sensor.Sample().Select(it => new Sample(
            new(it.Point), it.Value, units[it.Point], it.Fault == SensorFault.None ? null : it.Fault.ToString()))]);
    }

    private void OnFrame(WiegandReader reader, ReaderFrame frame)
    {
        var direction = reader.Role == DeviceRole.ExitReader ? Direction.Out : Direction.In;
        var door = new DoorId(reader.Door!);
        if (frame.Card is { } card)
        {
            _post(new CardRead(door, direction, CredentialTokens.Of(_siteKey, card.Length, card.Value)));
            return;
        }

        if (frame.PinKey is { } key)
        {
            if (key is >= 0 and <= KeyPressed.Hash) _post(new KeyPressed(door, direction, key));
            return; // Function keys beyond # mean nothing here.
        }

        Interlocked.Increment(ref _framesDiscarded);
        _post(new ReaderFaultSeen(door, direction, frame.Fault.ToString(), 0));
    }

    private void OnContact(ContactInput input, bool? active)
    {
        if (RoleOf(input.Role) is { } role) _post(new ContactChanged(input.Id, role, input.Door is { } door ? new DoorId(door) : null, active));
    }

    private void PostLines(bool settledOnly = false)
    {
        foreach (var line in _board.Lines)
            if (line.State is { } state) OnLine(line, state);
        foreach (var input in _board.ReaderInputs.Where(it => !settledOnly || it.State is not null)) OnReaderInput(input, input.State);
    }

    private void OnLine(SupervisedInput line, LineState state)
    {
        if (RoleOf(line.Entry.Role) is { } role)
            _post(new ContactChanged(line.Entry.Id, role, line.Entry.Door is { } door ? new DoorId(door) : null, line.ActiveIn(state), FaultOf(state)));
    }

    private static LineFault? FaultOf(LineState state) => state switch
    {
        LineState.Closed or LineState.Open => null,
        LineState.Cut => LineFault.Cut,
        LineState.Shorted => LineFault.Shorted,
        LineState.Ground => LineFault.Ground,
        LineState.ForeignVoltage => LineFault.ForeignVoltage,
        LineState.OutOfBand => LineFault.OutOfBand,
        LineState.Unreadable => LineFault.Unreadable,
    };

    private void OnReaderInput(ReaderInput input, OsdpInput? state)
    {
        if (RoleOf(input.Entry.Role) is { } role) _post(new ContactChanged(input.Entry.Id, role, new DoorId(input.Entry.Door!), input.ActiveIn(state), state is { } said ? FaultOf(said) : null));
    }

    private static LineFault? FaultOf(OsdpInput state) => state switch
    {
        OsdpInput.Inactive or OsdpInput.Active => null,
        OsdpInput.ShortCircuit => LineFault.Shorted,
        OsdpInput.OpenCircuit => LineFault.Cut,
        OsdpInput.Fault => LineFault.OutOfBand,
        OsdpInput.Unknown => LineFault.Unreadable,
    };

    private void Switch(DeviceRole role, DoorId? door, bool on)
    {
        foreach (var output in _board.Outputs.Where(it => it.Role == role && it.Door == door?.Value)) output.Set(on);
    }
}
