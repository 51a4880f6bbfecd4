using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Doors;
using PhysSec.Core.Wire;

namespace PhysSec.Benchmarks.Record;

/// <summary>A city with 5,000 people, 200 doors in 20 zones and 100 nodes, and what happens at its doors: some people and doors are much busier than others.</summary>
internal static class Building
{
    public const int People = 5_000;
    public const int Doors = 200;
    public const int Zones = 20;
    public const int Nodes = 100;

    public static readonly string[] Classes =
        [AlarmClasses.Leak, AlarmClasses.TemperatureHigh, AlarmClasses.HumidityHigh, AlarmClasses.DoorHeld, AlarmClasses.DoorForced, AlarmClasses.MainsLost, AlarmClasses.SensorSilent];

    private static readonly DenialReason[] _reasons = Enum.GetValues<DenialReason>();
    private static readonly string[] _families = ["青木", "池田", "上田", "江藤", "大野", "加藤", "木村", "工藤", "小川", "佐藤", "柴田", "鈴木", "関口", "田中", "千葉", "中村", "西田", "野口", "馬場", "山本"];

    public static string Person(int i) => string.Create(CultureInfo.InvariantCulture, $"p-{i:00000}");

    public static string Door(int i) => string.Create(CultureInfo.InvariantCulture, $"door-{i:000}");

    public static string Zone(int i) => string.Create(CultureInfo.InvariantCulture, $"zone-{i:00}");

    public static string Node(int i) => string.Create(CultureInfo.InvariantCulture, $"node-{i:000}");

    /// <summary>20 family names; every person's given name is their own.</summary>
    public static string Name(int i) => string.Create(CultureInfo.InvariantCulture, $"{_families[i % _families.Length]} 第{i}");

    public static CredentialToken Card(int person) => new(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Person(person)))));

    public static int AnyPerson(Random random) => (int)(People * Math.Pow(random.NextDouble(), 2));

    public static int AnyDoor(Random random) => (int)(Doors * Math.Pow(random.NextDouble(), 1.5));

    /// <summary>One person at one door, as its node writes it down: a refusal (about 2 % of all records), an entry or exit with all that the door does, now and then an alarm and its end.</summary>
    public static IReadOnlyList<Fact> Happening(Random random, DoorId door)
    {
        var (person, chance) = (AnyPerson(random), random.NextDouble());
        var (id, card) = (new PersonId(Person(person)), Card(person));
        var way = random.Next(2) == 0 ? Direction.In : Direction.Out;
        if (chance < 0.002)
        {
            var its = Classes[random.Next(Classes.Length)];
            return [new AlarmRaised($"{its}:{door}", its, door.Value, 31.5, 30, "°C", null), new AlarmCleared($"{its}:{door}", its, door.Value, 29.5, null)];
        }

        if (chance < 0.1)
        {
            var reason = _reasons[(int)(_reasons.Length * Math.Pow(random.NextDouble(), 2))];
            return [new AccessDenied(door, way, card, random.Next(5) == 0 ? null : id, reason, (int)reason, "a right for this zone", 12, new string('c', 64), 3600)];
        }

        return
        [
            new AccessGranted(door, way, card, id, new RightId($"r-{person}"), 12, new string('c', 64), 3600, "right", Assurance.Low, way == Direction.In ? "サーバ保守" : null),
            new DoorChanged(door, DoorPhase.Locked, DoorPhase.Released, way == Direction.In ? "credential" : "exit-badge"),
            new DoorChanged(door, DoorPhase.Released, DoorPhase.Open, "contact"),
            new Passage(door, way, id, random.Next(20)),
            new DoorChanged(door, DoorPhase.Open, DoorPhase.Locked, "contact"),
        ];
    }
}
