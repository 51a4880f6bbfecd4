using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Broker;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Live;
using PhysSec.Hub.Storage;
using PhysSec.Hub.Web;
using PhysSec.Hub.Web.Accounts;
using PhysSec.Hub.Web.Desk;
using PhysSec.Tests.Api;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.Web;

/// <summary>A hub with its console, people with accounts, one door in a zone of the level that the test names, and a node that answers every command as the test says.</summary>
internal sealed class DoorRoom : IAsyncDisposable
{
    public const string Door = "door-a";

    private readonly Dictionary<string, string> _secrets = [];
    private readonly WebApplication _app;

    private DoorRoom(RunningHub hub, WebApplication app) => (Hub, _app) = (hub, app);

    public RunningHub Hub { get; }

    public WebApplication App => _app;

    public AnsweringNode Node { get; } = new();

    public DoorDesk Desk => Get<DoorDesk>();

    /// <summary>Who came through the first link.</summary>
    public SignedIn Admin { get; private set; } = null!;

    public static async Task<DoorRoom> OpenAsync(int level = 2, string doors = "{}")
    {
        var hub = RunningHub.WithoutBroker(doors: doors);
        var room = new DoorRoom(hub, await ServedApiTests.ServeAsync(hub));
        room.Node.Answer = room.Get<DoorCommands>().Complete;
        room.Get<NodeLink>().Attach(room.Node);
        using (await hub.EnrolAsync("node-a"))
        {
            await hub.Get<Zones>().PutAsync(RunningHub.Admin, new("room", "室", "Room", level, 8, level == 1 ? Assurance.Low : Assurance.High, JournalFaultRule.Refuse));
            await hub.Get<Hub.Access.Doors>().PutAsync(RunningHub.Admin, new(Door, "node-a", "room", "扉A", "Door A", 5, 15, 20, 10, Assurance.Low));
        }

        room.Admin = await room.EnrolAsync((await room._app.PrepareConsoleAsync(hub.Home.Folder))!, "Suzuki");
        return room;
    }

    public T Get<T>() where T : notnull => _app.Services.GetRequiredService<T>();

    /// <summary>Whom the first administrator invites.</summary>
    public async Task<SignedIn> JoinAsync(string role, string name, string scope = "site") =>
        await EnrolAsync((await Get<AccountDesk>().InviteAsync(Admin, role, scope, "joins")).Link!, name);

    /// <summary>The digits of the next half minute, which nobody has used.</summary>
    public string Code(SignedIn who)
    {
        Hub.Time.Advance(TimeSpan.FromSeconds(30));
        return Totp.Code(_secrets[who.Id], Totp.Step(Hub.Time.GetUtcNow()));
    }

    /// <summary>The node says how the door is.</summary>
    public void Say(DoorLive door)
    {
        var board = Get<LiveBoard>();
        board.Take(new("node-a"), "state", null, JsonSerializer.SerializeToUtf8Bytes(new NodeState("online", "boot", 1, null), WireJson.Plain.NodeState));
        board.Take(new("node-a"), "live", Door + Topics.DoorSuffix, Encoding.UTF8.GetBytes(
            $$"""{ "v": {{JsonSerializer.Serialize(door, WireJson.Plain.DoorLive)}}, "quality": "good", "at": null, "unit": "door" }"""));
    }

    /// <summary>The acts at the door in order, with who and why.</summary>
    public List<string> Acts() => Hub.Store.Read(it => it.Query(
        "select kind, body ->> '$.fact.actor', body ->> '$.fact.reason' from ledger where door = $door and kind like 'hub.door.%' and kind <> 'hub.door.put' order by id",
        row => $"{row.GetString(0)["hub.door.".Length..]} {row.GetString(1)} {(row.IsDBNull(2) ? "" : row.GetString(2))}".Trim(), ("$door", Door)));

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        await Hub.DisposeAsync();
    }

    private async Task<SignedIn> EnrolAsync(string link, string name)
    {
        var (fault, account, _, secret) = await ConsoleRig.EnrolAsync(_app.Services, Hub.Time, link, name);
        Assert.Null(fault);
        _secrets[account!.Id] = secret;
        return account;
    }

    /// <summary>Stands in the broker's place: takes what goes down and answers it at once.</summary>
    internal sealed class AnsweringNode : INodeBroker
    {
        public bool Ready => true;

        public int Port => 0;

        public List<Command> Taken { get; } = [];

        public Action<CommandReply> Answer { get; set; } = _ => { };

        /// <summary>Null: it does what it is told; otherwise why it refuses.</summary>
        public string? Refuses { get; set; }

        public Task StartAsync(CancellationToken cancel) => Task.CompletedTask;

        public Task StopAsync() => Task.CompletedTask;

        public Task DisconnectAsync(NodeId node) => Task.CompletedTask;

        public Task PublishAsync(string topic, byte[] payload, bool retain, CancellationToken cancel, string? responseTopic = null, byte[]? correlation = null)
        {
            if (correlation is null) return Task.CompletedTask; // No command.
            var command = JsonSerializer.Deserialize(payload, WireJson.Plain.Command)!;
            Taken.Add(command);
            Answer(new(command.Nonce, Refuses is null ? "done" : "refused", Refuses));
            return Task.CompletedTask;
        }
    }
}
