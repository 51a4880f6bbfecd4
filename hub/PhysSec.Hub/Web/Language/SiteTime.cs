using System.Globalization;

namespace PhysSec.Hub.Web.Language;

/// <summary>Times as a person of the site reads them: site time, ISO order, offset where it matters.</summary>
public sealed class SiteTime(TimeZoneInfo zone)
{
    public DateTimeOffset Local(DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, zone);

    /// <summary>2026-11-23 14:05:09 +09:00</summary>
    public string Full(DateTimeOffset? at) => at is { } it ? Local(it).ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture) : "—";

    /// <summary>2026-11-23 14:05:09, for lists whose head names the zone.</summary>
    public string Plain(DateTimeOffset? at) => at is { } it ? Local(it).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) : "—";

    /// <summary>14:05:09, where the day is today.</summary>
    public string Clock(DateTimeOffset at) => Local(at).ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    public string Day(DateTimeOffset? at) => at is { } it ? Local(it).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) : "—";

    /// <summary>2026-11-23T14:05, as date fields want it.</summary>
    public string Field(DateTimeOffset at) => Local(at).ToString("yyyy-MM-ddTHH:mm", CultureInfo.InvariantCulture);

    /// <summary>What a date field holds, as site time; null when it is empty or no time.</summary>
    public DateTimeOffset? Read(string? field) =>
        DateTime.TryParse(field, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local)
            ? new DateTimeOffset(local, zone.GetUtcOffset(local))
            : null;

    /// <summary>令和8年11月23日, for municipal forms; the Gregorian date before 2019-05-01.</summary>
    public string Wareki(DateTimeOffset at)
    {
        var local = Local(at);
        if (local.Date < new DateTime(2019, 5, 1)) return string.Create(CultureInfo.InvariantCulture, $"{local.Year}年{local.Month}月{local.Day}日");

        var year = local.Year - 2018;
        return string.Create(CultureInfo.InvariantCulture, $"令和{(year == 1 ? "元" : year)}年{local.Month}月{local.Day}日");
    }

    /// <summary>令和8年11月</summary>
    public string WarekiMonth(DateTimeOffset at)
    {
        var full = Wareki(at);
        return full[..(full.IndexOf('月', StringComparison.Ordinal) + 1)];
    }

    /// <summary>+09:00</summary>
    public string Offset(DateTimeOffset at) => Local(at).ToString("zzz", CultureInfo.InvariantCulture);

    /// <summary>The first moments of a month in the form yyyy-MM and of the one after it; null: that is no month.</summary>
    public (DateTimeOffset From, DateTimeOffset To)? Month(string month) =>
        DateTime.TryParseExact(month, "yyyy-MM", CultureInfo.InvariantCulture, DateTimeStyles.None, out var read) && read.Year is > 2000 and < 2200 && Read(month + "-01") is { } from
            ? (from, MonthOf(from.AddDays(32))) : null;

    /// <summary>The first moment of the month.</summary>
    public DateTimeOffset MonthOf(DateTimeOffset at)
    {
        var local = Local(at);
        var first = new DateTime(local.Year, local.Month, 1, 0, 0, 0, DateTimeKind.Unspecified);
        return new(first, zone.GetUtcOffset(first));
    }
}
