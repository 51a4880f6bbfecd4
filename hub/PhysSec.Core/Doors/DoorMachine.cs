using PhysSec.Core.Access;
using static PhysSec.Core.Doors.DoorEvent;

namespace PhysSec.Core.Doors;

/// <summary>
/// One door: a switch over (phase, event). It touches no pin. A late or repeated event changes nothing. What was ordered and what calls is beside it (<see cref="ModeRules"/>); the outputs of
/// the lock follow from the state (<see cref="LockDrive"/>).
/// <para>The lock goes back as soon as the leaf has opened (ONVIF: DelayTimeBeforeRelock = 0): the opening is what the release was for, and a door that falls shut early must not
/// stay free for the rest of the release time.</para>
/// <para>Without a request-to-exit signal an opening from inside by the lever looks like one from outside by force: both are Forced.</para>
/// </summary>
public static class DoorMachine
{
    /// <summary>An opening is reported after the contact's debounce time, so one that began in the last moment of a release is seen after it.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(500);

    /// <summary>Nobody who leaves holds the button for so long; it is jammed, taped over or short-circuited.</summary>
    public static readonly TimeSpan ButtonStuckAfter = TimeSpan.FromSeconds(30);

    /// <summary>Most people who can wait for one opening; the oldest gives way.</summary>
    public const int PendingMax = 16;

    public static DoorStep Step(DoorStatus status, DoorEvent what, DoorTimes times, TimeSpan uptime)
    {
        ArgumentNullException.ThrowIfNull(status);
        ArgumentNullException.ThrowIfNull(what);
        ArgumentNullException.ThrowIfNull(times);
        var notices = new List<DoorNotice>();
        var due = Settle(status, Expire(status, times, uptime, notices), null, times, uptime, 0, notices); // What fell due before the event comes before it.
        var mark = notices.Count;
        var met = what is DoorEvent.LeafOpened ? Confinement.Opened(due, notices) : due;
        return new(Settle(due, React(met, what, times, uptime, notices), what, times, uptime, mark, notices), notices);
    }

    private static DoorStatus React(DoorStatus door, DoorEvent what, DoorTimes times, TimeSpan uptime, List<DoorNotice> notices) => (door.Phase, what) switch
    {
        // Whoever is inside is touched by none of these.
        (_, LockdownOrdered it) => Hold(ModeRules.Lockdown(door, it.On), times, uptime, notices),
        (_, OverrideOrdered it) => Hold(ModeRules.Order(door, it, uptime), times, uptime, notices),
        (_, Signalled it) => ModeRules.Signal(door, it),
        (_, Confirmed) => ModeRules.Confirm(door),
        (_, Resumed it) => ModeRules.Resume(door, it),
        (_, BoltSeen it) => door with { Secured = it.Secured },

        (_, Granted { Direction: Direction.In } or ReleasedByCommand) when door.EntryHeld => door,

        // The leaf is open already: who badges walks through, and the time an open leaf is allowed goes on as it was.
        (DoorPhase.Open or DoorPhase.PreAlarm or DoorPhase.HeldOpen or DoorPhase.Forced, Granted it) when door.LeafOpen is true => Pass(door, it, notices),
        (_, Granted { Direction: Direction.In } it) => Release(door, new(it.Direction, it.Person), Time(it, times), uptime, notices),
        (_, Granted it) => Confinement.Asked(Release(door, new(it.Direction, it.Person), Time(it, times), uptime, notices), true, times, uptime),
        (_, ReleasedByCommand) => Release(door, new(Direction.In, null), times.Release, uptime, notices),
        (_, ExitPressed it) => Ask(door, it, times, uptime, notices),
        (_, ExitReleased) => LetGo(door, notices),

        (_, LeafOpened) when door.LeafOpen is true => door,
        (DoorPhase.Open or DoorPhase.PreAlarm or DoorPhase.HeldOpen or DoorPhase.Forced, LeafOpened) => Seen(door, true),
        (DoorPhase.Locked or DoorPhase.Released, LeafOpened) when Expected(door) => Open(door, times, uptime, notices),
        (_, LeafOpened) when !door.LeafSeen => Timed(Seen(door, true), times, uptime), // Open before we looked: an alarm only if it stays.
        (_, LeafOpened) => Force(door, notices),

        (DoorPhase.Open or DoorPhase.PreAlarm or DoorPhase.HeldOpen or DoorPhase.Forced, LeafClosed) => Close(door, notices),
        (_, LeafClosed) => Seen(door, false),
        (_, LeafUnknown) => door with { LeafOpen = null },

        (_, Withdrawn) => Withdraw(door, times, uptime, notices),
        _ => door,
    };

