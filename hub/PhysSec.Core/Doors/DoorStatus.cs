using PhysSec.Core.Access;

namespace PhysSec.Core.Doors;

/// <summary>The times of one door.</summary>
/// <param name="Release">How long a grant frees the lock.</param>
/// <param name="ExtendedRelease">The same for a person who needs longer.</param>
/// <param name="Open">How long the leaf may stay open.</param>
/// <param name="PreAlarm">How long before that the door warns locally.</param>
public sealed record DoorTimes(TimeSpan Release, TimeSpan ExtendedRelease, TimeSpan Open, TimeSpan PreAlarm)
{
    /// <summary>For a door that no policy names yet: only leaving uses them.</summary>
    public static DoorTimes Default { get; } =
        new(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(10));

    public static DoorTimes From(DoorPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return new(
            TimeSpan.FromSeconds(policy.ReleaseTime), TimeSpan.FromSeconds(policy.ExtendedReleaseTime),
            TimeSpan.FromSeconds(policy.OpenTime), TimeSpan.FromSeconds(policy.PreAlarmTime));
    }
}

/// <summary>Somebody who may pass but has not yet. Person is null for the exit button and for a command.</summary>
public readonly record struct PendingPassage(Direction Direction, PersonId? Person);

/// <summary>Everything known of one door. Deadlines are uptime.</summary>
public sealed record DoorStatus
{
    public DoorPhase Phase { get; init; }

    /// <summary>The lock output. A lock that has been freed always has <see cref="ReleaseUntil"/>.</summary>
    public bool LockReleased => ReleaseUntil is not null;

    /// <summary>When the lock goes back.</summary>
    public TimeSpan? ReleaseUntil { get; init; }

    /// <summary>While Locked: until when an opening still belongs to the release that just ended.</summary>
    public TimeSpan? GraceUntil { get; init; }

    /// <summary>When an open leaf starts the local warning.</summary>
    public TimeSpan? PreAlarmAt { get; init; }

    /// <summary>When an open leaf becomes an alarm.</summary>
    public TimeSpan? HeldAt { get; init; }

    /// <summary>Null: the contact cannot be read, or has not been read yet.</summary>
    public bool? LeafOpen { get; init; }

    /// <summary>False until the contact was read for the first time since the start.</summary>
    public bool LeafSeen { get; init; }

    public bool ExitButtonHeld { get; init; }

    /// <summary>When a button that is held counts as stuck; null once it does.</summary>
    public TimeSpan? ButtonStuckAt { get; init; }

    /// <summary>Held for so long that it proves nobody's leaving any more.</summary>
    public bool ExitButtonStuck { get; init; }

    /// <summary>While Locked: the release that just ended was taken back.</summary>
    public bool TakenBack { get; init; }

    /// <summary>Who may pass at the next opening, oldest first.</summary>
    public IReadOnlyList<PendingPassage> Pending { get; init; } = [];

    /// <summary>A door starts locked after any crash; what the leaf does is not known yet.</summary>
    public static DoorStatus Start { get; } = new();
}

/// <summary>What can happen at a door.</summary>
public abstract record DoorEvent
{
    private DoorEvent()
    {
    }

    /// <summary>A badge was accepted, on either side.</summary>
    public sealed record Granted(Direction Direction, PersonId Person, bool Extended) : DoorEvent;

    /// <summary>A person at the console frees the door once.</summary>
    public sealed record ReleasedByCommand : DoorEvent;

    /// <summary>The exit button has already freed the lock in hardware; the software follows.</summary>
    public sealed record ExitPressed : DoorEvent;

    public sealed record ExitReleased : DoorEvent;

    /// <summary>The button cannot be read. It is not let go by that, and was not pressed.</summary>
    public sealed record ExitUnknown : DoorEvent;

    public sealed record LeafOpened : DoorEvent;

    public sealed record LeafClosed : DoorEvent;

    /// <summary>The contact cannot be read. It clears nothing and proves nothing.</summary>
    public sealed record LeafUnknown : DoorEvent;

    /// <summary>Releases for entry could not be recorded and were not carried out.</summary>
    public sealed record Withdrawn : DoorEvent;

    public sealed record Tick : DoorEvent;
}

/// <summary>What a step announces, in order. It moves nothing by itself.</summary>
public abstract record DoorNotice
{
    private DoorNotice()
    {
    }

    public sealed record ReleaseNow : DoorNotice;

    public sealed record LockNow : DoorNotice;

    public sealed record Passage(Direction Direction, PersonId? Person) : DoorNotice;

    /// <summary>A release ran out and the leaf never opened; or nobody could see it, and it was for leaving.</summary>
    public sealed record NoPassage(Direction Direction, PersonId? Person) : DoorNotice;

    /// <summary>The leaf opened with no release, no button and no badge.</summary>
    public sealed record Forced : DoorNotice;

    public sealed record ForcedCleared : DoorNotice;

    /// <summary>Open for long: warn at the door.</summary>
    public sealed record PreAlarm : DoorNotice;

    /// <summary>The leaf closed during the warning.</summary>
    public sealed record PreAlarmCleared : DoorNotice;

    public sealed record Held : DoorNotice;

    public sealed record HeldCleared : DoorNotice;

    /// <summary>The exit button has been held for longer than anybody holds it.</summary>
    public sealed record ButtonStuck : DoorNotice;

    public sealed record ButtonStuckCleared : DoorNotice;
}

/// <summary>The door after a step, and what the step announces.</summary>
public sealed record DoorStep(DoorStatus Status, IReadOnlyList<DoorNotice> Notices);
