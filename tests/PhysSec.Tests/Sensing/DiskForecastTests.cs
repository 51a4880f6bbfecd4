using CsCheck;
using PhysSec.Core.Sensing;

namespace PhysSec.Tests.Sensing;

/// <summary>Capacity is warned of at 75 % or a month ahead.</summary>
public sealed class DiskForecastTests
{
    private const long Total = 64_000_000_000;
    private static readonly DateTimeOffset _now = new(2026, 11, 28, 9, 0, 0, TimeSpan.FromHours(9));

    [Fact]
    public void A_disk_that_grows_evenly_is_full_where_the_line_meets_its_end() =>
        Gen.Select(Gen.Long[0, Total / 2], Gen.Long[1_000_000, 100_000_000], Gen.Int[25, 700]).Sample((start, bytesAnHour, hours) =>
        {
            var samples = Line(start, bytesAnHour, hours);
            var newest = samples[^1];
            var expected = newest.At.AddHours((double)(Total - newest.UsedBytes) / bytesAnHour);
            var full = DiskForecast.FullAt([.. samples.Reverse()]); // In any order.
            return newest.UsedBytes >= Total ? full == newest.At : Math.Abs((full!.Value - expected).TotalMinutes) < 1;
        });

    [Fact]
    public void Noise_around_the_line_moves_the_day_but_little()
    {
        var random = new Random(28);
        var noisy = Line(20_000_000_000, 40_000_000, 24 * 14).Select(it => it with { UsedBytes = it.UsedBytes + random.Next(-200_000_000, 200_000_000) }).ToList();
        var expected = _now.AddHours((Total - 20_000_000_000 - (40_000_000.0 * 24 * 14)) / 40_000_000);
        Assert.InRange(DiskForecast.FullAt(noisy)!.Value, expected.AddDays(-1), expected.AddDays(1));
    }

    [Fact]
    public void Without_growth_or_without_enough_samples_nobody_knows_the_day()
    {
        Assert.Null(DiskForecast.FullAt([]));
        Assert.Null(DiskForecast.FullAt(Line(1_000_000_000, 0, 100)));
        Assert.Null(DiskForecast.FullAt(Line(30_000_000_000, -1_000_000, 100)));
        Assert.Null(DiskForecast.FullAt(Line(1_000_000_000, 1_000, 100))); // In two thousand years.
        Assert.Null(DiskForecast.FullAt(Line(1_000_000_000, 50_000_000, 23)));
        Assert.Null(DiskForecast.FullAt([.. Line(1_000_000_000, 50_000_000, 100).Where((_, i) => i % 10 == 0)]));
        Assert.NotNull(DiskForecast.FullAt(Line(1_000_000_000, 50_000_000, 24)));
    }

    [Fact]
    public void What_was_measured_of_the_disk_before_does_not_count()
    {
        var before = Line(63_000_000_000, 1_000_000, 100);
        var larger = new DiskUse(_now.AddHours(1), 1_000_000_000, 2 * Total);
        Assert.Null(DiskForecast.FullAt([.. before, larger]));
    }

    [Theory]
    //          standing used%  days until full, alarm
    [InlineData(false, 74.9, null, false)]
    [InlineData(false, 75, null, true)]
    [InlineData(true, 72, null, true)] // What stands goes only when it is clearly better.
    [InlineData(true, 71.9, null, false)]
    [InlineData(false, 10, 32, false)]
    [InlineData(false, 10, 31, true)]
    [InlineData(true, 10, 38, true)]
    [InlineData(true, 10, 39, false)]
    [InlineData(true, 74, 100, true)]
    public void The_alarm_comes_at_75_percent_or_a_month_ahead_and_does_not_flutter(bool standing, double percent, int? days, bool alarm) =>
        Assert.Equal(alarm, DiskForecast.Alarms(standing, new(_now, (long)(Total * percent / 100), Total), days is { } it ? _now.AddDays(it) : null));

    /// <summary>One sample an hour, the last one now.</summary>
    private static IReadOnlyList<DiskUse> Line(long start, long bytesAnHour, int hours) =>
        [.. Enumerable.Range(0, hours + 1).Select(it => new DiskUse(_now.AddHours(it - hours), start + (it * bytesAnHour), Total))];
}
