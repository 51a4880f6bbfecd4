using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Proof;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Retention;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;
using PhysSec.Tests.Ledger;
using PhysSec.Verify;

namespace PhysSec.Tests.HubRetention;

/// <summary>A hub that grows old: a node with visits, an alarm and measurements in its first hour, and an auditor who took a checkpoint then.</summary>
internal sealed class RetentionRoom : IAsyncDisposable
{
    public static readonly PersonId Alice = new("p-alice");
    public static readonly PersonId Bob = new("p-bob");
    public static readonly DoorId Door = new("door-a");
    private static readonly CredentialToken _card = new(new string('a', 64));

    private RetentionRoom(RunningHub hub) => Hub = hub;

    public RunningHub Hub { get; }

    public SignedNode Node { get; private set; } = null!;

    public SignedNode Sensors { get; private set; } = null!;

    public SignedCheckpoint Held { get; private set; } = null!;

    public RetentionKeeper Keeper => Hub.Get<RetentionKeeper>();

    public LegalHolds Holds => Hub.Get<LegalHolds>();

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<RetentionRoom> MakeAsync(string retention = "{}")
    {
        var room = new RetentionRoom(RunningHub.WithoutBroker(retention: retention));
        var (hub, at) = (room.Hub, room.Hub.Time.GetUtcNow());
        room.Node = await hub.EnrolAsync("node-a");
        room.Sensors = new(room.Node.Bundle, Streams.Measurements);
        await hub.Get<Zones>().PutAsync(RunningHub.Admin, new("room-a", "サーバ室", "Server room", 1, 72, Assurance.Low, JournalFaultRule.Refuse));
        await hub.Get<Hub.Access.Doors>().PutAsync(RunningHub.Admin, new("door-a", "node-a", "room-a", "扉", "Door", 5, 15, 20, 10, Assurance.Low));
        await hub.Get<People>().AddAsync(RunningHub.Admin, new("p-alice", "青木 里奈", "アオキ リナ", "情報政策課", null, "staff"));
        await hub.Get<People>().AddAsync(RunningHub.Admin, new("p-bob", "馬場 健", "ババ ケン", "総務課", null, "staff"));
        for (var i = 0; i < 4; i++)
        {
            room.Visit(i % 2 == 0 ? Alice : Bob, at.AddMinutes(i));
            room.Sensors.Write(new Measured([new(new("room.temperature"), 20 + i, "good")]), at.AddMinutes(i));
        }

        room.Node.Write(new AlarmRaised("leak:leak", "leak", "leak", null, null, null, null), at.AddMinutes(5));
        room.Node.Write(new AlarmCleared("leak:leak", "leak", "leak", null, null), at.AddMinutes(6));
        await room.SendAsync();
        await hub.TakeAsync(room.Sensors, "journal", Streams.Measurements, room.Sensors.Batch(1, 4));
        room.Held = await hub.Get<Checkpoints>().MakeAsync(Cancel);
        await hub.Get<Checkpoints>().LeftAsync(RunningHub.Admin, room.Held, "mail", "auditor@example.jp", Cancel);
        return room;
    }

    /// <summary>A granted entry with its passage.</summary>
    public void Visit(PersonId person, DateTimeOffset at)
    {
        Node.Write(new AccessGranted(Door, Direction.In, _card, person, null, 1, "", 0, "rule", Assurance.Low, "点検", person == Alice ? Bob : null), at);
        Node.Write(new Passage(Door, Direction.In, person, 1), at.AddSeconds(2));
    }

    /// <summary>What the node has written and the hub has not got.</summary>
    public Task SendAsync() => Hub.TakeBatchAsync(Node, Hub.Through(Node).Seq + 1, Node.Bodies.Count);

    /// <summary>Lets time pass with a round at the end of each 30 days, and one at the end.</summary>
    public async Task<long> PassAsync(TimeSpan time)
    {
        var count = 0L;
        for (var left = time; left > TimeSpan.Zero; left -= TimeSpan.FromDays(30))
        {
            Hub.Time.Advance(left < TimeSpan.FromDays(30) ? left : TimeSpan.FromDays(30));
            count += await Keeper.RoundAsync(Cancel);
        }

        return count;
    }

    /// <summary>Records of that kind, with text and without.</summary>
    public (long Kept, long Deleted) Of(string kind) => Hub.Store.Read(it => (
        it.Number("select count(*) from ledger where kind = $kind and body_hash is null", ("$kind", kind)),
        it.Number("select count(*) from ledger where kind = $kind and body_hash is not null and body = '{}'", ("$kind", kind))));

    public List<DeletionCertificate> Certificates() => Hub.Store.Read(it => it.Query("select body from certificates order by record", row => AccessJson.Read<DeletionCertificate>(row.GetString(0))));

    public async Task<Verdict> VerdictAsync(EvidenceRequest? request = null)
    {
        await Hub.Get<Checkpoints>().MakeAsync(Cancel);
        return PackVerifier.Verify(Pack(request), Auditor);
    }

    public Own Auditor => new([Held.Note], Hub.Get<Checkpoints>().Key.ToString(), Hub.Time.GetUtcNow());

    public MemoryStream Pack(EvidenceRequest? request = null, SqliteConnection? store = null) => EvidenceRoom.Pack(Hub, store, request ?? EvidenceRoom.Everything);

    public async ValueTask DisposeAsync()
    {
        Node.Dispose();
        Sensors.Dispose();
        await Hub.DisposeAsync();
    }
}
