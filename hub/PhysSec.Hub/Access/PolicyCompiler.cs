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
    /// Every registered card is in it, so that a door can tell a lost card from a stranger's. A door's assurance is what its board's readers prove, if the settings claim more.
    /// Of PINs only those that one of its doors may ask for are in it.
    /// </summary>
    /// <exception cref="PolicyException">The result would be refused by the node.</exception>
    public static Policy Compile(SqliteConnection store, NodeId node, long version, DateTimeOffset issuedAt, SiteId site, string timeZone)
    {
        List<DoorPolicy> doors = [.. DoorAssurance.All(store).Where(it => it.Door.Node == node.Value).Select(it => it.Door.Policy with { ReaderAssurance = it.Counted })];
        var zoneIds = doors.Select(it => it.Zone).ToHashSet();
        List<Right> rights = [.. Rights.InForce(store).Select(it => it.Policy).Where(it => zoneIds.Contains(it.Zone))];
        var scheduleIds = rights.Select(it => it.Schedule).ToHashSet();
        var extended = store.Query("select id from people where extended = 1", it => it.GetString(0)).ToHashSet();
        List<ZonePolicy> all = [.. Zones.All(store).Select(it => it.Policy)];
        var withPins = all.Where(PinRules.AsksForPin).Select(it => it.Id).ToHashSet();
        var holders = rights.Where(it => withPins.Contains(it.Zone)).Select(it => it.Person).ToHashSet();
        List<Pin> pins = [.. Pins.All(store).Where(it => holders.Contains(it.Person))];
        var year = TimeZoneInfo.ConvertTime(issuedAt, Zone(timeZone)).Year;

        var policy = new Policy(
            version, site, node, issuedAt, timeZone,
            [.. all.Where(it => zoneIds.Contains(it.Id))],
            doors,
            [
                .. Credentials.All(store).Select(it => new Credential(new(it.Token), new(it.Person), it.State, it.ValidFrom, it.ValidTo, extended.Contains(it.Person))),
                .. from it in pins let token = it.Alone where token is not null select new Credential(token.Value, it.Person, CredentialState.Active, null, null, extended.Contains(it.Person.Value)),
            ],
            rights,
            [.. SchedulesStore.All(store).Select(it => it.Policy).Where(it => scheduleIds.Contains(it.Id))],
            [.. Closed(year).Concat(ClosedDays.All(store)).Distinct().Order()],
            [.. SensingRules.All(store, node.Value).Select(it => it.Rule)],
            pins.Count == 0 ? null : pins,
            pins.Count == 0 ? null : PinLimits.Default.ShareOf(NodesWithPins(store, withPins)));
        PolicyIndex.Build(policy, "check");
        return policy;
    }

    // Whoever guesses at several doors has the site's budget, not one for each.
    private static int NodesWithPins(SqliteConnection store, HashSet<ZoneId> zones) =>
        Doors.All(store).Where(it => zones.Contains(it.Policy.Zone)).Select(it => it.Node).Distinct().Count();

    internal static TimeZoneInfo Zone(string name) =>
        TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? zone : TimeZoneInfo.CreateCustomTimeZone("Asia/Tokyo", TimeSpan.FromHours(9), "JST", "JST");

    private static IEnumerable<DateOnly> Closed(int year) =>
        Enumerable.Range(year - 1, 4).Where(JapaneseHolidays.Knows).SelectMany(JapaneseHolidays.ForYear).Select(it => it.Date);
}
