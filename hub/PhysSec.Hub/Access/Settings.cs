using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>A zone; the limits are those of <see cref="ZonePolicy"/>.</summary>
public sealed record ZoneSettings(
    string Id, string NameJa, string NameEn, int Level, double MaxAgeHours, Assurance Required, JournalFaultRule OnJournalFault,
    FactorRule Factors = FactorRule.Card, TooOldRule OnTooOld = TooOldRule.Refuse, double SecondCardTime = 5)
{
    internal ZonePolicy Policy => new(new(Id), Level, MaxAgeHours, Required, OnJournalFault, Factors, OnTooOld, SecondCardTime);
}

public sealed record ScheduleSettings(string Id, string NameJa, string NameEn, IReadOnlyList<Window> Windows)
{
    internal Schedule Policy => new(new(Id), Windows);
}

/// <summary>A <see cref="SensingRule"/> and the node that watches it.</summary>
public sealed record SensingSettings(string Node, SensingRule Rule);

public sealed class Zones(Store store, TimeProvider time, PolicySignal changed)
{
    public IReadOnlyList<ZoneSettings> List() => store.Read(All);

    public ZoneSettings? Get(string id) => List().FirstOrDefault(it => it.Id == id);

    /// <exception cref="InputException">A field is out of its limits.</exception>
    public async Task PutAsync(Actor actor, ZoneSettings zone, string? reason = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(zone);
        var put = zone with { Id = Input.Name("id", zone.Id), NameJa = Input.Filled("nameJa", zone.NameJa), NameEn = Input.Filled("nameEn", zone.NameEn) };
        Input.Check(zones: [put.Policy]);
        await store.WriteAsync(it =>
        {
            var before = All(it).FirstOrDefault(old => old.Id == put.Id);
            it.Execute("insert into zones (id, body) values ($id, $body) on conflict (id) do update set body = $body", ("$id", put.Id), ("$body", AccessJson.Text(put)));
            Records.Act(it, new Act(actor, "zone.put", put.Id, reason, AccessJson.Node(before), AccessJson.Node(put)), time.GetUtcNow());
        }, cancel);
        changed.Raise();
    }

    internal static List<ZoneSettings> All(SqliteConnection store) =>
        store.Query("select body from zones order by id", it => AccessJson.Read<ZoneSettings>(it.GetString(0)));
}

/// <summary>Named time windows; rights refer to them.</summary>
public sealed class SchedulesStore(Store store, TimeProvider time, PolicySignal changed)
{
    public IReadOnlyList<ScheduleSettings> List() => store.Read(All);

    public ScheduleSettings? Get(string id) => List().FirstOrDefault(it => it.Id == id);

    /// <exception cref="InputException">A window names no day, or a field cannot be taken.</exception>
    public async Task PutAsync(Actor actor, ScheduleSettings schedule, string? reason = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        var put = schedule with { Id = Input.Name("id", schedule.Id), NameJa = Input.Filled("nameJa", schedule.NameJa), NameEn = Input.Filled("nameEn", schedule.NameEn) };
        if (put.Windows is not { Count: >= 1 and <= 100 }) throw new InputException("windows", $"there are {put.Windows?.Count ?? 0}", "Give 1–100 windows");
        if (put.Windows.Any(it => it?.Days is null)) throw new InputException("windows", "no day is named", "Name at least one day of the week in each");
        Input.Check(schedules: [put.Policy]);
        await store.WriteAsync(it =>
        {
            var before = All(it).FirstOrDefault(old => old.Id == put.Id);
            it.Execute("insert into schedules (id, body) values ($id, $body) on conflict (id) do update set body = $body", ("$id", put.Id), ("$body", AccessJson.Text(put)));
            Records.Act(it, new Act(actor, "schedule.put", put.Id, reason, AccessJson.Node(before), AccessJson.Node(put)), time.GetUtcNow());
        }, cancel);
        changed.Raise();
    }

