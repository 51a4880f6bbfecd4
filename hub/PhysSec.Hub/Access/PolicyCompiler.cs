using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>Makes of the hub's tables what one node needs to decide alone, and no more.</summary>
public static class PolicyCompiler
{
    /// <summary>
    /// The node's doors, their zones, the rights for those zones with their schedules, the node's sensing rules and the closed days from last year to the year after next.
    /// Every registered card is in it, so that a door can tell a lost card from a stranger's.
    /// </summary>
    /// <exception cref="PolicyException">The result would be refused by the node.</exception>
    public static Policy Compile(SqliteConnection store, NodeId node, long version, DateTimeOffset issuedAt, SiteId site, string timeZone)
    {
        var doors = Doors.Policies([.. Doors.All(store).Where(it => it.Node == node.Value)]);
        var zoneIds = doors.Select(it => it.Zone).ToHashSet();
        List<Right> rights = [.. Rights.InForce(store).Select(it => it.Policy).Where(it => zoneIds.Contains(it.Zone))];
        var scheduleIds = rights.Select(it => it.Schedule).ToHashSet();
        var extended = store.Query("select id from people where extended = 1", it => it.GetString(0)).ToHashSet();
        var year = TimeZoneInfo.ConvertTime(issuedAt, Zone(timeZone)).Year;

        var policy = new Policy(
            version, site, node, issuedAt, timeZone,
            [.. Zones.All(store).Select(it => it.Policy).Where(it => zoneIds.Contains(it.Id))],
            doors,
            [.. Credentials.All(store).Select(it => new Credential(new(it.Token), new(it.Person), it.State, it.ValidFrom, it.ValidTo, extended.Contains(it.Person)))],
            rights,
            [.. SchedulesStore.All(store).Select(it => it.Policy).Where(it => scheduleIds.Contains(it.Id))],
            [.. Closed(year).Concat(ClosedDays.All(store)).Distinct().Order()],
            [.. SensingRules.All(store, node.Value).Select(it => it.Rule)]);
        PolicyIndex.Build(policy, "check");
        return policy;
    }

    internal static TimeZoneInfo Zone(string name) =>
        TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? zone : TimeZoneInfo.CreateCustomTimeZone("Asia/Tokyo", TimeSpan.FromHours(9), "JST", "JST");

    private static IEnumerable<DateOnly> Closed(int year) =>
        Enumerable.Range(year - 1, 4).Where(JapaneseHolidays.Knows).SelectMany(JapaneseHolidays.ForYear).Select(it => it.Date);
}
