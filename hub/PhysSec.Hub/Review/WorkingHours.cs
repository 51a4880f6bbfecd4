using PhysSec.Core.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Review;

/// <summary>Each zone's working hours: the schedule that the configuration names for it, else the office's hours on weekdays that are no closed days.</summary>
internal sealed class WorkingHours(ReviewConfiguration limits, IReadOnlyList<Schedule> schedules, IReadOnlyCollection<DateOnly> closed, SiteTime time)
{
    private static readonly DayOfWeek[] _weekdays = [DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday, DayOfWeek.Friday];

    private readonly Schedule _office = new(new("office"), [new(_weekdays, limits.From, limits.Until, OnClosedDays: false)]);
    private readonly Dictionary<string, Schedule> _byId = schedules.ToDictionary(it => it.Id.Value);
    private readonly Dictionary<DateOnly, bool> _closed = closed.ToDictionary(it => it, _ => true);

    public bool Cover(string zone, DateTimeOffset at)
    {
        var schedule = limits.Schedules.TryGetValue(zone, out var named) && _byId.TryGetValue(named, out var own) ? own : _office;
        return Schedules.Cover(schedule, time.Local(at).DateTime, IsClosed) == Coverage.Covered;
    }

    // A month asks for the same days again and again, and computing a year's holidays is work.
    private bool IsClosed(DateOnly day) => _closed.TryGetValue(day, out var known) ? known : _closed[day] = JapaneseHolidays.Knows(day.Year) && JapaneseHolidays.IsHoliday(day);
}