    private static DoorStatus Expire(DoorStatus door, DoorTimes times, TimeSpan uptime, List<DoorNotice> notices)
    {
        if (uptime >= door.OverrideUntil) door = door with { Override = DoorMode.Normal, OverrideUntil = null };

        if (uptime >= door.ReleaseUntil)
        {
            door = door with { ReleaseUntil = null };
            if (door.Phase == DoorPhase.Released && !door.StandsFree) door = door with { Phase = DoorPhase.Locked, GraceUntil = uptime + times.Grace };
            else if (door.Phase == DoorPhase.Released || door.LeafOpen is null) door = Forget(door, notices);
            else door = door with { Pending = [] }; // The leaf was open all the time; nobody waits for it any more.
        }

        if (uptime >= door.GraceUntil) door = Forget(door, notices);
        if (uptime >= door.ConfinedAt) door = Confinement.Due(door, notices);

        if (uptime >= door.ButtonStuckAt)
        {
            notices.Add(new DoorNotice.ButtonStuck());
            door = door with { ButtonStuckAt = null, ExitButtonStuck = true };
        }

        if (door.Phase is DoorPhase.Open or DoorPhase.PreAlarm && uptime >= door.HeldAt)
        {
            notices.Add(new DoorNotice.Held());
            return door with { Phase = DoorPhase.HeldOpen, PreAlarmAt = null, HeldAt = null };
        }

        if (door.Phase == DoorPhase.Open && uptime >= door.PreAlarmAt)
        {
            notices.Add(new DoorNotice.PreAlarm());
            return door with { Phase = DoorPhase.PreAlarm, PreAlarmAt = null };
        }

        return door;
    }

    /// <summary>What follows from the new state whatever brought it about: a door that stands free or no longer does, the outputs of the lock, what its feedback means.</summary>
    private static DoorStatus Settle(
        DoorStatus before, DoorStatus after, DoorEvent? what, DoorTimes times, TimeSpan uptime, int mark, List<DoorNotice> notices)
    {
        if (before.StandsFree != after.StandsFree) after = after.StandsFree ? StandFree(after with { Unbadged = (what as Resumed)?.Unbadged ?? 0 }, notices) : StandBack(after, times, uptime);
        return LockFeedback.Judge(LockDrive.Follow(before, after, what, uptime, mark, notices), times, uptime, notices);
    }

    private static DoorStatus StandFree(DoorStatus door, List<DoorNotice> notices)
    {
        if (door.Phase == DoorPhase.Locked) return Forget(door, notices) with { Phase = DoorPhase.Released };
        if (door.Phase is not (DoorPhase.Open or DoorPhase.PreAlarm)) return door; // Forced or held open: that stays until the leaf is shut.
        if (door.Phase == DoorPhase.PreAlarm) notices.Add(new DoorNotice.PreAlarmCleared());
        return door with { Phase = DoorPhase.Open, PreAlarmAt = null, HeldAt = null }; // It may stand open for as long as it stands free.
    }

    private static DoorStatus StandBack(DoorStatus door, DoorTimes times, TimeSpan uptime) => door.Phase switch
    {
        DoorPhase.Released when !door.LockReleased => door with { Phase = DoorPhase.Locked, GraceUntil = uptime + times.Grace },
        DoorPhase.Open => Timed(door, times, uptime),
        _ => door,
    };

    // Where no contact shows whether the leaf opened, who was let in counts as inside: in an emergency somebody must look for that person.
    private static DoorStatus Forget(DoorStatus door, List<DoorNotice> notices)
    {
        var unseen = door.LeafOpen is null && !door.TakenBack;
        foreach (var it in door.Pending)
            notices.Add(unseen && it.Direction == Direction.In ? new DoorNotice.Passage(it.Direction, it.Person) : new DoorNotice.NoPassage(it.Direction, it.Person));
        return door with { Pending = [], GraceUntil = null, TakenBack = false };
    }

    private static DoorStatus LetGo(DoorStatus door, List<DoorNotice> notices)
    {
        if (door.ExitButtonStuck) notices.Add(new DoorNotice.ButtonStuckCleared());
        return door with { ExitButtonHeld = false, ButtonStuckAt = null, ExitButtonStuck = false };
    }

    private static DoorStatus Pass(DoorStatus door, Granted it, List<DoorNotice> notices)
    {
        notices.Add(new DoorNotice.Passage(it.Direction, it.Person));
        return door;
    }

