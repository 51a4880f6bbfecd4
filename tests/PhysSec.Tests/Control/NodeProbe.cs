using System.Text.Json;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using PhysSec.Tests.Access;

namespace PhysSec.Tests.Control;

/// <summary>A node's core on the board of one room, with a clock that the test moves. It keeps what a shell would keep.</summary>
internal sealed class NodeProbe
{
    internal static readonly DoorId Door = TestPolicy.Door;
    internal static readonly PointId Temperature = new("room.temperature");
    internal static readonly PointId Humidity = new("room.humidity");

    internal NodeProbe(Policy? policy = null, NodeMemory? memory = null, double at = 0, ClockQuality clock = ClockQuality.Synced, bool start = true, bool sensors = true)
    {
        var setup = Setup(policy ?? TestPolicy.Policy(), clock);
        Core = new(sensors ? setup : setup with { Points = [] }, memory);
        (Memory, Clock, Now) = (memory, clock, at);
        if (!start) return;
        Started = Do(new Tick());
        Contacts();
    }

    internal NodeCore Core { get; }

    /// <summary>Seconds of uptime; site time starts on Tuesday at ten.</summary>
    internal double Now { get; set; }

    internal ClockQuality Clock { get; set; }

    internal NodeMemory? Memory { get; private set; }

    /// <summary>The lock as the shell would have it, with every commit in time.</summary>
    internal bool Free { get; private set; }

    internal Effects Started { get; } = Effects.None;

    internal static NodeSetup Setup(Policy? policy, ClockQuality clock) => new(
        "1.0.0", "one-room", true, "clean", [new(Door, true, true, true, true)],
        [
            new("door-a.contact", ContactRole.DoorLeaf, Door), new("door-a.button", ContactRole.ExitButton, Door),
            new("door-a.tamper", ContactRole.DoorTamper, Door), new("enclosure.tamper", ContactRole.EnclosureTamper, null),
            new("mains", ContactRole.Mains, null), new("leak", ContactRole.Leak, null),
        ],
        PhysSec.Core.Sensing.DerivedPoints.WithDewPoints(
            [new(Temperature, "°C", -40, 125, "temperature", 1), new(Humidity, "%RH", 0, 100, "humidity", 1)]),
        clock, policy is null ? null : new(policy, TestPolicy.Hash, TestPolicy.Tuesday.AddHours(-1)), TestPins.Key);

    /// <summary>Says how every contact stands, as a shell does at the start: all well, door shut.</summary>
    internal void Contacts()
    {
        foreach (var it in Setup(null, Clock).Contacts) Contact(it.Device, it.Role == ContactRole.Mains);
    }

    internal Effects After(double seconds, Input input)
    {
        Now += seconds;
        return Do(input);
    }

    internal Effects Do(Input input)
    {
        var effects = Core.Step(input, TimeSpan.FromSeconds(Now), Clock == ClockQuality.Unset ? null : TestPolicy.Tuesday.AddSeconds(Now));
        if (effects.Secure.Count > 0) Free = false;
        if (effects.Release.Count > 0) Free = true;
        Memory = effects.Memory ?? Memory;
        return effects;
    }

    internal Effects Card(CredentialToken card, Direction direction = Direction.In) => Do(new CardRead(Door, direction, card));

    /// <summary>Types a code and #; what the last key did.</summary>
    internal Effects Type(string digits)
    {
        foreach (var it in digits) Assert.Equal(Effects.None, Do(new KeyPressed(Door, Direction.In, it - '0')));
        return Do(new KeyPressed(Door, Direction.In, KeyPressed.Hash));
    }

    internal Effects Contact(string device, bool? active)
    {
        var contact = Setup(null, Clock).Contacts.Single(it => it.Device == device);
        return Do(new ContactChanged(device, contact.Role, contact.Door, active));
    }

    internal Effects Sample(double? celsius, double? humidity = 45, string fault = "Absent") => Do(new Sampled(
    [
        new(Temperature, celsius, "°C", celsius is null ? fault : null), new(Humidity, humidity, "%RH", humidity is null ? fault : null),
    ]));

