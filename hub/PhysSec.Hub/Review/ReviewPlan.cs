using System.Globalization;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Review;

/// <summary>What a review looks at: weekly the system, monthly the doors, both after something grave.</summary>
public enum ReviewKind { Weekly = 1, Monthly = 2, Event = 3 }

/// <summary>Something grave: when it happened, and when the hub learned of it.</summary>
public readonly record struct GraveEvent(DateTimeOffset At, DateTimeOffset Known);

/// <summary>A review that is to be made. Id is 2026-W45, 2026-11 or 2026-11-03 (2026-11-03-2 for what became known after that was signed); the period is From until To; it is overdue from Due on.</summary>
public sealed record ReviewTask(string Id, ReviewKind Kind, DateTimeOffset From, DateTimeOffset To, DateTimeOffset Due);

/// <summary>
/// Which reviews there are, by the calendar alone: a hub that was off makes none too few, and nobody can take one away. Bounded: the newest 36 months and 104 weeks. A day with something grave stays until it is signed.
/// </summary>
internal static class ReviewPlan
{
    private const int MonthsMax = 36;
    private const int WeeksMax = 104;

    /// <param name="since">The period in which this lies is the first one.</param>
    /// <param name="now">A period is reviewed when it is over.</param>
    /// <param name="time">The site's calendar.</param>
    /// <param name="limits">By when.</param>
    /// <param name="events">What grave things happened, in any order.</param>
    /// <param name="signedAt">When a review was signed; null: it is not.</param>
    /// <returns>Oldest due first.</returns>
    public static IReadOnlyList<ReviewTask> Of(DateTimeOffset since, DateTimeOffset now, SiteTime time, ReviewConfiguration limits, IEnumerable<GraveEvent> events, Func<string, DateTimeOffset?> signedAt)
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

        foreach (var day in events.Where(it => it.Known >= since).GroupBy(it => Day(time, it.At, 0)))
            tasks.AddRange(OfDay(day.Key, day.OrderBy(it => it.Known), now, time, limits, signedAt));

        return [.. tasks.OrderBy(it => it.Due).ThenBy(it => it.Id, StringComparer.Ordinal)];
    }

    // One for a day, and one more for what became known after the one before it was signed: nobody has looked at that.
    private static IEnumerable<ReviewTask> OfDay(
        DateTimeOffset day, IEnumerable<GraveEvent> events, DateTimeOffset now, SiteTime time, ReviewConfiguration limits, Func<string, DateTimeOffset?> signedAt)
    {
        var (to, number, last) = (Day(time, day, 1), 0, "");
        foreach (var known in events.Select(it => it.Known))
        {
            if (to > now || (number > 0 && !(known > signedAt(last)))) continue;
            number++;
            last = Name(time, day, "yyyy-MM-dd") + (number == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"-{number}"));
            var from = known > to ? Day(time, known, 1) : to; // Nobody is late with what nobody could know.
            yield return new(last, ReviewKind.Event, day, to, Day(time, from, limits.EventDueDays));
        }
    }

    // Midnight at the site, so many days after the moment's own day.
    private static DateTimeOffset Day(SiteTime time, DateTimeOffset at, int days) => time.Read(time.Local(at).Date.AddDays(days).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture))!.Value;

    private static string Name(SiteTime time, DateTimeOffset at, string form) => time.Local(at).ToString(form, CultureInfo.InvariantCulture);

    private static string Week(DateTimeOffset monday) => string.Create(CultureInfo.InvariantCulture, $"{ISOWeek.GetYear(monday.DateTime)}-W{ISOWeek.GetWeekOfYear(monday.DateTime):D2}");
}
