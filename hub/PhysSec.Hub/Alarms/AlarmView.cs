using PhysSec.Core.Alarms;

namespace PhysSec.Hub.Alarms;

/// <summary>Text in both languages.</summary>
public sealed record Both(string Ja, string En);

/// <summary>What the store keeps of an alarm: the machine's state and the last raise's particulars.</summary>
public sealed record AlarmRow(string Key, string Class, string Source, string? Node, AlarmState State, double? Value, double? Limit, string? Unit, string? Detail);

/// <summary>An alarm as people see it: what, where, since when, what it may do, what to do, who is on it.</summary>
public sealed record AlarmView(
    string Key, string Class, string Priority, string Source, string? Node, bool Active, bool Standing, bool Acknowledged, DateTimeOffset? Since, DateTimeOffset? ClearedAt,
    string? AckBy, DateTimeOffset? AckAt, string? AckReason, double? Value, double? Limit, string? Unit, string? Detail,
    Both Title, Both Cause, Both Consequence, Both Response, string Owner, int TimeLimitMinutes, IReadOnlyList<Notify.NotificationView> Notifications)
{
    /// <summary>Of a door that opened without a release: whether a key of it was lent. It tells who to ask, and makes the alarm no smaller.</summary>
    public Access.KeyFinding? KeyLoan { get; init; }
}

/// <summary>One line of the history. What is raised, cleared, acknowledged or repeated.</summary>
public sealed record AlarmHistoryItem(long Id, DateTimeOffset? At, DateTimeOffset RecordedAt, string Key, string What, bool Late, string? Detail);
