using PhysSec.Core.Access;
using PhysSec.Core.Doors;

namespace PhysSec.Tests.Doors;

/// <summary>What must hold of every state of a door and of every step between them.</summary>
internal static class DoorLaws
{
    internal const string Egress = "nobody is kept in";
    internal const string Released = "only a grant, an exit request, an emergency or an order frees the lock";
    internal const string Held = "while entry is held only leaving and fire free the lock";
    internal const string Energised = "no output stays energised past its time";
    internal const string Confirmed = "an emergency ends only when its contacts have reset and a person confirms";
    internal const string ByType = "the type of the lock says what an emergency may do";
    internal const string Outputs = "the announced moves of the outputs are their moves";
    internal const string Recorded = "every opening is a passage, one without a badge, or forced";
    internal const string Confined = "who asks again and sees the leaf shut is looked for";
    internal const string Told = "bolt or bond that disagree for long are an alarm";

    // What can go against somebody who has just asked to leave.
    private static readonly DoorEvent[] _against =
    [
        new DoorEvent.LockdownOrdered(true), new DoorEvent.LockdownOrdered(false), new DoorEvent.OverrideOrdered(DoorMode.Blocked, DoorExploration.Late),
        new DoorEvent.OverrideOrdered(DoorMode.Normal, default), new DoorEvent.Withdrawn(), new DoorEvent.Confirmed(), new DoorEvent.Signalled(EmergencySignal.Fire, false),
        new DoorEvent.Granted(Direction.In, new("q"), false), new DoorEvent.ReleasedByCommand(), new DoorEvent.ExitReleased(), new DoorEvent.ExitUnknown(), new DoorEvent.LeafClosed(),
        new DoorEvent.LeafUnknown(), new DoorEvent.BoltSeen(true), new DoorEvent.BoltSeen(null),
    ];

    /// <summary>OfState: it is about the state alone, whatever led to it.</summary>
    internal static IReadOnlyList<(string Name, bool OfState, Func<Walked, bool> Holds)> All { get; } =
    [
        (Egress, true, EgressHolds), (Energised, true, EnergisedHolds), (Released, false, ReleasedHolds), (Held, false, HeldHolds), (Confirmed, false, ConfirmedHolds),
        (ByType, false, ByTypeHolds), (Outputs, false, OutputsHold), (Recorded, false, RecordedHolds), (Confined, false, ConfinedHolds), (Told, false, ToldHolds),
    ];

    private static bool EgressHolds(Walked it)
    {
        var asked = it.Then(it.State, new DoorEvent.ExitPressed());
        if (!asked.Notices.Any(notice => notice is DoorNotice.ReleaseNow)) return false; // Also where the lock should be free: it may not have heard of it.
        var pressed = asked.Status;
        if (!pressed.LockReleased || pressed.Coil != LockCoil.Release) return false;
        if (!it.Then(pressed, new DoorEvent.Tick(), DoorExploration.Times.Release - DoorExploration.Unit).Status.LockReleased) return false;
        if ((it.State.Phase is DoorPhase.Locked or DoorPhase.Released || it.State.LeafOpen is not true) && !it.Then(it.State, new DoorEvent.Granted(Direction.Out, new("p"), false)).Status.LockReleased) return false;
        return Array.TrueForAll(_against, against => it.Then(pressed, against).Status.LockReleased);
    }

    private static bool ReleasedHolds(Walked it)
    {
        var freed = !it.Before.LockReleased && it.State.LockReleased;
        var said = it.Step.Notices.Any(notice => notice is DoorNotice.ReleaseNow);
        if (said && !freed && it.State.EntryHeld && it.What is DoorEvent.Granted { Direction: Direction.In } or DoorEvent.ReleasedByCommand) return false;
        return !(freed || said) || it.What is DoorEvent.Granted or DoorEvent.ExitPressed or DoorEvent.ReleasedByCommand or DoorEvent.OverrideOrdered { Mode: DoorMode.Unlocked }
            or DoorEvent.Signalled { Active: true } or DoorEvent.Resumed;
    }

    private static bool HeldHolds(Walked it) =>
        it.Before.LockReleased || !it.State.LockReleased || !it.Before.EntryHeld || it.After > TimeSpan.Zero
        || it.What is DoorEvent.ExitPressed or DoorEvent.Granted { Direction: Direction.Out }
        || (it.What is DoorEvent.OverrideOrdered { Mode: DoorMode.Unlocked } && !it.Before.Lockdown)
        || it.State.Mode == DoorMode.FireRelease;