    private static DoorStatus Release(DoorStatus door, PendingPassage who, TimeSpan time, TimeSpan uptime, List<DoorNotice> notices)
    {
        if (!door.LockReleased) door = Forget(door, notices); // Who had the release before this one does not stand behind it.
        var until = uptime + time;
        if (door.ReleaseUntil is { } before && before > until) until = before;
        var pending = door.Pending.Where(it => it != who).Append(who).ToList();
        if (pending.Count > PendingMax) pending.RemoveAt(Math.Max(0, pending.FindIndex(it => it.Direction == Direction.In))); // Leaving is not forgotten for entering.
        return door with
        {
            Phase = door.Phase == DoorPhase.Locked ? DoorPhase.Released : door.Phase,
            ReleaseUntil = until,
            GraceUntil = null,
            Pending = pending,
        };
    }

    private static DoorStatus Ask(DoorStatus door, ExitPressed it, DoorTimes times, TimeSpan uptime, List<DoorNotice> notices)
    {
        var free = Release(door, new(Direction.Out, null), times.Release, uptime, notices) with
        {
            ExitButtonHeld = true,
            ButtonStuckAt = door.ExitButtonHeld ? door.ButtonStuckAt : uptime + times.ButtonStuck, // Unreadable in between is no interruption.
        };
        return door.ExitButtonHeld ? free : Confinement.Asked(free, it.Occupied, times, uptime);
    }

    private static TimeSpan Time(Granted it, DoorTimes times) => it.Extended ? times.ExtendedRelease : times.Release;

    private static bool Leaving(DoorStatus door) => door.ExitButtonHeld && !door.ExitButtonStuck;

    private static bool Expected(DoorStatus door) =>
        door.Pending.Count > 0 || Leaving(door) || door.GraceUntil is not null || (door.StandsFree && door.LeafSeen);

    private static DoorStatus Open(DoorStatus door, DoorTimes times, TimeSpan uptime, List<DoorNotice> notices)
    {
        foreach (var it in door.Pending) notices.Add(new DoorNotice.Passage(it.Direction, it.Person));
        if (door.Pending.Count == 0 && Leaving(door)) notices.Add(new DoorNotice.Passage(Direction.Out, null));
        else if (door.Pending.Count == 0) notices.Add(new DoorNotice.UnbadgedPassage((door = door with { Unbadged = door.Unbadged + 1 }).Unbadged));
        return Timed(Seen(door, true), times, uptime) with { ReleaseUntil = null, GraceUntil = null, Pending = [], TakenBack = false };
    }

    private static DoorStatus Timed(DoorStatus door, DoorTimes times, TimeSpan uptime) => door with
    {
        Phase = DoorPhase.Open,
        PreAlarmAt = door.StandsFree ? null : uptime + (times.Open > times.PreAlarm ? times.Open - times.PreAlarm : TimeSpan.Zero),
        HeldAt = door.StandsFree ? null : uptime + times.Open,
    };

    private static DoorStatus Force(DoorStatus door, List<DoorNotice> notices)
    {
        notices.Add(new DoorNotice.Forced());
        return door with { Phase = DoorPhase.Forced, LeafOpen = true, LeafSeen = true };
    }

    private static DoorStatus Close(DoorStatus door, List<DoorNotice> notices)
    {
        DoorNotice? cleared = door.Phase switch
        {
            DoorPhase.HeldOpen => new DoorNotice.HeldCleared(),
            DoorPhase.Forced => new DoorNotice.ForcedCleared(),
            DoorPhase.PreAlarm => new DoorNotice.PreAlarmCleared(),
            _ => null,
        };
        if (cleared is not null) notices.Add(cleared);

        // Freed again while open (exit button): it stays free for the rest of that time, so that nobody is shut in.
        return Seen(door, false) with
        {
            Phase = door.LockReleased ? DoorPhase.Released : DoorPhase.Locked,
            PreAlarmAt = null,
            HeldAt = null,
        };
    }

    private static DoorStatus Seen(DoorStatus door, bool open) => door with { LeafOpen = open, LeafSeen = true };

    private static DoorStatus Hold(DoorStatus door, DoorTimes times, TimeSpan uptime, List<DoorNotice> notices) =>
        door.EntryHeld ? Withdraw(door, times, uptime, notices) : door;

    // Leaving is never taken back.
    private static DoorStatus Withdraw(DoorStatus door, DoorTimes times, TimeSpan uptime, List<DoorNotice> notices)
    {
        if (door.ReleaseUntil is null || door.Pending.Any(it => it.Direction == Direction.Out)) return door;
        var locked = door with { ReleaseUntil = null, TakenBack = true };
        if (door.Phase != DoorPhase.Released) return locked with { Pending = [], TakenBack = door.TakenBack };
        return locked.StandsFree ? Forget(locked, notices) : locked with { Phase = DoorPhase.Locked, GraceUntil = uptime + times.Grace };
    }
}
