using CsCheck;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Sensing;

namespace PhysSec.Tests.Sensing;

public sealed class PointWatchTests
{
    // Raise at 30, clear below 29; raise at 10, clear above 11. 5 s to trip, 10 s to clear, silent after 30 s.
    private static readonly SensingRule _rule = new(
        new("room.temperature"), AlarmClasses.TemperatureHigh, AlarmClasses.TemperatureLow, 30, 10, 1, 5, 10, null, 0, AlarmClasses.TemperatureRate, 30, 0);

    private static readonly SensingRule _rate = _rule with { RateLimit = 5, RateWindow = 600, SilentAfter = 3600 };

    [Fact]
    public void A_limit_raises_after_its_trip_delay_and_clears_below_its_dead_band_after_its_clear_delay()
    {
        var point = new Probe(_rule);
        point.Read(0, 30, "");
        point.Read(4, 31, "");
        point.Read(5, 30, "+High 30/30 temperature-high");
        point.Read(6, 29, ""); // Inside the dead-band: neither.
        point.Read(20, 29, "");
        point.Read(21, 28.9, "");
        point.Read(30, 28.9, "");
        point.Read(31, 28.9, "-High");
    }

    [Fact]
    public void A_dip_below_the_limit_starts_the_trip_delay_anew()
    {
        var point = new Probe(_rule);
        point.Read(0, 31, "");
        point.Read(3, 29.9, "");
        point.Read(5, 31, "");
        point.Read(9, 31, "");
        point.Read(10, 31, "+High 31/30 temperature-high");
    }

    [Fact]
    public void A_rise_into_the_dead_band_starts_the_clear_delay_anew()
    {
        var point = new Probe(_rule);
        point.Read(0, 31, "");
        point.Read(5, 31, "+High 31/30 temperature-high");
        point.Read(6, 28, "");
        point.Read(12, 29, "");
        point.Read(13, 28, "");
        point.Read(22, 28, "");
        point.Read(23, 28, "-High");
    }

    [Fact]
    public void A_low_limit_mirrors_the_high_one()
    {
        var point = new Probe(_rule);
        point.Read(0, 10, "");
        point.Read(5, 9, "+Low 9/10 temperature-low");
        point.Read(6, 11, "");
        point.Read(16, 11, "");
        point.Read(17, 11.1, "");
        point.Read(27, 11.1, "-Low");
    }

    /// <summary>UNKNOWN-IS-NOT-OK.</summary>
    [Fact]
    public void A_fault_neither_clears_nor_forgets_a_raised_limit()
    {
        var point = new Probe(_rule);
        point.Read(0, 31, "");
        point.Read(5, 31, "+High 31/30 temperature-high");
        point.Read(6, 28, "");
        point.Fail(10, "absent", "");
        point.Read(12, 28, ""); // The way back starts anew: nobody saw the room in between.
        point.Read(16, 28, "");
        point.Read(22, 28, "-High");
    }

    [Fact]
    public void A_fault_does_not_stop_a_trip_delay_that_is_running()
    {
        var point = new Probe(_rule);
        point.Read(0, 31, "");
        point.Fail(3, "absent", "");
        point.Read(6, 31, "+High 31/30 temperature-high");
    }

    [Fact]
    public void Time_without_a_good_reading_is_a_condition_of_its_own()
    {
        var point = new Probe(_rule);
        point.Read(0, 20, "");
        point.Fail(10, "badChecksum", "");
        point.Pass(29, "");
        point.Pass(30, "+Silent 30/30 sensor-silent");
        point.Fail(31, "absent", "");
        point.Pass(500, "");
        point.Read(501, 20, "-Silent");
    }

    [Fact]
    public void A_sensor_that_never_spoke_is_silent_too()
    {
        var point = new Probe(_rule);
        point.Pass(29, "");
        point.Pass(30, "+Silent 30/30 sensor-silent");
    }

    [Fact]
    public void A_value_that_the_device_cannot_measure_is_implausible_after_the_trip_delay()
    {
        var point = new Probe(_rule);
        point.Fail(0, "OutOfRange", "");
        point.Read(1, 20, "");
        point.Fail(2, "OutOfRange", "");
        point.Fail(7, "outOfRange", "+Implausible 20/ sensor-implausible");
        point.Pass(8, "");
        point.Read(9, 20, "-Implausible");
    }

    [Fact]
    public void A_value_that_is_no_number_is_no_reading()
    {
        var point = new Probe(_rule);
        for (var i = 0; i < 30; i++) point.Take(i, new Reading(double.NaN, null), "");
        point.Pass(30, "+Silent 30/30 sensor-silent");
    }

    [Fact]
    public void A_value_that_never_changes_is_stuck_until_it_changes()
    {
        var point = new Probe(_rule with { StuckAfter = 100 });
        for (var i = 0; i < 100; i += 10) point.Read(i, 20, "");
        point.Read(100, 20, "+Implausible 20/ sensor-implausible");
        point.Read(110, 20, "");
        point.Read(120, 20.01, "-Implausible");
    }

