using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Ingest;

/// <summary>
/// A node in a new epoch issues again whatever it does not know to be stored, with its own times and a new key. The hub may hold it all the same: an acknowledgement was lost, a
/// batch came late, a backup was restored, two boards began with one card. What has happened once stands in the ledger once.
/// </summary>
internal static class Reissues
{
    /// <summary>The ledger's number of the same record under another epoch's key; null: there is none, or this key itself is taken.</summary>
    public static long? Find(SqliteConnection store, NodeId node, CheckedRecord it)
    {
        var (epoch, stream, seq) = (it.Record.Epoch, it.Record.Stream, it.Record.Seq);
        if (store.Number(
            "select count(*) from ledger where source = $source and epoch = $epoch and stream = $stream and seq = $seq",
            ("$source", node.Value), ("$epoch", epoch), ("$stream", stream), ("$seq", seq)) > 0) return null;
        if (Known(store, node, it) is { } known) return known;
        if (Text(it.Body) is not { } text) return null;
        var candidates = it.Record.At is { } at
            ? store.Query(
                "select id, body from ledger indexed by ledger_when where coalesce(at, received_at) = $at and source = $source and stream = $stream and epoch <> $epoch order by id",
                row => (Id: row.GetInt64(0), Body: row.GetString(1)), ("$at", at), ("$source", node.Value), ("$stream", stream), ("$epoch", epoch))
            : store.Query(
                "select id, body from ledger indexed by ledger_timeless where at is null and body_hash is null and source = $source and stream = $stream and epoch <> $epoch order by id",
                row => (Id: row.GetInt64(0), Body: row.GetString(1)), ("$source", node.Value), ("$stream", stream), ("$epoch", epoch));
        foreach (var (id, body) in candidates)
            if (Text(body) == text) return id;
        return null;
    }

    /// <summary>Keeps the second key, so that the stream goes on over it.</summary>
    public static Stored Keep(SqliteConnection store, NodeId node, CheckedRecord it, long first, DateTimeOffset now)
    {
        var (epoch, stream, seq) = (it.Record.Epoch, it.Record.Stream, it.Record.Seq);
        var added = store.Execute(
            "insert into reissued values ($source, $epoch, $stream, $seq, $hash, $prev, $first, $received) on conflict do nothing",
            ("$source", node.Value), ("$epoch", epoch), ("$stream", stream), ("$seq", seq), ("$hash", it.Hash), ("$prev", it.Prev), ("$first", first), ("$received", now));
        if (added == 1 || store.Number(
            "select count(*) from reissued where source = $source and epoch = $epoch and stream = $stream and seq = $seq and hash = $hash",
            ("$source", node.Value), ("$epoch", epoch), ("$stream", stream), ("$seq", seq), ("$hash", it.Hash)) == 1) return Stored.Repeated;
        Records.KeepBeside(store, node.Value, epoch, stream, seq, it.Hash, it.Body, now);
        return Stored.Diverged;
    }

    private static long? Known(SqliteConnection store, NodeId node, CheckedRecord it) => store.Number(
        "select first from reissued where source = $source and epoch = $epoch and stream = $stream and seq = $seq",
        ("$source", node.Value), ("$epoch", it.Record.Epoch), ("$stream", it.Record.Stream), ("$seq", it.Record.Seq)) is > 0 and var first ? first : null;

    /// <summary>A record's text without what is new when it is issued again, as every node writes it: epoch, stream, seq and then the rest.</summary>
    private static string? Text(string body)
    {
        var stream = body.IndexOf(",\"stream\":", StringComparison.Ordinal);
        var seq = body.IndexOf(",\"seq\":", StringComparison.Ordinal);
        var rest = seq < 0 ? -1 : body.IndexOf(',', seq + 1);
        return body.StartsWith("{\"epoch\":", StringComparison.Ordinal) && stream > 0 && seq > stream && rest > seq
            ? string.Concat(body.AsSpan(stream, seq - stream), body.AsSpan(rest)) : null;
    }
}