    private static bool EnergisedHolds(Walked it)
    {
        var (door, zero) = (it.State, TimeSpan.Zero);
        var reason = door.ReleaseUntil is { } until ? until > zero && until <= DoorExploration.Times.ExtendedRelease
            : door.Mode == DoorMode.Unlocked ? door.OverrideUntil > zero
            : door.Freeing != EmergencySignals.None;
        if (door.LockReleased && !reason) return false;
        var late = it.Then(door, new DoorEvent.Tick(), DoorExploration.Late).Status;
        if (late.LockReleased && late.Freeing == EmergencySignals.None) return false;
        if (LockTraits.Of(door.Lock).Pulse is not { } pulse)
            return door.Coil == (door.LockReleased ? LockCoil.Release : LockCoil.Off) && door.CoilUntil is null && late.Coil == (late.LockReleased ? LockCoil.Release : LockCoil.Off);
        if (door.Coil == LockCoil.Off ? door.CoilUntil is not null : !(door.CoilUntil > zero && door.CoilUntil <= pulse)) return false;
        return it.Then(late, new DoorEvent.Tick(), 2 * DoorExploration.Late).Status.Coil == LockCoil.Off; // The late look may have ended a release: its locking pulse ends as well.
    }

    private static bool ConfirmedHolds(Walked it)
    {
        if (it.What is DoorEvent.Resumed) return true; // Once, at a start.
        var ended = it.Before.Unconfirmed & ~it.State.Unconfirmed;
        if (ended != EmergencySignals.None && !(it.What is DoorEvent.Confirmed && it.Before.Calling == EmergencySignals.None)) return false;
        var fire = (it.State.Freeing & ModeRules.AnyFire) != 0;
        if ((it.Before.Freeing & it.State.Unconfirmed & ModeRules.AnyFire) != 0 && !fire) return false;
        if (fire && it.State.Mode != DoorMode.FireRelease) return false;
        return it.State.Unconfirmed == EmergencySignals.None || it.State.StandsFree || it.State.Withheld; // It is never silent.
    }

    private static bool ByTypeHolds(Walked it)
    {
        var traits = LockTraits.Of(it.State.Lock);
        if (it.What is DoorEvent.Signalled { Signal: EmergencySignal.Fire, Active: true } && traits.OnFire == EmergencyRule.Follow && it.State.Mode != DoorMode.FireRelease) return false;
        if ((it.State.Freeing & ModeRules.AnyFire) != 0 && traits.OnFire == EmergencyRule.Stay) return false;
        if (it.State.Freeing.HasFlag(EmergencySignals.Seismic) && (traits.OnShaking == EmergencyRule.Stay || it.State.EntryHeld)) return false;
        return !it.State.EntryHeld || !it.State.StandsFree || it.State.Mode == DoorMode.FireRelease;
    }

    private static bool OutputsHold(Walked it)
    {
        var coil = it.Before.Coil;
        var pulsed = LockTraits.Of(it.Before.Lock).Pulse is not null;
        foreach (var notice in it.Step.Notices)
        {
            coil = notice switch
            {
                DoorNotice.ReleaseNow => LockCoil.Release,
                DoorNotice.LockNow => pulsed ? LockCoil.Lock : LockCoil.Off,
                DoorNotice.CoilOff => LockCoil.Off,
                _ => coil,
            };
        }

        return coil == it.State.Coil;
    }

    private static bool RecordedHolds(Walked it)
    {
        var opened = it.What is DoorEvent.LeafOpened && it.Before is { LeafSeen: true, LeafOpen: not true, Phase: DoorPhase.Locked or DoorPhase.Released };
        var (passages, unbadged, forced) = (Count<DoorNotice.Passage>(it), Count<DoorNotice.UnbadgedPassage>(it), Count<DoorNotice.Forced>(it));
        return !opened || (passages > 0 ? unbadged + forced == 0 : unbadged + forced == 1);
    }

    private static bool ConfinedHolds(Walked it)
    {
        if (it.State.ConfinedAt is { } at && (at <= TimeSpan.Zero || at > DoorExploration.Times.Confinement)) return false;
        if (it.State.Confined && it.What is DoorEvent.LeafOpened) return false;
        return !it.State.AskedAgain || it.Then(it.State, new DoorEvent.Tick(), DoorExploration.Times.Confinement).Notices.Any(notice => notice is DoorNotice.ConfinementSuspected);
    }

    private static bool ToldHolds(Walked it)
    {
        var door = it.State;
        var wrong = door.Secured is { } secured && (door.LockReleased ? secured : !secured && door.LeafOpen is false);
        if (!wrong) return door is { Ajar: false, LockDisagrees: false } || door.Secured is null;
        return door.Ajar || door.LockDisagrees || door.FeedbackAt > TimeSpan.Zero;
    }

    private static int Count<T>(Walked it) => it.Step.Notices.Count(notice => notice is T);
}
