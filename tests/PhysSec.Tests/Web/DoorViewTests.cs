using System.Net;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using PhysSec.Core.Access;
using PhysSec.Core.Doors;
using PhysSec.Core.Wire;
using PhysSec.Hub.Live;
using PhysSec.Hub.Web.Desk;
using PhysSec.Hub.Web.Language;
using PhysSec.Hub.Web.Pages;

namespace PhysSec.Tests.Web;

/// <summary>A door on the page: what it shows is what its node says, and how sure that is.</summary>
public sealed class DoorViewTests
{
    private static readonly DateTimeOffset _now = new(2026, 11, 28, 15, 0, 0, TimeSpan.FromHours(9));
    private static readonly SinceWhen _since = new(_now.AddHours(-1), Earlier: false);
    private static readonly DoorLive _live = new("locked", false, false, false, DoorModes.Normal, 0, 0, null, [], Secured: true);
    private static readonly DoorCard _door = new(
        "door-a", "扉A", "Door A", "room", 2, "node-a", "online", _since, 5, false, _live, true, new(_since, _since, _since, new(_now.AddDays(-1), Earlier: true)), _now.AddSeconds(-3),
        [new(Direction.In, null, null), new(Direction.Out, null, null)]);

    private static readonly ReaderLive _reader = new(Direction.In, ReaderLink.Online, null, _now.AddMinutes(-5), "8c1f0e2d3b4a5968", false, null, null);

    [Theory]
    [InlineData(Words.Japanese, "14:00:00 から", "異常なし")]
    [InlineData(Words.English, "since 14:00:00", "no fault")]
    public async Task A_healthy_door_is_quiet_and_says_since_when(string language, string since, string reader)
    {
        var page = await DrawnAsync(_door, language);
        Assert.Contains("data-leaf=\"closed\" data-lock=\"locked\" data-mode=\"normal\"", page, StringComparison.Ordinal);
        Assert.Contains(since, page, StringComparison.Ordinal);
        Assert.Contains("2026-11-27 15:00:00", page, StringComparison.Ordinal); // Another day is named.
        Assert.Contains(reader, page, StringComparison.Ordinal);
        Assert.All(["abnormal", "stale", "strike", "door-standing", "fault\"", "▲", "◆"], it => Assert.DoesNotContain(it, page, StringComparison.Ordinal));
    }

    public static TheoryData<DoorLive, string> Pictures() => new()
    {
        { _live with { State = "released", LockReleased = true, Secured = false }, "data-leaf=\"closed\" data-lock=\"released\" data-mode=\"normal\"" },
        { _live with { State = "open", LeafOpen = true, Secured = false }, "data-leaf=\"open\" data-lock=\"locked\" data-mode=\"normal\"" },
        { _live with { LeafOpen = null, Secured = null }, "data-leaf=\"unknown\" data-lock=\"locked\" data-mode=\"normal\"" },
        { _live with { Secured = false }, "data-leaf=\"closed\" data-lock=\"unsecured\" data-mode=\"normal\"" },
        { _live with { Mode = DoorModes.Blocked }, "class=\"hold\"" },
        { _live with { Mode = DoorModes.Lockdown }, "class=\"hold\"" },
        { _live with { Mode = DoorModes.Unlocked, LockReleased = true }, "class=\"timed\"" },
        { _live with { Mode = DoorModes.FireRelease, LockReleased = true, Emergency = [EmergencySignal.Fire] }, "class=\"emergency\"" },
        { _live with { State = "forced", LeafOpen = true }, "leaf-face abnormal" },
    };

    [Theory]
    [MemberData(nameof(Pictures))]
    public async Task Every_state_has_its_own_picture(DoorLive live, string expected) =>
        Assert.Contains(expected, await DrawnAsync(_door with { Live = live }, Words.English), StringComparison.Ordinal);

