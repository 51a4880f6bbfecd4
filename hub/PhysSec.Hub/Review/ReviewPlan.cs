using System.Globalization;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Review;

/// <summary>What a review looks at: weekly the system, monthly the doors, both after something grave.</summary>
public enum ReviewKind { Weekly = 1, Monthly = 2, Event = 3 }

/// <summary>A review that is to be made. Id is 2026-W45, 2026-11 or 2026-11-03; the period is From until To; it is overdue from Due on.</summary>
public sealed record ReviewTask(string Id, ReviewKind Kind, DateTimeOffset From, DateTimeOffset To, DateTimeOffset Due);

/// <summary>
/// Which reviews there are, by the calendar alone: a hub that was off makes none too few, and nobody can take one away. Bounded: the newest 36 months, 104 weeks and 92 days.
/// </summary>
internal static class ReviewPlan
{
    private const int MonthsMax = 36;
    private const int WeeksMax = 104;
    private static readonly TimeSpan _eventsMax = TimeSpan.FromDays(92);

    /// <param name="since">The period in which this lies is the first one.</param>
    /// <param name="now">A period is reviewed when it is over.</param>
    /// <param name="time">The site's calendar.</param>
    /// <param name="limits">By when.</param>
    /// <param name="events">When something grave happened.</param>
    /// <returns>Oldest due first.</returns>
    public static IReadOnlyList<ReviewTask> Of(DateTimeOffset since, DateTimeOffset now, SiteTime time, ReviewConfiguration limits, IEnumerable<DateTimeOffset> events)
    {
        var tasks = new List<ReviewTask>();
        var month = time.MonthOf(now);
        for (var i = 0; i < MonthsMax && month > since; i++)
        {
            var (to, from) = (month, time.MonthOf(month.AddDays(-1)));
            tasks.Add(new(Name(time, from, "yyyy-MM"), ReviewKind.Monthly, from, to, Day(time, to, limits.MonthDueDay)));
            month = from;
        }

        var week = Day(time, now, -(((int)time.Local(now).DayOfWeek + 6) % 7));
        for (var i = 0; i < WeeksMax && week > since; i++)
        {
            var (to, from) = (week, Day(time, week, -7));
            tasks.Add(new(Week(time.Local(from)), ReviewKind.Weekly, from, to, Day(time, to, limits.WeekDueDays)));
            week = from;
        }

        foreach (var day in events.Where(it => it >= since && it > now - _eventsMax).Select(it => Day(time, it, 0)).Distinct())
        {
            var to = Day(time, day, 1);
            if (to <= now) tasks.Add(new(Name(time, day, "yyyy-MM-dd"), ReviewKind.Event, day, to, Day(time, to, limits.EventDueDays)));
        }

        return [.. tasks.OrderBy(it => it.Due).ThenBy(it => it.Id, StringComparer.Ordinal)];
    }

    // Midnight at the site, so many days after the moment's own day.
    private static DateTimeOffset Day(SiteTime time, DateTimeOffset at, int days) => time.Read(time.Local(at).Date.AddDays(days).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture))!.Value;

    private static string Name(SiteTime time, DateTimeOffset at, string form) => time.Local(at).ToString(form, CultureInfo.InvariantCulture);

    private static string Week(DateTimeOffset monday) => string.Create(CultureInfo.InvariantCulture, $"{ISOWeek.GetYear(monday.DateTime)}-W{ISOWeek.GetWeekOfYear(monday.DateTime):D2}");
}
