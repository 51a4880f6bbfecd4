using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Proof;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Review;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Reports;

/// <summary>One entry of a sample: who was let in, by which rule and right, who had applied and approved, and where it stands in the proven record.</summary>
/// <param name="Record">The ledger number.</param>
/// <param name="Key">By which it was drawn.</param>
/// <param name="At">By the node's clock; null: unset.</param>
/// <param name="Leaf">Its leaf as it stands in the tree.</param>
/// <param name="Path">Inclusion proof under the sample's checkpoint.</param>
/// <param name="Granted">What the node wrote.</param>
/// <param name="Right">The right that it used, as applied for and approved; null: it is no more in the store.</param>
internal sealed record SampledEntry(long Record, string Key, DateTimeOffset? At, LedgerLeaf Leaf, IReadOnlyList<TreeHash> Path, AccessGranted Granted, RightRow? Right);

/// <summary>A sample with what it takes to draw it again. Population: entries that were granted in the period, among the checkpoint's records.</summary>
internal sealed record AuditSample(DateTimeOffset From, DateTimeOffset To, string Seed, int Asked, long Population, SignedCheckpoint Checkpoint, IReadOnlyList<SampledEntry> Entries);

/// <summary>Draws samples of entries for an audit.</summary>
public sealed class AuditSamples(HubHome home, Checkpoints checkpoints, TimeProvider clock)
{
    public const int CountMax = 200;
    private const int SeedMax = 64;

    /// <summary>Draws, and puts on record that somebody did, with the seed and what came of it.</summary>
    /// <exception cref="InputException">The period, the count or the seed cannot be taken.</exception>
    internal async Task<AuditSample> DrawAsync(Actor by, DateTimeOffset from, DateTimeOffset to, int count, string? seed, CancellationToken cancel = default)
    {
        if (from >= to) throw new InputException("to", "it is not after from", "Correct the period");
        if (count is < 1 or > CountMax) throw new InputException("count", $"{count} is out of range", $"Give 1–{CountMax}");
        var put = Input.Optional("seed", seed) ?? SampleDraw.NewSeed();
        if (put.Length > SeedMax) throw new InputException("seed", $"it has {put.Length} characters", $"Use at most {SeedMax}");
        var made = await checkpoints.MakeAsync(cancel);
        var sample = home.Store.Read(store => Draw(store, from, to, count, put, made));
        await home.Store.WriteAsync(
            store => Records.Act(store, new Act(by, "audit.sampled", null, null, After: new JsonObject
            {
                ["from"] = from.ToString("O"),
                ["to"] = to.ToString("O"),
                ["seed"] = put,
                ["count"] = count,
                ["population"] = sample.Population,
                ["size"] = made.Value.Size,
                ["records"] = new JsonArray([.. sample.Entries.Select(it => (JsonNode)it.Record)]),
            }), clock.GetUtcNow()), cancel);
        return sample;
    }

    private static AuditSample Draw(SqliteConnection store, DateTimeOffset from, DateTimeOffset to, int count, string seed, SignedCheckpoint made)
    {
        var population = store.Query(
            """
            select id from ledger
            where coalesce(at, received_at) >= $from and coalesce(at, received_at) < $to and +kind = 'access.granted' and direction = 'in' and id <= $size
            """,
            it => it.GetInt64(0), ("$from", from), ("$to", to), ("$size", made.Value.Size));
        var drawn = SampleDraw.Of(seed, population, count);
        var (numbers, subtree) = (AccessJson.Text(drawn.Select(it => it.Record)), LedgerTree.Of(store));
        var rows = store.Query(
            $"select {LedgerTree.Columns}, at from ledger where id in (select value from json_each($numbers))",
            it => (Record: it.GetInt64(0), Leaf: LedgerTree.Leaf(it), Body: it.GetString(8), At: it.Time("at")), ("$numbers", numbers)).ToDictionary(it => it.Record);
        var granted = rows.Values.Where(it => it.Body.Length > 0).ToDictionary(it => it.Record, it => (AccessGranted)JsonSerializer.Deserialize(it.Body, WireJson.Plain.JournalRecord)!.Fact);
        var rights = store.Query(
            "select * from rights where id in (select value from json_each($ids))", Rights.Row,
            ("$ids", AccessJson.Text(granted.Values.Where(it => it.Right is not null).Select(it => it.Right!.Value.Value).Distinct()))).ToDictionary(it => it.Id);
        return new(from, to, seed, count, population.Count, made,
        [
            .. drawn.Select(it => new SampledEntry(
                it.Record, it.Key, rows[it.Record].At, rows[it.Record].Leaf, MerkleTree.Inclusion(it.Record - 1, made.Value.Size, subtree), granted[it.Record],
                granted[it.Record].Right is { } right ? rights.GetValueOrDefault(right.Value) : null)),
        ]);
    }
}
