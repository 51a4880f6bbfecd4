using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub.Live;

namespace PhysSec.Tests.HubAlarms;

public sealed class LiveBoardTests
{
    private static readonly NodeId _node = new("node-a");

    private readonly FakeTimeProvider _time = new(new(2026, 11, 2, 9, 0, 0, TimeSpan.FromHours(9)));
    private readonly LiveBoard _board;

    public LiveBoardTests() => _board = new(_time);

    [Fact]
    public void A_sampled_value_is_stale_after_three_periods_and_good_again_with_the_next()
    {
        Birth(periodSeconds: 5);
        Value("room-t", "21.5");
        _time.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal((21.5, "good", 15.0), (_board.Points().Single().Value, _board.Points().Single().Quality, _board.Points().Single().AgeSeconds));

        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("stale", _board.Points().Single().Quality);

        Value("room-t", "21.6");
        Assert.Equal((21.6, "good"), (_board.Points().Single().Value, _board.Points().Single().Quality));
    }

    [Theory]
    [InlineData("lost")]
    [InlineData("offline")]
    public void What_a_node_that_is_away_said_last_is_unknown_until_it_is_back(string away)
    {
        Value("room-t", "21.5");
        Value("door-a.door", Door);
        State(away);
        Assert.Equal(("unknown", "unknown"), (_board.Points().Single().Quality, _board.Door("door-a")!.Quality));

        State("online");
        Assert.Equal(("good", "good"), (_board.Points().Single().Quality, _board.Door("door-a")!.Quality));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("7")]
    public void A_door_that_cannot_be_read_is_not_shown_as_it_was(string value)
    {
        Value("door-a.door", Door);
        Assert.Equal(2, _board.Door("door-a")!.State.Inside);

        Value("door-a.door", value);

        Assert.Null(_board.Door("door-a"));
    }

    [Fact]
    public void A_door_or_contact_that_is_not_said_again_for_three_times_15_s_is_believed_no_longer()
    {
        Value("door-a.door", Door);
        Value("leak", "false");
        _time.Advance(TimeSpan.FromSeconds(45));
        Assert.Equal(("good", "good"), (_board.Points().Single().Quality, _board.Door("door-a")!.Quality));

        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(("stale", "unknown"), (_board.Points().Single().Quality, _board.Door("door-a")!.Quality));
    }

    [Fact]
    public void Each_thing_about_a_door_keeps_the_time_at_which_it_became_so()
    {
        var first = _time.GetUtcNow();
        Value("door-a.door", Door);
        _time.Advance(TimeSpan.FromSeconds(10));
        Value("door-a.door", Door.Replace("\"leafOpen\": false", "\"leafOpen\": true", StringComparison.Ordinal));
        _time.Advance(TimeSpan.FromSeconds(10));
        Value("door-a.door", Door.Replace("\"leafOpen\": false", "\"leafOpen\": true", StringComparison.Ordinal));

        var since = _board.Door("door-a")!.Since;
        Assert.Equal(new SinceWhen(first.AddSeconds(10), Earlier: false), since.Leaf);
        Assert.Equal(new SinceWhen(first, Earlier: true), since.Lock); // It was locked before this hub listened.
    }

    [Fact]
    public void After_a_silence_nobody_says_that_a_door_stayed_as_it_was()
    {
        Value("door-a.door", Door);
        _time.Advance(TimeSpan.FromSeconds(46));
        Value("door-a.door", Door);
        Assert.Equal(new SinceWhen(_time.GetUtcNow(), Earlier: true), _board.Door("door-a")!.Since.Lock);
    }

    [Fact]
    public void Of_a_node_that_was_revoked_nothing_is_shown()
    {
        Birth(periodSeconds: 5);
        Value("room-t", "21.5");
        Value("door-a.door", Door);
        State("online");
        _board.Forget(_node);
        Assert.Empty(_board.Points());
        Assert.Empty(_board.Doors());
        Assert.Null(_board.State(_node));
    }

    private const string Door =
        """{ "state": "locked", "lockReleased": false, "leafOpen": false, "tampered": false, "mode": "normal", "inside": 2, "leftUnidentified": 0, "last": null, "persons": [] }""";

    private void Value(string point, string value) =>
        _board.Take(_node, "live", point, Encoding.UTF8.GetBytes($$"""{ "v": {{value}}, "quality": "good", "at": null, "unit": "" }"""));

    private void State(string state) => _board.Take(_node, "state", null, JsonSerializer.SerializeToUtf8Bytes(new NodeState(state, "boot", 1, null), WireJson.Plain.NodeState));

    private void Birth(double periodSeconds) => _board.Take(_node, "birth", null, JsonSerializer.SerializeToUtf8Bytes(
        new Birth(Topics.Version, _node.Value, "1.0", "test", true, 1, "boot", 0, Chain.Genesis, 0, [new(new("room-t"), "°C", -20, 60, "temperature", periodSeconds)], [], null),
        WireJson.Plain.Birth));
}
