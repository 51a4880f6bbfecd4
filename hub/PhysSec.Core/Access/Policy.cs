namespace PhysSec.Core.Access;

/// <summary>
/// Everything one node needs to decide alone: compiled, signed and versioned by the hub, swapped in whole. It holds no names and no card numbers.
/// </summary>
public sealed record Policy(
    long Version, SiteId Site, NodeId Node, DateTimeOffset IssuedAt, string TimeZone,
    IReadOnlyList<ZonePolicy> Zones, IReadOnlyList<DoorPolicy> Doors, IReadOnlyList<Credential> Credentials,
    IReadOnlyList<Right> Rights, IReadOnlyList<Schedule> Schedules, IReadOnlyList<DateOnly> Closed, IReadOnlyList<SensingRule> Sensing,
    IReadOnlyList<Pin>? Pins = null, PinLimits? PinLimits = null);

/// <summary>
/// Level 1–3. MaxAgeHours: how old a policy may be (since the hub last confirmed it) before <see cref="OnTooOld"/> holds. OnJournalFault: what to do when the record cannot be committed within 250 ms.
/// Factors: what must be shown to enter; SecondCardTime: seconds in which the second of two cards must follow, 1–60.
/// </summary>
public sealed record ZonePolicy(
    ZoneId Id, int Level, double MaxAgeHours, Assurance Required, JournalFaultRule OnJournalFault,
    FactorRule Factors = FactorRule.Card, TooOldRule OnTooOld = TooOldRule.Refuse, double SecondCardTime = 5);

/// <summary>What must be shown at a door, and what somebody has shown. Leaving never needs more than a card.</summary>
public enum FactorRule
{
    Card = 0,

    /// <summary>A code alone says who stands there: level 1 only, and the code must be long enough for the number of codes (<see cref="PinRules"/>).</summary>
    PinOnly = 1,

    CardAndPin = 2,

    /// <summary>The cards of two different people, one soon after the other.</summary>
    TwoCards = 3,
}

/// <summary>What a zone does when the policy is older than its greatest age: refuse, or go on for who shows card and PIN.</summary>
public enum TooOldRule { Refuse = 0, SecondFactor = 1 }

/// <summary>
/// What a node needs to tell a person's PIN from others; never the PIN. Digits: how long it is. Salt: 16 random bytes in hex, new with each PIN. Right and Duress:
/// <see cref="PinKey.Verifier"/> of the two codes. Where the code also works without a card, Alone is the random token it has among the credentials and in the record, and
/// AloneRight and AloneDuress are <see cref="PinKey.Tag"/> of the two codes.
/// </summary>
public sealed record Pin(
    PersonId Person, int Digits, string Salt, string Right, string Duress, CredentialToken? Alone = null, string? AloneRight = null, string? AloneDuress = null)
{
    /// <summary>Says nothing that a log should not hold.</summary>
    public override string ToString() => $"PIN of {Person}";
}

/// <summary>
/// How many wrong codes a node takes. Person: in a row, given back whole by a right one; PersonLong: whatever lies between, so that it bounds a year; Reader: at one reader by anybody; Node: at all of them,
/// this node's share of the site's.
/// </summary>
public sealed record PinLimits(GuessBudget Person, GuessBudget PersonLong, GuessBudget Reader, GuessBudget Node)
{
    /// <summary>What holds where a policy names none; Node for a site of one node.</summary>
    public static PinLimits Default { get; } = new(new(5, 1800), new(50, 86_400), new(20, 3600), new(60, 1200));

    /// <summary>
    /// The share of one of so many nodes: PersonLong and Node are the site's, and what nodes cannot tell each other while the line is cut is divided beforehand. No share is smaller than five
    /// codes of a person (or their own slips would lock them out) and one of all.
    /// </summary>
    public PinLimits ShareOf(int nodes) => this with { PersonLong = Share(PersonLong, nodes, 5), Node = Share(Node, nodes, 1) };

    private static GuessBudget Share(GuessBudget site, int nodes, int least) =>
        new(Math.Max(least, site.Burst / Math.Max(1, nodes)), Math.Min(GuessBudget.RefillMax, site.RefillSeconds * Math.Max(1, nodes)));
}

/// <summary>So many wrong codes at once (1–1000), then one more every RefillSeconds (60 s – 31 days).</summary>
public sealed record GuessBudget(int Burst, double RefillSeconds)
{
    public const double RefillMax = 31 * 86_400;
}

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
    PinNotIssued = 80,

    // 81–85 are found by whoever takes the code or the second card; nothing but that was missing.
    PinBlocked = 81,
    ReaderPinBlocked = 82,
    SitePinBlocked = 83,
    WrongPin = 84,
    SecondCardSamePerson = 85,

    PinRequired = 86,
    SecondCardRequired = 87,
}
