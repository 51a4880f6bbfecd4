using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Doors;
using PhysSec.Core.Wire;

namespace PhysSec.Tests.Wire;

/// <summary>One example of every message and every fact, with its golden file's name.</summary>
internal static class WireSamples
{
    private static readonly DateTimeOffset _at = new(2026, 11, 24, 9, 30, 15, 250, TimeSpan.FromHours(9));
    private static readonly DoorId _door = new("door-a");
    private static readonly CredentialToken _token = new("4f".PadRight(64, 'a'));
    private static readonly PersonId _person = new("p-sato");
    private static readonly string _hash = new('b', 64);

    public static IReadOnlyDictionary<string, (object Message, JsonTypeInfo Type)> All { get; } = Samples();

    private static Dictionary<string, (object, JsonTypeInfo)> Samples()
    {
        var json = WireJson.Plain;
        var record = Record(new ExitRequested(_door, 1));
        var samples = new Dictionary<string, (object, JsonTypeInfo)>
        {
            ["birth"] = (new Birth(
                1, "node-a", "0.1.0", "one-room-pi", false, 1, "boot-7", 41, _hash, 12,
                [new(new("room.temperature"), "°C", -45, 130, "temperature", 1)], [new(_door, true, true, true, true, LockType.FailSafeStrike, true, true, true, true, true,
                    new([new(Direction.In, "osdp", CardProof.KeyInReader, true, "MIFARE DESFire EV3"), new(Direction.Out, "wiegand", CardProof.Number, false)], ["door-a.tamper"], Direction.Out))], _at, new string('C', 64), 3, "a1b2c3d4", 1), json.Birth),
            ["state"] = (new NodeState(
                "degraded", "boot-7", 1, _at, ["the journal cannot be written: the disk is full"],
                new(3600.5, 12, 1_000_000_000, 48.5, ClockQuality.Synced, 12, 61.5, 0, new("mmcblk0", 5_368_709_120, 20, false), "version 0.1.1-2: physsec-node: FAILED", 31_000_000_000)), json.NodeState),
            ["state-lost"] = (new NodeState("lost", "boot-7", 1, null), json.NodeState),
            ["live-number"] = (new LiveValue(Json("24.5"), "good", _at, "°C"), json.LiveValue),
            ["live-door"] = (new LiveValue(
                JsonSerializer.SerializeToElement(
                    new DoorLive("locked", false, false, false, "normal", 1, 0, new("denied", "UnknownCredential", null, "in", _at), [_person],
                        new(DoorModes.Blocked, "op-tanaka", "棚卸し", _at.AddHours(1)), [EmergencySignal.Fire], false, 2, true, false,
                        [new(Direction.In, ReaderLink.Offline, ReaderOffline.OtherDevice, _at, "8c1f0e2d3b4a5968", false, Reader("0000000A"), Reader("0000000B"), "the disk is full",
                            new(ReaderActs.Rotate, ReaderStep.Failed, ReaderActFault.NotOnline, "op-tanaka", "定期の鍵の変更", _at, "8c1f0e2d3b4a5968", "8c1f0e2d3b4a5968", Reader("0000000A"), Reader("0000000A")))]), json.DoorLive),
                "good", _at, "door"), json.LiveValue),
            ["live-unknown"] = (new LiveValue(Json("null"), "unknown", null, "°C"), json.LiveValue),
            ["journal"] = (new JournalBatch(
                1, "a", 7, 7, Chain.Genesis, Chain.Next(Chain.Genesis, JsonSerializer.Serialize(record, json.JournalRecord)),
                [JsonSerializer.SerializeToElement(record, json.JournalRecord)], "c2lnbmF0dXJl"), json.JournalBatch),
            ["hot"] = (new HotRecord(_hash, JsonSerializer.SerializeToElement(record, json.JournalRecord), "c2lnbmF0dXJl"), json.HotRecord),
            ["certificate"] = (new NodeCertificate("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"), json.NodeCertificate),
            ["ack"] = (new Ack(3, 1, "a", 41, [new(12, 14)], _at, "c2lnbmF0dXJl"), json.Ack),
            ["command"] = (new Command(
                Verbs.Release, "n-0001", _at.AddSeconds(20), "op-tanaka", "宅配の受け取り", new Dictionary<string, string> { ["door"] = "door-a" }, "c2lnbmF0dXJl"),
                json.Command),
            ["reply"] = (new CommandReply("n-0001", "refused", "the deadline has passed"), json.CommandReply),
            ["policy-snapshot"] = (new PolicyMessage(12, null, _hash, _at, "{\"version\":12}", "c2lnbmF0dXJl"), json.PolicyMessage),
            ["policy-confirmation"] = (new PolicyMessage(12, null, _hash, _at, null, "c2lnbmF0dXJl"), json.PolicyMessage),
            ["policy-body"] = (Policy(), json.Policy),
            ["hub"] = (new HubState("online", 3, [1], _at), json.HubState),
        };
        foreach (var fact in Facts()) samples[$"record-{Kind(fact)}"] = (Record(fact), json.JournalRecord);
        samples["record-clock-unset"] = (Record(new ExitRequested(_door, 1)) with { At = null, Clock = ClockQuality.Unset }, json.JournalRecord);
        return samples;
    }

