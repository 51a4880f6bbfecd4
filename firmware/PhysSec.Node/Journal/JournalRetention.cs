using PhysSec.Core.Wire;
using PhysSec.Node.Control;

namespace PhysSec.Node.Journal;

/// <summary>How much is kept, and for how long.</summary>
/// <param name="Age">Acknowledged records are kept this long, so that a hub restored from a backup can be refilled.</param>
/// <param name="BytesMax">… or until the journal is this large.</param>
/// <param name="DiskFreeMin">Below this many free bytes measurements that the hub has not acknowledged are thinned, oldest first.</param>
public sealed record Retention(TimeSpan Age, long BytesMax, long DiskFreeMin)
{
    public static Retention Default { get; } = new(TimeSpan.FromDays(14), 256L << 20, 64L << 20);
}

/// <summary>Forgetting: only what the hub has acknowledged, and measurements when the disk fills.</summary>
public sealed partial class JournalStore
{
    private const int ThinMin = 100; // The record that says what was thinned takes room as well.
    private const int Block = 1000; // One block a call: a commit of the control loop waits for this lock, and 250 ms is all it has.

    /// <summary>Bytes in use inside the journal file; what was removed is used again and does not count.</summary>
    public long UsedBytes
    {
        get
        {
            lock (_gate) return Reading(() => checked((Number("pragma page_count") - Number("pragma freelist_count")) * Number("pragma page_size")));
        }
    }

    /// <summary>Removes the oldest block of acknowledged records when they are too old or too many. False: there is none.</summary>
    /// <exception cref="JournalException">Nothing was removed.</exception>
    public bool Prune(Retention retention, DateTimeOffset? now)
    {
        lock (_gate)
        {
            var overfull = UsedBytes > retention.BytesMax;
            foreach (var ((epoch, stream), state) in _streams.OrderBy(it => it.Key.Epoch).ToList())
            {
                if (Oldest(epoch, stream, state is { Closed: true, Refill: false } ? state.Seq : state.Acknowledged) is not { } block) continue;
                var tooOld = now is { } time && block.At is { } at && at < (time - retention.Age).ToUnixTimeSeconds();
                if (!tooOld && !overfull) continue;
                Change(() => Remove(epoch, stream, block.Last));
                return true;
            }

            return false;
        }
    }

    /// <summary>
    /// When the disk is nearly full: removes the oldest measurements that the hub has not seen, with a record in stream a that names them. Acknowledged
    /// records go first. Returns false when there is nothing left that is worth it.
    /// </summary>
    /// <exception cref="JournalException">Nothing was removed.</exception>
    public bool Thin(long diskFree, Retention retention, Stamp stamp)
    {
        const string Stream = Core.Wire.Streams.Measurements;
        lock (_gate)
        {
            var spare = Reading(() => checked(Number("pragma freelist_count") * Number("pragma page_size")));
            if (diskFree + spare >= retention.DiskFreeMin) return false;
            if (Prune(retention with { BytesMax = 0 }, null)) return true;

            var state = StateOf(Epoch, Stream);
            if (Oldest(Epoch, Stream, state.Seq) is not { } block || block.Last - block.First + 1 < ThinMin) return false;
            Change(() =>
            {
                Remove(Epoch, Stream, block.Last);
                Append(Epoch, new Entry(Core.Wire.Streams.Access, new MeasurementsThinned(block.First, block.Last, $"{diskFree >> 20} MiB free on disk", Epoch)), stamp);
            });
            return true;
        }
    }

    /// <summary>How large the file may grow, in pages; tests make a full disk of it.</summary>
    internal void LimitPages(int pages)
    {
        lock (_gate) Number(FormattableString.Invariant($"pragma max_page_count = {pages}"));
    }

    /// <summary>Called in the middle of every commit, on its thread; tests make a slow disk of it.</summary>
    internal void OnFlush(Action flushing)
    {
        lock (_gate)
        {
            SQLitePCL.raw.sqlite3_commit_hook(_db.Handle, _ =>
            {
                flushing();
                return 0;
            }, null);
        }
    }

    /// <summary>The oldest block of records with a body, all at or before <paramref name="limit"/>.</summary>
    private (long First, long Last, long? At)? Oldest(long epoch, string stream, long limit) => Reading(() => FindOldest(epoch, stream, limit));

    private (long First, long Last, long? At)? FindOldest(long epoch, string stream, long limit)
    {
        using var command = Command(
            """
            select min(seq), max(seq), max(at) from (
              select seq, at from records where epoch = $epoch and stream = $stream and seq <= $limit and body is not null order by seq limit $block)
            """,
            ("$epoch", epoch), ("$stream", stream), ("$limit", limit), ("$block", Block));
        using var rows = command.ExecuteReader();
        return rows.Read() && !rows.IsDBNull(0) ? (rows.GetInt64(0), rows.GetInt64(1), rows.IsDBNull(2) ? null : rows.GetInt64(2)) : null;
    }

    /// <summary>The last row keeps its hash and loses its body, so that the chain after it can still be checked.</summary>
    private void Remove(long epoch, string stream, long last)
    {
        Execute(
            "delete from records where epoch = $epoch and stream = $stream and seq < $last", ("$epoch", epoch), ("$stream", stream), ("$last", last));
        Execute(
            "update records set body = null where epoch = $epoch and stream = $stream and seq = $last", ("$epoch", epoch), ("$stream", stream), ("$last", last));
    }

    private long Number(string pragma)
    {
        using var command = Command(pragma);
        return (long)command.ExecuteScalar()!;
    }
}
