using PhysSec.Core.Access;

namespace PhysSec.Core.Doors;

/// <summary>The doors of a mantrap. It holds entry only; an emergency at any of them drops it.</summary>
public static class Interlock
{
    /// <summary>Must entry at one door wait for the others? A leaf that cannot be seen counts as open.</summary>
    public static bool HoldsEntry(InterlockRule rule, IEnumerable<DoorStatus> others)
    {
        ArgumentNullException.ThrowIfNull(others);
        return others.ToList() is var all && !all.Exists(InEmergency)
            && all.Exists(it => Stands(rule, it));
    }

    /// <summary>Are the others seen shut, and in no emergency? Nothing that waits for them goes on before.</summary>
    public static bool IsQuiet(InterlockRule rule, IEnumerable<DoorStatus> others)
    {
        ArgumentNullException.ThrowIfNull(others);
        return !others.Any(it => InEmergency(it) || Stands(rule, it));
    }

    /// <summary>Does more than one door stand as only one may? Somebody has left through another.</summary>
    public static bool IsBroken(InterlockRule rule, IEnumerable<DoorStatus> doors)
    {
        ArgumentNullException.ThrowIfNull(doors);
        return doors.ToList() is var all && !all.Exists(InEmergency)
            && all.Count(it => it.LeafOpen is true || (rule == InterlockRule.OneUnlocked && it.LockReleased)) > 1;
    }

    private static bool Stands(InterlockRule rule, DoorStatus door) => door.LeafOpen is not false || (rule == InterlockRule.OneUnlocked && door.LockReleased);

    private static bool InEmergency(DoorStatus door) => door.Mode is DoorMode.FireRelease or DoorMode.SeismicRelease;
}
