namespace PhysSec.Core.Alarms;

/// <summary>Whether an alarm is asking for attention (ISA-18.2). Shelved and out of service say when a person has set it aside.</summary>
public enum AlarmMode
{
    InService = 0,

    /// <summary>Set aside until <see cref="AlarmState.ShelvedUntil"/>; then it speaks again by itself.</summary>
    Shelved = 1,

    /// <summary>Set aside until a person puts it back.</summary>
    OutOfService = 2,
}

/// <summary>Who acknowledged, when and why.</summary>
public sealed record Acknowledgement(string Who, DateTimeOffset At, string Why);

/// <summary>Where a record stands in its node's journal: the order of a node's records, whatever its clock said.</summary>
public readonly record struct RecordPlace(long Epoch, long Seq) : IComparable<RecordPlace>
{
    public int CompareTo(RecordPlace other) => Epoch != other.Epoch ? Epoch.CompareTo(other.Epoch) : Seq.CompareTo(other.Seq);

    public static bool operator <(RecordPlace left, RecordPlace right) => left.CompareTo(right) < 0;

    public static bool operator >(RecordPlace left, RecordPlace right) => left.CompareTo(right) > 0;

    public static bool operator <=(RecordPlace left, RecordPlace right) => left.CompareTo(right) <= 0;

    public static bool operator >=(RecordPlace left, RecordPlace right) => left.CompareTo(right) >= 0;
}

/// <summary>One alarm, by its key. Times are those of the records, and never later than their arrival.</summary>
public sealed record AlarmState
{
    /// <summary>The cause is there.</summary>
    public bool Active { get; init; }

    /// <summary>Null: not acknowledged since it was last raised.</summary>
    public Acknowledgement? Acknowledged { get; init; }

    /// <summary>Stays in sight after it cleared until somebody acknowledges it.</summary>
    public bool Latched { get; init; }

    public DateTimeOffset? RaisedAt { get; init; }

    public DateTimeOffset? ClearedAt { get; init; }

    /// <summary>The record of the newest raise or clear: one that stands before it changes nothing any more. Null until a node has spoken.</summary>
    public RecordPlace? ChangedBy { get; init; }

    /// <summary>When it is said again to whoever is on duty; null when nobody needs to be told again.</summary>
    public DateTimeOffset? RepeatAt { get; init; }

    public AlarmMode Mode { get; init; }

    public DateTimeOffset? ShelvedUntil { get; init; }

    /// <summary>Belongs into the list of active alarms: the cause is there, or nobody has acknowledged a latched one.</summary>
    public bool Standing => Active || (Latched && RaisedAt is not null && Acknowledged is null);

    public static AlarmState Quiet(bool latched) => new() { Latched = latched };
}

/// <summary>What can happen to an alarm. Late: the record says itself that it waited for the network.</summary>
public abstract record AlarmEvent
{
    private AlarmEvent()
    {
    }

    /// <summary>ReceivedAt is when a record arrived: the wait before the first repetition counts from then, and nothing happened later. Place is null for the hub's own events, which come in their order.</summary>
    public sealed record Raised(bool Late = false, DateTimeOffset? ReceivedAt = null, RecordPlace? Place = null) : AlarmEvent;

    public sealed record Cleared(bool Late = false, DateTimeOffset? ReceivedAt = null, RecordPlace? Place = null) : AlarmEvent;

    public sealed record Acknowledged(string Who, string Why) : AlarmEvent;

    /// <summary>Time has passed: a repetition, or the end of a shelving, may be due.</summary>
    public sealed record Repeat : AlarmEvent;

    public sealed record Shelved(DateTimeOffset Until) : AlarmEvent;

    public sealed record OutOfService(bool On) : AlarmEvent;
}

public enum NotifyKind { Raised = 0, Repeat = 1, Cleared = 2, Acknowledged = 3 }

/// <summary>What the hub is to do. It sends nothing by itself.</summary>
public abstract record AlarmAction
{
    private AlarmAction()
    {
    }

    public sealed record Notify(NotifyKind Kind) : AlarmAction;

    /// <summary>The record goes into the history and nowhere else: something newer is known.</summary>
    public sealed record HistoryOnly : AlarmAction;
}

/// <summary>The alarm after a step, and what to do.</summary>
public sealed record AlarmStep(AlarmState State, IReadOnlyList<AlarmAction> Actions);

