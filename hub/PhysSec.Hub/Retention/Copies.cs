using Microsoft.Data.Sqlite;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Retention;

/// <summary>
/// What the other tables hold of the same events goes with the class that it belongs to; README.md says which. A row whose time falls into any open hold stays, whomever the
/// hold is about.
/// </summary>
internal static class Copies
{
    private const int Most = 2_000;

    /// <summary>One small piece.</summary>
    /// <param name="store">Inside a transaction.</param>
    /// <param name="periods">Those in force.</param>
    /// <param name="now">A clock that is believed.</param>
    /// <returns>How many rows of which table.</returns>
    public static Dictionary<string, long> Delete(SqliteConnection store, IReadOnlyList<RetentionPeriod> periods, DateTimeOffset now)
    {
        var gone = new Dictionary<string, long>();
        DateTimeOffset? Before(string name) => periods.FirstOrDefault(it => it.Class == name)?.Years is { } years ? now.AddYears(-years) : null;
        void Run(string table, string name, string sql)
        {
            RunUntil(table, Before(name), sql);
        }

        void RunUntil(string table, DateTimeOffset? until, string sql)
        {
            if (until is { } before && store.Execute(sql, ("$before", before), ("$most", Most)) is var count and > 0) gone[table] = count;
        }

        Run("alarm_history", RecordClasses.Alarms, Old("alarm_history", "id", "recorded_at", NotHeld("at")));
        Run("notifications", RecordClasses.Alarms, Old("notifications", "id", "made_at", "next_at is null"));
        Run("dead_letters", RecordClasses.Alarms, Old("dead_letters", "id", "last_at"));
        Run("refusals", RecordClasses.Acts, Old("refusals", "id", "last_at"));
        Run("turned_away", RecordClasses.Acts, $"delete from turned_away where (day, what, subject) in (select day, what, subject from turned_away where last_at < $before and {NotHeld("last_at")} limit $most)");
        Run("rights", RecordClasses.Access, Old("rights", "id", "min(valid_to, coalesce(removed_at, valid_to))"));
        // A loan is a line of a register and explains an opening, which is an alarm's: it goes when both may.
        RunUntil(
            "key_loans", Before(RecordClasses.Access) is { } line && Before(RecordClasses.Alarms) is { } opening ? (line < opening ? line : opening) : null,
            "delete from key_loans where id in (select id from key_loans where ended_at < $before and "
                + "not exists (select 1 from holds where lifted_at is null and ended_at >= begins and (lent_at < ends or ends is null)) limit $most)");
        // A contradiction stays on record with its hash; what it said goes with what it contradicted.
        Run("divergence", RecordClasses.Access, $"update divergence set body = '' where id in (select id from divergence where body <> '' and received_at < $before and {NotHeld("received_at")} limit $most)");
        // The policies by which nothing can be judged any more: the next one was issued before the oldest entry that is kept. Their hashes stay on record.
        Run(
            "policies", RecordClasses.Access,
            $"""
            update policies as it set body = '' where body <> '' and exists (
              select 1 from policies later where later.node = it.node and later.version > it.version and later.issued_at < $before
                and not exists (select 1 from holds where lifted_at is null and begins < later.issued_at and (ends > it.issued_at or ends is null)))
            """);
        return gone;
    }

    private static string Old(string table, string key, string time, string also = "true") =>
        $"delete from {table} where {key} in (select {key} from {table} where {time} < $before and {also} and {NotHeld(time)} limit $most)";

    private static string NotHeld(string time) => $"not exists (select 1 from holds where lifted_at is null and {time} >= begins and ({time} < ends or ends is null))";
}
