using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.HubRetention;

/// <summary>What is held stays; whoever holds does not let go alone.</summary>
public sealed class LegalHoldTests
{
    private static readonly TimeSpan _year = TimeSpan.FromDays(366);
    private static readonly Actor _auditor = new("kansa", "auditor", "test");
    private static readonly Actor _second = new("kansa2", "auditor", "test");
    private static readonly Actor _other = new("fukukan", "administrator", "test");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_held_stays_whole_until_it_is_lifted_and_goes_then()
    {
        await using var room = await RetentionRoom.MakeAsync();
        var start = room.Hub.Time.GetUtcNow();
        var id = await room.Holds.SetAsync(_auditor, "a1", new(start.AddHours(-1), start.AddHours(1), "p-alice"), "情報公開請求 令和8年第3号", Cancel);
        await room.PassAsync(4 * _year);
        Assert.Equal(((2, 2), (2, 2)), (room.Of("access.granted"), room.Of("access.passage")));
        Assert.Equal(2, room.Hub.Store.Read(it => it.Number("select count(*) from alarm_history"))); // Of that hour.
        Assert.True((await room.VerdictAsync()).Good);

        await room.Holds.AskAsync(_auditor, "a1", id, "請求への対応が終わった", Cancel);
        await room.Holds.LiftAsync(_other, "b2", id, Cancel);
        await room.PassAsync(TimeSpan.FromDays(1));
        Assert.Equal(((0, 4), (0, 4)), (room.Of("access.granted"), room.Of("access.passage")));
        Assert.True((await room.VerdictAsync()).Good);
        Assert.Equal(
            ["hub.retention.held", "hub.retention.lift-asked", "hub.retention.lifted"],
            room.Hub.Store.Read(it => it.Query("select kind from ledger where kind in ('hub.retention.held', 'hub.retention.lift-asked', 'hub.retention.lifted') and body_hash is null order by id", row => row.GetString(0))));
    }

    [Fact]
    public async Task An_escort_and_a_door_are_held_too_and_a_hold_without_names_holds_everything()
    {
        await using var room = await RetentionRoom.MakeAsync();
        var start = room.Hub.Time.GetUtcNow();
        await room.Holds.SetAsync(_auditor, "a1", new(start.AddHours(-1), null, "p-bob"), "調査", Cancel);
        await room.PassAsync(4 * _year);
        Assert.Equal((4, 0), room.Of("access.granted")); // Bob's own two, and two in which he is the escort.
        Assert.Equal((2, 2), room.Of("access.passage"));

        await using var whole = await RetentionRoom.MakeAsync();
        await whole.Holds.SetAsync(RunningHub.Admin, "a1", new(start.AddDays(-1), start.AddDays(1)), "訴訟", Cancel);
        await whole.PassAsync(6 * _year);
        Assert.Equal(((4, 0), (1, 0), (4, 0)), (whole.Of("access.granted"), whole.Of("alarm.raised"), whole.Of("measured")));

        await using var door = await RetentionRoom.MakeAsync();
        await door.Holds.SetAsync(RunningHub.Admin, "a1", new(start.AddDays(-1), start.AddDays(1), Door: "door-a"), "訴訟", Cancel);
        await door.PassAsync(6 * _year);
        Assert.Equal(((4, 0), (0, 1)), (door.Of("access.passage"), door.Of("alarm.raised")));
    }

    [Fact]
    public async Task A_hold_keeps_what_happened_in_its_period_and_what_was_received_in_it_whatever_a_node_s_clock_said()
    {
        await using var room = await RetentionRoom.MakeAsync();
        var start = room.Hub.Time.GetUtcNow();
        room.Visit(RetentionRoom.Alice, start.AddDays(-400)); // A slow clock.
        await room.SendAsync();
        room.Hub.Time.Advance(TimeSpan.FromDays(2));
        room.Visit(RetentionRoom.Alice, start.AddMinutes(30)); // Two days without the hub.
        room.Node.Write(new AlarmRaised("smoke:smoke", "smoke", "smoke", null, null, null, null), start.AddMinutes(31), LinkState.Down);
        room.Visit(RetentionRoom.Alice, start.AddDays(2)); // Neither.
        await room.SendAsync();
        await room.Holds.SetAsync(_auditor, "a1", new(start.AddHours(-1), start.AddHours(1)), "調査", Cancel);
        await room.PassAsync(4 * _year);
        Assert.Equal(((6, 1), (6, 1)), (room.Of("access.granted"), room.Of("access.passage")));
        Assert.Equal(3, room.Hub.Store.Read(it => it.Number("select count(*) from alarm_history")));
    }

