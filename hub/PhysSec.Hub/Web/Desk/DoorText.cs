using PhysSec.Core.Doors;
using PhysSec.Hub.Live;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Web.Desk;

/// <summary>A door in words.</summary>
internal static class DoorText
{
    /// <summary>locked, released, open, prealarm, heldopen, forced, or unknown while its node has said nothing that can be believed.</summary>
    public static string State(DoorCard door) => IsKnown(door) ? door.Live!.State.ToLowerInvariant() : "unknown";

    /// <summary>Whether its node says how it is, now.</summary>
    public static bool IsKnown(DoorCard door) => door is { Linked: true, Fresh: true, Live: not null };

    /// <summary>critical, high, medium, low or normal.</summary>
    public static string Level(DoorCard door) => State(door) switch
    {
        "unknown" => "medium",
        _ when door.Live!.Tampered => "critical",
        "forced" => "critical",
        _ when door.Live.Emergency is { Count: > 0 } => "critical",
        "heldopen" => "high",
        _ when IsFreed(door) || IsLockedDown(door) => "high",
        "prealarm" => "medium",
        _ when door.Mode is DoorModes.Unlocked or DoorModes.Blocked || IsUnsecured(door) || door.Readers.Any(it => it.Faulty || ReaderText.TakesFactoryKey(it.Live)) => "medium",
        _ => "normal",
    };

    public static string Shape(DoorCard door) => Level(door) switch { "critical" => "◆", "high" => "▲", "medium" => "■", "low" => "●", _ => "" };

    /// <summary>Ordered here or in force there: both keep everybody out.</summary>
    public static bool IsLockedDown(DoorCard door) => door.Lockdown || door.Mode == DoorModes.Lockdown;

    /// <summary>Nobody is let in: a release would open the room from the corridor.</summary>
    public static bool IsHeld(DoorCard door) => IsLockedDown(door) || door.Mode == DoorModes.Blocked;

    /// <summary>Fire, broken glass or shaking freed it.</summary>
    public static bool IsFreed(DoorCard door) => door.Mode is DoorModes.FireRelease or DoorModes.SeismicRelease;

    /// <summary>An emergency lasts, or is over and nobody has confirmed that yet.</summary>
    public static bool Calls(DoorCard door) => IsFreed(door) || door.Live is { AwaitsConfirmation: true } or { Emergency.Count: > 0 };

    /// <summary>Shut and ordered to lock, but bolt or bond say that it does not hold.</summary>
    public static bool IsUnsecured(DoorCard door) => door.Live is { LockReleased: false, LeafOpen: false, Secured: false };

    /// <summary>Lock and phase.</summary>
    public static string Phase(Words words, DoorCard door) => State(door) switch
    {
        not "unknown" when door.Live!.Tampered => words["door.tampered"],
        "locked" or "released" when IsFreed(door) => words.Member("door-mode", door.Mode),
        "locked" when IsLockedDown(door) => words["door.lockdown"],
        "locked" or "released" when door.Mode != DoorModes.Normal => words.Member("door-mode", door.Mode),
        "locked" when IsUnsecured(door) => words["door.lock-unsecured"],
        var state => words.Member("door-state", state),
    };

    /// <summary>What the lock was last said to be.</summary>
    public static string Lock(Words words, DoorCard door) => door.Live switch
    {
        null => words["door.unknown"],
        { LockReleased: true } => words["door.lock-released"],
        _ when IsUnsecured(door) => words["door.lock-unsecured"],
        { Secured: true } => words["door.lock-secured"],
        _ => words["door.lock-locked"],
    };

    /// <summary>What the leaf was last said to be.</summary>
    public static string Leaf(Words words, DoorCard door) => door.Live switch
    {
        null => words["door.unknown"],
        { LeafOpen: true } => words["door.leaf-open"],
        { LeafOpen: false } => words["door.leaf-closed"],
        _ => words["door.leaf-unknown"],
    };

    public static string Mode(Words words, DoorCard door) => door.Live is null ? words["door.unknown"] : words.Member("door-mode", door.Mode);

    public static string ReaderSide(Words words, ReaderNow reader) => words[reader.Entry ? "door.reader-entry" : "door.reader-exit"];

    public static string Reader(Words words, ReaderNow reader) =>
        reader.Live is { } live && (!reader.Faulty || live.Link == Core.Wire.ReaderLink.Offline) ? ReaderText.Link(words, live)
        : !reader.Faulty ? words["door.reader-good"] : reader.Fault is { } fault ? words.Say("door.reader-fault-because", ("fault", words.Part(fault))) : words["door.reader-fault"];

    public static string Link(Words words, DoorCard door) => words.Member("node-state", door.NodeState);

    /// <summary>"since 14:05:09", with the day when it was another one; "or before" where this hub cannot know.</summary>
    public static string Since(Words words, SiteTime time, SinceWhen since, DateTimeOffset now) => words.Say(
        since.Earlier ? "door.since-earlier" : "door.since", ("at", time.Day(since.At) == time.Day(now) ? time.Clock(since.At) : time.Plain(since.At)));

    /// <summary>Why nothing that stands there can be believed; null while it can.</summary>
    public static string? Doubt(Words words, DoorCard door, DateTimeOffset now) => door switch
    {
        _ when IsKnown(door) => null,
        { At: { } at, Live: not null } => words.Say("door.stale", ("age", words.Age(now - at))),
        _ => words["door.never-heard"],
    };

    /// <summary>In what the door differs now from its usual way, by whose order and for how long, in whole sentences; as its node says it, whatever was asked for. Nothing for a usual door.</summary>
    public static IReadOnlyList<string> Standing(Words words, SiteTime time, DoorCard door, DateTimeOffset now)
    {
        if (!IsKnown(door) || door.Live is not { } live) return [];
        var name = ("door", (object?)words.Name(door));
        var said = new List<string>();
        if (live.Emergency is { Count: > 0 } signals)
        {
            var named = string.Join(words["list.separator"], signals.Select(it => words.Member("emergency", it.ToString().ToLowerInvariant())));
            said.Add(words.Say(IsFreed(door) ? "door.now-emergency" : "door.now-withheld", name, ("signals", named)));
        }

        if (live.AwaitsConfirmation) said.Add(words.Say("door.now-awaits", name));
        if (live.Override is { } it)
        {
            said.Add(words.Say(it.Mode == DoorModes.Blocked ? "door.now-blocked" : it.Waits ? "door.now-unlock-waits" : "door.now-unlocked", name, ("owner", it.Owner), ("reason", it.Reason)));
            said.Add(it.Until is { } until
                ? words.Say("door.override-ends", ("left", words.Age(until - now)), ("until", time.Day(until) == time.Day(now) ? time.Clock(until) : time.Plain(until)))
                : words["door.override-ends-unknown"]);
        }

        if (IsLockedDown(door) && !IsFreed(door)) said.Add(words.Say(door.Mode == DoorModes.Lockdown ? "door.now-lockdown" : "door.now-lockdown-ordered", name));
        foreach (var reader in door.Readers.Where(reader => ReaderText.TakesFactoryKey(reader.Live)))
            said.Add(words.Say("readers.now-window", name, ("side", ReaderSide(words, reader)), ("owner", reader.Live!.Act!.Owner), ("reason", reader.Live.Act.Reason)));
        if (live.Unbadged > 0) said.Add(words.Say("door.now-unbadged", ("n", live.Unbadged)));
        return said;
    }
}
