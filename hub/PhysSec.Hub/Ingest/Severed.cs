using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Ingest;

/// <summary>Whether a record is here in the very version that has this hash.</summary>
internal static class Known
{
    /// <param name="store">What the hub holds.</param>
    /// <param name="node">Whose record.</param>
    /// <param name="epoch">Its key.</param>
    /// <param name="stream">Its key.</param>
    /// <param name="seq">Its key.</param>
    /// <param name="hash">Its version.</param>
    /// <param name="asides">A version that was put aside counts.</param>
    public static bool Has(SqliteConnection store, NodeId node, long epoch, string stream, long seq, string hash, bool asides = true) => store.Number(
        """
        select exists (select 1 from ledger where source = $source and epoch = $epoch and stream = $stream and seq = $seq and hash = $hash)
          or exists (select 1 from reissued where source = $source and epoch = $epoch and stream = $stream and seq = $seq and hash = $hash)
          or $asides and exists (select 1 from divergence where source = $source and epoch = $epoch and stream = $stream and seq = $seq and hash = $hash)
        """,
        ("$source", node.Value), ("$epoch", epoch), ("$stream", stream), ("$seq", seq), ("$hash", hash), ("$asides", asides)) == 1;
}

/// <summary>
/// Records whose predecessor is not here. An older image or a second board writes others under keys that are taken, so that the numbers alone show no hole (a hub from a backup
/// even names them as stored): the chain does. The missing versions are asked for, stretch by stretch, back to where both chains part.
/// </summary>
internal static class Severed
{
    private const int Stretch = 500; // As many as a batch may hold.

    /// <summary>Notes on what these records hang, and what hung on one of them.</summary>
    /// <returns>The number of the record that is not here; null: the chain is whole.</returns>
    public static long? Take(SqliteConnection store, NodeId node, IReadOnlyList<CheckedRecord> run)
    {
        var (epoch, stream, first, last) = (run[0].Record.Epoch, run[0].Record.Stream, run[0].Record.Seq, run[^1].Record.Seq);
        var root = RootOf(store, node, epoch, stream, first - 1, run[0].Prev);
        if (root is var (seq, hash))
        {
            foreach (var it in run)
                store.Execute(
                    "insert into severed values ($source, $epoch, $stream, $seq, $hash, $root, $rootHash) on conflict do update set root_seq = $root, root_hash = $rootHash",
                    ("$source", node.Value), ("$epoch", epoch), ("$stream", stream), ("$seq", it.Record.Seq), ("$hash", it.Hash), ("$root", seq), ("$rootHash", hash));
        }

        foreach (var (at, old) in store.Query(
            "select distinct root_seq, root_hash from severed where source = $source and epoch = $epoch and stream = $stream and root_seq between $first and $last",
            it => (it.GetInt64(0), it.GetString(1)), ("$source", node.Value), ("$epoch", epoch), ("$stream", stream), ("$first", first), ("$last", last)))
        {
            if (run[(int)(at - first)].Hash != old) continue;
            (string, object?)[] values = [("$source", node.Value), ("$epoch", epoch), ("$stream", stream), ("$old", at), ("$oldHash", old), ("$root", root?.Seq), ("$rootHash", root?.Hash)];
            const string Hung = "where source = $source and epoch = $epoch and stream = $stream and root_seq = $old and root_hash = $oldHash";
            if (root is null) store.Execute($"delete from severed {Hung}", values[..^2]);
            else store.Execute($"update severed set root_seq = $root, root_hash = $rootHash {Hung}", values);
        }

        return root?.Seq;
    }

    /// <summary>The lowest record that anything of this stream hangs on, whoever sent it.</summary>
    public static long? Lowest(SqliteConnection store, NodeId node, long epoch, string stream) => store.Number(
        $"select min(root_seq) from severed where source = $source and epoch = $epoch and stream = $stream and not {GivenUp}",
        ("$source", node.Value), ("$epoch", epoch), ("$stream", stream)) is > 0 and var lowest ? lowest : null;

    /// <summary>What to ask for, so that this record comes.</summary>
    public static SeqRange Ask(long root) => new(Math.Max(1, root - Stretch + 1), root);

    private static (long Seq, string Hash)? RootOf(SqliteConnection store, NodeId node, long epoch, string stream, long seq, string hash)
    {
        if (seq == 0) return null;
        var root = store.One(
            "select root_seq, root_hash from severed where source = $source and epoch = $epoch and stream = $stream and seq = $seq and hash = $hash",
            it => Tuple.Create(it.GetInt64(0), it.GetString(1)), ("$source", node.Value), ("$epoch", epoch), ("$stream", stream), ("$seq", seq), ("$hash", hash));
        if (root is null && Known.Has(store, node, epoch, stream, seq, hash)) return null;
        var (at, of) = root ?? Tuple.Create(seq, hash);
        var never = stream == Streams.Measurements && store.Number(
            "select exists (select 1 from thinned where source = $source and epoch = $epoch and $seq between first and last)", ("$source", node.Value), ("$epoch", epoch), ("$seq", at)) == 1;
        return never ? null : (at, of);
    }

    // The node has thinned it: it will never come.
    private const string GivenUp = "(stream = 'm' and exists (select 1 from thinned it where it.source = severed.source and it.epoch = severed.epoch and severed.root_seq between it.first and it.last))";
}
