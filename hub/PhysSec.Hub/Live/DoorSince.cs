using PhysSec.Core.Wire;

namespace PhysSec.Hub.Live;

/// <summary>Since when something has been as it is, by the hub's clock. Earlier: it was so already when this hub first heard of it, or heard of it again.</summary>
public readonly record struct SinceWhen(DateTimeOffset At, bool Earlier);

/// <summary>Since when each thing that a page shows of a door has been as it is.</summary>
public sealed record DoorSince(SinceWhen State, SinceWhen Lock, SinceWhen Leaf, SinceWhen Mode)
{
    /// <summary>After the next message. Known: the message before it, unless there was a silence in between.</summary>
    internal static DoorSince Next((DoorLive Door, DoorSince Since)? known, DoorLive door, DateTimeOffset now)
    {
        return new(
            Of(it => it.State, it => it.State), Of(it => it.LockReleased, it => it.Lock), Of(it => it.LeafOpen, it => it.Leaf), Of(it => it.Mode, it => it.Mode));

        SinceWhen Of<T>(Func<DoorLive, T> what, Func<DoorSince, SinceWhen> since) => known is not { } before ? new(now, Earlier: true)
            : EqualityComparer<T>.Default.Equals(what(before.Door), what(door)) ? since(before.Since)
            : new(now, Earlier: false);
    }
}
