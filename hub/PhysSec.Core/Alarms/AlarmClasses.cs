namespace PhysSec.Core.Alarms;

/// <summary>
/// The alarm classes a node or the hub can raise. A node's own key of an alarm, and the key of the hub's own, is <c>{class}:{source}</c>; two nodes may well
/// have the same, so the hub keeps what nodes raise under <c>{node}/{class}:{source}</c>.
/// </summary>
public static class AlarmClasses
{
    public const string TemperatureHigh = "temperature-high";
    public const string TemperatureLow = "temperature-low";
    public const string TemperatureRate = "temperature-rate";
    public const string HumidityHigh = "humidity-high";
    public const string HumidityLow = "humidity-low";
    public const string HumidityRate = "humidity-rate";
    public const string Leak = "leak";
    public const string MainsLost = "mains-lost";
    public const string UpsOnBattery = "ups-on-battery";
    public const string UpsLowBattery = "ups-low-battery";
    public const string DoorForced = "door-forced";
    public const string DoorHeld = "door-held";
    public const string ExitButtonStuck = "exit-button-stuck";
    public const string LockFault = "lock-fault";
    public const string Tamper = "tamper";
    public const string SensorSilent = "sensor-silent";
    public const string SensorImplausible = "sensor-implausible";
    public const string ExitInEmptyRoom = "exit-in-empty-room";
    public const string LostCard = "lost-card";
    public const string ReaderFault = "reader-fault";
    public const string Duress = "duress";
    public const string PinGuessing = "pin-guessing";
    public const string ReaderOffline = "reader-offline";
    public const string ReaderAttack = "reader-attack";
    public const string ReaderPower = "reader-power";
    public const string ReaderKeys = "reader-keys";
    public const string ClockUnset = "clock-unset";
    public const string JournalFault = "journal-fault";
    public const string DoorAjar = "door-ajar";
    public const string FireRelease = "fire-release";
    public const string BreakGlass = "break-glass";
    public const string SeismicRelease = "seismic-release";
    public const string ReleaseWithheld = "release-withheld";
    public const string ConfinementSuspected = "confinement-suspected";
    public const string InterlockBroken = "interlock-broken";

    // Raised by the hub about what it sees of a node or of itself.
    public const string NodeLost = "node-lost";
    public const string RecordDiverged = "record-diverged";
    public const string DeadLetter = "dead-letter";
    public const string StrangerAtBroker = "stranger-at-broker";
    public const string NotificationFailed = "notification-failed";
    public const string PolicyAhead = "policy-ahead";
    public const string PolicyNotMade = "policy-not-made";
    public const string ProgramDamaged = "program-damaged";
    public const string RecordUnwitnessed = "record-unwitnessed";
    public const string RecordDamaged = "record-damaged";
    public const string RetentionStopped = "retention-stopped";
    public const string RetentionShortened = "retention-shortened";
    public const string ReviewOverdue = "review-overdue";
    public const string DiskFilling = "disk-filling";
    public const string AssuranceOverclaimed = "assurance-overclaimed";
    public const string KeyOverdue = "key-overdue";

    public static string Key(string alarmClass, string source) => $"{alarmClass}:{source}";

    /// <summary>The hub's key of what a node raised.</summary>
    public static string Key(NodeId node, string alarmClass, string source) => $"{node}/{Key(alarmClass, source)}";

    /// <summary>The parts of a key; the node is null for the hub's own.</summary>
    public static (string? Node, string Class, string Source) Parts(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var colon = key.IndexOf(':', StringComparison.Ordinal);
        var (name, source) = colon < 0 ? (key, "") : (key[..colon], key[(colon + 1)..]);
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? (null, name, source) : (name[..slash], name[(slash + 1)..], source);
    }

    /// <summary>What only the hub can know: a node that raises or clears one of these is not believed.</summary>
    public static IReadOnlyList<string> OfHub { get; } = [NodeLost, RecordDiverged, DeadLetter, StrangerAtBroker, NotificationFailed, PolicyAhead, PolicyNotMade, ProgramDamaged, RecordUnwitnessed, RecordDamaged,
        RetentionStopped, RetentionShortened, ReviewOverdue, DiskFilling, AssuranceOverclaimed, KeyOverdue];

    public static IReadOnlyList<string> All { get; } =
    [
        TemperatureHigh, TemperatureLow, TemperatureRate, HumidityHigh, HumidityLow, HumidityRate, Leak, MainsLost, UpsOnBattery, UpsLowBattery,
        DoorForced, DoorHeld, ExitButtonStuck, LockFault, Tamper, SensorSilent, SensorImplausible, ExitInEmptyRoom, LostCard, ReaderFault, ReaderOffline, ReaderAttack, ReaderPower, ReaderKeys,
        Duress, PinGuessing, ClockUnset, JournalFault, DoorAjar, FireRelease, BreakGlass, SeismicRelease, ReleaseWithheld, ConfinementSuspected, InterlockBroken, .. OfHub,
    ];
}
