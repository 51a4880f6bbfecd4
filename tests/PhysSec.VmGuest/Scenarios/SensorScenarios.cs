using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;
using PhysSec.VmGuest.Machine;
using static PhysSec.VmGuest.Scenarios.Times;

namespace PhysSec.VmGuest.Scenarios;

/// <summary>What the room tells over I2C and over its contacts, and what a chip's faults become.</summary>
internal static class SensorScenarios
{
    private const string Temperature = "room.temperature";
    private static readonly TimeSpan _silent = TimeSpan.FromSeconds(Site.SilentSeconds);

    public static void Play(Report report, Room room)
    {
        report.Play("heat raises the alarm of its limit and its end clears it", it =>
        {
            room.Bus.Air(35);
            it.Within(Monotonic.Until(() => room.LampOn && room.SirenOn, TimeSpan.FromSeconds(6)), "lamp and siren");
            room.Bus.Air(23);
            it.Within(Monotonic.Until(() => !room.LampOn && !room.SirenOn, TimeSpan.FromSeconds(6)), "quiet");
        }, (it, facts) =>
        {
            it.One<AlarmRaised>(
                facts, fact => fact is { Class: AlarmClasses.TemperatureHigh, Source: Temperature, Limit: Site.HotCelsius, Value: > 34.9 and < 35.1, Unit: "°C" }, "alarm temperature-high at 35 °C");
            it.One<AlarmCleared>(facts, fact => fact.Class == AlarmClasses.TemperatureHigh, "temperature-high cleared");
        });

        PlayFault(report, room, "a wrong check value is a fault and never a temperature; good answers end it", ChipFault.Crc, nameof(SensorFault.BadChecksum));
        PlayFault(report, room, "a chip that does not answer is a fault by name; its return ends it", ChipFault.Absent, nameof(SensorFault.Absent));

        report.Play("water under the floor raises an alarm until it is dry", it =>
        {
            room.Leak(wet: true);
            it.Within(Monotonic.Until(() => room.LampOn && room.SirenOn, Soon), "lamp and siren");
            room.Leak(wet: false);
            it.Within(Monotonic.Until(() => !room.LampOn && !room.SirenOn, Soon), "quiet");
        }, (it, facts) =>
        {
            it.One<AlarmRaised>(facts, fact => fact is { Class: AlarmClasses.Leak, Source: "leak" }, "alarm leak");
            it.One<AlarmCleared>(facts, fact => fact.Class == AlarmClasses.Leak, "leak cleared");
        });
    }

    /// <summary>The first readings: what the chip measures is what the journal holds.</summary>
    public static void Measures(Scenario it, IReadOnlyList<Fact> facts) =>
        it.Expect(Points(facts).Any(Is23), "the journal has no temperature of 23 °C");

    private static List<PointValue> Points(IReadOnlyList<Fact> facts) =>
        [.. facts.OfType<Measured>().SelectMany(fact => fact.Values).Where(point => point.Point.Value == Temperature)];

    private static bool Is23(PointValue point) => point is { Quality: "good", Value: > 22.9 and < 23.1 };

    private static void PlayFault(Report report, Room room, string rule, ChipFault fault, string name) => report.Play(rule, it =>
    {
        room.Bus.Fault(fault);
        it.Within(Monotonic.Until(() => room.LampOn, _silent + Sampled), "lamp");
        it.Expect(!room.SirenOn, "a silent sensor sounds the siren");
        room.Bus.Fault(ChipFault.None);
        it.Within(Monotonic.Until(() => !room.LampOn, Sampled), "quiet");
    }, (it, facts) =>
    {
        var points = Points(facts);
        it.Expect(points.Exists(point => point is { Quality: "fault", Value: null }), "the journal does not call the point faulty");
        it.Expect(points.TrueForAll(point => Is23(point) || point is { Quality: "fault", Value: null }), "the journal has a value that the chip never sent");
        it.Expect(points.Count > 0 && Is23(points[^1]), "the journal does not call the point good again");
        it.One<AlarmRaised>(
            facts, alarm => alarm is { Class: AlarmClasses.SensorSilent, Source: Temperature } && alarm.Detail?.Contains(name, StringComparison.Ordinal) == true, $"alarm sensor-silent, {name}");
        it.One<AlarmCleared>(facts, alarm => alarm is { Class: AlarmClasses.SensorSilent, Source: Temperature }, "sensor-silent cleared");
    });
}
