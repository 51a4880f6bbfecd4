using PhysSec.Core.Wire;
using PhysSec.Node;

namespace PhysSec.Tests.Node;

public sealed class SiteClockTests
{
    private static readonly DateTimeOffset _built = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset _now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan _up = TimeSpan.FromHours(1);

    [Fact]
    public void A_clock_before_the_firmwares_release_is_unset() => Assert.Equal(ClockQuality.Unset, Started(_built.AddSeconds(-1), null).Quality);

    [Fact]
    public void A_clock_before_the_newest_record_is_unset() => Assert.Equal(ClockQuality.Unset, Started(_now, _now + SiteClock.LagMax + TimeSpan.FromSeconds(0.001)).Quality);

    [Fact]
    public void A_plausible_clock_is_in_holdover_until_the_hub_confirms_it()
    {
        var clock = Started(_now, _now.AddSeconds(1));
        Assert.Equal(ClockQuality.Holdover, clock.Quality);
        Assert.Equal(ClockQuality.Synced, clock.HubSays(_now.AddSeconds(-1), _now, _up)?.Quality);
    }

    [Fact]
    public void The_hub_confirms_only_what_is_within_a_second_of_its_time()
    {
        var clock = Started(_now, null);
        clock.HubSays(_now.AddSeconds(-1.001), _now, _up);
        Assert.Equal(ClockQuality.Holdover, clock.Quality);
    }

    [Fact]
    public void An_old_acknowledgement_played_again_confirms_nothing()
    {
        var clock = Started(_now, null);
        clock.HubSays(_now, _now, _up);
        Assert.NotNull(clock.Observe(_now.AddSeconds(-60), _up)); // Set back by a minute …
        Assert.Null(clock.HubSays(_now.AddSeconds(-60), _now.AddSeconds(-60), _up)); // … and the acknowledgement of a minute ago played again.
        Assert.Equal(ClockQuality.Holdover, clock.Quality);
    }

    [Fact]
    public void A_step_of_more_than_a_second_is_told_with_its_size_and_ends_the_confirmation()
    {
        var clock = Started(_now, null);
        clock.HubSays(_now, _now, _up);
        var later = TimeSpan.FromSeconds(10);
        Assert.Null(clock.Observe(_now + later + TimeSpan.FromSeconds(1), _up + later));
        var changed = clock.Observe(_now + later + TimeSpan.FromSeconds(5), _up + later);
        Assert.Equal((ClockQuality.Holdover, 4.0), (changed!.Quality, changed.StepSeconds));
    }

    [Fact]
    public void A_board_whose_clock_is_set_while_it_runs_leaves_unset_by_itself()
    {
        var clock = Started(DateTimeOffset.UnixEpoch, _now.AddHours(-1));
        Assert.Equal(ClockQuality.Unset, clock.Quality);
        Assert.Equal(ClockQuality.Holdover, clock.Observe(_now, _up)?.Quality);
    }

    [Theory]
    [InlineData(-2, ClockQuality.Holdover)]
    [InlineData(-300, ClockQuality.Holdover)]
    [InlineData(-301, ClockQuality.Unset)]
    public void A_clock_a_little_behind_the_hub_still_decides_and_one_far_behind_was_lost(double seconds, ClockQuality quality)
    {
        var clock = Started(_now, null);
        clock.HubSays(_now.AddSeconds(-seconds), _now, _up);
        Assert.Equal(quality, clock.Quality);
    }

    [Fact]
    public void One_absurd_time_of_the_hub_changes_nothing()
    {
        var clock = Started(_now, null);
        clock.HubSays(_now, _now, _up);
        Assert.Null(clock.HubSays(_now.AddYears(10), After(1), _up + TimeSpan.FromSeconds(1)));
        Assert.Null(clock.HubSays(After(2), After(2), _up + TimeSpan.FromSeconds(2)));
        Assert.Equal(ClockQuality.Synced, clock.Quality);
    }

    [Fact]
    public void A_hub_whose_first_word_was_wrong_is_believed_again_at_its_second_right_one()
    {
        var clock = Started(_now, null);
        Assert.Equal(ClockQuality.Unset, clock.HubSays(_now.AddYears(10), _now, _up)?.Quality ?? clock.Quality);
        Assert.Null(clock.HubSays(After(1), After(1), _up + TimeSpan.FromSeconds(1)));
        Assert.Equal(ClockQuality.Synced, clock.HubSays(After(2), After(2), _up + TimeSpan.FromSeconds(2))?.Quality);
    }

    [Fact]
    public void A_hub_that_goes_far_back_is_not_believed_against_this_nodes_own_clock()
    {
        var clock = Started(_now, null);
        clock.HubSays(_now, _now, _up);
        for (var i = 1; i < 10; i++) Assert.Null(clock.HubSays(After(i - 86_400), After(i), _up + TimeSpan.FromSeconds(i)));
        Assert.Equal(ClockQuality.Synced, clock.Quality);
    }

