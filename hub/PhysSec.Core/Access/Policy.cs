namespace PhysSec.Core.Access;

/// <summary>
/// Everything one node needs to decide alone: compiled, signed and versioned by the hub, swapped in whole. It holds no names and no card numbers.
/// </summary>
public sealed record Policy(
    long Version, SiteId Site, NodeId Node, DateTimeOffset IssuedAt, string TimeZone,
    IReadOnlyList<ZonePolicy> Zones, IReadOnlyList<DoorPolicy> Doors, IReadOnlyList<Credential> Credentials,
    IReadOnlyList<Right> Rights, IReadOnlyList<Schedule> Schedules, IReadOnlyList<DateOnly> Closed, IReadOnlyList<SensingRule> Sensing);

/// <summary>Level 1–3. MaxAgeHours: how old a policy may be (since the hub last confirmed it) before the zone refuses. OnJournalFault: what to do when the record cannot be committed within 250 ms.</summary>
public sealed record ZonePolicy(ZoneId Id, int Level, double MaxAgeHours, Assurance Required, JournalFaultRule OnJournalFault);

public enum JournalFaultRule { Refuse = 0, ReleaseWithLocalAlarm = 1 }

/// <summary>How well a reader proves who stands there. Wiegand and UID readers only read a number.</summary>
public enum Assurance { Low = 0, High = 1 }

/// <summary>
/// Times in seconds: ReleaseTime 3–60, ExtendedReleaseTime 3–60, OpenTime and PreAlarmTime 1–600 (ONVIF door control vocabulary). Doors of one node with the same Interlock form a mantrap; all
/// of them state the same InterlockRule. Guard: what an armed guard service means for those who want to enter.
/// </summary>
public sealed record DoorPolicy(
    DoorId Id, ZoneId Zone, bool Lockdown, double ReleaseTime, double ExtendedReleaseTime, double OpenTime, double PreAlarmTime, Assurance ReaderAssurance,
    AssuranceException? Exception, string? Interlock = null, InterlockRule InterlockRule = InterlockRule.OneUnlocked, GuardRule Guard = GuardRule.Refuse);

/// <summary>What the doors of a mantrap allow those who enter; leaving is never held.</summary>
public enum InterlockRule
{
    /// <summary>Nobody is let in while another door is unlocked or open.</summary>
    OneUnlocked = 0,

    /// <summary>Nobody is let in while another door is open.</summary>
    OneOpen = 1,
}

/// <summary>What a door does while the guard service is armed.</summary>
public enum GuardRule
{
    /// <summary>Whoever wants to enter is refused, whoever it is.</summary>
    Refuse = 0,

    /// <summary>Whoever could enter otherwise is asked to disarm first; everybody else is refused for their own reason.</summary>
    AskToDisarm = 1,
}

/// <summary>An owned, expiring permission to accept less assurance than the zone requires (R-OPS-13).</summary>
public sealed record AssuranceException(string Owner, string Reason, string CompensatingControl, DateTimeOffset Expires);

public enum CredentialState { Active = 0, Revoked = 1, Lost = 2, Suspended = 3 }

public sealed record Credential(CredentialToken Token, PersonId Person, CredentialState State, DateTimeOffset? ValidFrom, DateTimeOffset? ValidTo, bool Extended = false);

/// <summary>A person's right to enter a zone. Applicant ≠ Approver. ApplicationNumber is the municipal 申請番号.</summary>
public sealed record Right(
    RightId Id, PersonId Person, ZoneId Zone, ScheduleId Schedule, DateTimeOffset ValidFrom, DateTimeOffset ValidTo,
    string Applicant, string Approver, string ApplicationNumber, string Purpose);

/// <summary>Weekly windows in site time. A window whose To is not after From runs past midnight. On a closed day (holiday, 閉庁日) only windows with OnClosedDays apply.</summary>
public sealed record Schedule(ScheduleId Id, IReadOnlyList<Window> Windows);

public sealed record Window(IReadOnlyList<DayOfWeek> Days, TimeOnly From, TimeOnly To, bool OnClosedDays);

/// <summary>
/// What to watch on a point. Limits and dead-band in the point's unit, delays and periods in seconds, RateLimit in units per hour over RateWindow.
/// High raises at or above, clears below High − DeadBand; Low likewise. SilentAfter without a good reading raises <c>sensor-silent</c>;
/// StuckAfter with no change at all raises <c>sensor-implausible</c> (0 = off).
/// </summary>
public sealed record SensingRule(
    PointId Point, string AlarmClassHigh, string AlarmClassLow, double? High, double? Low, double DeadBand, double TripDelay, double ClearDelay,
    double? RateLimit, double RateWindow, string AlarmClassRate, double SilentAfter, double StuckAfter);

public enum Direction { In = 0, Out = 1 }

/// <summary>The enum's order is the order of the guards; the numbers go to the journal and never change.</summary>
public enum DenialReason
{
    NoPolicy = 10,
    DoorNotInPolicy = 11,
    JournalFault = 12,
    Lockdown = 20,
    DoorBlocked = 21,
    Interlocked = 22,
    GuardArmed = 25,
    UnknownCredential = 30,
    CredentialLost = 31,
    CredentialRevoked = 32,
    CredentialSuspended = 33,
    NoRightHere = 40,
    ClockUnset = 50,
    PolicyTooOld = 51,
    CredentialNotYetValid = 60,
    CredentialExpired = 61,
    RightNotYetValid = 62,
    RightExpired = 63,
    ClosedDay = 64,
    OutsideHours = 65,
    AssuranceTooLow = 70,
}