    [Theory]
    [InlineData(false, "online")]
    [InlineData(true, "lost")]
    public async Task What_a_silent_node_said_last_is_struck_out_and_drawn_as_unknown(bool fresh, string state)
    {
        var page = await DrawnAsync(_door with { Fresh = fresh, NodeState = state, At = _now.AddMinutes(-3) }, Words.English);
        Assert.Contains("data-leaf=\"unknown\" data-lock=\"unknown\" data-mode=\"unknown\"", page, StringComparison.Ordinal);
        Assert.Contains("class=\"strike\"", page, StringComparison.Ordinal);
        Assert.Contains("<span class=\"stale\">leaf closed</span>", page, StringComparison.Ordinal);
        Assert.Contains("No reading for 3 min", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reader_that_fails_is_crossed_out_with_the_time_it_began()
    {
        var page = await DrawnAsync(_door with { Readers = [new(Direction.In, _now.AddMinutes(-5), "Parity")] }, Words.English);
        Assert.Contains("reader abnormal", page, StringComparison.Ordinal);
        Assert.Contains("▲ fault (Parity)", page, StringComparison.Ordinal);
        Assert.Contains("since 14:55:00", page, StringComparison.Ordinal);
    }

    public static TheoryData<ReaderLive, string, string, bool> Links() => new()
    {
        { _reader, "online, encrypted", "since 14:55:00", false },
        { _reader with { Link = ReaderLink.Connecting, Since = null }, "connecting", "Entry reader", false },
        { _reader with { Link = ReaderLink.Offline, Why = ReaderOffline.NoKey }, "▲ not installed (it has no key of ours)", "since 14:55:00", true },
        { _reader with { Link = ReaderLink.Offline, Why = ReaderOffline.OtherDevice }, "▲ refused (another device stands there)", "since 14:55:00", true },
    };

    [Theory]
    [MemberData(nameof(Links))]
    public async Task The_link_of_a_reader_that_its_node_speaks_with_is_said_in_words_and_drawn(ReaderLive reader, string words, string since, bool crossed)
    {
        var page = await DrawnAsync(_door with { Readers = [new(Direction.In, null, null, "osdp", reader)] }, Words.English);
        Assert.Contains(words, page, StringComparison.Ordinal);
        Assert.Contains(since, page, StringComparison.Ordinal);
        Assert.Equal(crossed, page.Contains("reader abnormal", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(ReaderActs.Replace, ReaderStep.Waiting, true)]
    [InlineData(ReaderActs.Replace, ReaderStep.Failed, false)]
    [InlineData(ReaderActs.Rotate, ReaderStep.Waiting, false)]
    public async Task An_open_window_stands_on_the_door_s_card_as_long_as_it_is_open(string act, ReaderStep step, bool shown)
    {
        var reader = _reader with { Act = new(act, step, null, "Suzuki", "broken", _now.AddMinutes(5), "8c1f0e2d3b4a5968", null, null, null) };
        var page = await DrawnAsync(_door with { Readers = [new(Direction.In, null, null, "osdp", reader)] }, Words.English);
        Assert.Equal(shown, page.Contains("Entry reader of Door A takes a reader with the factory's key (ordered by Suzuki: broken).", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_override_is_shown_with_owner_reason_and_the_time_left_until_it_ends()
    {
        var page = await DrawnAsync(_door with { Live = _live with { Mode = DoorModes.Unlocked, Override = new(DoorModes.Unlocked, "Suzuki + Ito", "delivery", _now.AddMinutes(12).AddSeconds(30)) } }, Words.English);
        Assert.Contains("Door A stands unlocked and anybody can walk in (ordered by Suzuki + Ito: delivery).", page, StringComparison.Ordinal);
        Assert.Contains("It ends by itself in 12 min, at 15:12:30.", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lockdown_that_only_the_hub_knows_of_is_not_shown_as_in_force()
    {
        var page = await DrawnAsync(_door with { Lockdown = true }, Words.English);
        Assert.Contains("its node does not say that it is in force", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DoorModes.FireRelease, "stands free because of the fire panel")]
    [InlineData(DoorModes.Lockdown, "stays locked from the corridor. Those inside can leave.")]
    public async Task An_emergency_says_whether_the_door_stands_free(string mode, string expected)
    {
        var page = await DrawnAsync(_door with { Live = _live with { Mode = mode, Emergency = [EmergencySignal.Fire] } }, Words.English);
        Assert.Contains(expected, page, StringComparison.Ordinal);
        Assert.Contains("mark critical", page, StringComparison.Ordinal);
    }

    private static async Task<string> DrawnAsync(DoorCard door, string language)
    {
        var words = new Words();
        words.Use(language);
        await using var services = new ServiceCollection().AddSingleton(words).AddSingleton(new SiteTime(TimeZoneInfo.CreateCustomTimeZone("JST", TimeSpan.FromHours(9), "JST", "JST")))
            .BuildServiceProvider();
        await using var renderer = new HtmlRenderer(services, NullLoggerFactory.Instance);
        var parameters = ParameterView.FromDictionary(new Dictionary<string, object?> { ["Door"] = door, ["Now"] = _now, ["PersonName"] = (Func<string, string>)(id => id) });
        return WebUtility.HtmlDecode(await renderer.Dispatcher.InvokeAsync(async () => (await renderer.RenderComponentAsync<DoorView>(parameters)).ToHtmlString()));
    }
}
