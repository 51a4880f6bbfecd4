using System.Text.Json;
using Microsoft.Data.Sqlite;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>
/// Finds records among millions, newest first by when they happened. Each index of the ledger is one column and the time, so that its part of any period lies in the order of the answer. Of the
/// conditions given, the one that fits the fewest records (counted in its index, up to a limit) is walked in that order, and the others are checked on what it finds.
/// </summary>
internal static class LogSearch
{
    /// <summary>When a record happened, or was received where its node did not know; word for word the expression of the indexes.</summary>
    public const string When = "coalesce(at, received_at)";

    // Counting so far costs 2 ms; past it a condition is common, and what it finds is looked through until the page is full.
    private const int CountMax = 20_000;

    private static readonly Slice _always = new(null, long.MinValue, long.MaxValue);

    /// <summary>Times and numbers of the first records that fit, newest first; of two at one time the one received later first.</summary>
    /// <param name="store">Where.</param>
    /// <param name="filter">Checked.</param>
    /// <param name="limit">At most so many.</param>
    public static IReadOnlyList<Place> Newest(SqliteConnection store, LogFilter filter, int limit)
    {
        if (Plan(store, filter) is not { } plan) return [];
        var found = new List<Place>();
        var (from, until, before) = (plan.From, plan.Until, plan.Before);
        using var walk = plan.Command(store, $"select {When} as happened, id", "order by " + When + " desc, id desc limit $limit");
        foreach (var slice in plan.Driver.Slices)
        {
            SearchPlan.Set(walk, slice, from, until, before, limit);
            using (var rows = walk.ExecuteReader())
                while (rows.Read()) found.Add(new(rows.GetInt64(0), rows.GetInt64(1)));
            if (found.Count < limit && plan.Driver.Slices.Count > 1) continue;
            found.Sort((a, b) => b.CompareTo(a));
            if (found.Count < limit) continue;
            found.RemoveRange(limit, found.Count - limit);
            from = found[^1].When; // Of the other slices only what is newer still counts.
        }

        found.Sort((a, b) => b.CompareTo(a));
        return found;
    }

    /// <summary>The statements that a search runs and the index that it walks, for tests of how they are carried out. Null: nothing can fit.</summary>
    internal static SearchPlan? Plan(SqliteConnection store, LogFilter filter)
    {
        var (from, until, before) = (filter.From is { } first ? Rows.ToStored(first) : long.MinValue, filter.To is { } to ? Rows.ToStored(to) - 1 : long.MaxValue, long.MaxValue);
        if (filter.Cursor is { } cursor)
        {
            var at = store.One($"select {When} from ledger where id = $id", it => Tuple.Create(it.GetInt64(0)), ("$id", cursor))?.Item1
                ?? throw new InputException("cursor", "there is no such record", "Use the answer's next");
            if (at <= until) (until, before) = (at, cursor);
        }

        var conditions = Conditions(store, filter);
        if (conditions is null) return null;
        SearchPlan? best = null;
        var fewest = long.MaxValue;
        foreach (var it in conditions.Where(it => it.Index is not null))
        {
            var plan = new SearchPlan(it, conditions, from, until, before);
            var count = Count(store, plan, Math.Min(fewest, CountMax));
            if (count >= fewest) continue;
            (best, fewest) = (plan, count);
            if (count == 0) return null;
        }

        return best;
    }

    private static long Count(SqliteConnection store, SearchPlan plan, long most)
    {
        using var command = plan.Counting(store);
        long count = 0;
        foreach (var slice in plan.Driver.Slices)
        {
            SearchPlan.Set(command, slice, plan.From, plan.Until, long.MaxValue, most - count);
            count += (long)command.ExecuteScalar()!;
            if (count >= most) break;
        }

        return count;
    }

