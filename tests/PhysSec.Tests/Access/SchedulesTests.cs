using System.Globalization;
using PhysSec.Core.Access;

namespace PhysSec.Tests.Access;

public sealed class SchedulesTests
{
    private static readonly DayOfWeek[] _work = [DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday, DayOfWeek.Friday];
    private static readonly Schedule _weekdays = new(new("weekdays"), [new(_work, new(8, 30), new(17, 15), false)]);
    private static readonly Schedule _nights = new(new("nights"), [new([DayOfWeek.Friday], new(22, 0), new(6, 0), false)]);
    private static readonly Schedule _always = new(new("always"), [new(Enum.GetValues<DayOfWeek>(), new(0, 0), new(0, 0), true)]);

    [Theory]
    [InlineData("2026-11-24T08:29:59", Coverage.OutsideHours)]
    [InlineData("2026-11-24T08:30:00", Coverage.Covered)]
    [InlineData("2026-11-24T17:14:59", Coverage.Covered)]
    [InlineData("2026-11-24T17:15:00", Coverage.OutsideHours)]
    [InlineData("2026-11-28T10:00:00", Coverage.OutsideHours)] // Saturday
    [InlineData("2026-11-23T10:00:00", Coverage.ClosedDay)]
    [InlineData("2026-11-23T20:00:00", Coverage.OutsideHours)]
    public void From_is_inside_and_to_is_outside(string at, Coverage expected) => Assert.Equal(expected, Cover(_weekdays, at));

    [Theory]
    [InlineData("2026-11-27T21:59:59", Coverage.OutsideHours)]
    [InlineData("2026-11-27T22:00:00", Coverage.Covered)]
    [InlineData("2026-11-28T05:59:59", Coverage.Covered)]
    [InlineData("2026-11-28T06:00:00", Coverage.OutsideHours)]
    [InlineData("2026-11-28T22:00:00", Coverage.OutsideHours)]
    public void A_window_past_midnight_ends_on_the_next_day(string at, Coverage expected) => Assert.Equal(expected, Cover(_nights, at));

    [Fact]
    public void A_night_window_belongs_to_the_day_on_which_it_began()
    {
        Assert.Equal(Coverage.Covered, Schedules.Cover(_nights, At("2026-11-28T01:00:00"), it => it == new DateOnly(2026, 11, 28)));
        Assert.Equal(Coverage.ClosedDay, Schedules.Cover(_nights, At("2026-11-28T01:00:00"), it => it == new DateOnly(2026, 11, 27)));
    }

    [Fact]
    public void Equal_ends_mean_the_whole_day_and_a_window_may_hold_on_closed_days()
    {
        Assert.Equal(Coverage.Covered, Cover(_always, "2026-11-23T00:00:00"));
        Assert.Equal(Coverage.Covered, Cover(_always, "2026-11-23T23:59:59"));
    }

    [Fact]
    public void A_schedule_reads_as_a_sentence()
    {
        Assert.Equal("schedule weekdays: Mon-Fri 08:30-17:15", Schedules.Sentence(_weekdays));
        Assert.Equal("schedule always: Mon-Sun 00:00-00:00 also on closed days", Schedules.Sentence(_always));
        Assert.Equal(
            "schedule odd: Mon,Wed,Sat,Sun 09:00-12:00",
            Schedules.Sentence(new(new("odd"), [new([DayOfWeek.Sunday, DayOfWeek.Wednesday, DayOfWeek.Monday, DayOfWeek.Saturday], new(9, 0), new(12, 0), false)])));
    }

    private static Coverage Cover(Schedule schedule, string at) => Schedules.Cover(schedule, At(at), it => it == new DateOnly(2026, 11, 23));

    private static DateTime At(string at) => DateTime.Parse(at, CultureInfo.InvariantCulture);
}
