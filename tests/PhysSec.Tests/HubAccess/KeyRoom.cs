using Microsoft.Extensions.Logging.Abstractions;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.HubAccess;

/// <summary>A hub with a room and a corridor, a door and a node for each, and two people: Aoki may enter the room, Baba nothing. Each door has a key.</summary>
internal sealed class KeyRoom : IAsyncDisposable
{
    public const string Alarm = "node-a/door-forced:door-a";
    public static readonly Actor Guard = new("unyo", "operator", "test");

    private KeyRoom(RunningHub hub) => Hub = hub;

    public RunningHub Hub { get; }

    public SignedNode Node { get; private set; } = null!;

    public KeyRegister Keys => Hub.Get<KeyRegister>();

    public string Key { get; private set; } = "";

    public string CorridorKey { get; private set; } = "";

    public DateTimeOffset Now => Hub.Time.GetUtcNow();

    public static async Task<KeyRoom> OpenAsync(string retention = "{}")
    {
        var room = new KeyRoom(RunningHub.WithoutBroker("""{ "webhook": { "url": "http://127.0.0.1:9/", "secretFile": "webhook.key" } }""", retention: retention));
        var hub = room.Hub;
        room.Node = await hub.EnrolAsync("node-a");
        (await hub.EnrolAsync("node-b")).Dispose();
        foreach (var (zone, suffix) in new[] { ("room", "a"), ("corridor", "b") })
        {
            await hub.Get<Zones>().PutAsync(RunningHub.Admin, new(zone, "室", "Room", 1, 72, Assurance.Low, JournalFaultRule.Refuse));
            await hub.Get<Hub.Access.Doors>().PutAsync(RunningHub.Admin, new("door-" + suffix, "node-" + suffix, zone, "扉", "Door", 5, 15, 20, 10, Assurance.Low));
        }

        await hub.Get<SchedulesStore>().PutAsync(RunningHub.Admin, new("nights", "夜間", "Nights", [new([DayOfWeek.Sunday], new(0, 0), new(0, 0), true)]));
        await hub.Get<People>().AddAsync(RunningHub.Admin, new("p-alice", "青木 里奈", "アオキ リナ", "情報政策課", null, "staff"));
        await hub.Get<People>().AddAsync(RunningHub.Admin, new("p-bob", "馬場 健", "ババ ケン", "総務課", null, "staff"));
        await room.RightAsync("p-alice", "room", room.Now.AddDays(-30), room.Now.AddYears(5));
        room.Key = (await room.Keys.AddAsync(RunningHub.Admin, "door-a", "サーバ室 1", KeyKind.Spare, "納品")).Id;
        room.CorridorKey = (await room.Keys.AddAsync(RunningHub.Admin, "door-b", "通路 1", null, "納品")).Id;
        return room;
    }

    /// <summary>A right that counts on Sundays alone, and today is Monday.</summary>
    public Task<RightRow> RightAsync(string person, string zone, DateTimeOffset from, DateTimeOffset to) =>
        Hub.Get<Rights>().AddAsync(RunningHub.Admin, new("", person, zone, "nights", from, to, "主査 小川", "課長 大野", "R8-1", "サーバ保守"));

    public Task<KeyLoan> LendAsync(string? key = null, DateTimeOffset? at = null, string person = "p-alice") =>
        Keys.LendAsync(Guard, new(key ?? Key, person, "空調の点検", Now.AddHours(4), at));

    /// <summary>The node says that its door was opened without a release.</summary>
    public Task ForceAsync(DateTimeOffset? at = null, LinkState link = LinkState.Up) => WriteAsync(new AlarmRaised("door-forced:door-a", AlarmClasses.DoorForced, "door-a", null, null, null, null), at, link);

    public Task ShutAsync() => WriteAsync(new AlarmCleared("door-forced:door-a", AlarmClasses.DoorForced, "door-a", null, null), null, LinkState.Up);

    /// <summary>A round by a watch that has just been made, as after a start of the hub.</summary>
    public async Task RoundAsync()
    {
        using var watch = new KeyWatch(Hub.Store, Hub.Alarms, Hub.Time, NullLogger<KeyWatch>.Instance);
        await watch.RoundAsync();
    }

    public KeyFinding? Finding => Hub.Alarms.List().Single(it => it.Key == Alarm).KeyLoan;

    /// <summary>What a search finds, oldest first.</summary>
    public List<LogItem> Found(string kind, string? person = null, string? alarm = null) => [.. Hub.Get<AccessLog>().Search(new(Kind: "hub." + kind, Person: person, Alarm: alarm)).Items.Reverse()];

    public async ValueTask DisposeAsync()
    {
        Node.Dispose();
        await Hub.DisposeAsync();
    }

    private Task WriteAsync(Fact fact, DateTimeOffset? at, LinkState link)
    {
        Node.Write(fact, at ?? Now, link);
        return Hub.TakeBatchAsync(Node, Node.Bodies.Count, Node.Bodies.Count);
    }
}
