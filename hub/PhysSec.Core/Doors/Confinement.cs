namespace PhysSec.Core.Doors;

/// <summary>閉込め疑い: somebody inside asked to leave, and the leaf does not move (R-LIF-13).</summary>
internal static class Confinement
{
    internal static DoorStatus Asked(DoorStatus door, bool occupied, DoorTimes times, TimeSpan uptime)
    {
        if (door.LeafOpen is true || door.Confined) return door;
        return door.ConfinedAt is null
            ? door with { ConfinedAt = uptime + times.Confinement, Occupied = occupied }
            : door with { AskedAgain = true, Occupied = door.Occupied || occupied };
    }

    internal static DoorStatus Opened(DoorStatus door, List<DoorNotice> notices)
    {
        if (door.Confined) notices.Add(new DoorNotice.ConfinementCleared());
        return door with { ConfinedAt = null, AskedAgain = false, Occupied = false, Confined = false };
    }

    /// <summary>Who asked once and is not known to be inside has gone another way; where no contact shows the leaf, only asking again is evidence.</summary>
    internal static DoorStatus Due(DoorStatus door, List<DoorNotice> notices)
    {
        var suspected = door.AskedAgain || (door.Occupied && door.LeafOpen is false);
        if (suspected) notices.Add(new DoorNotice.ConfinementSuspected());
        return door with { ConfinedAt = null, AskedAgain = false, Occupied = false, Confined = suspected };
    }
}
