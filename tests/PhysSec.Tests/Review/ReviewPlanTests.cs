using System.Globalization;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Review;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Tests.Review;

/// <summary>R-LOG-13: weekly the system, monthly the doors, and after events.</summary>
public sealed class ReviewPlanTests
{
    private static readonly SiteTime _time = new(TimeZoneInfo.CreateCustomTimeZone("JST", TimeSpan.FromHours(9), "JST", "JST"));

    [Theory]
    [InlineData("2026-11-30T23:59:59+09:00", new[] { "2026-10" })]
    [InlineData("2026-12-01T00:00:00+09:00", new[] { "2026-10", "2026-11" })]
    public void A_month_is_reviewed_from_the_first_of_the_next_one_in_site_time(string now, string[] expected) =>
        Assert.Equal(expected, Of("2026-10-05T10:00:00+09:00", now).Where(it => it.Kind == ReviewKind.Monthly).Select(it => it.Id));

    [Fact]
    public void A_month_is_due_by_the_end_of_the_tenth_and_a_week_seven_days_after_it()
    {
        var tasks = Of("2026-10-26T10:00:00+09:00", "2026-11-02T00:00:00+09:00");
        var (month, week) = (tasks.Single(it => it.Kind == ReviewKind.Monthly), tasks.Single(it => it.Kind == ReviewKind.Weekly));

        Assert.Equal((At("2026-10-01T00:00:00+09:00"), At("2026-11-01T00:00:00+09:00"), At("2026-11-11T00:00:00+09:00")), (month.From, month.To, month.Due));
        Assert.Equal(("2026-W44", At("2026-10-26T00:00:00+09:00"), At("2026-11-02T00:00:00+09:00"), At("2026-11-09T00:00:00+09:00")), (week.Id, week.From, week.To, week.Due));
    }

    [Theory]
    [InlineData("2027-01-04T00:00:00+09:00", "2026-W53")]
    [InlineData("2027-01-11T00:00:00+09:00", "2027-W01")]
    public void A_week_begins_on_Monday_and_has_its_ISO_number(string now, string newest) =>
        Assert.Equal(newest, Of("2026-12-20T00:00:00+09:00", now).Last(it => it.Kind == ReviewKind.Weekly).Id);

    [Fact]
    public void A_hub_that_was_off_makes_what_it_missed_and_not_more_than_can_be_made()
    {
        var tasks = Of("2001-01-01T00:00:00+09:00", "2026-11-28T00:00:00+09:00");
        Assert.Equal((36, 104), (tasks.Count(it => it.Kind == ReviewKind.Monthly), tasks.Count(it => it.Kind == ReviewKind.Weekly)));
        Assert.Equal(tasks.Count, tasks.Select(it => it.Id).Distinct().Count());
    }

    [Fact]
    public void A_day_with_something_grave_is_reviewed_once_when_it_is_over()
    {
        string[] events = ["2026-11-03T00:00:00+09:00", "2026-11-03T23:59:59+09:00", "2026-11-28T10:00:00+09:00"];
        var tasks = Of("2026-11-01T00:00:00+09:00", "2026-11-28T12:00:00+09:00", events).Where(it => it.Kind == ReviewKind.Event).ToList();
        Assert.Equal([("2026-11-03", At("2026-11-04T00:00:00+09:00"), At("2026-11-07T00:00:00+09:00"))], tasks.Select(it => (it.Id, it.To, it.Due)));
    }

    [Fact]
    public void What_became_known_after_the_day_was_signed_gets_a_review_of_its_own_and_time_to_make_it()
    {
        GraveEvent[] events =
        [
            new(At("2026-11-03T10:00:00+09:00"), At("2026-11-03T10:00:00+09:00")), new(At("2026-11-03T11:00:00+09:00"), At("2026-11-04T08:00:00+09:00")),
            new(At("2026-11-03T12:00:00+09:00"), At("2026-11-20T08:00:00+09:00")), new(At("2026-11-03T13:00:00+09:00"), At("2026-11-21T08:00:00+09:00")),
        ];
        var signed = At("2026-11-05T09:00:00+09:00");
        var tasks = ReviewPlan.Of(At("2026-11-01T00:00:00+09:00"), At("2027-06-01T00:00:00+09:00"), _time, new ReviewConfiguration(), events, id => id == "2026-11-03" ? signed : null)
            .Where(it => it.Kind == ReviewKind.Event);
        Assert.Equal([("2026-11-03", At("2026-11-07T00:00:00+09:00")), ("2026-11-03-2", At("2026-11-24T00:00:00+09:00"))], tasks.Select(it => (it.Id, it.Due)));
    }

    [Fact]
    public void Whatever_the_moment_all_whole_weeks_and_months_since_the_beginning_are_there_without_a_hole()
    {
        var random = new Random(20261128); // The seed is fixed: the same moments each time.
        for (var i = 0; i < 500; i++)
        {
            var since = At("2026-01-01T00:00:00+09:00").AddMinutes(random.Next(500_000));
            var now = since.AddMinutes(random.Next(500_000));
            foreach (var kind in Of(since.ToString("O"), now.ToString("O")).GroupBy(it => it.Kind))
            {
                var tasks = kind.OrderBy(it => it.From).ToList();
                Assert.True(tasks[0].From <= since && since < tasks[0].To && tasks[^1].To <= now, $"{since:O} {now:O}");
                Assert.All(tasks.Zip(tasks.Skip(1)), it => Assert.Equal(it.First.To, it.Second.From));
                Assert.All(tasks, it => Assert.True(it.Due > it.To));
            }
        }
    }

    private static IReadOnlyList<ReviewTask> Of(string since, string now, params string[] events) => ReviewPlan.Of(At(since), At(now), _time, new ReviewConfiguration(), events.Select(it => new GraveEvent(At(it), At(it))), _ => null);

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
