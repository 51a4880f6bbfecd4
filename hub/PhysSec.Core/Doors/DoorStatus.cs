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

    /// <summary>An opening is reported after the contact's debounce time, so one that began in the last moment of a release is seen after it.</summary>
    public TimeSpan Grace { get; init; } = DoorMachine.Grace;

    /// <summary>Nobody who leaves holds the button for so long.</summary>
    public TimeSpan ButtonStuck { get; init; } = DoorMachine.ButtonStuckAfter;

    /// <summary>Who asked to leave and has not opened by then may be shut in.</summary>
    public TimeSpan Confinement { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long bolt or bond may disagree with what the lock was told.</summary>
    public TimeSpan Feedback { get; init; } = TimeSpan.FromSeconds(3);

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
    /// <summary>What hangs on the door; it never changes.</summary>
    public LockType Lock { get; init; }

    public DoorPhase Phase { get; init; }

    /// <summary>The lock is free: for a passage, with <see cref="ReleaseUntil"/>, or because the door stands free.</summary>
    public bool LockReleased => ReleaseUntil is not null || StandsFree;

    /// <summary>When a release for one passage ends.</summary>
    public TimeSpan? ReleaseUntil { get; init; }

    /// <summary>Which output of the lock is energised; of one that is driven by pulses, until when.</summary>
    public LockCoil Coil { get; init; }

    public TimeSpan? CoilUntil { get; init; }

    public DoorMode Mode => ModeRules.Of(this);

    /// <summary>Free for everybody until the mode ends.</summary>
    public bool StandsFree => Mode is DoorMode.Unlocked or DoorMode.SeismicRelease or DoorMode.FireRelease;

    /// <summary>Nobody is let in, whatever else is in force.</summary>
    public bool EntryHeld => Lockdown || Override == DoorMode.Blocked;

    /// <summary>By the policy or by command; it has no end of its own.</summary>
    public bool Lockdown { get; init; }

    /// <summary>Unlocked or Blocked; Normal: none. It always has <see cref="OverrideUntil"/>.</summary>
    public DoorMode Override { get; init; }

    public TimeSpan? OverrideUntil { get; init; }

    /// <summary>Contacts that are active, or were and cannot be read.</summary>
    public EmergencySignals Calling { get; init; }

    /// <summary>What has called and no person has confirmed yet.</summary>
    public EmergencySignals Unconfirmed { get; init; }

    /// <summary>What of that keeps the door free.</summary>
    public EmergencySignals Freeing { get; init; }

    /// <summary>An emergency has called and the lock stays: somebody must go there.</summary>
    public bool Withheld => Unconfirmed != EmergencySignals.None && Freeing == EmergencySignals.None;

    /// <summary>Openings without a badge since the door stands free.</summary>
    public int Unbadged { get; init; }

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

    /// <summary>When somebody who asked to leave counts as shut in.</summary>
    public TimeSpan? ConfinedAt { get; init; }

    /// <summary>While that time runs: the button was pressed again.</summary>
    public bool AskedAgain { get; init; }

    /// <summary>While that time runs: somebody was known to be inside.</summary>
    public bool Occupied { get; init; }

    /// <summary>Somebody may be shut in, until the leaf opens.</summary>
    public bool Confined { get; init; }

    /// <summary>What bolt or bond say; null: there is no such contact, or it cannot be read.</summary>
    public bool? Secured { get; init; }

    /// <summary>Bolt or bond have held since the leaf was last open.</summary>
    public bool WasSecured { get; init; }

    /// <summary>When their disagreement becomes an alarm.</summary>
    public TimeSpan? FeedbackAt { get; init; }

    /// <summary>They do not do what the lock was told.</summary>
    public bool LockDisagrees { get; init; }

    /// <summary>Shut, but bolt or bond have never held since.</summary>
    public bool Ajar { get; init; }

    /// <summary>While Locked: the release that just ended was taken back.</summary>
    public bool TakenBack { get; init; }

    /// <summary>Who may pass at the next opening, oldest first.</summary>
    public IReadOnlyList<PendingPassage> Pending { get; init; } = [];

    /// <summary>A door starts locked after any crash; what the leaf does is not known yet.</summary>
    public static DoorStatus Start { get; } = new();
}
