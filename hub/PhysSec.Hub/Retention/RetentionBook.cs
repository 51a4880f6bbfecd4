using Microsoft.Data.Sqlite;
using PhysSec.Core.Proof;
using PhysSec.Hub.Access;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Retention;

/// <summary>A class as people see it. DueAt: when the oldest text that is left comes to its end; Due: how many go on that day (AtLeast: that, and perhaps more).</summary>
public sealed record RetentionClassView(string Class, int? Years, int? Next, DateTimeOffset? NextAt, DateTimeOffset? DueAt, long Due, bool AtLeast);

/// <summary>A certificate of deletion: the record that it is, and what it says.</summary>
public sealed record CertificateView(long Record, DateTimeOffset At, DeletionCertificate Value);

/// <summary>Periods, certificates and what is next, to be read.</summary>
public sealed class RetentionBook(Store store)
{
    private const int ScanMax = 20_000;
    private static readonly TimeSpan _day = TimeSpan.FromDays(1);

    public IReadOnlyList<RetentionClassView> Classes() => store.Read(it => RetentionPeriods.All(it).OrderBy(one => RecordClasses.All.ToList().IndexOf(one.Class)).Select(one => View(it, one)).ToList());

    /// <summary>Newest first.</summary>
    public IReadOnlyList<CertificateView> Certificates(int count) => store.Read(it =>
        it.Query("select record, at, body from certificates order by record desc limit $count", Row, ("$count", count)));

    public CertificateView? Certificate(long record) => store.Read(it => it.One("select record, at, body from certificates where record = $record", Row, ("$record", record)));

    /// <summary>How many texts received within the period are deleted.</summary>
    public static long Deleted(SqliteConnection store, DateTimeOffset from, DateTimeOffset to) =>
        store.Number("select count(*) from ledger where deleted_at is not null and coalesce(at, received_at) >= $from and coalesce(at, received_at) < $to", ("$from", from), ("$to", to));

    private static RetentionClassView View(SqliteConnection connection, RetentionPeriod it)
    {
        var (due, count, scanned) = ((DateTimeOffset?)null, 0L, 0);
        var years = it.Years ?? it.Next!.Value;
        using var command = connection.Command(
            "select kind, stream, received_at from ledger where id > $through and body_hash is null order by id limit $most", ("$through", it.Through), ("$most", ScanMax));
        using var row = command.ExecuteReader();
        for (; row.Read(); scanned++)
        {
            if (RecordClasses.Of(row.GetString(0), row.GetString(1)) != it.Class) continue;
            var end = row.Time("received_at")!.Value.AddYears(years);
            if (it.Years is null && end < it.NextAt) end = it.NextAt.Value;
            due ??= end;
            if (end > due + _day) break;
            count++;
        }

        return new(it.Class, it.Years, it.Next, it.NextAt, due, count, scanned == ScanMax);
    }

    private static CertificateView Row(SqliteDataReader it) => new(it.GetInt64(0), it.Time("at")!.Value, AccessJson.Read<DeletionCertificate>(it.GetString(2)));
}
