namespace PhysSec.Core.Alarms;

/// <summary>The alarm classes a node or the hub can raise. An alarm's key is <c>{class}:{source}</c>.</summary>
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
    public const string ClockUnset = "clock-unset";
    public const string JournalFault = "journal-fault";

    // Raised by the hub about what it sees of a node or of itself.
    public const string NodeLost = "node-lost";
    public const string RecordDiverged = "record-diverged";
    public const string DeadLetter = "dead-letter";
    public const string StrangerAtBroker = "stranger-at-broker";
    public const string NotificationFailed = "notification-failed";

    public static string Key(string alarmClass, string source) => $"{alarmClass}:{source}";

    public static IReadOnlyList<string> All { get; } =
    [
        TemperatureHigh, TemperatureLow, TemperatureRate, HumidityHigh, HumidityLow, HumidityRate, Leak, MainsLost, UpsOnBattery, UpsLowBattery,
        DoorForced, DoorHeld, ExitButtonStuck, LockFault, Tamper, SensorSilent, SensorImplausible, ExitInEmptyRoom, LostCard, ReaderFault,
        ClockUnset, JournalFault,
        NodeLost, RecordDiverged, DeadLetter, StrangerAtBroker, NotificationFailed,
    ];
}
