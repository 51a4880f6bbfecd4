using Microsoft.Data.Sqlite;
using PhysSec.Core.Wire;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Ingest;

/// <summary>
/// What nodes have told of and has yet to come, also by births that only a broker kept while the hub was away or was restored: should the node come back without it, it is missed.
/// </summary>
internal static class Told
{
    private const int RowsMax = 1000; // Of one node; an honest one has a handful.

    private const string Gone =
        """
        from told where source = $source and (number < $number or at < $at)
          and (epoch > $epoch and $epoch > 0 or epoch = 0 and $epoch > 0 or epoch = $epoch and (seq > $seq or seq = $seq and hash <> $hash) or journal <> $journal and $epoch < $issued)
        """;

    private const string Passed = "from told where source = $source and epoch = $epoch and case when fork then seq between $first and $last else seq <= $through end";

    /// <summary>Remembers the last record of a birth, when it is not here: also that of a fork, whose number another one has here.</summary>
    public static void Remember(SqliteConnection store, EnrolledNode node, Birth birth)
    {
        var fork = birth.LastSeqAccess <= Records.Through(store, node.Id.Value, birth.Epoch, Streams.Access).Seq;
        if (fork && (birth.LastSeqAccess == 0 || Known.Has(store, node.Id, birth.Epoch, Streams.Access, birth.LastSeqAccess, birth.HeadAccess))) return;
        store.Execute(
            $"insert into told select $source, $epoch, $seq, $hash, $number, $at, $fork, $journal where (select count(*) from told where source = $source) < {RowsMax} on conflict do nothing",
            ("$source", node.Id.Value), ("$epoch", birth.Epoch), ("$seq", birth.LastSeqAccess), ("$hash", birth.HeadAccess), ("$number", birth.Number), ("$at", birth.At), ("$fork", fork), ("$journal", birth.Journal));
    }

    /// <summary>A birth that does not reach what an earlier one has told of, and the highest epoch of such. A broker may give old ones late: only what is surely later
    /// counts. A node without an epoch still has what it wrote before: nothing is missed by that, unless its journal is another one.</summary>
    public static (string? Why, long Epoch) Short(SqliteConnection store, EnrolledNode node, Birth birth)
    {
        var furthest = store.One($"select epoch, seq {Gone} order by epoch desc, seq desc limit 1", it => Tuple.Create(it.GetInt64(0), it.GetInt64(1)), Values(node, birth));
        if (furthest is null) return (null, 0);
        return (FormattableString.Invariant($"the node ends at record {birth.LastSeqAccess} of epoch {birth.Epoch}, it has told of {furthest.Item2} of epoch {furthest.Item1}"), furthest.Item1);
    }

    /// <summary>
    /// Looks whether what was told of is among what is stored now; one sentence when it is not and another stands in its place. A fork's place was taken from the beginning: only a
    /// batch that reaches over it shows what the node has there.
    /// </summary>
    public static string? Missed(SqliteConnection store, EnrolledNode node, JournalBatch batch)
    {
        var passed = store.Query($"select seq, hash {Passed} order by seq", it => (Seq: it.GetInt64(0), Hash: it.GetString(1)), Values(store, node, batch));
        if (passed.Count == 0) return null;
        if (passed.FindLast(it => !Known.Has(store, node.Id, batch.Epoch, Streams.Access, it.Seq, it.Hash)) is { Seq: > 0 and var seq })
            return FormattableString.Invariant($"the node has told of another record {seq} than it has sent");
        Forget(store, node, batch);
        return null;
    }

    /// <summary>Forgets what a birth has come short of, and what an epochless journal has told of, which a new epoch answers.</summary>
    public static void Forget(SqliteConnection store, EnrolledNode node, Birth birth)
    {
        store.Execute($"delete {Gone}", Values(node, birth));
        if (birth.Epoch == 0) store.Execute("delete from told where source = $source and epoch = 0", ("$source", node.Id.Value));
    }

    /// <summary>Forgets what was told of up to where the stream has come.</summary>
    public static void Forget(SqliteConnection store, EnrolledNode node, JournalBatch batch) => store.Execute($"delete {Passed}", Values(store, node, batch));

    private static (string, object?)[] Values(SqliteConnection store, EnrolledNode node, JournalBatch batch) =>
        [("$source", node.Id.Value), ("$epoch", batch.Epoch), ("$first", batch.First), ("$last", batch.Last), ("$through", Records.Through(store, node.Id.Value, batch.Epoch, Streams.Access).Seq)];

    private static (string, object?)[] Values(EnrolledNode node, Birth birth) =>
        [("$source", node.Id.Value), ("$epoch", birth.Epoch), ("$seq", birth.LastSeqAccess), ("$hash", birth.HeadAccess), ("$number", birth.Number), ("$at", birth.At), ("$journal", birth.Journal), ("$issued", node.Epoch)];
}
