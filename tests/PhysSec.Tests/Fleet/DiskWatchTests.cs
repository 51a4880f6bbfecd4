using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using PhysSec.Core;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Storage;
using PhysSec.Hub.Web.Language;
using PhysSec.Tests.Ingest;
using PhysSec.Tests.Uplink;

namespace PhysSec.Tests.Fleet;

/// <summary>The hub sees each disk fill long before it is full.</summary>
public sealed class DiskWatchTests : IAsyncDisposable
{
    private const long Total = 64_000_000_000;
    private readonly RunningHub _hub = RunningHub.WithoutBroker();
    private long _used = 6_000_000_000;
    private DiskWatch? _watch;

    [Fact]
    public async Task A_disk_that_grows_is_alarmed_a_month_before_it_is_full_and_the_day_is_named()
    {
        var watch = await StartAsync();
        await HoursAsync(30, growth: 0);
        Assert.Null(watch.List().Single().FullAt);
        Assert.Empty(Standing());

        await HoursAsync(24 * 7, growth: 100L << 20);
        var disk = watch.List().Single();
        Assert.InRange((disk.FullAt!.Value - _hub.Time.GetUtcNow()).TotalDays, 15, 31);
        Assert.True(disk.Filling);
        var (source, detail) = Assert.Single(Standing());
        Assert.Equal(DiskWatch.Hub, source);
        Assert.Matches(@"^\d+ % \(.* GB\) → 100 %: 2026-\d\d-\d\d$", detail!);

        _used = 1_000_000_000; // Somebody has cleared up, and it stays so.
        await HoursAsync(24 * 8, growth: 0);
        Assert.Empty(Standing());
    }

    [Fact]
    public async Task A_node_s_disk_is_alarmed_at_three_quarters_and_only_what_it_says_now_counts()
    {
        var node = (await _hub.EnrolAsync("node-a")).Id;
        await SaysAsync(node, "online", Total / 4);
        var watch = await StartAsync();
        await LookAsync(() => Standing() is [("node-a", _)]);
        Assert.Equal([DiskWatch.Hub, "node-a"], watch.List().Select(it => it.Source));

        await SaysAsync(node, "lost", Total);
        await HoursAsync(2, growth: 0);
        Assert.Single(Standing());

        await SaysAsync(node, "online", Total / 2);
        await LookAsync(() => Standing().Length == 0);
    }

    [Fact]
    public async Task A_node_of_before_that_does_not_tell_its_disk_s_size_raises_nothing()
    {
        var node = (await _hub.EnrolAsync("node-a")).Id;
        await SaysAsync(node, "online", free: 0, total: null);
        var watch = await StartAsync();
        await HoursAsync(2, growth: 0);
        Assert.Equal([DiskWatch.Hub], watch.List().Select(it => it.Source));
        Assert.Empty(Standing());
    }

    [Fact]
    public async Task What_was_learned_outlives_a_restart_and_is_noted_once_an_hour()
    {
        await StartAsync();
        await HoursAsync(48, growth: 300L << 20);
        var noted = _hub.Count("disk_use");
        Assert.InRange(noted, 48, 50);
        await _watch!.StopAsync(CancellationToken.None);

        var again = await StartAsync();
        await LookAsync(() => again.List() is [{ FullAt: not null }]);
        Assert.InRange(_hub.Count("disk_use"), noted, noted + 1);
    }

    [Theory]
    [InlineData(Words.English, "▲ 12.0 GB free of 64.0 GB (81 % used), full about 2026-12-20")]
    [InlineData(Words.Japanese, "▲ 空き 12.0 GB / 全体 64.0 GB(使用率 81 %)、2026-12-20 頃に満杯の見込み")]
    public void A_person_reads_bytes_percent_and_day_in_the_own_language(string language, string expected)
    {
        var words = new Words();
        words.Use(language);
        var time = new SiteTime(TimeZoneInfo.CreateCustomTimeZone("JST", TimeSpan.FromHours(9), "JST", "JST"));
        Assert.Equal(expected, words.Disk(new("hub", _hub.Time.GetUtcNow(), 52_000_000_000, Total, new(2026, 12, 19, 20, 0, 0, TimeSpan.Zero), Filling: true), time, _hub.Time.GetUtcNow()));
    }

    [Fact]
    public void What_a_lost_node_said_last_is_shown_with_its_age()
    {
        var words = new Words();
        words.Use(Words.English);
        var (time, now) = (new SiteTime(TimeZoneInfo.Utc), _hub.Time.GetUtcNow());
        string Said(TimeSpan ago) => words.Disk(new("node-a", now - ago, Total / 2, Total, null, Filling: false), time, now);
        Assert.EndsWith(" (5 h ago)", Said(TimeSpan.FromHours(5)), StringComparison.Ordinal);
        Assert.DoesNotContain("ago", Said(TimeSpan.FromMinutes(2)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clock_that_was_set_back_does_not_stop_the_noting()
    {
        await StartAsync();
        await HoursAsync(2, growth: 0);
        var back = _hub.Time.GetUtcNow().AddDays(-20);
        _hub.Time.AdjustTime(back);
        await LookAsync(() => _hub.Store.Read(it => it.Number("select count(*) from disk_use where at < $until", ("$until", back.AddHours(3)))) >= 1);
    }

    [Fact]
    public async Task Alarm_and_page_count_a_disk_in_the_same_unit()
    {
        _used = 60_000_000_000;
        var watch = await StartAsync();
        await LookAsync(() => Standing().Length == 1);
        Assert.Contains("60.0/64.0 GB", Standing().Single().Detail, StringComparison.Ordinal);
        var words = new Words();
        words.Use(Words.English);
        Assert.Contains("4.0 GB free of 64.0 GB", words.Disk(watch.List()[0], new SiteTime(TimeZoneInfo.Utc), _hub.Time.GetUtcNow()), StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        if (_watch is not null) await _watch.StopAsync(CancellationToken.None);
        _watch?.Dispose();
        await _hub.DisposeAsync();
    }

    private async Task<DiskWatch> StartAsync()
    {
        _watch = new(_hub.Store, _hub.Nodes, _hub.Alarms, () => (_used, Total), _hub.Time, NullLogger<DiskWatch>.Instance);
        await _watch.StartAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => _watch.List().Count > 0);
        return _watch;
    }

    /// <summary>So many hours pass; the hub's disk grows by so much in each.</summary>
    private async Task HoursAsync(int hours, long growth)
    {
        for (var i = 0; i < hours; i++)
        {
            _used += growth;
            var before = _hub.Time.GetUtcNow();
            _hub.Time.Advance(TimeSpan.FromHours(1));
            await Eventually.TrueAsync(() => _watch!.List()[0].At > before);
        }
    }

    private Task LookAsync(Func<bool> seen) => Eventually.TrueAsync(() =>
    {
        _hub.Time.Advance(TimeSpan.FromMinutes(1));
        return seen();
    });

    private Task<string> SaysAsync(NodeId node, string state, long free, long? total = Total)
    {
        var said = new NodeState(state, "boot-1", 1, _hub.Time.GetUtcNow(), [], new NodeHealth(1, 0, free, 20, ClockQuality.Synced, 1, 0, 0, null, null, total));
        return _hub.Nodes.StateAsync(node, said, JsonSerializer.Serialize(said, WireJson.Plain.NodeState));
    }

    private (string Source, string? Detail)[] Standing() =>
        [.. _hub.Alarms.List(activeOnly: true).Where(it => it.Class == AlarmClasses.DiskFilling && it.Active).Select(it => (it.Source, it.Detail))];
}
