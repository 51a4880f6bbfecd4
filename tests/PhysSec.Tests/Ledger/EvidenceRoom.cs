using Microsoft.Data.Sqlite;
using PhysSec.Core.Proof;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;
using PhysSec.Verify;

namespace PhysSec.Tests.Ledger;

/// <summary>A hub with a past: two nodes that wrote, one of them revoked later, a checkpoint that an auditor took in the middle and one at the end.</summary>
internal sealed class EvidenceRoom : IAsyncDisposable
{
    public static readonly EvidenceRequest Everything = new(new LogFilter(Searches: true), "test", Measurements: true);

    private EvidenceRoom(RunningHub hub) => Hub = hub;

    public RunningHub Hub { get; }

    public SignedNode Stolen { get; private set; } = null!;

    /// <summary>What the auditor took away, older first.</summary>
    public SignedCheckpoint[] Held { get; private set; } = [];

    public NoteKey Key => Hub.Get<Checkpoints>().Key;

    public Own Auditor => new([.. Held.Select(it => it.Note)], Key.ToString(), Hub.Time.GetUtcNow());

    public static async Task<EvidenceRoom> MakeAsync(int records = 60, string ledger = "{}")
    {
        var room = new EvidenceRoom(RunningHub.WithoutBroker(ledger: ledger));
        var (hub, cancel) = (room.Hub, TestContext.Current.CancellationToken);
        using var honest = await hub.EnrolAsync("node-a");
        room.Stolen = await hub.EnrolAsync("node-b");
        honest.Write(records, hub.Time.GetUtcNow());
        room.Stolen.Write(records, hub.Time.GetUtcNow());
        await hub.TakeBatchAsync(honest, 1, records / 2);
        await hub.TakeBatchAsync(room.Stolen, 1, records / 3);
        await room.TakeAwayAsync(cancel);
        hub.Time.Advance(TimeSpan.FromHours(1));
        await hub.TakeBatchAsync(honest, (records / 2) + 1, records);
        await hub.TakeBatchAsync(room.Stolen, (records / 3) + 1, records);
        await hub.Nodes.RevokeAsync(RunningHub.Admin, "node-b", "its board was stolen");
        await LedgerTreeTests.ActAsync(hub, "something.done");
        await room.TakeAwayAsync(cancel);
        return room;
    }

    /// <summary>The pack that a hub would make of this store, over its newest checkpoint.</summary>
    public MemoryStream Pack(SqliteConnection store, EvidenceRequest? request = null) => Pack(Hub, store, request ?? Everything);

    /// <summary>The same of any hub; of its own store when none is given.</summary>
    public static MemoryStream Pack(RunningHub hub, SqliteConnection? store, EvidenceRequest request)
    {
        if (store is null) return hub.Store.Read(it => Pack(hub, it, request));
        var note = store.One("select note from checkpoints order by id desc limit 1", it => it.GetString(0))!;
        var head = new SignedCheckpoint(0, Checkpoint.Parse(SignedNote.Parse(note).Text), note, []);
        var pack = new MemoryStream();
        EvidenceWriter.Write(store, head, hub.Get<Checkpoints>().Key, RunningHub.Site.Value, "test", request, hub.Time.GetUtcNow(), pack, TestContext.Current.CancellationToken);
        pack.Position = 0;
        return pack;
    }

    /// <summary>A copy of the store in memory, for somebody who has the disk.</summary>
    public SqliteConnection Copy() => Copy(Hub);

    public static SqliteConnection Copy(RunningHub hub)
    {
        var copy = new SqliteConnection("data source=:memory:");
        copy.Open();
        using var store = new SqliteConnection($"data source={Path.Combine(hub.Home.Folder, "hub.db")};pooling=false");
        store.Open();
        store.BackupDatabase(copy);
        return copy;
    }

    /// <summary>What a dishonest administrator does after a change: a new tree, and a checkpoint signed with the hub's own key.</summary>
    public void Reseal(SqliteConnection store) => Reseal(Hub, store, Hub.Time.GetUtcNow());

    public static void Reseal(RunningHub hub, SqliteConnection store, DateTimeOffset at)
    {
        store.Execute("delete from tiles; delete from meta where name = 'tree-size'");
        LedgerTree.Grow(store);
        var (size, key) = (LedgerTree.Size(store), hub.Get<Checkpoints>().Key);
        var made = new Checkpoint(key.Name, size, MerkleTree.Root(size, LedgerTree.Of(store)), at);
        store.Execute("insert into checkpoints (size, made_at, note) values ($size, 0, $note)", ("$size", size), ("$note", hub.Home.LedgerKey.Sign(made).ToString()));
    }

    public async ValueTask DisposeAsync()
    {
        Stolen.Dispose();
        await Hub.DisposeAsync();
    }

    private async Task TakeAwayAsync(CancellationToken cancel)
    {
        var made = await Hub.Get<Checkpoints>().MakeAsync(cancel);
        await Hub.Get<Checkpoints>().LeftAsync(RunningHub.Admin, made, "mail", "auditor@example.jp", cancel);
        Held = [.. Held, made];
        await Hub.Get<Checkpoints>().MakeAsync(cancel);
    }
}
