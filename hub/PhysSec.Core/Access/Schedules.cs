using System.Globalization;

namespace PhysSec.Core.Access;

/// <summary>Whether a schedule covers a moment, and if not, why.</summary>
public enum Coverage
{
    Covered = 0,

    /// <summary>An hour of the schedule, but on a closed day, and the window does not hold on closed days.</summary>
    ClosedDay = 1,

    OutsideHours = 2,
}

/// <summary>Weekly windows in the site's wall-clock time.</summary>
public static class Schedules
{
    private static readonly DayOfWeek[] _week =
        [DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday, DayOfWeek.Friday, DayOfWeek.Saturday, DayOfWeek.Sunday];

    /// <summary>
    /// From is inside, To is outside. A window whose To is not after From ends on the next day, and belongs wholly to the day on which it began: a night shift
    /// that began before a holiday is not cut at midnight, and one that would begin on a holiday does not.
    /// </summary>
    /// <param name="schedule">The windows.</param>
    /// <param name="local">Wall-clock time at the site.</param>
    /// <param name="isClosed">True for a national holiday or a 閉庁日.</param>
    public static Coverage Cover(Schedule schedule, DateTime local, Func<DateOnly, bool> isClosed)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        ArgumentNullException.ThrowIfNull(isClosed);
        var today = DateOnly.FromDateTime(local);
        var time = TimeOnly.FromDateTime(local);
        var closed = false;
        foreach (var window in schedule.Windows)
        {
            if (Began(window, today, time) is not { } day) continue;
            if (window.OnClosedDays || !isClosed(day)) return Coverage.Covered;
            closed = true;
        }

        return closed ? Coverage.ClosedDay : Coverage.OutsideHours;
    }

    /// <summary>For example <c>schedule weekdays: Mon-Fri 08:30-17:15; Sat 09:00-12:00 also on closed days</c>.</summary>
    public static string Sentence(Schedule schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        return $"schedule {schedule.Id}: " + string.Join("; ", schedule.Windows.Select(it => string.Create(
            CultureInfo.InvariantCulture, $"{Days(it.Days)} {it.From:HH:mm}-{it.To:HH:mm}{(it.OnClosedDays ? " also on closed days" : "")}")));
    }

    private static DateOnly? Began(Window window, DateOnly today, TimeOnly time)
    {
        var overnight = window.To <= window.From;
        if (window.Days.Contains(today.DayOfWeek) && time >= window.From && (overnight || time < window.To)) return today;
        var yesterday = today.AddDays(-1);
        return overnight && time < window.To && window.Days.Contains(yesterday.DayOfWeek) ? yesterday : null;
    }

    // Mon-Fri for a run of three or more days, names otherwise.
    private static string Days(IReadOnlyList<DayOfWeek> days)
    {
        var parts = new List<string>();
        for (var i = 0; i < _week.Length; i++)
        {
            if (!days.Contains(_week[i])) continue;
            var last = i;
            while (last + 1 < _week.Length && days.Contains(_week[last + 1])) last++;
            if (last - i >= 2)
            {
                parts.Add($"{Short(_week[i])}-{Short(_week[last])}");
                i = last;
            }
            else
            {
                parts.Add(Short(_week[i]));
            }
        }

        return string.Join(",", parts);
    }

    private static string Short(DayOfWeek day) => day.ToString()[..3];
}
