using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Doors;
using PhysSec.Core.Presence;
using PhysSec.Core.Wire;

namespace PhysSec.Node.Control;

/// <summary>One door: its readers, button, contact and lock, and who is inside.</summary>
/// <param name="description">What hangs on it.</param>
/// <param name="memory">What the last run left.</param>
/// <param name="buttonStuck">The exit button was stuck when the last run ended; only a button seen let go ends that.</param>
/// <param name="emergencies">The fire, break-glass and seismic contacts that concern it.</param>
/// <param name="guard">The guard service.</param>
/// <param name="mantraps">The interlocks it may be part of.</param>
/// <param name="boot">The machine's boot; null when it is not known.</param>
internal sealed partial class DoorControl(
    DoorDescription description, DoorMemory? memory, bool buttonStuck, IReadOnlyList<ContactSetup> emergencies, GuardLink guard, Mantraps mantraps, string? boot)
{
    private static readonly TimeSpan _flash = TimeSpan.FromSeconds(2), _freeAgainEvery = TimeSpan.FromMinutes(1);

    private readonly Dictionary<Direction, (Indication Shown, Indication Flash, TimeSpan Until)> _readers = [];
    private DoorStatus _status = DoorStatus.Start with { Lock = description.Lock ?? default, ExitButtonHeld = buttonStuck, ExitButtonStuck = buttonStuck };
    private RoomPresence _presence = memory is null ? RoomPresence.Empty : RoomPresence.From(memory.Inside, memory.LeftUnidentified, memory.EnteredUnidentified);
    private bool _lockdown = memory?.Lockdown ?? false;
    private bool _tampered;
    private bool _more;
    private bool _missed; // The output did not take the release under way, and obeys again: it is as locked as before.
    private bool _changed = true;
    private LastDecision? _last;

    internal DoorId Id { get; } = description.Door;

    internal DoorStatus Status => _status;

    internal DoorMemory Memory => new(
        Id, _lockdown, _presence.Persons, _presence.LeftUnidentified, _presence.EnteredUnidentified, KeptOverride(),
        _status.Unconfirmed == EmergencySignals.None ? null : new(_status.Unconfirmed, _status.Freeing, _status.Unbadged));

    /// <summary>Deadlines come before whatever happens in the same step.</summary>
    internal void Pass(StepContext step, AlarmBoard alarms)
    {
        LookAgain(step, alarms);
        Advance(step, alarms, new DoorEvent.Tick(), "timer");
        if (_obeys && (!_status.StandsFree || step.Uptime >= _freedAgain + _freeAgainEvery)) LockFault(step, alarms, null, on: true);
    }

    /// <summary>What the rules say of it now; nothing happens yet.</summary>
    internal AccessDecision Decide(StepContext step, AccessRequest request) =>
        AccessRules.Decide(request, step.Policy, step.PolicyAge, step.SiteTime, _lockdown, step.JournalHealthy, Held(step));

    /// <param name="step">The step.</param>
    /// <param name="alarms">For what a card tells besides.</param>
    /// <param name="it">What was presented.</param>
    /// <param name="granted">What <see cref="Decide"/> said of it.</param>
    /// <param name="companion">Whose card came with it, where two were needed.</param>
    internal void Grant(StepContext step, AlarmBoard alarms, AccessRequest it, AccessDecision.Granted granted, PersonId? companion)
    {
        step.Record(new AccessGranted(
            Id, it.Direction, it.Credential, granted.Person, granted.Right?.Id, step.Policy?.Policy.Version ?? 0, step.Policy?.Hash ?? "", step.PolicyAge?.TotalSeconds,
            granted.Rule, granted.Assurance, granted.Right?.Purpose, Factors: it.Shown, Companion: companion));
        Decided("granted", null, granted.Person, it.Direction, step);
        Watch(step, alarms, it);
        Flash(it.Direction, Indication.Granted, step);
        Advance(
            step, alarms, new DoorEvent.Granted(it.Direction, granted.Person, granted.Extended),
            it.Direction == Direction.In ? "credential" : "exit-badge");
    }

    internal void Refuse(StepContext step, AlarmBoard alarms, AccessRequest it, AccessDecision.Denied denied)
    {
        step.Record(new AccessDenied(
            Id, it.Direction, it.Credential.Value.Length == 0 ? null : it.Credential, denied.Person, denied.Reason, (int)denied.Reason, denied.WouldAllow,
            step.Policy?.Policy.Version ?? 0, step.Policy?.Hash ?? "", step.PolicyAge?.TotalSeconds));
        Decided("denied", denied.Reason.ToString(), denied.Person, it.Direction, step);
        Watch(step, alarms, it);
        Flash(it.Direction, Indication.Denied, step);
    }

    /// <summary>Something else is awaited at the entry reader, or no longer.</summary>
    internal void Await(bool more) => _more = more;

    internal void Leaf(StepContext step, AlarmBoard alarms, bool? open)
    {
        if (open is false)
        {
            // Also what a restart has inherited: the leaf is shut, so neither holds any more.
            alarms.Clear(step, AlarmClasses.DoorHeld, Id.Value);
            alarms.Clear(step, AlarmClasses.DoorForced, Id.Value);
        }

        if (open is true) alarms.Clear(step, AlarmClasses.ConfinementSuspected, Id.Value); // Whoever was shut in before a restart has a way out.

        _changed |= _status.LeafOpen != open;
        var what = open switch { true => (DoorEvent)new DoorEvent.LeafOpened(), false => new DoorEvent.LeafClosed(), null => new DoorEvent.LeafUnknown() };
        Advance(step, alarms, what, _status.LeafSeen ? "contact" : "start");
    }

    internal void ExitButton(StepContext step, AlarmBoard alarms, bool? pressed)
    {
        if (pressed is not true)
        {
            Advance(step, alarms, pressed is null ? new DoorEvent.ExitUnknown() : new DoorEvent.ExitReleased(), "exit-button");
            return;
        }

        step.Record(new ExitRequested(Id, _presence.Inside));

        // With the leaf open whoever pressed may stand in the doorway, already counted out; where people came in without a badge they leave without one.
        if (_presence.IsEmpty && _status.LeafOpen is not true && !_status.StandsFree && _status.Unbadged == 0)
            alarms.RaiseFor(step, AlarmBoard.MomentaryFor, AlarmClasses.ExitInEmptyRoom, Id.Value, null);
        Advance(step, alarms, new DoorEvent.ExitPressed(!_presence.IsEmpty), "exit-button");
    }

    /// <summary>What the lock's output does not obey; null: it obeys. On: it stands released.</summary>
    internal void LockFault(StepContext step, AlarmBoard alarms, string? fault, bool on)
    {
        var obeysAgain = _outputFault is not null && fault is null;
        _obeys = obeysAgain && _status.StandsFree && step.Uptime < _freedAgain + _freeAgainEvery;
        if (_obeys) return; // It was given again a moment ago, in vain: until the next time the door does not stand free, and the fault says so.
        _outputFault = fault;
        ShowLockFault(step, alarms);
        if (!obeysAgain) return;

        _missed = !on && _status.LockReleased && !_status.StandsFree && LockTraits.Of(_status.Lock).Pulse is null;

        // A door that stands free is freed again. A pulse that was to lock is over when its output obeys again; it is given anew, so that the bolt is where the door says. A passage is not made up for.
        if (_status.StandsFree) _freedAgain = step.Uptime;
        if (_status.StandsFree || (!_status.LockReleased && LockTraits.Of(_status.Lock).Pulse is not null)) Advance(step, alarms, new DoorEvent.Started(), "lock-fault");
    }

    internal void Tampered(bool tampered)
    {
        _changed |= _tampered != tampered;
        _tampered = tampered;
    }

    /// <summary>Null: done. Otherwise why not.</summary>
    internal string? Release(StepContext step, AlarmBoard alarms)
    {
        if (Why(step, Held(step)) is { } held) return held;
        if (!step.JournalHealthy && !EvenUnrecorded(step)) return "the journal cannot record the release; repair it, or use the key";
        Advance(step, alarms, new DoorEvent.ReleasedByCommand(), "command");
        return null;
    }

    internal void ResetPresence(StepContext step)
    {
        _presence = RoomPresence.Empty;
        (_changed, step.Remember) = (true, true);
    }

    /// <summary>What was to be freed and could not be recorded stays locked; leaving is not touched.</summary>
    internal void JournalFailed(StepContext step, AlarmBoard alarms)
    {
        if (EvenUnrecorded(step)) return;
        GiveUp(step);
        if (_status.Override == DoorMode.Unlocked) Advance(step, alarms, new DoorEvent.OverrideOrdered(DoorMode.Normal, default), "journal");
        var before = _status.Phase;
        Advance(step, alarms, new DoorEvent.Withdrawn(), "timer");
        if (before == DoorPhase.Released && _status.Phase == DoorPhase.Locked) Flash(Direction.In, Indication.Denied, step);
    }

    /// <summary>Signals and the live state, when they changed.</summary>
    internal void Publish(StepContext step, ReaderDesk readers)
    {
        if (description.EntryReader) Signal(step, Direction.In);
        if (description.ExitReader) Signal(step, Direction.Out);
        if (!(readers.TakeNews(Id) | _changed)) return;
        _changed = false;
        step.Publish(
            new(Id.Value + Topics.DoorSuffix),
            new DoorLive(
                _status.Phase.ToString(), _status.LockReleased, _status.LeafOpen, _tampered, DoorModes.Word(_status.Mode), _presence.Inside,
                _presence.LeftUnidentified, _last, _presence.Persons, ShownOverride(step), ModeRules.List(_status.Calling),
                _status.Unconfirmed != EmergencySignals.None && _status.Calling == EmergencySignals.None, _status.Unbadged, _status.Secured, guard.Armed, readers.Of(Id)),
            description.Contact && _status.LeafOpen is null ? "unknown" : "good", "");
    }

    private void Advance(StepContext step, AlarmBoard alarms, DoorEvent what, string by, Order? order = null)
    {
        var before = _status;
        var (after, notices) = DoorMachine.Step(before, what, Times(step), step.Uptime);
        _status = after;
        _changed |= Seen(before) != Seen(after);
        if (before.Mode != after.Mode) ModeChanged(step, before, after, by, order);
        if (before.Phase != after.Phase) step.Record(new DoorChanged(Id, before.Phase, after.Phase, by));
        foreach (var it in notices) Announce(step, alarms, it);
        if (after.Override == DoorMode.Normal) _override = null;
        if (Kept(before) == Kept(after)) return;
        step.Remember = true;
        ShowEmergency(step, alarms);
    }

    // What a restart must know of it.
    private static (DoorMode, TimeSpan?, EmergencySignals, EmergencySignals, bool) Kept(DoorStatus it) =>
        (it.Override, it.OverrideUntil, it.Unconfirmed, it.Freeing, it.Withheld);

    // What the live picture shows of it.
    private static (DoorPhase, bool, DoorMode, DoorMode, EmergencySignals, EmergencySignals, int, bool?) Seen(DoorStatus it) =>
        (it.Phase, it.LockReleased, it.Mode, it.Override, it.Calling, it.Unconfirmed, it.Unbadged, it.Secured);

    private void Announce(StepContext step, AlarmBoard alarms, DoorNotice notice)
    {
        switch (notice)
        {
            case DoorNotice.ReleaseNow:
                // EGRESS before RECORDED: a release that somebody inside asked for does not wait for the disk, and an emergency does not either.
                _missed = false;
                step.Release(Id, EvenUnrecorded(step) || _status.Freeing != EmergencySignals.None || _status.Pending.Any(it => it.Direction == Direction.Out));
                break;
            case DoorNotice.LockNow:
                _missed = false;
                step.Secure(Id);
                break;
            case DoorNotice.CoilOff:
                step.Rest(Id);
                break;
            case DoorNotice.UnbadgedPassage it:
                step.Remember = true; // The count.
                step.Record(new UnbadgedPassage(Id, _status.Mode, it.Count));
                break;
            case DoorNotice.Passage it:
                _presence = it.Direction == Direction.In ? _presence.Entered(it.Person) : _presence.Left(it.Person);
                (_changed, step.Remember) = (true, true);
                step.Record(new Passage(Id, it.Direction, it.Person, _presence.Inside));
                break;
            case DoorNotice.NoPassage it:
                step.Record(new NoPassage(Id, it.Direction, it.Person));
                break;
            case DoorNotice.Forced:
                alarms.Raise(step, AlarmClasses.DoorForced, Id.Value);
                break;
            case DoorNotice.Held:
                alarms.Raise(step, AlarmClasses.DoorHeld, Id.Value, limit: Times(step).Open.TotalSeconds, unit: "s");
                break;
            case DoorNotice.ForcedCleared:
                alarms.Clear(step, AlarmClasses.DoorForced, Id.Value);
                break;
            case DoorNotice.HeldCleared:
                alarms.Clear(step, AlarmClasses.DoorHeld, Id.Value);
                break;
            case DoorNotice.ButtonStuck:
                alarms.Raise(step, AlarmClasses.ExitButtonStuck, Id.Value, limit: DoorMachine.ButtonStuckAfter.TotalSeconds, unit: "s");
                break;
            case DoorNotice.ButtonStuckCleared:
                alarms.Clear(step, AlarmClasses.ExitButtonStuck, Id.Value);
                break;
            case DoorNotice.ConfinementSuspected:
                alarms.Raise(step, AlarmClasses.ConfinementSuspected, Id.Value, limit: Times(step).Confinement.TotalSeconds, unit: "s");
                break;
            case DoorNotice.ConfinementCleared:
                alarms.Clear(step, AlarmClasses.ConfinementSuspected, Id.Value);
                break;
            case DoorNotice.Ajar or DoorNotice.AjarCleared:
                alarms.Hold(step, notice is DoorNotice.Ajar, AlarmClasses.DoorAjar, Id.Value);
                break;
            case DoorNotice.LockDisagrees or DoorNotice.LockAgrees:
                ShowLockFault(step, alarms);
                break;
            case DoorNotice.PreAlarm or DoorNotice.PreAlarmCleared:
                break; // Shown at the readers: see Signal.
            default:
                throw new InvalidOperationException($"{notice} is not announced; add it here");
        }
    }

    // Not a rule against the person at the door, but for whoever must look: a card that should not be here at all.
    private void Watch(StepContext step, AlarmBoard alarms, AccessRequest it)
    {
        if (step.Policy is null || !step.Policy.Credentials.TryGetValue(it.Credential, out var credential)) return;
        var how = it.Direction == Direction.In ? "presented to enter" : "used to leave";
        if (credential.State == CredentialState.Lost)
            alarms.RaiseFor(step, AlarmBoard.MomentaryFor, AlarmClasses.LostCard, Id.Value, $"lost card of {credential.Person} {how}");
        if (credential.State == CredentialState.Revoked && it.Direction == Direction.Out)
            alarms.RaiseFor(step, AlarmBoard.MomentaryFor, AlarmClasses.LostCard, Id.Value, $"revoked card of {credential.Person} {how}");
    }

    private void Decided(string outcome, string? reason, PersonId? person, Direction direction, StepContext step)
    {
        _last = new(outcome, reason, person, direction.ToString(), step.SiteTime);
        _changed = true;
    }

    // SAY-LITTLE-OUTSIDE: one light and one tone, whatever the reason; a second card within the flash gets its own.
    private void Flash(Direction direction, Indication indication, StepContext step) =>
        _readers[direction] = (Indication.Idle, indication, step.Uptime + _flash);

    private void Signal(StepContext step, Direction direction)
    {
        _readers.TryGetValue(direction, out var reader);
        var show = step.Uptime < reader.Until ? reader.Flash
            : _status.Phase is DoorPhase.PreAlarm or DoorPhase.HeldOpen ? Indication.PreAlarm
            : _status.LockReleased ? Indication.Granted
            : _more && direction == Direction.In ? Indication.More
            : Indication.Idle;
        if (show == Indication.Granted && (_outputFault is not null || _missed)) show = Indication.Fault; // Whoever waits before a lock that does not obey is not told that it is free.
        if (show != reader.Shown) step.Show(new ReaderSignal(Id, direction, show));
        _readers[direction] = reader with { Shown = show };
    }

    private bool InLockdown(StepContext step) =>
        _lockdown || (step.Policy?.Doors.TryGetValue(Id, out var door) == true && door.Lockdown);

    private DoorTimes Times(StepContext step) =>
        step.Policy?.Doors.TryGetValue(Id, out var door) == true ? DoorTimes.From(door) : DoorTimes.Default;

    private bool EvenUnrecorded(StepContext step) =>
        step.Policy?.Doors.TryGetValue(Id, out var door) == true
        && step.Policy.Zones[door.Zone].OnJournalFault == JournalFaultRule.ReleaseWithLocalAlarm;
}