    // In the order in which they are likely to be rare: of two common ones the first is walked. Null: one of them fits nothing.
    private static List<Condition>? Conditions(SqliteConnection store, LogFilter it)
    {
        var all = new List<Condition>();
        if (it.Credential is { } card) AddAny("credential", "ledger_credential", "credential", Cards(store, card));
        if (it.Alarm is { } alarm) AddAny("alarm", "ledger_alarm", "alarm", Alarms(store, alarm));
        if (it.Person is { } person) AddAny("person", "ledger_person", "person", People(store, person));
        if (it.Late == true) all.Add(new("ledger_late", "late = 1", [_always], []));
        if (it.Late == false) all.Add(new(null, "late = 0", [], []));
        if (it.Reason is { } reason) AddAny("reason", "ledger_reason", "reason", [reason]);
        if (it.Outcome == "granted") all.Add(new(null, "outcome = 'granted'", [], [])); // What most records of access say has no index; their kind has.
        if (it.Outcome is { } outcome && outcome != "granted") all.Add(new("ledger_outcome", "outcome = $outcome and outcome <> 'granted'", [_always], [("$outcome", outcome)]));
        if (it.Door is { } door) AddAny("door", "ledger_door", "door", [door]);
        if (it.Zone is { } zone) AddZone(ZoneHistory.Of(store, zone));
        if (it.Node is { } node) AddAny("node", "ledger_source", "source", [node]);
        if (it.Kind is not null || it.Outcome == "granted") AddAny("kind", "ledger_kind", "kind", Kinds(store, it));
        if (!it.Searches) all.Add(new(null, $"kind not in ({AccessLog.AuditorsActsListed})", [], []));
        all.Add(new("ledger_when", "1 = 1", [_always], []));
        return all.Exists(one => one.Index is not null && one.Slices.Count == 0) ? null : all;

        void AddAny(string name, string index, string column, IReadOnlyList<string> values)
        {
            var test = values.Count == 1 ? $"{column} = ${name}" : $"{column} in (select value from json_each(${name}))";
            all.Add(new(index, test, [.. values.Select(value => _always with { Value = value })], [("$" + name, values.Count == 1 ? values[0] : JsonSerializer.Serialize(values))]) { Column = column });
        }

        void AddZone(IReadOnlyList<Slice> slices)
        {
            var values = new List<(string, object?)> { ("$zone", JsonSerializer.Serialize(slices.Where(Whole).Select(one => one.Value))) };
            var tests = new List<string> { "door in (select value from json_each($zone))" };
            foreach (var (slice, i) in slices.Where(one => !Whole(one)).Select((one, i) => (one, i)))
            {
                tests.Add($"door = $zone{i} and {When} between $zone{i}f and $zone{i}u");
                values.AddRange([($"$zone{i}", slice.Value), ($"$zone{i}f", slice.From), ($"$zone{i}u", slice.Until)]);
            }

            all.Add(new("ledger_door", "(" + string.Join(" or ", tests) + ")", slices, values) { Column = "door" });
        }

        static bool Whole(Slice one) => one.From == long.MinValue && one.Until == long.MaxValue;
    }

    private static List<string> People(SqliteConnection store, string person) => store.Query(
        "select id from people where id = $person or instr(name, $person) > 0 or instr(kana, $kana) > 0 union select $person",
        it => it.GetString(0), ("$person", person), ("$kana", Access.People.Reading(person)));

    // Records show eight digits of a card's code; whoever has fewer gets every card that begins so.
    private static List<string> Cards(SqliteConnection store, string beginning) => store.Query(
        """
        with recursive card (code) as (
          select min(credential) from ledger where credential >= $from and credential < $to
          union all select (select min(credential) from ledger where credential > card.code and credential < $to) from card where card.code is not null)
        select code from card where code is not null
        """,
        it => it.GetString(0), ("$from", beginning), ("$to", beginning + "g"));

    private static List<string> Alarms(SqliteConnection store, string alarm) => store.Query(
        "select key from alarms where $alarm in (key, body ->> '$.class', (body ->> '$.class') || ':' || (body ->> '$.source')) union select $alarm",
        it => it.GetString(0), ("$alarm", alarm));

