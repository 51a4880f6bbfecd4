using System.Globalization;
using PhysSec.Core.Access;

namespace PhysSec.Tests.Access;

public sealed class JapaneseHolidaysTests
{
    // As the Cabinet Office published them.
    [Theory]
    [InlineData(2018, "1/1 1/8 2/11 2/12 3/21 4/29 4/30 5/3 5/4 5/5 7/16 8/11 9/17 9/23 9/24 10/8 11/3 11/23 12/23 12/24")]
    [InlineData(2019, "1/1 1/14 2/11 3/21 4/29 4/30 5/1 5/2 5/3 5/4 5/5 5/6 7/15 8/11 8/12 9/16 9/23 10/14 10/22 11/3 11/4 11/23")]
    [InlineData(2020, "1/1 1/13 2/11 2/23 2/24 3/20 4/29 5/3 5/4 5/5 5/6 7/23 7/24 8/10 9/21 9/22 11/3 11/23")]
    [InlineData(2021, "1/1 1/11 2/11 2/23 3/20 4/29 5/3 5/4 5/5 7/22 7/23 8/8 8/9 9/20 9/23 11/3 11/23")]
    [InlineData(2022, "1/1 1/10 2/11 2/23 3/21 4/29 5/3 5/4 5/5 7/18 8/11 9/19 9/23 10/10 11/3 11/23")]
    [InlineData(2023, "1/1 1/2 1/9 2/11 2/23 3/21 4/29 5/3 5/4 5/5 7/17 8/11 9/18 9/23 10/9 11/3 11/23")]
    [InlineData(2024, "1/1 1/8 2/11 2/12 2/23 3/20 4/29 5/3 5/4 5/5 5/6 7/15 8/11 8/12 9/16 9/22 9/23 10/14 11/3 11/4 11/23")]
    [InlineData(2025, "1/1 1/13 2/11 2/23 2/24 3/20 4/29 5/3 5/4 5/5 5/6 7/21 8/11 9/15 9/23 10/13 11/3 11/23 11/24")]
    [InlineData(2026, "1/1 1/12 2/11 2/23 3/20 4/29 5/3 5/4 5/5 5/6 7/20 8/11 9/21 9/22 9/23 10/12 11/3 11/23")]
    [InlineData(2027, "1/1 1/11 2/11 2/23 3/21 3/22 4/29 5/3 5/4 5/5 7/19 8/11 9/20 9/23 10/11 11/3 11/23")]
    public void A_year_has_exactly_its_published_holidays(int year, string expected) =>
        Assert.Equal(expected, string.Join(' ', JapaneseHolidays.ForYear(year).Select(it => it.Date.ToString("M/d", CultureInfo.InvariantCulture))));

    [Theory]
    [InlineData("2019-05-01", "天皇の即位の日", "Accession Day")]
    [InlineData("2019-05-02", "国民の休日", "National holiday")]
    [InlineData("2021-08-09", "振替休日", "Substitute holiday")]
    [InlineData("2026-09-22", "国民の休日", "National holiday")]
    [InlineData("2026-05-06", "振替休日", "Substitute holiday")]
    [InlineData("2020-07-24", "スポーツの日", "Sports Day")]
    [InlineData("2027-03-21", "春分の日", "Vernal Equinox Day")]
    public void A_holiday_has_its_name_in_both_languages(string date, string ja, string en)
    {
        var day = DateOnly.Parse(date, CultureInfo.InvariantCulture);
        Assert.Equal(new Holiday(day, ja, en), JapaneseHolidays.ForYear(day.Year).Single(it => it.Date == day));
    }

    [Fact]
    public void Every_year_that_is_known_has_fifteen_to_twenty_two_days_in_order_and_no_sunday_without_a_substitute() =>
        Assert.All(Enumerable.Range(JapaneseHolidays.YearMin, JapaneseHolidays.YearMax - JapaneseHolidays.YearMin + 1), year =>
        {
            var days = JapaneseHolidays.ForYear(year).Select(it => it.Date).ToList();
            Assert.InRange(days.Count, 15, 22);
            Assert.Equal(days.Distinct().Order(), days);
            Assert.All(days.Where(it => it.DayOfWeek == DayOfWeek.Sunday), it => Assert.Contains(it.AddDays(1), days));
        });

    [Theory]
    [InlineData(2006)]
    [InlineData(2100)]
    public void A_year_beyond_the_calendar_is_refused(int year) => Assert.Throws<ArgumentOutOfRangeException>(() => JapaneseHolidays.ForYear(year));
}
