using PhysSec.Core.Access;
using PhysSec.Core.Doors;
using PhysSec.Core.Wire;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Review;
using PhysSec.Hub.Web.Language;
using PhysSec.Tests.HubAccess;

namespace PhysSec.Tests.Review;

/// <summary>R-LOG-20.</summary>
public sealed class PatternsTests
{
    private static readonly SiteTime _time = new(TimeZoneInfo.CreateCustomTimeZone("JST", TimeSpan.FromHours(9), "JST", "JST"));
    private static readonly DateTimeOffset _noon = new(2026, 11, 4, 12, 0, 0, TimeSpan.FromHours(9)); // A Wednesday; the day before is a holiday.

    private long _id;

    [Fact]
    public void The_first_entry_by_a_door_stands_out_once_and_never_for_who_entered_there_before()
    {
        Trace[] period = [Passed(0, "p-new", "door-a"), Passed(5, "p-new", "door-a", entry: false), Passed(9, "p-new", "door-a"), Passed(20, "p-old", "door-a"), Passed(30, "p-old", "door-b")];

        var found = Of(period, Patterns.FirstDoor, entered: [("p-old", "door-a")]);

        Assert.Equal([("p-new", "door-a", 1L), ("p-old", "door-b", 5L)], found.Select(it => (it.Person!, it.Door!, it.Records.Single())));
    }

