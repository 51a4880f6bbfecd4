using System.Globalization;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Doors;
using PhysSec.Core.Wire;

namespace PhysSec.Node.Control;

/// <summary>What is ordered of a door beyond one passage, what calls at it in an emergency, and what of both outlives a restart.</summary>
internal sealed partial class DoorControl
{
    private static readonly TimeSpan _overrideMin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _overrideMax = TimeSpan.FromDays(1);

    private readonly Dictionary<string, (EmergencySignal Signal, bool? Active)> _emergencies =
        emergencies.ToDictionary(it => it.Device, it => (SignalOf(it.Role), (bool?)null));

    private Order? _override;
    private OverrideMemory? _waits; // What stood unlocked before the restart, until nothing that was not seen yet stands against it.
    private string? _outputFault;
    private bool _obeys; // Although _outputFault still stands.
    private TimeSpan _freedAgain = TimeSpan.MinValue / 2;
    private bool _started;

    /// <summary>Who ordered what, why and for how long.</summary>
    private sealed record Order(string Owner, string Reason, double? Seconds = null, DateTimeOffset? Until = null);

    /// <summary>The door as the last run left it: locked, and then what is still in force of what was ordered and what has called.</summary>
    internal void Start(StepContext step, AlarmBoard alarms)
    {
        Advance(step, alarms, new DoorEvent.Started(), "start");
        Advance(step, alarms, new DoorEvent.LockdownOrdered(InLockdown(step)), "restart");
        if (memory?.Emergency is { } emergency)
        {
            var seen = _emergencies.Values.Aggregate(EmergencySignals.None, (sum, it) => sum | ModeRules.Flag(it.Signal)); // A contact that is gone from the board calls no more.
            Advance(step, alarms, new DoorEvent.Resumed(emergency.Unconfirmed, emergency.Freeing, emergency.Unconfirmed & seen, emergency.Unbadged), "restart");
        }

        if (memory?.Override is { } kept) Inherit(step, alarms, kept);
        _started = true;
        ShowEmergency(step, alarms);
    }

    /// <summary>The policy or a command may say lockdown; it takes both to end it.</summary>
    internal void PolicyChanged(StepContext step, AlarmBoard alarms)
    {
        _changed = true;
        if (InLockdown(step)) GiveUp(step);
        Advance(step, alarms, new DoorEvent.LockdownOrdered(InLockdown(step)), "policy");
    }

    internal void Lockdown(StepContext step, AlarmBoard alarms, bool on, Command command)
    {
        _lockdown = on;
        (_changed, step.Remember) = (true, true);
        if (on) GiveUp(step); // For good, as any unlocking.
        Advance(step, alarms, new DoorEvent.LockdownOrdered(InLockdown(step)), "command", new(command.Actor, command.Reason));
    }

