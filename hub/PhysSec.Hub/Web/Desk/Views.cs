using PhysSec.Core.Access;
using PhysSec.Core.Doors;
using PhysSec.Core.Wire;
using PhysSec.Hub.Live;

namespace PhysSec.Hub.Web.Desk;

/// <summary>
/// A door as a page shows it: lock, leaf, readers and link apart. Live is null until its node has spoken; Fresh: it can be believed, which a silent node's last word cannot.
/// Level is the zone's.
/// </summary>
public sealed record DoorCard(
    string Id, string NameJa, string NameEn, string Zone, int Level, string Node, string NodeState, SinceWhen? NodeSince, double ReleaseSeconds, bool Lockdown, DoorLive? Live, bool Fresh,
    DoorSince? Since, DateTimeOffset? At, IReadOnlyList<ReaderNow> Readers)
{
    public bool Linked => NodeState is "online" or "degraded" or "updating";

    /// <summary>How the door treats those who want to enter, as its node said last: one of <see cref="DoorModes"/>.</summary>
    public string Mode => Live?.Mode ?? DoorModes.Normal;
}

/// <summary>A reader of a door: on which side, since when and how it fails, and what its node says of it; Live is null for a reader that cannot be spoken with (Wiegand), Type before the node has said.</summary>
public sealed record ReaderNow(Direction Side, DateTimeOffset? FaultySince, string? Fault, string? Type = null, ReaderLive? Live = null)
{
    public bool Entry => Side == Direction.In;

    public bool Faulty => FaultySince is not null || Live?.Link == ReaderLink.Offline;

    /// <summary>Since when it fails, or else is as it is.</summary>
    public DateTimeOffset? Since => FaultySince ?? Live?.Since;
}

/// <summary>One line of system health.</summary>
public sealed record HubHealth(bool Store, bool Broker)
{
    public bool Ok => Store && Broker;
}