/// <summary>ISA-18.2 for one alarm: active × acknowledged, latched, shelved, out of service. Pure: the host carries the actions out.</summary>
public static class AlarmMachine
{
    /// <param name="state">Before.</param>
    /// <param name="what">What happened.</param>
    /// <param name="at">When it happened: a record's own time, which may lie in the past.</param>
    /// <param name="repeatEvery">How often an unacknowledged alarm is said again; above zero.</param>
    public static AlarmStep Step(AlarmState state, AlarmEvent what, DateTimeOffset at, TimeSpan repeatEvery)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(what);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(repeatEvery, TimeSpan.Zero);
        return what switch
        {
            // Late records change history; they never sound a siren nor clear a newer state. Clocks are stepped, journals are not.
            AlarmEvent.Raised { Place: { } place } when place < state.ChangedBy => new(state, [new AlarmAction.HistoryOnly()]),
            AlarmEvent.Cleared { Place: { } place } when place < state.ChangedBy => new(state, [new AlarmAction.HistoryOnly()]),

            AlarmEvent.Raised it when state.Active => Same(state with { ChangedBy = it.Place ?? state.ChangedBy }),
            AlarmEvent.Raised it => Raise(state, it, NotAfter(at, it.ReceivedAt), repeatEvery),

            AlarmEvent.Cleared it when !state.Active => Same(state with { ChangedBy = it.Place ?? state.ChangedBy }),
            AlarmEvent.Cleared it => Clear(state, it, NotAfter(at, it.ReceivedAt)),

            AlarmEvent.Acknowledged when !state.Standing || state.Acknowledged is not null => Same(state),
            AlarmEvent.Acknowledged it => new(
                state with { Acknowledged = new(it.Who, at, it.Why), RepeatAt = null },
                [new AlarmAction.Notify(NotifyKind.Acknowledged)]),

            AlarmEvent.Repeat when state.Mode == AlarmMode.Shelved && at >= state.ShelvedUntil => Speak(
                state with { Mode = AlarmMode.InService, ShelvedUntil = null }, at, repeatEvery),
            // Further away than a whole wait: the hub's clock was set back.
            AlarmEvent.Repeat when state.Mode == AlarmMode.InService && (at >= state.RepeatAt || state.RepeatAt - at > repeatEvery) => new(
                state with { RepeatAt = at + repeatEvery }, [new AlarmAction.Notify(NotifyKind.Repeat)]),

            AlarmEvent.Shelved it when it.Until > at && state.Mode == AlarmMode.InService =>
                new(state with { Mode = AlarmMode.Shelved, ShelvedUntil = it.Until, RepeatAt = null }, []),
            AlarmEvent.OutOfService { On: true } => new(state with { Mode = AlarmMode.OutOfService, ShelvedUntil = null, RepeatAt = null }, []),
            AlarmEvent.OutOfService when state.Mode == AlarmMode.OutOfService => Speak(state with { Mode = AlarmMode.InService }, at, repeatEvery),
            _ => Same(state),
        };
    }

    // An alarm that was raised while the network was away and is still active is news to the hub: it shows as active and is
    // said by the next repetition, after the records behind it had their chance to clear it. The raise itself sounds nothing.
    private static AlarmStep Raise(AlarmState state, AlarmEvent.Raised what, DateTimeOffset at, TimeSpan repeatEvery)
    {
        var speaks = state.Mode == AlarmMode.InService;
        var next = state with
        {
            Active = true,
            Acknowledged = null,
            RaisedAt = at,
            ClearedAt = null,
            ChangedBy = what.Place ?? state.ChangedBy,
            RepeatAt = speaks ? (what.ReceivedAt ?? at) + repeatEvery : null,
        };
        return new(next, what.Late ? [new AlarmAction.HistoryOnly()] : speaks ? [new AlarmAction.Notify(NotifyKind.Raised)] : []);
    }

    private static AlarmStep Clear(AlarmState state, AlarmEvent.Cleared what, DateTimeOffset at)
    {
        var next = state with { Active = false, ClearedAt = at, ChangedBy = what.Place ?? state.ChangedBy };
        if (!next.Standing) next = next with { RepeatAt = null };
        return new(next, what.Late ? [new AlarmAction.HistoryOnly()] : state.Mode == AlarmMode.InService ? [new AlarmAction.Notify(NotifyKind.Cleared)] : []);
    }

    private static AlarmStep Speak(AlarmState state, DateTimeOffset at, TimeSpan repeatEvery) =>
        state.Standing && state.Acknowledged is null
            ? new(state with { RepeatAt = at + repeatEvery }, [new AlarmAction.Notify(NotifyKind.Repeat)])
            : Same(state);

    private static DateTimeOffset NotAfter(DateTimeOffset at, DateTimeOffset? receivedAt) => receivedAt < at ? receivedAt.Value : at;

    private static AlarmStep Same(AlarmState state) => new(state, []);
}
