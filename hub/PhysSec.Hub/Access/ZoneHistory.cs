using Microsoft.Data.Sqlite;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>Which doors were in a zone, and when: a door that was moved takes none of its past along. Taken from the hub's own records of every change to a door.</summary>
internal static class ZoneHistory
{
    /// <summary>The doors with the time for which they were in the zone. Before a door's first record it is taken to have been where that record says it came from, else where it was put.</summary>
    public static IReadOnlyList<Slice> Of(SqliteConnection store, string zone)
    {
        var moves = store.Query(
            $"""
            select door, {LogSearch.When}, case when json_valid(body) then body ->> '$.fact.before.zone' end, case when json_valid(body) then body ->> '$.fact.after.zone' end
            from ledger where kind = 'hub.door.put' and door is not null order by id
            """,
            it => (Door: it.GetString(0), At: it.GetInt64(1), Before: it.IsDBNull(2) ? null : it.GetString(2), After: it.IsDBNull(3) ? null : it.GetString(3)))
            .Where(it => it.After is not null).GroupBy(it => it.Door).ToDictionary(it => it.Key, it => it.ToList());
        var now = store.Query("select id, zone from doors", it => (Door: it.GetString(0), Zone: it.GetString(1))).ToDictionary(it => it.Door, it => it.Zone);
        var slices = new List<Slice>();
        foreach (var door in moves.Keys.Union(now.Keys).Order(StringComparer.Ordinal))
        {
            var its = moves.GetValueOrDefault(door) ?? [];
            var (where, since) = (its.Count > 0 ? its[0].Before ?? its[0].After : now[door], long.MinValue);
            foreach (var move in its)
            {
                if (move.After == where) continue;
                if (where == zone && since < move.At) slices.Add(new(door, since, move.At - 1));
                (where, since) = (move.After, Math.Max(since, move.At));
            }

            if (where == zone) slices.Add(new(door, since, long.MaxValue));
        }

        return slices;
    }
}