    /// <summary>A timed override, or its end. Null: done. Otherwise why not.</summary>
    internal string? Override(StepContext step, AlarmBoard alarms, Command command)
    {
        DoorMode? wanted = command.Arguments.GetValueOrDefault("mode") switch
        {
            DoorModes.Normal => DoorMode.Normal,
            DoorModes.Unlocked => DoorMode.Unlocked,
            DoorModes.Blocked => DoorMode.Blocked,
            _ => null,
        };
        if (wanted is not { } mode) return $"mode is missing; say {DoorModes.Unlocked}, {DoorModes.Blocked} or {DoorModes.Normal}";
        if (string.IsNullOrWhiteSpace(command.Actor) || string.IsNullOrWhiteSpace(command.Reason)) return "an override needs its owner and a reason";
        if (mode == DoorMode.Normal)
        {
            GiveUp(step);
            Advance(step, alarms, new DoorEvent.OverrideOrdered(mode, default), "command", new(command.Actor, command.Reason));
            return null;
        }

        if (!double.TryParse(command.Arguments.GetValueOrDefault("seconds"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || seconds < _overrideMin.TotalSeconds || seconds > _overrideMax.TotalSeconds)
        {
            return string.Create(CultureInfo.InvariantCulture, $"seconds is missing; say how long, {_overrideMin.TotalSeconds} to {_overrideMax.TotalSeconds}");
        }

        if (mode == DoorMode.Unlocked)
        {
            if (Why(step, Around(step)) is { } held) return held;
            if (!step.JournalHealthy && !EvenUnrecorded(step)) return "the journal cannot record the override; repair it, or use the key";
        }

        GiveUp(step);
        Begin(step, alarms, mode, TimeSpan.FromSeconds(seconds), new(command.Actor, command.Reason, seconds, step.SiteTime?.AddSeconds(seconds)), "command");
        return null;
    }

    /// <summary>A person has looked. Null: done. Otherwise why not.</summary>
    internal string? ConfirmRelease(StepContext step, AlarmBoard alarms, Command command)
    {
        if (_status.Unconfirmed == EmergencySignals.None) return $"nothing waits for a confirmation at door {Id}";
        if (_status.Calling != EmergencySignals.None)
            return $"{string.Join(", ", ModeRules.List(_status.Calling).Select(Word))} has not been seen reset at door {Id}; reset it first";
        Advance(step, alarms, new DoorEvent.Confirmed(), "confirmed", new(command.Actor, command.Reason));
        return null;
    }

    /// <summary>One of the contacts that concern this door; several of a kind call together.</summary>
    internal void Emergency(StepContext step, AlarmBoard alarms, string device, EmergencySignal signal, bool? active)
    {
        var before = Together(signal);
        _emergencies[device] = (signal, active);
        var now = Together(signal);
        if (now == before && now is not null) return;
        var called = _status.Calling;
        if (now is true) GiveUp(step); // What comes after an emergency is a person's to say.
        Advance(step, alarms, new DoorEvent.Signalled(signal, now), Word(signal));
        if (called == _status.Calling && now is not true) return;
        step.Remember = true;
        step.Record(new EmergencySignalled(Id, signal, now is true, _status.LockReleased));
    }

    /// <summary>Bolt or bond: true = they hold.</summary>
    internal void Feedback(StepContext step, AlarmBoard alarms, bool? secured) => Advance(step, alarms, new DoorEvent.BoltSeen(secured), "contact");

    /// <summary>The guard service was armed or disarmed. Nobody could free a door for so long while it is armed: what was ordered before ends.</summary>
    internal void GuardChanged(StepContext step, AlarmBoard alarms)
    {
        _changed = true;
        if (guard.Armed is not true)
        {
            LookAgain(step, alarms);
            return;
        }

        GiveUp(step);
        if (_status.Override == DoorMode.Unlocked) Advance(step, alarms, new DoorEvent.OverrideOrdered(DoorMode.Normal, default), "guard");
    }

    /// <summary>Somebody leaves through another door of the mantrap: an entry that has not begun waits.</summary>
    internal void GiveWay(StepContext step, AlarmBoard alarms) => Advance(step, alarms, new DoorEvent.Withdrawn(), "interlock");

    internal static EmergencySignal SignalOf(ContactRole role) => role switch
    {
        ContactRole.BreakGlass => EmergencySignal.BreakGlass,
        ContactRole.SeismicRelease => EmergencySignal.Seismic,
        _ => EmergencySignal.Fire,
    };

    // What holds entry beside a lockdown, in the order of the reasons.
    private DenialReason? Held(StepContext step) => _status.Override == DoorMode.Blocked ? DenialReason.DoorBlocked : Around(step);

    private DenialReason? Around(StepContext step) =>
        mantraps.HoldEntry(step, this) ? DenialReason.Interlocked
        : guard.Armed is true ? DenialReason.GuardArmed
        : null;

    private string? Why(StepContext step, DenialReason? held) => InLockdown(step) ? $"door {Id} is in lockdown; end the lockdown first" : held switch
    {
        DenialReason.DoorBlocked => $"entry at door {Id} is blocked; end that override first",
        DenialReason.Interlocked => $"another door of the interlock of door {Id} is free or open",
        DenialReason.GuardArmed => "the guard service is armed; disarm it first",
        _ => null,
    };

    private void Begin(StepContext step, AlarmBoard alarms, DoorMode mode, TimeSpan time, Order order, string by)
    {
        _override = order;
        step.Remember = true;
        Advance(step, alarms, new DoorEvent.OverrideOrdered(mode, time), by, order);
    }

    // SECURE-BY-DEFAULT: within the same boot of the machine the time left is known. Otherwise a door that stood free stays locked, and one that was blocked is blocked for its whole time again.
    private void Inherit(StepContext step, AlarmBoard alarms, OverrideMemory kept)
    {
        var known = kept.Boot is not null && kept.Boot == boot && kept.Until - step.Uptime.TotalSeconds <= kept.Seconds;
        var left = known ? kept.Until - step.Uptime.TotalSeconds : kept.Mode == DoorMode.Blocked ? kept.Seconds : 0;
        var goesOn = left > 0 && (kept.Mode == DoorMode.Blocked || !(_status.Lockdown || _status.Unconfirmed != EmergencySignals.None));
        if (goesOn && (kept.Mode == DoorMode.Blocked || IsClear(step)))
        {
            Resume(step, alarms, kept, left);
            return;
        }

        if (goesOn) (_waits, step.Remember) = (kept with { Waits = true }, true); // Whether the guard service is armed, and whether the other door of the mantrap is shut, is seen in a moment.
        if (!kept.Waits) step.Record(new DoorModeChanged(Id, kept.Mode, _status.Mode, known && left <= 0 ? "timer" : "restart", kept.Owner, kept.Reason));
    }

    private void LookAgain(StepContext step, AlarmBoard alarms)
    {
        if (_waits is not { } kept) return;
        var left = kept.Until - step.Uptime.TotalSeconds;
        if (left <= 0) GiveUp(step);
        else if (IsClear(step) && (step.JournalHealthy || EvenUnrecorded(step))) Resume(step, alarms, kept, left);
    }

    private bool IsClear(StepContext step) => guard.Armed is not true && mantraps.IsQuiet(step, this);

    private void Resume(StepContext step, AlarmBoard alarms, OverrideMemory kept, double left)
    {
        _waits = null;
        Begin(step, alarms, kept.Mode, TimeSpan.FromSeconds(left), new(kept.Owner, kept.Reason, Math.Round(left, 3), step.SiteTime?.AddSeconds(left)), "restart");
    }

    // That it ended was recorded when the restart interrupted it.
    private void GiveUp(StepContext step)
    {
        if (_waits is null) return;
        (_waits, _changed, step.Remember) = (null, true, true);
    }

    private OverrideMemory? KeptOverride() => _override is { Seconds: { } seconds } order && _status.OverrideUntil is { } until
        ? new(_status.Override, order.Owner, order.Reason, boot, until.TotalSeconds, seconds)
        : _waits;

    private LiveOverride? ShownOverride(StepContext step) => _override is { } order && _status.Override != DoorMode.Normal
        ? new(DoorModes.Word(_status.Override), order.Owner, order.Reason, order.Until)
        : _waits is { } kept ? new(DoorModes.Word(kept.Mode), kept.Owner, kept.Reason, step.SiteTime?.AddSeconds(kept.Until - step.Uptime.TotalSeconds), Waits: true) : null;

    private void ModeChanged(StepContext step, DoorStatus before, DoorStatus after, string by, Order? order)
    {
        step.Remember = true;
        var free = before.StandsFree && !after.StandsFree ? before.Unbadged : (int?)null;
        order ??= _override is not null && (before.Mode == before.Override || after.Mode == after.Override) ? _override with { Seconds = null, Until = null } : null;
        step.Record(new DoorModeChanged(Id, before.Mode, after.Mode, by, order?.Owner, order?.Reason, order?.Until, order?.Seconds, free));
    }

    private void ShowEmergency(StepContext step, AlarmBoard alarms)
    {
        if (!_started) return; // What a restart has inherited must not end in between.
        var freeing = _status.Freeing;
        alarms.Hold(step, freeing.HasFlag(EmergencySignals.Fire), AlarmClasses.FireRelease, Id.Value);
        alarms.Hold(step, freeing.HasFlag(EmergencySignals.BreakGlass), AlarmClasses.BreakGlass, Id.Value);
        alarms.Hold(step, freeing.HasFlag(EmergencySignals.Seismic), AlarmClasses.SeismicRelease, Id.Value);
        var waiting = _status.Withheld ? string.Join(", ", ModeRules.List(_status.Unconfirmed).Select(Word)) : null;
        alarms.Hold(step, waiting is not null, AlarmClasses.ReleaseWithheld, Id.Value, waiting);
    }

    private void ShowLockFault(StepContext step, AlarmBoard alarms)
    {
        var fault = _outputFault ?? (!_status.LockDisagrees ? null
            : _status.LockReleased ? "bolt or bond hold although the lock is released" : "bolt or bond do not hold although the lock is locked");
        alarms.Hold(step, fault is not null, AlarmClasses.LockFault, Id.Value, fault);
    }

    private bool? Together(EmergencySignal signal)
    {
        var all = _emergencies.Values.Where(it => it.Signal == signal).Select(it => it.Active).ToList();
        return all.Contains(true) ? true : all.Contains(null) ? null : false;
    }

    private static string Word(EmergencySignal signal) => signal switch
    {
        EmergencySignal.Fire => "fire",
        EmergencySignal.BreakGlass => "break-glass",
        EmergencySignal.Seismic => "seismic",
    };
}
