using Microsoft.Data.Sqlite;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Reports;

/// <summary>One board's access record at the hub: numbers 1 to Last of that epoch.</summary>
/// <param name="Node">The board.</param>
/// <param name="Epoch">Its life.</param>
/// <param name="Last">The highest number.</param>
/// <param name="Missing">How many below it are not here; what a node still has, it sends again.</param>
public sealed record StreamExtent(string Node, long Epoch, long Last, long Missing);

/// <summary>A place where records may have been lost, and which says so itself: a board that began anew, a journal that was repaired, a hub put back from a backup.</summary>
public sealed record DeclaredGap(string Node, DateTimeOffset At, string Kind);

/// <summary>Whether the access record is whole (R-LOG-13): what is here, what is missing, where a loss is declared, and how many records came twice with different contents.</summary>
public sealed record Completeness(IReadOnlyList<StreamExtent> Streams, IReadOnlyList<DeclaredGap> Declared, long Diverged)
{
    public long Records => Streams.Sum(it => it.Last - it.Missing);

    public long Undeclared => Streams.Sum(it => it.Missing);

    /// <summary>Looks at all access records; declared gaps and contradictions are those of the period.</summary>
    public static Completeness Of(SqliteConnection store, DateTimeOffset from, DateTimeOffset to) => new(
        store.Query(
            """
            select source, epoch, through,
              max((select coalesce(max(seq), 0) from ledger where source = it.source and epoch = it.epoch and stream = 'a'),
                (select coalesce(max(seq), 0) from reissued where source = it.source and epoch = it.epoch and stream = 'a')) as last,
              (select count(*) from ledger where source = it.source and epoch = it.epoch and stream = 'a' and seq > it.through)
                + (select count(*) from reissued where source = it.source and epoch = it.epoch and stream = 'a' and seq > it.through) as beyond
            from streams as it where stream = 'a' and source <> $hub order by source, epoch
            """,
            it => new StreamExtent(it.Text("source")!, it.Whole("epoch"), Math.Max(it.Whole("last"), it.Whole("through")), Math.Max(0, it.Whole("last") - it.Whole("through") - it.Whole("beyond"))),
            ("$hub", Ledger.Records.Hub)),
        store.Query(
            """
            select source, coalesce(at, received_at) as at, kind from ledger
            where kind in ('journal.repaired', 'hub.hub.restored', 'epoch.began') and coalesce(at, received_at) >= $from and coalesce(at, received_at) < $to
              and (kind <> 'epoch.began' or epoch > (select min(epoch) from streams where streams.source = ledger.source and stream = 'a'))
            order by id
            """,
            it => new DeclaredGap(it.Text("source")!, it.Time("at")!.Value, it.Text("kind")!), ("$from", from), ("$to", to)),
        store.Number("select count(*) from divergence where received_at >= $from and received_at < $to", ("$from", from), ("$to", to)));
}
