using Microsoft.Data.Sqlite;
using PhysSec.Core.Proof;
using PhysSec.Core.Wire;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.Ledger;

/// <summary>Every record is a leaf, in order, in the same transaction; what is stored of the tree is the tree.</summary>
public sealed class LedgerTreeTests
{
    private static readonly DateTimeOffset _at = new(2026, 11, 2, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Records_of_nodes_and_acts_at_the_hub_are_leaves_in_the_order_in_which_they_were_stored()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await hub.EnrolAsync("node-a");
        node.Write(700, _at);
        await hub.TakeBatchAsync(node, 1, 300);
        await hub.Nodes.RenewAsync(node.Id);
        await hub.TakeBatchAsync(node, 301, 700);
        await hub.TakeBatchAsync(node, 1, 300); // Again: a record is one leaf however often it comes.

        var leaves = hub.Store.Read(Leaves);
        Assert.Equal(hub.Count("ledger"), leaves.Length);
        Assert.Equal(leaves.Length, hub.Store.Read(LedgerTree.Size));
        for (long size = 0; size <= leaves.Length; size += 1 + (size / 7))
            Assert.Equal(MerkleTree.Root(size, Proof.MerkleTreeTests.Over(leaves)), hub.Store.Read(it => MerkleTree.Root(size, LedgerTree.Of(it))));
        Assert.Equal(LedgerTree.TileWidth * TreeHash.Size, hub.Store.Read(it => LedgerTree.Tile(it, 0, 1)).Length);
        Assert.Equal(leaves.Length / LedgerTree.TileWidth * TreeHash.Size, hub.Store.Read(it => LedgerTree.Tile(it, 1, 0)).Length);
    }

    [Fact]
    public async Task A_transaction_that_fails_leaves_neither_record_nor_leaf_and_no_number_is_lost()
    {
        await using var hub = RunningHub.WithoutBroker();
        await ActAsync(hub, "one");
        await Assert.ThrowsAsync<InvalidOperationException>(() => hub.Store.WriteAsync(it =>
        {
            Records.Act(it, new Act(RunningHub.Admin, "two", null, null), _at);
            throw new InvalidOperationException("no");
        }, TestContext.Current.CancellationToken));
        await ActAsync(hub, "three");
        Assert.Equal([1, 2], hub.Store.Read(it => it.Query("select id from ledger order by id", row => row.GetInt64(0))));
        Assert.Equal(2, hub.Store.Read(LedgerTree.Size));
    }

    [Fact]
    public async Task A_store_of_an_older_program_gets_its_tree_and_numbers_without_a_hole()
    {
        var folder = Directory.CreateTempSubdirectory("physsec-tree-");
        try
        {
            var file = Path.Combine(folder.FullName, "hub.db");
            using (var old = new SqliteConnection($"data source={file};pooling=false"))
            {
                old.Open();
                Schema.Apply(old, steps: 9);
                for (var i = 1; i <= 600; i++)
                {
                    old.Execute(
                        "insert into ledger (id, source, epoch, stream, seq, hash, body, received_at, kind) values ($id, 'node-a', 1, 'a', $seq, '', $body, 5, 'x')",
                        ("$id", i * 3), ("$seq", i), ("$body", $"{{\"n\":{i}}}"));
                }
            }

            await using var store = Store.Open(file);
            Assert.Equal(600, store.Read(LedgerTree.Size));
            Assert.Equal(0, store.Read(it => it.Number("select count(*) from ledger where id <> seq")));
            Assert.Equal(store.Read(it => MerkleTree.Root(600, Proof.MerkleTreeTests.Over(Leaves(it)))), store.Read(it => MerkleTree.Root(600, LedgerTree.Of(it))));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_record_that_somebody_took_out_by_hand_stops_the_writing_with_a_sentence()
    {
        await using var hub = RunningHub.WithoutBroker();
        await ActAsync(hub, "one");
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => hub.Store.WriteAsync(
            it => it.Execute("insert into ledger (id, source, epoch, stream, seq, hash, body, received_at, kind) values (7, 'x', 1, 'a', 1, '', '', 0, 'x')"),
            TestContext.Current.CancellationToken));
        Assert.Contains("record 2 of the ledger is missing", fault.Message, StringComparison.Ordinal);
    }

    internal static Task ActAsync(RunningHub hub, string verb, int times = 1) => hub.Store.WriteAsync(
        it =>
        {
            for (var i = 0; i < times; i++) Records.Act(it, new Act(RunningHub.Admin, verb, null, null), _at);
        },
        TestContext.Current.CancellationToken);

    // Straight from the rows, by no code of the tree.
    internal static TreeHash[] Leaves(SqliteConnection store) =>
    [
        .. store.Query("select source, epoch, stream, seq, received_at, late, hash, body from ledger order by id", it => MerkleTree.Leaf(System.Text.Encoding.UTF8.GetBytes(
            $"physsec-leaf/1\n{it.GetString(0)} {it.GetInt64(1)} {it.GetString(2)} {it.GetInt64(3)}\n{it.GetInt64(4)} {it.GetInt64(5)}\n{it.GetString(6)}\n"
            + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(it.GetString(7)))) + "\n"))),
    ];
}
