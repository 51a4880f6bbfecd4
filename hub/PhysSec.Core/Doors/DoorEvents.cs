using PhysSec.Core.Access;

namespace PhysSec.Core.Doors;

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

    /// <summary>The exit button has already freed the lock in hardware; the software follows. Occupied: somebody is known to be inside.</summary>
    public sealed record ExitPressed(bool Occupied = false) : DoorEvent;

    public sealed record ExitReleased : DoorEvent;

    /// <summary>The button cannot be read. It is not let go by that, and was not pressed.</summary>
    public sealed record ExitUnknown : DoorEvent;

    public sealed record LeafOpened : DoorEvent;

    public sealed record LeafClosed : DoorEvent;

    /// <summary>The contact cannot be read. It clears nothing and proves nothing.</summary>
    public sealed record LeafUnknown : DoorEvent;

    /// <summary>Releases for entry could not be recorded and were not carried out.</summary>
    public sealed record Withdrawn : DoorEvent;

    /// <summary>The program has started: the outputs say what the door's state says.</summary>
    public sealed record Started : DoorEvent;

    /// <summary>Nobody is let in, or may be again.</summary>
    public sealed record LockdownOrdered(bool On) : DoorEvent;

    /// <summary>Mode is Unlocked, Blocked or (to end one) Normal.</summary>
    public sealed record OverrideOrdered(DoorMode Mode, TimeSpan Time) : DoorEvent;

    /// <summary>An emergency contact; null: it cannot be read.</summary>
    public sealed record Signalled(EmergencySignal Signal, bool? Active) : DoorEvent;

    /// <summary>A person has looked, and the door may lock again.</summary>
    public sealed record Confirmed : DoorEvent;

    /// <summary>What was not confirmed before a restart, and which of its contacts this board still has.</summary>
    public sealed record Resumed(EmergencySignals Unconfirmed, EmergencySignals Freeing, EmergencySignals Calling, int Unbadged) : DoorEvent;

    /// <summary>Bolt or bond: true = they hold; null: they cannot be read.</summary>
    public sealed record BoltSeen(bool? Secured) : DoorEvent;

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

    /// <summary>A pulse has had its time: both outputs of the lock go off.</summary>
    public sealed record CoilOff : DoorNotice;

    public sealed record Passage(Direction Direction, PersonId? Person) : DoorNotice;

    /// <summary>A release ran out and the leaf never opened; or nobody could see it, and it was for leaving.</summary>
    public sealed record NoPassage(Direction Direction, PersonId? Person) : DoorNotice;

    /// <summary>A door that stands free was opened without a badge, for the Count-th time.</summary>
    public sealed record UnbadgedPassage(int Count) : DoorNotice;

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

    public sealed record ConfinementSuspected : DoorNotice;

    public sealed record ConfinementCleared : DoorNotice;

    /// <summary>Shut, and bolt or bond did not come.</summary>
    public sealed record Ajar : DoorNotice;

    public sealed record AjarCleared : DoorNotice;

    /// <summary>Bolt or bond do not do what the lock was told.</summary>
    public sealed record LockDisagrees : DoorNotice;

    public sealed record LockAgrees : DoorNotice;
}

/// <summary>The door after a step, and what the step announces.</summary>
public sealed record DoorStep(DoorStatus Status, IReadOnlyList<DoorNotice> Notices);