    private static IEnumerable<Fact> Facts() =>
    [
        new AccessGranted(_door, Direction.In, _token, _person, new("r-1"), 12, _hash, 61.5, "right r-1", Assurance.Low, "定期点検", new("p-escort"), ["ノートPC"], FactorRule.TwoCards, new("p-suzuki")),
        new AccessDenied(_door, Direction.In, _token, null, DenialReason.UnknownCredential, 30, "a registered card", 12, _hash, 61.5),
        new Passage(_door, Direction.Out, null, 0),
        new NoPassage(_door, Direction.In, _person),
        new ExitRequested(_door, 1),
        new DoorChanged(_door, DoorPhase.Locked, DoorPhase.Released, "credential"),
        new ReaderFaulted(_door, Direction.In, "Parity", 26),
        new AlarmRaised("temperature-high:room.temperature", AlarmClasses.TemperatureHigh, "room.temperature", 31.25, 30, "°C", null),
        new AlarmCleared("temperature-high:room.temperature", AlarmClasses.TemperatureHigh, "room.temperature", 27.5, null),
        new Measured([new(new("room.temperature"), 24.5, "good"), new(new("room.humidity"), null, "fault")]),
        new CommandExecuted(Verbs.Release, "n-0001", "op-tanaka", "宅配の受け取り", "done", null),
        new PolicyApplied(12, _hash),
        new PolicyRefused(11, "version 11 is older than 12, which is in force"),
        new NodeStarted("0.1.0", "one-room-pi", false, "interrupted"),
        new NodeStopped("SIGTERM"),
        new ClockStepped(-3.5, ClockQuality.Synced, ClockQuality.Holdover),
        new JournalRepaired("the integrity check says: wrong # of entries", "journal.db.corrupt-1"),
        new EpochBegan(1, 41, _hash),
        new MeasurementsThinned(1, 1000, "12 MiB free on disk", 1),
        new CertificateRenewed(new string('C', 64), _at.AddYears(1)),
        new BoardConfigured("one-room-pi", _hash, "c2VhbGVk"),
        new BoardCommissioned("one-room-pi", _hash, false, "佐藤 Sato", _at, false, ["door-a.egress-power"], _hash),
        new DoorModeChanged(_door, DoorMode.Normal, DoorMode.Unlocked, "command", "op-tanaka", "搬入作業", _at.AddHours(1), 3600),
        new EmergencySignalled(_door, EmergencySignal.BreakGlass, true, true),
        new UnbadgedPassage(_door, DoorMode.FireRelease, 3),
        new GuardContact("alarm", true, "door-forced:door-a"),
        new ReaderCommissioned(
            _door, Direction.In, ReaderActs.Replace, "failed", ReaderActFault.WindowClosed, "8c1f0e2d3b4a5968", null, Reader("0000000A"), null, "op-tanaka", "リーダの交換", 300),
    ];

    private static ReaderDevice Reader(string serial) => new("00A1B2", 3, 1, serial, "1.4.2");

    public static string Kind(Fact fact) =>
        JsonSerializer.SerializeToElement(fact, WireJson.Plain.Fact).GetProperty("kind").GetString()!.Replace('.', '-');

    private static JournalRecord Record(Fact fact) =>
        new(1, fact is Measured ? "m" : "a", 7, _at, 123_456_789, "boot-7", ClockQuality.Synced, LinkState.Up, fact);

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    private static Policy Policy() => new(
        12, new("city"), new("node-a"), _at, "Asia/Tokyo",
        [new(new("room"), 2, 72, Assurance.High, JournalFaultRule.Refuse, FactorRule.TwoCards, TooOldRule.Refuse, 7)],
        [new(_door, new("room"), false, 5, 10, 30, 10, Assurance.Low, new("情報政策課長", "Wiegand reader until 2027", "camera", _at.AddDays(90)), "mantrap-1", InterlockRule.OneOpen, GuardRule.AskToDisarm)],
        [new(_token, _person, CredentialState.Active, null, _at.AddYears(1), true)],
        [new(new("r-1"), _person, new("room"), new("office"), _at, _at.AddYears(1), "p-suzuki", "p-tanaka", "情-2026-014", "運用")],
        [new(new("office"), [new([DayOfWeek.Monday, DayOfWeek.Friday], new(8, 30), new(17, 15), false)])],
        [new(2026, 12, 29)],
        [new(new("room.temperature"), AlarmClasses.TemperatureHigh, AlarmClasses.TemperatureLow, 30, 10, 1, 10, 30, 6, 600, AlarmClasses.TemperatureRate, 30, 0)],
        [new(_person, 6, new('5', PinKey.SaltLength), _hash, new('c', 64), _token, new('d', 64), new('e', 64))],
        PinLimits.Default);
}