    internal Effects LockFault(string? fault) => Do(new LockFaultChanged(Door, fault));

    internal Effects Command(string verb, params (string Name, string Value)[] arguments) => Do(new CommandArrived(
        new(verb, "n-1", TestPolicy.Tuesday, "sato", "test", arguments.ToDictionary(it => it.Name, it => it.Value), "checked")));

    /// <summary>Every kind of record of a step with what matters of it, in order.</summary>
    internal static string Say(Effects effects) => string.Join(", ", effects.Records.Select(it => it.Fact switch
    {
        AccessGranted fact => $"granted {fact.Direction} {fact.Person} ({fact.Rule})",
        AccessDenied fact => $"denied {fact.Direction} {fact.Reason} {fact.Code}",
        Passage fact => $"passage {fact.Direction} {fact.Person?.Value ?? "-"} {fact.InsideAfter}",
        NoPassage fact => $"no passage {fact.Direction} {fact.Person?.Value ?? "-"}",
        ExitRequested fact => $"exit request {fact.InsideBefore}",
        DoorChanged fact => $"{fact.From}>{fact.To} {fact.By}",
        AlarmRaised fact => $"+{fact.Alarm}{(it.Hot ? "!" : "")}",
        AlarmCleared fact => $"-{fact.Alarm}",
        CommandExecuted fact => $"command {fact.Verb} {fact.Outcome}",
        PolicyApplied fact => $"policy {fact.Version}",
        PolicyRefused fact => $"policy {fact.Version} refused",
        NodeStarted fact => $"started {fact.Firmware} {fact.Board} {fact.Simulated} {fact.Previous}",
        Measured fact => $"measured {string.Join(' ', fact.Values.Select(value => FormattableString.Invariant($"{value.Point}={value.Value} {value.Quality}")))}",
        _ => it.Fact.GetType().Name,
    }));

    internal static string Signals(Effects effects) => string.Join(", ", effects.Signals.Select(it => it switch
    {
        ReaderSignal reader => $"{reader.Direction} {reader.Indication}",
        LampSignal lamp => $"lamp {(lamp.On ? "on" : "off")}",
        SirenSignal siren => $"siren {(siren.On ? "on" : "off")}",
        _ => it.ToString(),
    }));

    /// <summary>Everything of a step, to the last digit.</summary>
    internal static string Exactly(Effects effects)
    {
        var records = effects.Records.Select(it => it.Stream + it.Hot + JsonSerializer.Serialize(
            new JournalRecord(1, it.Stream, 1, null, 0, "b", ClockQuality.Synced, LinkState.Up, it.Fact), WireJson.Plain.JournalRecord));
        var live = effects.Live.Select(it => $"{it.Point} {it.Quality} {it.Unit} " + it.Value switch
        {
            null => "null",
            double value => value.ToString("R", System.Globalization.CultureInfo.InvariantCulture),
            bool value => value.ToString(),
            DoorLive value => JsonSerializer.Serialize(value, WireJson.Plain.DoorLive),
            var other => throw new ArgumentException($"a live value of type {other.GetType().Name} has no place on the wire"),
        });
        var memory = effects.Memory is null ? "" : Kept(effects.Memory);
        return string.Join('\n', [
            .. effects.Secure.Select(it => $"lock {it}"), .. records, memory, .. effects.Release.Select(it => it.ToString()), Signals(effects), .. live,
            .. effects.Replies.Select(it => it.ToString())]);
    }

    private static string Kept(NodeMemory memory) =>
        string.Join(' ', memory.Doors.Select(it => $"{it.Door} {it.Lockdown} {string.Join('+', it.Inside)} {it.LeftUnidentified} {it.EnteredUnidentified}"))
        + string.Join(' ', memory.Alarms) + string.Join(' ', memory.Guesses ?? []) + string.Join(' ', memory.Codes ?? []);
}