    [Theory]
    [InlineData("nobody has asked", "administrator", null, "auditor", "x")]
    [InlineData("whoever asks does not decide", "administrator", "b", "auditor", "b")]
    [InlineData("whoever set it does not decide", "auditor", "b", "administrator", "setter")]
    [InlineData("no auditor takes part", "administrator", "b", "administrator", "c")]
    [InlineData(null, "administrator", "setter", "auditor", "c")]
    [InlineData(null, "auditor", "setter", "administrator", "c")]
    [InlineData(null, "auditor", "b", "administrator", "c")]
    public async Task Lifting_takes_two_people_of_whom_one_is_an_auditor_and_never_the_one_who_set_it(string? fault, string asksRole, string? asks, string decidesRole, string decides)
    {
        await using var room = await RetentionRoom.MakeAsync();
        var id = await room.Holds.SetAsync(RunningHub.Admin, "setter", new(room.Hub.Time.GetUtcNow(), null), "調査", Cancel);
        if (asks is not null) await room.Holds.AskAsync(new(asks, asksRole, "test"), asks, id, "終わった", Cancel);
        var lift = () => room.Holds.LiftAsync(new(decides, decidesRole, "test"), decides, id, Cancel);
        if (fault is null) await lift();
        else Assert.Contains(fault, (await Assert.ThrowsAsync<InputException>(lift)).Message, StringComparison.Ordinal);
        Assert.Equal(fault is null, room.Holds.List().Single().LiftedAt is not null);
    }

    /// <summary>The two roads in may have named one person differently; the name is the same on both.</summary>
    [Fact]
    public async Task Whoever_set_or_asked_is_known_by_name_too_when_the_account_is_written_otherwise()
    {
        await using var room = await RetentionRoom.MakeAsync();
        var id = await room.Holds.SetAsync(_auditor, _auditor.Name, new(room.Hub.Time.GetUtcNow(), null), "調査", Cancel);
        await room.Holds.AskAsync(_other, _other.Name, id, "終わった", Cancel);
        foreach (var (same, fault) in new[] { (_auditor, "whoever set it does not decide"), (_other, "whoever asks does not decide") })
            Assert.Contains(fault, (await Assert.ThrowsAsync<InputException>(() => room.Holds.LiftAsync(same, "id of the console", id, Cancel))).Message, StringComparison.Ordinal);
        await room.Holds.LiftAsync(_second, "id of the console", id, Cancel);
        Assert.NotNull(room.Holds.List().Single().LiftedAt);
    }

    [Fact]
    public async Task Who_may_not_and_what_is_no_hold_is_told_with_its_field()
    {
        await using var room = await RetentionRoom.MakeAsync();
        var at = room.Hub.Time.GetUtcNow();
        async Task Refused(string field, Func<Task> act) => Assert.StartsWith(field + ":", (await Assert.ThrowsAsync<InputException>(act)).Message, StringComparison.Ordinal);
        await Refused("role", () => room.Holds.SetAsync(new("unyo", "operator", "test"), "o", new(at, null), "調査", Cancel));
        await Refused("reason", () => room.Holds.SetAsync(_auditor, "a", new(at, null), " ", Cancel));
        await Refused("from", () => room.Holds.SetAsync(_auditor, "a", new(null, null), "調査", Cancel));
        await Refused("to", () => room.Holds.SetAsync(_auditor, "a", new(at, at), "調査", Cancel));
        await Refused("person", () => room.Holds.SetAsync(_auditor, "a", new(at, null, "p-nobody"), "調査", Cancel));
        await Refused("door", () => room.Holds.SetAsync(_auditor, "a", new(at, null, Door: "door-z"), "調査", Cancel));
        await Refused("hold", () => room.Holds.AskAsync(_second, "b", 7, "調査", Cancel));
    }
}