    [Fact]
    public void A_clock_set_back_stays_unset_though_the_words_of_that_day_are_played_again()
    {
        var clock = Started(_now, null);
        clock.HubSays(_now, _now, _up);
        for (var i = 1; i < 10; i++)
        {
            clock.Observe(After(i - 86_400), _up + TimeSpan.FromSeconds(i));
            clock.HubSays(After(i - 86_400), After(i - 86_400), _up + TimeSpan.FromSeconds(i));
            Assert.Equal(ClockQuality.Unset, clock.Quality);
        }
    }

    [Fact]
    public void A_site_whose_clocks_all_went_ahead_and_were_set_back_goes_on_when_the_hub_speaks_of_records_just_made()
    {
        var clock = Started(_now, null);
        clock.HubSays(_now, _now, _up);
        for (var i = 1; i < 10; i++) Say(clock, i, ahead: 172_800, madeBefore: 2);
        Assert.Equal(ClockQuality.Synced, clock.Quality);

        Say(clock, 10, ahead: 0, madeBefore: 2);
        Assert.Equal(ClockQuality.Unset, clock.Quality);
        Say(clock, 11, ahead: 0, madeBefore: 2); // The second word that agrees.
        Assert.Equal(ClockQuality.Synced, clock.Quality);
    }

    [Theory]
    [InlineData(301)] // Longer ago than a clock may lag.
    [InlineData(null)] // Of an earlier run, or no longer there.
    public void Words_about_records_made_long_ago_lead_no_clock_back(int? madeBefore)
    {
        var clock = Started(_now, null);
        clock.HubSays(_now, _now, _up);
        for (var i = 1_000; i < 1_010; i++) Say(clock, i, ahead: 172_800, madeBefore: 2);
        for (var i = 1_010; i < 1_020; i++)
        {
            Say(clock, i, ahead: 0, madeBefore);
            Assert.Equal(ClockQuality.Unset, clock.Quality);
        }
    }

    /// <summary>Hub and node have the same wrong clock.</summary>
    private static void Say(SiteClock clock, int second, int ahead, int? madeBefore)
    {
        var (wall, uptime) = (After(second + ahead), _up + TimeSpan.FromSeconds(second));
        clock.Observe(wall, uptime);
        clock.HubSays(wall, wall, uptime, madeBefore is { } ago ? uptime - TimeSpan.FromSeconds(ago) : null);
    }

    [Fact]
    public void A_clock_is_led_back_by_no_small_steps()
    {
        var clock = Started(_now, null);
        clock.HubSays(_now, _now, _up);
        for (var i = 1; i < 40; i++)
        {
            var lag = (i + 1) / 2 * 299.5; // Each step is one that a single word might excuse, and each is said twice.
            clock.Observe(After(i - lag), _up + TimeSpan.FromSeconds(i));
            clock.HubSays(After(i - lag - 0.9), After(i - lag), _up + TimeSpan.FromSeconds(i));
        }

        Assert.Equal(ClockQuality.Unset, clock.Quality);
    }

    [Fact]
    public void A_hub_whose_first_word_was_wrong_is_believed_again_also_by_a_clock_a_little_off()
    {
        var clock = Started(_now, null);
        clock.HubSays(_now.AddYears(10), _now, _up);
        for (var i = 1; i < 3; i++) clock.HubSays(After(i + 3), After(i), _up + TimeSpan.FromSeconds(i));
        Assert.Equal(ClockQuality.Holdover, clock.Quality);
    }

    [Fact]
    public void A_time_that_cannot_be_the_hubs_is_no_word_at_all()
    {
        foreach (var absurd in new[] { DateTimeOffset.MinValue, _built.AddSeconds(-1), _built.AddYears(200), DateTimeOffset.MaxValue })
        {
            var clock = Started(_now, null);
            for (var i = 0; i < 3; i++) Assert.Null(clock.HubSays(absurd, After(i), _up + TimeSpan.FromSeconds(i)));
            Assert.Null(clock.Observe(After(3), _up + TimeSpan.FromSeconds(3)));
            Assert.Equal(ClockQuality.Synced, clock.HubSays(After(4), After(4), _up + TimeSpan.FromSeconds(4))?.Quality);
        }
    }

    [Fact]
    public void Nothing_new_is_not_told() => Assert.Null(Started(_now, null).Observe(_now.AddSeconds(1), _up + TimeSpan.FromSeconds(1)));

    private static DateTimeOffset After(double seconds) => _now.AddSeconds(seconds);

    private static SiteClock Started(DateTimeOffset wall, DateTimeOffset? newest)
    {
        var clock = new SiteClock(_built, newest);
        clock.Observe(wall, _up);
        return clock;
    }
}
