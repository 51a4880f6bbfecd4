using PhysSec.Core;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;

namespace PhysSec.Node.Control;

/// <summary>
/// The one owner of a node's state. It does no I/O and knows no clock: the same inputs at the same times give the same effects, bit for bit.
/// Not for two threads.
/// </summary>
public sealed class NodeCore
{
    private const string ClockSource = "clock";
    private const string JournalSource = "journal";

    private readonly NodeSetup _setup;
    private readonly AlarmBoard _alarms;
    private readonly ContactBoard _contacts;
    private readonly PointBoard _points;
    private readonly ReaderBoard _readers;
    private readonly ReaderDesk _desk;
    private readonly GuardLink _guard;
    private readonly Mantraps _mantraps = new();
    private readonly FactorDesk _factors;
    private readonly List<DoorControl> _doors;
    private readonly PolicyKeeper _policy = new();
    private ClockQuality _clock;
    private bool _journalHealthy = true;
    private bool _started;
    private TimeSpan _uptime;

    /// <param name="setup">The board, and the policy kept from before.</param>
    /// <param name="memory">What the last run left; null at the very first start.</param>
    public NodeCore(NodeSetup setup, NodeMemory? memory)
    {
        ArgumentNullException.ThrowIfNull(setup);
        _setup = setup;
        _clock = setup.Clock;
        _alarms = new(memory?.Alarms ?? []);
        _factors = new(setup.PinKey, memory?.Guesses, memory?.Codes);
        _contacts = new(setup.Contacts);
        _points = new(setup.Points);
        _guard = new(setup);
        _readers = new(setup.Readers ?? []);
        _desk = new(setup.Readers ?? [], memory?.Readers ?? []);
        _doors = [.. setup.Doors.Select(it => new DoorControl(
            it, memory?.Doors.FirstOrDefault(kept => kept.Door == it.Door),
            it.ExitButton && _alarms.IsActive(AlarmClasses.ExitButtonStuck, it.Door.Value), Emergencies(setup.Contacts, it.Door), _guard, _mantraps, setup.Boot))];
        _mantraps.Doors = _doors;
    }

    /// <summary>Version of the policy in force; 0 when there is none.</summary>
    public long PolicyVersion => _policy.Version;

    /// <summary>Hash of the policy in force; empty when there is none.</summary>
    public string PolicyHash => _policy.Hash;

    /// <summary>Since the hub last confirmed the policy in force; null when that cannot be known.</summary>
    public TimeSpan? PolicyAge(TimeSpan uptime, DateTimeOffset? siteTime) => _policy.Age(uptime, siteTime);

    /// <summary>Takes in one input. The first step also says what the node is after its start.</summary>
    /// <param name="input">What happened.</param>
    /// <param name="uptime">Monotonic; a step back counts as no step.</param>
    /// <param name="siteTime">Null while the clock is unset.</param>
    public Effects Step(Input input, TimeSpan uptime, DateTimeOffset? siteTime)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (_started && uptime < _uptime) uptime = _uptime;
        _uptime = uptime;
        var step = new StepContext(uptime, siteTime, _policy.InForce, PolicyAge(uptime, siteTime), _journalHealthy);
        if (!_started) Start(step);

        foreach (var it in _doors) it.Pass(step, _alarms);
        _factors.Pass(step, _alarms, _doors);
        _contacts.Pass(step, _alarms);
        _points.Pass(step, _alarms);
        _readers.Pass(step, _alarms);
        _desk.Pass(step);
        _alarms.Pass(step);
        Take(step, input);
        _mantraps.Pass(step, _alarms);

