namespace PhysSec.Core.Access;

/// <summary>A national holiday (国民の祝日), a substitute (振替休日) or a day between two (国民の休日).</summary>
public readonly record struct Holiday(DateOnly Date, string NameJa, string NameEn);

/// <summary>
/// Japan's holidays computed from the law (昭和23年法律第178号 as amended), so that a node without any network knows them. The equinoxes follow the usual approximation,
/// which has agreed with every official notice so far; a day proclaimed by a special law is entered as a closed day of the policy.
/// </summary>
public static class JapaneseHolidays
{
    /// <summary>The present substitute rule and 昭和の日 hold from here on.</summary>
    public const int YearMin = 2007;

    /// <summary>The equinox formula holds to here.</summary>
    public const int YearMax = 2099;

    private static readonly Dictionary<int, IReadOnlyList<Holiday>> _years = [];
    private static readonly Lock _lock = new();

    public static bool Knows(int year) => year is >= YearMin and <= YearMax;

    /// <summary>In the order of the calendar.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The year is outside 2007–2099.</exception>
    public static IReadOnlyList<Holiday> ForYear(int year)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(year, YearMin);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(year, YearMax);
        lock (_lock)
        {
            if (!_years.TryGetValue(year, out var days)) _years.Add(year, days = Compute(year));
            return days;
        }
    }

    public static bool IsHoliday(DateOnly date) => ForYear(date.Year).Any(it => it.Date == date);

    private static List<Holiday> Compute(int year)
    {
        var days = new SortedDictionary<DateOnly, Holiday>();
        foreach (var it in National(year)) days.Add(it.Date, it);
        var national = days.Keys.ToHashSet();

        foreach (var sunday in national.Where(it => it.DayOfWeek == DayOfWeek.Sunday).Order())
        {
            var day = sunday.AddDays(1);
            while (national.Contains(day)) day = day.AddDays(1);
            days[day] = new(day, "振替休日", "Substitute holiday");
        }

        foreach (var before in national)
        {
            var day = before.AddDays(1);
            if (!days.ContainsKey(day) && national.Contains(day.AddDays(1))) days.Add(day, new(day, "国民の休日", "National holiday"));
        }

        return [.. days.Values];
    }

    private static IEnumerable<Holiday> National(int year)
    {
        yield return On(1, 1, "元日", "New Year's Day");
        yield return Monday(1, 2, "成人の日", "Coming of Age Day");
        yield return On(2, 11, "建国記念の日", "National Foundation Day");
        if (year >= 2020) yield return On(2, 23, "天皇誕生日", "Emperor's Birthday");
        yield return On(3, Equinox(20.8431), "春分の日", "Vernal Equinox Day");
        yield return On(4, 29, "昭和の日", "Showa Day");
        if (year == 2019) yield return On(5, 1, "天皇の即位の日", "Accession Day");
        yield return On(5, 3, "憲法記念日", "Constitution Memorial Day");
        yield return On(5, 4, "みどりの日", "Greenery Day");
        yield return On(5, 5, "こどもの日", "Children's Day");

        // The Olympic years moved three days by special law.
        yield return year switch
        {
            2020 => On(7, 23, "海の日", "Marine Day"),
            2021 => On(7, 22, "海の日", "Marine Day"),
            _ => Monday(7, 3, "海の日", "Marine Day"),
        };
        if (year >= 2016) yield return On(8, year switch { 2020 => 10, 2021 => 8, _ => 11 }, "山の日", "Mountain Day");
        yield return Monday(9, 3, "敬老の日", "Respect for the Aged Day");
        yield return On(9, Equinox(23.2488), "秋分の日", "Autumnal Equinox Day");
        yield return year switch
        {
            2020 => On(7, 24, "スポーツの日", "Sports Day"),
            2021 => On(7, 23, "スポーツの日", "Sports Day"),
            < 2020 => Monday(10, 2, "体育の日", "Health and Sports Day"),
            _ => Monday(10, 2, "スポーツの日", "Sports Day"),
        };
        if (year == 2019) yield return On(10, 22, "即位礼正殿の儀", "Enthronement Ceremony");
        yield return On(11, 3, "文化の日", "Culture Day");
        yield return On(11, 23, "勤労感謝の日", "Labour Thanksgiving Day");
        if (year <= 2018) yield return On(12, 23, "天皇誕生日", "Emperor's Birthday");

        Holiday On(int month, int day, string ja, string en) => new(new DateOnly(year, month, day), ja, en);

        Holiday Monday(int month, int nth, string ja, string en)
        {
            var first = new DateOnly(year, month, 1);
            var offset = ((int)DayOfWeek.Monday - (int)first.DayOfWeek + 7) % 7;
            return new(first.AddDays(offset + (7 * (nth - 1))), ja, en);
        }

        // Day of the month, from 1980's mean and the tropical year.
        int Equinox(double in1980) => (int)(in1980 + (0.242194 * (year - 1980))) - ((year - 1980) / 4);
    }
}
