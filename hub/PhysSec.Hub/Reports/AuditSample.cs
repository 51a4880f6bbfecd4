using System.Globalization;
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

/// <summary>A sample with what it takes to draw it again.</summary>
/// <param name="From">The period.</param>
/// <param name="To">Its end.</param>
/// <param name="Request">The record of the request; the checkpoint was made after it.</param>
/// <param name="Seed">Given, or drawn by the hub.</param>
/// <param name="SeedGiven">Whoever asked chose the seed.</param>
/// <param name="Earlier">How many samples of this period, or of one that overlaps it, were asked for before.</param>
/// <param name="Population">Entries that were granted in the period, among the checkpoint's records.</param>
/// <param name="Checkpoint">Its root is in every key.</param>
/// <param name="Entries">In the order of their keys.</param>
internal sealed record AuditSample(
    DateTimeOffset From, DateTimeOffset To, long Request, string Seed, bool SeedGiven, long Earlier, long Population, SignedCheckpoint Checkpoint, IReadOnlyList<SampledEntry> Entries);

/// <summary>Draws samples of entries for an audit.</summary>
public sealed class AuditSamples(HubHome home, Checkpoints checkpoints, TimeProvider clock)
{
    public const int CountMax = 200;
    internal const string AskedVerb = "audit.sample-asked";
    internal const string DrawnVerb = "audit.sampled";
    private const int SeedMax = 64;

    /// <summary>
    /// Puts the request on record, makes the checkpoint that covers it, and only then draws: what comes of a seed cannot be known before, and who asks until the sample pleases has
    /// every request on record and their number on the paper.
    /// </summary>
    /// <exception cref="InputException">The period, the count or the seed cannot be taken.</exception>
    internal async Task<AuditSample> DrawAsync(Actor by, DateTimeOffset from, DateTimeOffset to, int count, string? seed, CancellationToken cancel = default)
    {
        if (from >= to) throw new InputException("to", "it is not after from", "Correct the period");
        if (count is < 1 or > CountMax) throw new InputException("count", $"{count} is out of range", $"Give 1–{CountMax}");
        var given = Input.Optional("seed", seed);
        var put = given ?? SampleDraw.NewSeed();
        if (put.Length > SeedMax) throw new InputException("seed", $"it has {put.Length} characters", $"Use at most {SeedMax}");
        var (request, earlier) = await home.Store.WriteAsync(
            store =>
            {
                var before = Earlier(store, from, to);
                Records.Act(store, new Act(by, AskedVerb, null, null, After: new JsonObject
                {
                    ["from"] = from.ToString("O"),
                    ["to"] = to.ToString("O"),
                    ["seed"] = put, // A drawn one too: it is fixed before anybody can know the root.
                    ["seedGiven"] = given is not null,
                    ["count"] = count,
                    ["salt"] = AccessLog.Salt(),
                }), clock.GetUtcNow());
                return (store.Number("select max(id) from ledger"), before);
            },
            cancel);
        var made = await checkpoints.MakeAsync(cancel);
        var (population, entries) = home.Store.Read(store => Draw(store, from, to, count, put, made));
        await home.Store.WriteAsync(
            store => Records.Act(store, new Act(by, DrawnVerb, null, null, After: new JsonObject
            {
                ["from"] = from.ToString("O"),
                ["to"] = to.ToString("O"),
                ["request"] = request,
                ["seed"] = put,
                ["count"] = count,
                ["population"] = population,
                ["size"] = made.Value.Size,
                ["root"] = made.Value.Root.ToString(),
                ["records"] = new JsonArray([.. entries.Select(it => (JsonNode)it.Record)]),
                ["salt"] = AccessLog.Salt(),
            }), clock.GetUtcNow()), cancel);
        return new(from, to, request, put, given is not null, earlier, population, made, entries);
    }

    // An older program put the drawing alone on record, and without a root. A period that differs by a little is no other one.
    private static long Earlier(SqliteConnection store, DateTimeOffset from, DateTimeOffset to) => store.Query(
        $"""
        select body ->> '$.fact.after.from', body ->> '$.fact.after.to' from ledger
        where (kind = 'hub.{AskedVerb}' or (kind = 'hub.{DrawnVerb}' and body ->> '$.fact.after.root' is null)) and body ->> '$.fact.after.to' is not null
        """,
        it => (From: Moment(it.GetString(0)), To: Moment(it.GetString(1)))).LongCount(it => it.From < to && it.To > from);

    private static DateTimeOffset Moment(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    private static (long Population, IReadOnlyList<SampledEntry> Entries) Draw(SqliteConnection store, DateTimeOffset from, DateTimeOffset to, int count, string seed, SignedCheckpoint made)
    {
        var population = store.Query(
            """
            select id from ledger
            where coalesce(at, received_at) >= $from and coalesce(at, received_at) < $to and +kind = 'access.granted' and direction = 'in' and id <= $size
            """,
            it => it.GetInt64(0), ("$from", from), ("$to", to), ("$size", made.Value.Size));
        var drawn = SampleDraw.Of(seed, made.Value.Root.ToString(), population, count);
        var (numbers, subtree) = (AccessJson.Text(drawn.Select(it => it.Record)), LedgerTree.Of(store));
        var rows = store.Query(
            $"select {LedgerTree.Columns}, at from ledger where id in (select value from json_each($numbers))",
            it => (Record: it.GetInt64(0), Leaf: LedgerTree.Leaf(it), Body: it.GetString(8), At: it.Time("at")), ("$numbers", numbers)).ToDictionary(it => it.Record);
        var granted = rows.Values.Where(it => it.Body.Length > 0).ToDictionary(it => it.Record, it => (AccessGranted)JsonSerializer.Deserialize(it.Body, WireJson.Plain.JournalRecord)!.Fact);
        var rights = store.Query(
            "select * from rights where id in (select value from json_each($ids))", Rights.Row,
            ("$ids", AccessJson.Text(granted.Values.Where(it => it.Right is not null).Select(it => it.Right!.Value.Value).Distinct()))).ToDictionary(it => it.Id);
        return (population.Count,
        [
            .. drawn.Select(it => new SampledEntry(
                it.Record, it.Key, rows[it.Record].At, rows[it.Record].Leaf, MerkleTree.Inclusion(it.Record - 1, made.Value.Size, subtree), granted[it.Record],
                granted[it.Record].Right is { } right ? rights.GetValueOrDefault(right.Value) : null)),
        ]);
    }
}