    [Theory]
    [InlineData("2026-11-04T08:30:00+09:00", false)]
    [InlineData("2026-11-04T08:29:59+09:00", true)]
    [InlineData("2026-11-04T17:15:00+09:00", true)]
    [InlineData("2026-11-03T12:00:00+09:00", true)] // 文化の日
    [InlineData("2026-11-07T12:00:00+09:00", true)] // Saturday
    [InlineData("2026-11-05T12:00:00+09:00", true)] // 閉庁日 of the site
    public void An_entry_outside_the_offices_hours_stands_out(string at, bool stands)
    {
        var hours = new WorkingHours(new(), [], [new DateOnly(2026, 11, 5)], _time);
        Assert.Equal(!stands, hours.Cover("room-a", DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void A_zone_that_names_a_schedule_has_its_hours()
    {
        var night = new Schedule(new("night"), [new([DayOfWeek.Wednesday], new(22, 0), new(6, 0), false)]);
        var hours = new WorkingHours(new() { Schedules = new Dictionary<string, string> { ["room-a"] = "night" } }, [night], [], _time);

        Assert.True(hours.Cover("room-a", _noon.AddHours(14)));
        Assert.False(hours.Cover("room-a", _noon));
        Assert.True(hours.Cover("room-b", _noon));
    }

    [Fact]
    public void Entries_out_of_hours_are_one_finding_for_each_person_and_door()
    {
        Trace[] period = [Granted(0, "p-1", "door-a"), Granted(60 * 12, "p-1", "door-a"), Granted(60 * 13, "p-1", "door-a"), Granted(60 * 13, "p-2", "door-a"), Granted(60 * 14, "p-2", "door-a", entry: false)];
        var found = Of(period, Patterns.OutOfHours);
        Assert.Equal([("p-1", 2L), ("p-2", 1L)], found.Select(it => (it.Person!, it.Count)));
    }

    [Theory]
    [InlineData(new double[] { 0, 1, 2, 3 }, 0)]
    [InlineData(new double[] { 0, 1, 2, 3, 10 }, 5)] // Five within ten minutes, both ends counted.
    [InlineData(new[] { 0, 1, 2, 3, 10.1 }, 0)]
    [InlineData(new double[] { 0, 1, 2, 3, 4, 9, 30 }, 6)] // A burst goes on while it lasts; what comes later is none of it.
    public void A_burst_of_refusals_is_so_many_within_so_many_minutes(double[] minutes, int expected)
    {
        var found = Of([.. minutes.Select(it => Denied(it, "aaaaaaaa", "door-a"))], Patterns.DenialBurst);
        Assert.Equal(expected, found.Sum(it => it.Count));
        Assert.True(found.Count <= 1);
    }

    [Fact]
    public void Different_cards_at_one_door_are_a_burst_of_the_door_and_one_cards_burst_is_told_once()
    {
        Trace[] many = [.. Enumerable.Range(0, 5).Select(it => Denied(it, $"card{it}", "door-a"))];
        Assert.Equal((null, "door-a"), Assert.Single(Of(many, Patterns.DenialBurst).Select(it => (it.Subject, it.Door!))));
        Trace[] one = [.. Enumerable.Range(0, 5).Select(it => Denied(it, "card0", "door-a"))];
        Assert.Equal("card0", Assert.Single(Of(one, Patterns.DenialBurst)).Subject);
    }

    [Theory]
    [InlineData(29.9, "door-a", "door-b", 1)]
    [InlineData(30, "door-a", "door-b", 0)]
    [InlineData(5, "door-a", "door-a", 0)]
    [InlineData(5, "door-a", "door-a2", 0)] // Another door of the same zone.
    [InlineData(5, "door-a", "door-c", 0)] // Connected by configuration.
    public void One_card_at_two_places_in_less_time_than_the_way_takes_stands_out(double seconds, string first, string second, int expected)
    {
        var limits = new ReviewConfiguration { Connected = [["door-c", "door-a"]] };
        Trace[] period = [Passed(0, "p-1", first), Denied(seconds / 60, "cccccccc", second, "p-1")];

        var found = Of(period, Patterns.TwoPlaces, limits: limits);

        Assert.Equal(expected, found.Count);
        if (expected == 1) Assert.Equal((first, second, "p-1"), (found[0].Door!, found[0].Other!, found[0].Person!));
    }

    [Fact]
    public void Who_enters_again_without_having_left_stands_out_unless_somebody_left_unread()
    {
        Trace[] handedOn = [Passed(0, "p-1", "door-a"), Passed(10, "p-1", "door-a2")];
        Assert.Equal([1L, 2L], Assert.Single(Of(handedOn, Patterns.InsideTwice)).Records);
        Trace[] button = [Passed(20, "p-1", "door-a"), Passed(30, null, "door-a", entry: false), Passed(40, "p-1", "door-a")];
        Assert.Empty(Of(button, Patterns.InsideTwice));
        Trace[] left = [Passed(50, "p-1", "door-a"), Passed(60, "p-1", "door-a2", entry: false), Passed(70, "p-1", "door-a")];
        Assert.Empty(Of(left, Patterns.InsideTwice));
    }

    [Fact]
    public void A_time_that_the_node_did_not_know_accuses_nobody()
    {
        Trace[] period = [.. Enumerable.Range(0, 9).Select(it => Denied(it, "cccccccc", "door-a") with { Timed = false }), Granted(60 * 12, "p-1", "door-a") with { Timed = false }];
        Assert.Empty(Patterns.Of(period, new HashSet<(string, string)>(), Zone, Hours, new()));
    }

    [Fact]
    public async Task What_the_store_holds_is_found_with_the_numbers_of_its_records()
    {
        await using var desk = await Desk.OpenAsync();
        var (door, alice) = (new Core.DoorId("door-a"), new Core.PersonId("p-alice"));
        await desk.RecordAsync(-60 * 24, new Passage(door, Direction.In, alice, 1));
        await desk.RecordAsync(1, new Passage(door, Direction.Out, alice, 0));
        await desk.RecordAsync(2, new DoorChanged(door, DoorPhase.Locked, DoorPhase.Forced, "contact"));
        await desk.RecordAsync(3, new Passage(door, Direction.In, alice, 1));
        await desk.RecordAsync(4, new Passage(door, Direction.In, new("p-bob"), 2));

        var found = desk.Store.Read(it => DoorRecords.Patterns(it, Desk.Start, Desk.Start.AddHours(1), new(), _time).ToList());

        Assert.Equal([(Patterns.OpenedWithoutRelease, null), (Patterns.FirstDoor, "p-bob")], found.Select(it => (it.Pattern, it.Person)));
        Assert.All(found, it => Assert.Equal(1, desk.Store.Read(store => PhysSec.Hub.Storage.Rows.Number(store, "select count(*) from ledger where id = $id and door = 'door-a'", ("$id", it.Records.Single())))));
    }

    [Fact]
    public void The_same_findings_have_the_same_digest_and_others_another()
    {
        var one = FindingList.Of(Of([Passed(0, "p-1", "door-a")], Patterns.FirstDoor));
        var again = FindingList.Of([.. one.Items.Select(it => it with { Records = [.. it.Records] })]);
        Assert.Equal(one.Digest, again.Digest);
        Assert.NotEqual(one.Digest, FindingList.Of([one.Items[0] with { Records = [99] }]).Digest);
    }

    [Fact]
    public void A_flood_of_findings_is_cut_and_says_how_many_more_there_were()
    {
        var list = FindingList.Of(Enumerable.Range(0, FindingList.Most + 7).Select(it => Finding.Of(Patterns.FirstDoor, [Passed(it, $"p-{it}", "door-a")])));
        Assert.Equal((FindingList.Most, 7), (list.Items.Count, list.Left));
    }

    private static List<Finding> Of(Trace[] period, string pattern, HashSet<(string, string)>? entered = null, ReviewConfiguration? limits = null) =>
        [.. Patterns.Of(period, entered ?? [], Zone, Hours, limits ?? new()).Where(it => it.Pattern == pattern)];

    private static string Zone(string door) => "room-" + door[5];

    private static bool Hours(string zone, DateTimeOffset at) => new WorkingHours(new(), [], [], _time).Cover(zone, at);

    private Trace New(double minutes, string kind, string door, bool entry, string? person, string? card) =>
        new(++_id, _noon.AddMinutes(minutes), true, kind, "node-" + door[5], door, entry, person, card, null);

    private Trace Passed(double minutes, string? person, string door, bool entry = true) => New(minutes, "access.passage", door, entry, person, null);

    private Trace Granted(double minutes, string person, string door, bool entry = true) => New(minutes, "access.granted", door, entry, person, "cccccccc");

    private Trace Denied(double minutes, string card, string door, string? person = null) => New(minutes, "access.denied", door, true, person, card);
}
