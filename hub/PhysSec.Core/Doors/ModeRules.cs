namespace PhysSec.Core.Doors;

/// <summary>Several emergency contacts at once.</summary>
[Flags]
public enum EmergencySignals
{
    None = 0,
    Fire = 1,
    BreakGlass = 2,
    Seismic = 4,
}

/// <summary>
/// Which of what was ordered and what has happened decides: fire, then lockdown, then blocked, then shaking, then unlocked. Holding entry ends an unlocked override for good, and takes back
/// what shaking has freed: no end of a hold ever frees a door by itself.
/// </summary>
public static class ModeRules
{
    public const EmergencySignals AnyFire = EmergencySignals.Fire | EmergencySignals.BreakGlass;

    public static EmergencySignals Flag(EmergencySignal signal) => signal switch
    {
        EmergencySignal.Fire => EmergencySignals.Fire,
        EmergencySignal.BreakGlass => EmergencySignals.BreakGlass,
        EmergencySignal.Seismic => EmergencySignals.Seismic,
    };

    /// <summary>The signals of a set, in the order of their numbers.</summary>
    public static IReadOnlyList<EmergencySignal> List(EmergencySignals signals) =>
        [.. Enum.GetValues<EmergencySignal>().Where(it => signals.HasFlag(Flag(it)))];

    internal static DoorMode Of(DoorStatus door) => door switch
    {
        _ when (door.Freeing & AnyFire) != 0 => DoorMode.FireRelease,
        { Lockdown: true } => DoorMode.Lockdown,
        { Override: DoorMode.Blocked } => DoorMode.Blocked,
        _ when door.Freeing != 0 => DoorMode.SeismicRelease,
        _ => door.Override,
    };

    internal static DoorStatus Lockdown(DoorStatus door, bool on) => Hold(door with { Lockdown = on });

    /// <summary>Mode: Unlocked, Blocked, or Normal, which ends an override. Unlocked is not offered while entry is held by a lockdown.</summary>
    internal static DoorStatus Order(DoorStatus door, DoorEvent.OverrideOrdered it, TimeSpan uptime) => it.Mode switch
    {
        DoorMode.Normal => door with { Override = DoorMode.Normal, OverrideUntil = null },
        DoorMode.Unlocked when door.Lockdown => door,
        DoorMode.Unlocked or DoorMode.Blocked => Hold(door with { Override = it.Mode, OverrideUntil = uptime + it.Time }),
        _ => door,
    };

    /// <summary>A contact that cannot be read proves nothing: what called goes on calling.</summary>
    internal static DoorStatus Signal(DoorStatus door, DoorEvent.Signalled it)
    {
        var flag = Flag(it.Signal);
        return it.Active switch
        {
            null => door,
            false => door with { Calling = door.Calling & ~flag },
            true => Hold(door with { Calling = door.Calling | flag, Unconfirmed = door.Unconfirmed | flag, Freeing = door.Freeing | Allowed(door, flag) }),
        };
    }

    /// <summary>Only a person ends an emergency, and only when every contact has been seen reset.</summary>
    internal static DoorStatus Confirm(DoorStatus door) =>
        door.Calling == EmergencySignals.None ? door with { Unconfirmed = EmergencySignals.None, Freeing = EmergencySignals.None } : door;

    /// <summary>What a restart has inherited, as far as the lock that hangs there now allows it; every contact counts as calling until it is seen reset.</summary>
    internal static DoorStatus Resume(DoorStatus door, DoorEvent.Resumed it) =>
        door with { Calling = it.Calling, Unconfirmed = it.Unconfirmed, Freeing = Allowed(door, it.Freeing & it.Unconfirmed) };

    private static DoorStatus Hold(DoorStatus door) => !door.EntryHeld ? door : door with
    {
        Freeing = door.Freeing & Allowed(door, door.Freeing),
        Override = door.Override == DoorMode.Unlocked ? DoorMode.Normal : door.Override,
        OverrideUntil = door.Override == DoorMode.Unlocked ? null : door.OverrideUntil,
    };

    private static EmergencySignals Allowed(DoorStatus door, EmergencySignals signals)
    {
        var allowed = EmergencySignals.None;
        foreach (var it in List(signals))
        {
            var rule = LockTraits.Of(door.Lock).On(it);
            if (rule == EmergencyRule.Follow || (rule == EmergencyRule.UnlessEntryHeld && !door.EntryHeld)) allowed |= Flag(it);
        }

        return allowed;
    }
}