    private static List<string> Kinds(SqliteConnection store, LogFilter filter)
    {
        if (filter.Kind is null) return ["access.granted"];
        var all = store.Query(
            """
            with recursive its (kind) as (
              select min(kind) from ledger union all select (select min(kind) from ledger where kind > its.kind) from its where its.kind is not null)
            select kind from its where kind is not null
            """,
            it => it.GetString(0));
        return [.. all.Where(it => (it == filter.Kind || it.StartsWith(filter.Kind + ".", StringComparison.Ordinal)) && (filter.Searches || !AccessLog.AuditorsActs.Contains(it)))];
    }
}

/// <summary>A record's time in microseconds, and its number: the order of an answer.</summary>
internal readonly record struct Place(long When, long Id) : IComparable<Place>
{
    public int CompareTo(Place other) => When != other.When ? When.CompareTo(other.When) : Id.CompareTo(other.Id);
}

/// <summary>A stretch of an index: one value of its column, and the microseconds for which it counts, both ends included.</summary>
internal sealed record Slice(string? Value, long From, long Until);

/// <summary>One condition of a search.</summary>
/// <param name="Index">Which index holds its records in order; null: they are too many to be looked for.</param>
/// <param name="Test">The same on one record.</param>
/// <param name="Slices">What of the index.</param>
/// <param name="Values">The test's.</param>
internal sealed record Condition(string? Index, string Test, IReadOnlyList<Slice> Slices, IReadOnlyList<(string Name, object? Value)> Values)
{
    /// <summary>The index's column; null: the index is for one value alone, which the test names.</summary>
    public string? Column { get; init; }
}

/// <summary>Which index is walked, and what is asked of each record in it.</summary>
internal sealed record SearchPlan(Condition Driver, IReadOnlyList<Condition> Conditions, long From, long Until, long Before)
{
    private static readonly string[] _set = ["$value", "$from", "$until", "$before", "$limit"];

    private string Stretch =>
        $"{(Driver.Column is { } column ? $"{column} = $value" : Driver.Test)} and {LogSearch.When} >= $from and {LogSearch.When} <= $until";

    private IEnumerable<Condition> Others => Conditions.Where(it => !ReferenceEquals(it, Driver));

    internal SqliteCommand Command(SqliteConnection store, string select, string order) => Prepared(
        store, $"{select} from ledger indexed by {Driver.Index} where {Stretch} and not ({LogSearch.When} = $until and id >= $before){string.Concat(Others.Select(it => $" and {it.Test}"))} {order}",
        Others.SelectMany(it => it.Values));

    internal SqliteCommand Counting(SqliteConnection store) =>
        Prepared(store, $"select count(*) from (select 1 from ledger indexed by {Driver.Index} where {Stretch} limit $limit)", []);

    /// <summary>Sets which stretch, within which period, before which record, and how many.</summary>
    internal static void Set(SqliteCommand command, Slice slice, long from, long until, long before, long limit)
    {
        void Put(string name, object? value)
        {
            if (command.Parameters.Contains(name)) command.Parameters[name].Value = value ?? DBNull.Value;
        }

        Put("$value", slice.Value);
        Put("$from", Math.Max(from, slice.From));
        Put("$until", Math.Min(until, slice.Until));
        Put("$before", slice.Until < until ? long.MaxValue : before);
        Put("$limit", limit);
    }

    private SqliteCommand Prepared(SqliteConnection store, string sql, IEnumerable<(string Name, object? Value)> values)
    {
        var own = Driver.Column is null ? Driver.Values : [];
        (string, object?)[] its = [.. values.Concat(own), .. _set.Where(it => sql.Contains(it, StringComparison.Ordinal)).Select(it => (it, (object?)0L))];
        return store.Command(sql, its);
    }
}
