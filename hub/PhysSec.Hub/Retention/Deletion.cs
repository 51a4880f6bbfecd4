using Microsoft.Data.Sqlite;
using PhysSec.Core.Proof;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Retention;

/// <summary>Records whose period has ended, as found in a snapshot.</summary>
/// <param name="Period">Of which class.</param>
/// <param name="Before">All of them were received before.</param>
/// <param name="Ids">Their numbers, ascending.</param>
/// <param name="Through">Up to here nothing is left to delete but what is held.</param>
/// <param name="Holds">The holds that were looked at: the newest one, and how many are open.</param>
/// <param name="More">There may be more of them.</param>
internal sealed record DuePiece(RetentionPeriod Period, DateTimeOffset Before, IReadOnlyList<long> Ids, long Through, (long Newest, long Open) Holds, bool More);

/// <summary>
/// Deletes texts at the end of their period, in pieces so small that no node waits for its receipt: each finds its records in a snapshot and then takes one short transaction,
/// in which the certificate stands too. Nothing but time calls it.
/// </summary>
internal static class Deletion
{
    public const int PieceMax = 2_000;
    private const int ScanMax = 20_000;

    /// <param name="store">A snapshot.</param>
    /// <param name="period">A class with a period in force.</param>
    /// <param name="now">A clock that is believed.</param>
    public static DuePiece Find(SqliteConnection store, RetentionPeriod period, DateTimeOffset now)
    {
        var (before, holds, mark) = (now.AddYears(-period.Years!.Value), LegalHolds.All(store, openOnly: true), Mark(store));
        var (ids, last, firstYoung, scanned) = (new List<long>(), period.Through, (long?)null, 0);
        using var command = store.Command(
            """
            select id, kind, stream, received_at, coalesce(at, received_at) as at, body_hash is not null as gone, case when $holds then body end as body
            from ledger where id > $through order by id limit $most
            """,
            ("$through", period.Through), ("$most", ScanMax), ("$holds", holds.Count > 0));
        using var row = command.ExecuteReader();
        while (ids.Count < PieceMax && row.Read())
        {
            (last, scanned) = (row.GetInt64(0), scanned + 1);
            if (row.Flag("gone") || RecordClasses.Of(row.GetString(1), row.GetString(2)) != period.Class) continue;
            if (row.Time("received_at") >= before) firstYoung ??= last; // Of a clock that was once set back there may be older ones behind it.
            else if (!holds.Exists(it => it.Covers(row.Time("at")!.Value, row.Time("received_at")!.Value, row.Text("body")!))) ids.Add(last);
        }

        return new(period, before, ids, firstYoung - 1 ?? last, mark, ids.Count == PieceMax || (firstYoung is null && scanned == ScanMax));
    }

    /// <summary>Deletes them and writes their certificate. A record that its leaf does not fit stays: it is evidence of something else.</summary>
    /// <returns>False: a hold was set meanwhile, and nothing was done.</returns>
    public static bool Delete(SqliteConnection store, DuePiece piece, DateTimeOffset now)
    {
        if (piece.Holds != Mark(store)) return false;
        LedgerTree.Grow(store);
        var (tree, size) = (LedgerTree.Of(store), LedgerTree.Size(store));
        var gone = new List<(long Number, TreeHash Leaf)>();
        using (var read = store.Command($"select {LedgerTree.Columns} from ledger where id = $id and body_hash is null", ("$id", 0L)))
        using (var clear = store.Command(
            """
            update ledger set body_hash = $digest, body = '{}', deleted_at = $at, certificate = $certificate,
              at = null, door = null, direction = null, person = null, credential = null, outcome = null, reason = null, code = null, alarm = null
            where id = $id
            """,
            ("$id", 0L), ("$digest", ""), ("$at", now), ("$certificate", size + 1)))
        {
            read.Prepare();
            clear.Prepare();
            foreach (var id in piece.Ids)
            {
                LedgerLeaf? leaf;
                read.Parameters[0].Value = id;
                using (var row = read.ExecuteReader()) leaf = row.Read() ? LedgerTree.Leaf(row) : null;
                if (leaf is null || leaf.TreeHash != tree(0, id - 1)) continue;
                (clear.Parameters[0].Value, clear.Parameters[1].Value) = (id, leaf.BodyHash);
                clear.ExecuteNonQuery();
                gone.Add((id, leaf.TreeHash));
            }
        }

        store.Execute("update retention set through = $through where class = $class", ("$through", piece.Through), ("$class", piece.Period.Class));
        if (gone.Count > 0) Certify(store, piece, gone, size, MerkleTree.Root(size, tree), now);
        return true;
    }

    private static void Certify(SqliteConnection store, DuePiece piece, List<(long Number, TreeHash Leaf)> gone, long size, TreeHash root, DateTimeOffset now)
    {
        var certificate = new DeletionCertificate(
            piece.Period.Class, piece.Period.Years!.Value, Rows.ToStored(piece.Before), gone.Count, RecordRanges.Text([.. gone.Select(it => it.Number)]), DeletionCertificate.DigestOf(gone), size,
            root.ToString());
        Records.Act(store, new Act(Actor.System, RetentionTerms.DeletedVerb, piece.Period.Class, null, null, AccessJson.Node(certificate)), now);
        store.Execute(
            "insert into certificates values ($record, $at, $class, $count, $body)",
            ("$record", size + 1), ("$at", now), ("$class", certificate.Class), ("$count", certificate.Count), ("$body", AccessJson.Text(certificate)));
    }

    private static (long Newest, long Open) Mark(SqliteConnection store) =>
        (store.Number("select max(id) from holds"), store.Number("select count(*) from holds where lifted_at is null"));
}