    [Theory]
    [InlineData(4.9, false)]
    [InlineData(5.1, true)]
    [InlineData(-20, false)] // A room that cools down is getting better.
    public void A_steady_rise_above_the_limit_raises_the_rate(double perHour, bool raised)
    {
        var point = new Probe(_rate);
        for (var i = 0; i <= 1200; i += 5) point.Take(i, Reading.Good(25 + (perHour * i / 3600)), null);
        Assert.Equal(raised, point.State.RateRaised);
    }

    [Fact]
    public void A_rate_is_not_judged_before_half_its_window_is_seen()
    {
        var point = new Probe(_rate);
        for (var i = 0; i < 300; i += 5) point.Read(i, 20 + (0.1 * i), i >= 50 ? null : "");
        Assert.False(point.State.RateRaised);
        for (var i = 300; i <= 340; i += 5) point.Take(i, Reading.Good(20 + (0.1 * i)), null);
        Assert.True(point.State.RateRaised);
    }

    [Fact]
    public void The_slope_is_that_of_the_line_through_the_readings_at_any_sampling_rate() =>
        Gen.Select(Gen.Double[-50, 50], Gen.Double[-10, 40], Gen.Int[1, 15]).Sample((perHour, start, every) =>
        {
            var state = PointState.Start(TimeSpan.Zero);
            for (var i = 0; i <= 900; i += every)
                (state, _) = PointWatch.Step(state, _rate, Reading.Good(start + (perHour * i / 3600)), TimeSpan.FromSeconds(i));
            Assert.InRange(state.Slices.Count, 3, PointWatch.SlicesMax + 2);
            Assert.Equal(perHour, PointWatch.Slope(state.Slices, 600)!.Value, 0.001);
        }, iter: 100);

    [Fact]
    public void Conditions_begin_and_end_in_turns_and_only_a_good_reading_ends_one() =>
        Gen.Select(Gen.Int[0, 4], Gen.Int[0, 8]).Array[0, 120].Sample(day =>
        {
            var rule = _rule with { StuckAfter = 20, RateLimit = 500, RateWindow = 20 };
            var (state, at, held) = (PointState.Start(TimeSpan.Zero), TimeSpan.Zero, new HashSet<Condition>());
            foreach (var (what, seconds) in day)
            {
                at += TimeSpan.FromSeconds(seconds);
                Reading? reading = what switch
                {
                    0 => Reading.Good(20),
                    1 => Reading.Good(30),
                    2 => Reading.Good(29),
                    3 => Reading.Failed(Reading.OutOfRange),
                    _ => null,
                };
                (state, var changes) = PointWatch.Step(state, rule, reading, at);
                foreach (var it in changes)
                {
                    Assert.True(it.Raised ? held.Add(it.Condition) : held.Remove(it.Condition));
                    if (!it.Raised) Assert.NotNull(reading?.Value);
                    if (it.Raised && it.Condition is Condition.High or Condition.Low) Assert.NotNull(reading?.Value);
                }

                Assert.All(PointWatch.Conditions, it => Assert.Equal(held.Contains(it), state.Holds(it)));
            }
        });

    [Theory]
    [InlineData(Condition.High)]
    [InlineData(Condition.Silent)]
    [InlineData(Condition.Implausible)]
    public void What_was_raised_before_a_restart_ends_with_a_good_reading_and_not_with_time(Condition condition)
    {
        var state = PointState.Start(TimeSpan.Zero).Holding(condition);
        var rule = _rule with { ClearDelay = 0 };
        (state, var changes) = PointWatch.Step(state, rule, null, TimeSpan.FromSeconds(1));
        Assert.Empty(changes);
        (state, changes) = PointWatch.Step(state, rule, Reading.Failed("absent"), TimeSpan.FromSeconds(2));
        Assert.Empty(changes);
        (_, changes) = PointWatch.Step(state, rule, Reading.Good(20), TimeSpan.FromSeconds(3));
        Assert.Equal((condition, false), (Assert.Single(changes).Condition, changes[0].Raised));
    }

    [Fact]
    public void A_point_without_a_rule_is_still_missed_when_it_falls_silent()
    {
        var rule = PointWatch.Unruled(new("ups.charge"), 30);
        var (state, changes) = PointWatch.Step(PointState.Start(TimeSpan.Zero), rule, null, TimeSpan.FromSeconds(89));
        Assert.Empty(changes);
        (_, changes) = PointWatch.Step(state, rule, null, TimeSpan.FromSeconds(90));
        Assert.Equal(AlarmClasses.SensorSilent, Assert.Single(changes).AlarmClass);
    }

    private sealed class Probe(SensingRule rule)
    {
        public PointState State { get; private set; } = PointState.Start(TimeSpan.Zero);

        public void Read(double at, double value, string? expected) => Take(at, Reading.Good(value), expected);

        public void Fail(double at, string fault, string? expected) => Take(at, Reading.Failed(fault), expected);

        public void Pass(double at, string? expected) => Take(at, null, expected);

        public void Take(double at, Reading? reading, string? expected)
        {
            (State, var changes) = PointWatch.Step(State, rule, reading, TimeSpan.FromSeconds(at));
            if (expected is null) return;
            Assert.Equal(expected, string.Join(", ", changes.Select(it => it.Raised
                ? FormattableString.Invariant($"+{it.Condition} {it.Value}/{it.Limit} {it.AlarmClass}")
                : $"-{it.Condition}")));
        }
    }
}