    internal static List<ScheduleSettings> All(SqliteConnection store) =>
        store.Query("select body from schedules order by id", it => AccessJson.Read<ScheduleSettings>(it.GetString(0)));
}

/// <summary>閉庁日 on top of the national holidays, which are computed.</summary>
public sealed class ClosedDays(Store store, TimeProvider time, PolicySignal changed)
{
    private const int DaysMax = 2000;

    public IReadOnlyList<DateOnly> Get() => store.Read(All);

    /// <summary>Replaces the whole list.</summary>
    /// <exception cref="InputException">There are more than 2000 days, or one lies outside 2007–2099.</exception>
    public async Task PutAsync(Actor actor, IEnumerable<DateOnly> dates, string? reason = null, CancellationToken cancel = default)
    {
        List<DateOnly> put = [.. dates.Distinct().Order()];
        if (put.Count > DaysMax) throw new InputException("dates", $"there are {put.Count}", $"Give at most {DaysMax}");
        foreach (var it in put.Where(it => !JapaneseHolidays.Knows(it.Year))) throw new InputException("dates", $"{it:yyyy-MM-dd} is outside the calendar", $"Use {JapaneseHolidays.YearMin}–{JapaneseHolidays.YearMax}");
        await store.WriteAsync(it =>
        {
            var before = All(it);
            it.Execute("insert into meta values ('closed-days', $body) on conflict (name) do update set value = $body", ("$body", AccessJson.Text(put)));
            Records.Act(it, new Act(actor, "closed-days.put", null, reason, AccessJson.Node(before), AccessJson.Node(put)), time.GetUtcNow());
        }, cancel);
        changed.Raise();
    }

    internal static List<DateOnly> All(SqliteConnection store) =>
        store.One("select value from meta where name = 'closed-days'", it => AccessJson.Read<List<DateOnly>>(it.GetString(0))) ?? [];
}

/// <summary>What each node watches on its points.</summary>
public sealed class SensingRules(Store store, TimeProvider time, PolicySignal changed)
{
    public IReadOnlyList<SensingSettings> List(string? node = null) => store.Read(it => All(it, node));

    /// <param name="point">The point's name.</param>
    /// <param name="node">Null: the first node that has such a rule.</param>
    public SensingSettings? Get(string point, string? node = null) => List(node).FirstOrDefault(it => it.Rule.Point.Value == point);

    /// <exception cref="InputException">A field is out of its limits, or the node is not enrolled.</exception>
    public async Task PutAsync(Actor actor, string node, SensingRule rule, string? reason = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(rule);
        if (!Names.IsDotted(rule.Point.Value)) throw new InputException("point", $"\"{rule.Point}\" is no point", "Use one of the node's, like room.temperature");
        rule = Whole(rule);
        Input.Check(sensing: [rule]);
        await store.WriteAsync(it =>
        {
            Doors.NeedNode(it, node);
            var before = All(it, node).FirstOrDefault(old => old.Rule.Point == rule.Point);
            it.Execute("insert into sensing (point, node, body) values ($point, $node, $body) on conflict (node, point) do update set body = $body",
                ("$point", rule.Point.Value), ("$node", node), ("$body", AccessJson.Text(rule)));
            Records.Act(it, new Act(actor, "sensing.put", $"{node}/{rule.Point}", reason, AccessJson.Node(before?.Rule), AccessJson.Node(rule)), time.GetUtcNow());
        }, cancel);
        changed.Raise();
    }

    internal static List<SensingSettings> All(SqliteConnection store, string? node) =>
        store.Query("select node, body from sensing where $node is null or node = $node order by node, point", it => new SensingSettings(it.GetString(0), Whole(AccessJson.Read<SensingRule>(it.GetString(1)))), ("$node", node));

    // Who gives no limit leaves out its alarm class, and the wire knows no null there.
    private static SensingRule Whole(SensingRule it) =>
        it with { AlarmClassHigh = it.AlarmClassHigh ?? "", AlarmClassLow = it.AlarmClassLow ?? "", AlarmClassRate = it.AlarmClassRate ?? "" };
}
