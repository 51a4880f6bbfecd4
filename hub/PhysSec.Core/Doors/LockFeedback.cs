namespace PhysSec.Core.Doors;

/// <summary>What the lock was told against what its bolt or bond says. A contact that cannot be read clears nothing and proves nothing.</summary>
internal static class LockFeedback
{
    internal static DoorStatus Judge(DoorStatus door, DoorTimes times, TimeSpan uptime, List<DoorNotice> notices)
    {
        if (door.LeafOpen is true) door = door with { WasSecured = false };
        else if (door.Secured is true && !door.LockReleased) door = door with { WasSecured = true };

        if (door.Secured is not { } secured) return door with { FeedbackAt = null };
        var wrong = door.LockReleased ? secured : !secured && door.LeafOpen is false;
        if (!wrong)
        {
            if (door.Ajar) notices.Add(new DoorNotice.AjarCleared());
            if (door.LockDisagrees) notices.Add(new DoorNotice.LockAgrees());
            return door with { FeedbackAt = null, Ajar = false, LockDisagrees = false };
        }

        if (door.Ajar || door.LockDisagrees) return door;
        if (door.FeedbackAt is not { } due) return door with { FeedbackAt = uptime + times.Feedback };
        if (uptime < due) return door;

        // Shut, and the bolt never came: the leaf hangs. It came and went, or does not obey: the lock.
        var ajar = !door.LockReleased && !door.WasSecured;
        notices.Add(ajar ? new DoorNotice.Ajar() : new DoorNotice.LockDisagrees());
        return door with { FeedbackAt = null, Ajar = ajar, LockDisagrees = !ajar };
    }
}
