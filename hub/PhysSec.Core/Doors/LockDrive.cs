using PhysSec.Core.Access;

namespace PhysSec.Core.Doors;

/// <summary>Which output of the lock is energised.</summary>
public enum LockCoil
{
    Off,

    /// <summary>The output that frees.</summary>
    Release,

    /// <summary>The output that locks; only locks that are driven by pulses have it.</summary>
    Lock,
}

/// <summary>From "free" and "locked" to the outputs: a level, or a pulse that ends by itself.</summary>
internal static class LockDrive
{
    /// <summary>
    /// Moves the outputs as far as the door's state has changed. Whoever may pass and asks again is released again, and a door that comes to stand free is freed again: a pulse may not have moved a jammed
    /// bolt, and a release may have been lost on its way to the lock.
    /// </summary>
    /// <param name="before">The door before.</param>
    /// <param name="after">The door after; its coil is still the old one.</param>
    /// <param name="what">What happened; null: time passed.</param>
    /// <param name="uptime">Now.</param>
    /// <param name="mark">Where this part of the step's notices begins: locking comes before everything else in it.</param>
    /// <param name="notices">What is announced.</param>
    internal static DoorStatus Follow(DoorStatus before, DoorStatus after, DoorEvent? what, TimeSpan uptime, int mark, List<DoorNotice> notices)
    {
        var pulse = LockTraits.Of(after.Lock).Pulse;
        var free = after.LockReleased;
        var again = free && (Asks(what, after) || (after.StandsFree && !before.StandsFree));
        if (before.LockReleased != free || again || what is DoorEvent.Started)
        {
            if (free) notices.Add(new DoorNotice.ReleaseNow());
            else notices.Insert(mark, new DoorNotice.LockNow());
            return after with { Coil = free ? LockCoil.Release : pulse is null ? LockCoil.Off : LockCoil.Lock, CoilUntil = uptime + pulse };
        }

        if (uptime < after.CoilUntil || after.CoilUntil is null) return after;
        notices.Add(new DoorNotice.CoilOff());
        return after with { Coil = LockCoil.Off, CoilUntil = null };
    }

    // While entry is held, nobody who wants in is let in by what somebody else was released for.
    private static bool Asks(DoorEvent? what, DoorStatus door) => what switch
    {
        DoorEvent.ExitPressed or DoorEvent.Granted { Direction: Direction.Out } => true,
        DoorEvent.Granted or DoorEvent.ReleasedByCommand => !door.EntryHeld,
        _ => false,
    };
}