        _guard.Show(step, _alarms);
        foreach (var it in _doors) it.Publish(step, _desk);
        _alarms.Show(step);
        return step.Effects(() => new([.. _doors.Select(it => it.Memory)], _alarms.Memory, _factors.Guesses(uptime), _factors.Codes, _desk.Memory));
    }

    private void Take(StepContext step, Input input)
    {
        switch (input)
        {
            case CardRead it when Door(it.Door) is { } door:
                _readers.Card(step, _alarms, it);
                _factors.Card(step, _alarms, door, it);
                break;
            case KeyPressed it when Door(it.Door) is { } door:
                _factors.Key(step, _alarms, door, it);
                break;
            case ReaderFaultSeen it:
                _readers.Fault(step, _alarms, it);
                break;
            case ReaderLinkChanged it:
                _readers.Link(step, _alarms, it);
                _desk.Link(step, it);
                break;
            case ReaderKeptSeen it:
                _desk.Kept(step, _alarms, it);
                break;
            case ReaderKeyMoved it:
                _desk.Moved(it);
                break;
            case ReaderKeyFailed it:
                _desk.Failed(step, it);
                break;
            case ReaderCaseChanged it:
                ReaderBoard.Case(step, _alarms, it);
                break;
            case ReaderAttackSeen it:
                ReaderBoard.Attack(step, _alarms, it);
                break;
            case ContactChanged it:
                Contact(step, it);
                break;
            case LockFaultChanged it:
                Door(it.Door)?.LockFault(step, _alarms, it.Fault, it.On);
                break;
            case Sampled it:
                _points.Take(step, _alarms, it.Samples);
                break;
            case CommandArrived it:
                Command(step, it.Command);
                break;
            case PolicyArrived it:
                Policy(step, it);
                break;
            case PolicyConfirmed it:
                _policy.Confirm(step, it.Version, it.Hash, it.At);
                break;
            case PolicyRejected it:
                step.Record(new PolicyRefused(it.Version, it.Fault));
                break;
            case ClockChanged it:
                Clock(step, it);
                break;
            case MemoryWanted:
                step.Remember = true;
                break;
            case JournalHealthChanged it:
                Journal(step, it);
                break;
            default:
                break; // A tick has done its work above; the link is the shell's; a card of a door that this board has not is nobody's.
        }
    }

    private void Start(StepContext step)
    {
        _started = true;
        step.Remember = true;
        step.Record(new NodeStarted(_setup.Firmware, _setup.Board, _setup.Simulated, _setup.Previous));
        if (_setup.Policy is { } kept) _policy.Start(step, kept);
        _factors.Start(step.Uptime);
        foreach (var it in _doors) it.Start(step, _alarms); // A door starts locked after any crash.
        _contacts.Start(step);
        _readers.Start(step);
        _points.Start(step, _alarms);

        // What was active before and nothing here can end: say so now. The rest ends when its cause is seen to be gone.
        foreach (var (alarmClass, source) in _alarms.All)
            if (!MayLast(alarmClass, source)) _alarms.Clear(step, alarmClass, source, "not there after the restart");
        if (_clock == ClockQuality.Unset) _alarms.Raise(step, AlarmClasses.ClockUnset, ClockSource);
    }

    private bool MayLast(string alarmClass, string source) => alarmClass switch
    {
        AlarmClasses.ClockUnset => _clock == ClockQuality.Unset,
        AlarmClasses.DoorHeld or AlarmClasses.DoorForced or AlarmClasses.LockFault or AlarmClasses.ConfinementSuspected
            or AlarmClasses.FireRelease or AlarmClasses.BreakGlass or AlarmClasses.SeismicRelease or AlarmClasses.ReleaseWithheld => Door(new(source)) is not null,
        AlarmClasses.ExitButtonStuck => _setup.Doors.Any(it => it.Door.Value == source && it.ExitButton),
        _ => _contacts.Owns(alarmClass, source) || _readers.Owns(alarmClass, source) || _points.Owns(alarmClass, source),
    };

    private void Contact(StepContext step, ContactChanged it)
    {
        if (!_contacts.Take(step, _alarms, it)) return;
        switch (it.Role)
        {
            case ContactRole.FireRelease or ContactRole.BreakGlass or ContactRole.SeismicRelease:
                foreach (var each in _doors.Where(each => it.Door is null || each.Id == it.Door)) each.Emergency(step, _alarms, it.Device, DoorControl.SignalOf(it.Role), it.Active);
                return;
            case ContactRole.GuardArmed:
                if (_guard.Take(step, it.Device, it.Active)) _doors.ForEach(each => each.GuardChanged(step, _alarms));
                return;
            default:
                break;
        }

        if (it.Door is not { } id || Door(id) is not { } door) return;
        switch (it.Role)
        {
            case ContactRole.DoorLeaf:
                door.Leaf(step, _alarms, it.Active);
                break;
            case ContactRole.ExitButton:
                door.ExitButton(step, _alarms, it.Active);
                break;
            case ContactRole.DoorTamper:
                if (it.Active is { } open) door.Tampered(open || _contacts.AnySays(it.Role, id)); // What cannot be read does not end it.
                else if (it.Line is LineFault.Cut or LineFault.Shorted or LineFault.Ground or LineFault.ForeignVoltage) door.Tampered(true);
                break;
            case ContactRole.LockFeedback:
                door.Feedback(step, _alarms, _contacts.Secured(id, door.Status.LockReleased));
                break;
            default:
                break;
        }
    }

    private void Policy(StepContext step, PolicyArrived it)
    {
        if (!_policy.Take(step, it)) return;
        _points.PolicyChanged(step, _alarms);
        foreach (var door in _doors) door.PolicyChanged(step, _alarms);
    }

    private void Clock(StepContext step, ClockChanged it)
    {
        if (it.Quality != _clock || Math.Abs(it.StepSeconds) > 1) step.Record(new ClockStepped(it.StepSeconds, _clock, it.Quality));
        _clock = it.Quality;
        if (_clock == ClockQuality.Unset) _alarms.Raise(step, AlarmClasses.ClockUnset, ClockSource);
        else _alarms.Clear(step, AlarmClasses.ClockUnset, ClockSource);
    }

    private void Journal(StepContext step, JournalHealthChanged it)
    {
        (_journalHealthy, step.JournalHealthy) = (it.Healthy, it.Healthy);
        if (it.Healthy)
        {
            _alarms.Clear(step, AlarmClasses.JournalFault, JournalSource);
            return;
        }

        foreach (var door in _doors) door.JournalFailed(step, _alarms);
        _desk.JournalFailed(step);
        _alarms.Raise(step, AlarmClasses.JournalFault, JournalSource, it.Fault);
    }

    private void Command(StepContext step, Command command)
    {
        var fault = Execute(step, command);
        var outcome = fault is null ? "done" : "refused";
        step.Record(new CommandExecuted(command.Verb, command.Nonce, command.Actor, command.Reason, outcome, fault));
        step.Reply(new(command.Nonce, outcome, fault));
    }

    private string? Execute(StepContext step, Command command)
    {
        switch (command.Verb)
        {
            case Verbs.Silence:
                if (!command.Arguments.TryGetValue("alarm", out var alarm)) return "alarm is missing; name the alarm's key";
                return _alarms.Silence(step, alarm) ? null : $"alarm {alarm} is not active at this node";
            case Verbs.Reader:
                return _desk.Execute(step, command);
            case Verbs.Release or Verbs.Lockdown or Verbs.ResetPresence or Verbs.Mode or Verbs.ConfirmRelease:
                break;
            default:
                return $"{command.Verb} is not a verb of this node; use {Verbs.Release}, {Verbs.Lockdown}, {Verbs.Mode}, {Verbs.ConfirmRelease}, {Verbs.Reader}, {Verbs.Silence} or {Verbs.ResetPresence}";
        }

        if (!command.Arguments.TryGetValue("door", out var name)) return "door is missing; name the door";
        if (Door(new(name)) is not { } door) return $"door {name} is not at this node; name one of {string.Join(", ", _doors.Select(it => it.Id))}";
        switch (command.Verb)
        {
            case Verbs.Release:
                return door.Release(step, _alarms);
            case Verbs.ResetPresence:
                door.ResetPresence(step);
                return null;
            case Verbs.Mode:
                return door.Override(step, _alarms, command);
            case Verbs.ConfirmRelease:
                return door.ConfirmRelease(step, _alarms, command);
            default:
                if (!command.Arguments.TryGetValue("on", out var on) || on is not ("true" or "false")) return "on is missing; say true or false";
                door.Lockdown(step, _alarms, on == "true", command);
                return null;
        }
    }

    private static List<ContactSetup> Emergencies(IReadOnlyList<ContactSetup> contacts, DoorId door) =>
        [.. contacts.Where(it => it.Role is ContactRole.FireRelease or ContactRole.BreakGlass or ContactRole.SeismicRelease && (it.Door is null || it.Door == door))];

    private DoorControl? Door(DoorId id) => _doors.Find(it => it.Id == id);
}
