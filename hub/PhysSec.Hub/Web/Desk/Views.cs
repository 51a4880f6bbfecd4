using PhysSec.Core.Wire;

namespace PhysSec.Hub.Web.Desk;

/// <summary>A door as a page shows it: lock, leaf and link apart. Live is null until its node has spoken.</summary>
public sealed record DoorCard(
    string Id, string NameJa, string NameEn, string Zone, string Node, string NodeState, double ReleaseSeconds, bool Lockdown, DoorLive? Live, DateTimeOffset? At)
{
    public bool Linked => NodeState is "online" or "degraded" or "updating";
}

/// <summary>One line of system health.</summary>
public sealed record HubHealth(bool Store, bool Broker)
{
    public bool Ok => Store && Broker;
}
