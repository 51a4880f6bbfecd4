using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Alarms;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Tests.HubAccess;

/// <summary>A hub's administrator with a real store in a folder of its own, at a fixed time.</summary>
internal sealed class Desk : IAsyncDisposable
{
    public static readonly DateTimeOffset Start = new(2026, 11, 2, 9, 0, 0, TimeSpan.FromHours(9));
    public static readonly Actor Admin = new("tanaka", "administrator", "test");
    public static readonly NodeId Node = new("node-a");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("physsec-desk-");
    private readonly HubConfiguration _configuration = new() { Site = "fukaya" };
    private long _seq;

    private Desk()
    {
        Store = Store.Open(Path.Combine(_folder.FullName, "hub.db"));
        Keys = SiteKeys.Open(Path.Combine(_folder.FullName, "keys"));
        People = new(Store, Time, Signal);
        Credentials = new(Store, Time, Keys, Signal);
        Zones = new(Store, Time, Signal);
        Doors = new(Store, Time, Signal);
        Schedules = new(Store, Time, Signal);
        Rights = new(Store, Time, Signal);
        Sensing = new(Store, Time, Signal);
        Alarms = new(Store, AlarmCatalogue.Shipped(), _configuration, Time);
        Log = new(Store, Time, People);
    }

    public FakeTimeProvider Time { get; } = new(Start);

    public PolicySignal Signal { get; } = new();

    public Store Store { get; }

    public SiteKeys Keys { get; }

    public People People { get; }

    public Credentials Credentials { get; }

    public Zones Zones { get; }

    public Hub.Access.Doors Doors { get; }

    public SchedulesStore Schedules { get; }

    public Rights Rights { get; }

    public SensingRules Sensing { get; }

    public AlarmBoard Alarms { get; }

    public AccessLog Log { get; }

    /// <summary>The flag that a command sets and the policy says.</summary>
    public async Task LockdownAsync(string door, bool on)
    {
        await Store.WriteAsync(it => it.Execute("update doors set lockdown = $on where id = $id", ("$on", on), ("$id", door)));
        Signal.Raise();
    }

    /// <summary>Two nodes with a zone and a door each, one schedule, two people.</summary>
    public static async Task<Desk> OpenAsync()
    {
        var desk = new Desk();
        foreach (var suffix in new[] { "a", "b" })
        {
            await desk.Store.WriteAsync(it => it.Execute(
                "insert into nodes (id, name, thumbprint, certificate, epoch, enrolled_at) values ($id, $id, '', '', 1, 0)", ("$id", "node-" + suffix)));
            await desk.Zones.PutAsync(Admin, new("room-" + suffix, "サーバ室", "Server room", 1, 72, Assurance.Low, JournalFaultRule.Refuse));
            await desk.Doors.PutAsync(Admin, new("door-" + suffix, "node-" + suffix, "room-" + suffix, "扉", "Door", 5, 15, 20, 10, Assurance.Low));
        }

        await desk.Schedules.PutAsync(Admin, new("always", "終日", "Always", [new(Enum.GetValues<DayOfWeek>(), new(0, 0), new(0, 0), true)]));
        await desk.People.AddAsync(Admin, new("p-alice", "青木 里奈", "アオキ リナ", "情報政策課", null, "staff"));
        await desk.People.AddAsync(Admin, new("p-bob", "馬場 健", "ババ ケン", "総務課", null, "staff", Extended: true));
        return desk;
    }

    public static RightRow Right(string person, string zone) =>
        new("", person, zone, "always", Start.AddDays(-1), Start.AddDays(30), "主査 小川", "課長 大野", "R8-1", "サーバ保守");

    /// <summary>Makes policies; what it sends is added to the list.</summary>
    public PolicyPublisher Publisher(List<(NodeId Node, PolicyMessage Message)> sent, TimeProvider? time = null) =>
        new(Store, time ?? Time, Keys, _configuration, Signal, Alarms, NullLogger<PolicyPublisher>.Instance)
        {
            Sender = (node, message, _) =>
            {
                sent.Add((node, message));
                return Task.CompletedTask;
            },
        };

    /// <summary>Stores a node's record of this fact, so many minutes after the start.</summary>
    public Task RecordAsync(double minutes, Fact fact, bool late = false) => Store.WriteAsync(it =>
    {
        var at = Start.AddMinutes(minutes);
        var record = new JournalRecord(1, Streams.Access, ++_seq, at, 0, "boot", ClockQuality.Synced, LinkState.Up, fact);
        var body = System.Text.Json.JsonSerializer.Serialize(record, WireJson.Plain.JournalRecord);
        Records.Append(it, Node, record, Chain.Next(Chain.Genesis, body), body, at, late);
    });

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        Keys.Dispose();
        _folder.Delete(recursive: true);
    }
}
