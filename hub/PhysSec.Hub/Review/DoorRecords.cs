using Microsoft.Data.Sqlite;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Storage;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Review;

/// <summary>Reads what the rules need: one pass over the period, and one question to the past.</summary>
internal static class DoorRecords
{
    /// <summary>The door records of a period, in the order of time.</summary>
    public static List<Trace> Of(SqliteConnection store, DateTimeOffset from, DateTimeOffset to)
    {
        var same = new Dictionary<string, string>(StringComparer.Ordinal); // A month says the same few names 300,000 times.
        string? Once(string? text) => text is null ? null : same.TryGetValue(text, out var known) ? known : same[text] = text;
        // The plus keeps the index of kinds out: the period is the narrower.
        return store.Query(
            """
            select id, coalesce(at, received_at), at is not null, kind, source, door, direction = 'in', person, credential,
              case when kind = 'door.changed' and json_valid(body) then body ->> '$.fact.to' end
            from ledger
            where coalesce(at, received_at) >= $from and coalesce(at, received_at) < $to and door is not null and +kind in ('access.granted', 'access.denied', 'access.passage', 'door.changed')
            order by coalesce(at, received_at), id
            """,
            it => new Trace(
                it.GetInt64(0), Rows.FromStored(it.GetInt64(1)), it.GetInt64(2) != 0, Once(it.GetString(3))!, Once(it.GetString(4))!, Once(it.GetString(5))!, !it.IsDBNull(6) && it.GetInt64(6) != 0,
                it.IsDBNull(7) ? null : Once(it.GetString(7)), it.IsDBNull(8) ? null : Once(it.GetString(8)), it.IsDBNull(9) ? null : Once(it.GetString(9))),
            ("$from", from), ("$to", to));
    }

    /// <summary>Of the pairs of person and door in the period, those that had an entry before it.</summary>
    public static HashSet<(string Person, string Door)> Entered(SqliteConnection store, IEnumerable<Trace> period, DateTimeOffset from)
    {
        var pairs = period.Where(it => it is { Kind: "access.passage", Entry: true, Person: not null }).Select(it => new[] { it.Person!, it.Door }).DistinctBy(it => (it[0], it[1]));
        return [.. store.Query(
            """
            select value ->> 0, value ->> 1 from json_each($pairs) as pair where exists (
              select 1 from ledger where person = pair.value ->> 0 and door = pair.value ->> 1 and kind = 'access.passage' and direction = 'in' and +coalesce(at, received_at) < $from)
            """,
            it => (it.GetString(0), it.GetString(1)), ("$pairs", AccessJson.Text(pairs)), ("$from", from))];
    }

    /// <summary>The patterns of a period, by the site's own zones, schedules and closed days.</summary>
    public static IEnumerable<Finding> Patterns(SqliteConnection store, DateTimeOffset from, DateTimeOffset to, ReviewConfiguration limits, SiteTime time)
    {
        var period = Of(store, from, to);
        var zones = store.Query("select id, zone from doors", it => (Id: it.GetString(0), Zone: it.GetString(1))).ToDictionary(it => it.Id, it => it.Zone);
        var hours = new WorkingHours(limits, [.. SchedulesStore.All(store).Select(it => it.Policy)], ClosedDays.All(store), time);
        return Review.Patterns.Of(period, Entered(store, period, from), door => zones.GetValueOrDefault(door, door), hours.Cover, limits);
    }
}
