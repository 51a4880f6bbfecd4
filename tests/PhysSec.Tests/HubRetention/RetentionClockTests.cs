using PhysSec.Core.Alarms;
using PhysSec.Hub.Access;
using PhysSec.Hub.Retention;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.HubRetention;

/// <summary>SECURE-BY-DEFAULT: a clock that nobody can believe deletes nothing, and no configuration deletes at once.</summary>
public sealed class RetentionClockTests
{
    private static readonly TimeSpan _year = TimeSpan.FromDays(366);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_clock_that_was_set_ahead_under_a_running_hub_deletes_nothing()
    {
        await using var room = await RetentionRoom.MakeAsync();
        var set = new SetAhead(room.Hub.Time);
        var clock = new RetentionClock(room.Hub.Store, set);
        Assert.Null(await room.Hub.Store.WriteAsync(it => clock.Begin(it, set.GetUtcNow()), Cancel));
        set.By = TimeSpan.FromHours(25); // Less than a month, and still more than time has passed.
        Assert.Equal(ClockDoubt.Ahead, clock.Doubt());
        Assert.Equal(ClockDoubt.Ahead, await room.Hub.Store.WriteAsync(it => clock.Begin(it, set.GetUtcNow()), Cancel));

        // Patience does not help, nor does a hub that starts anew and has forgotten.
        Assert.Equal(0, await room.PassAsync(4 * _year));
        var anew = new RetentionClock(room.Hub.Store, room.Hub.Time);
        Assert.Equal(ClockDoubt.Ahead, anew.Doubt());
        Assert.Equal((4, 0), room.Of("access.granted"));
        Assert.Contains(room.Hub.Alarms.List(), it => it is { Class: AlarmClasses.RetentionStopped, Active: true });
    }

    [Fact]
    public async Task A_hub_that_comes_back_after_more_than_a_month_waits_for_an_administrator_and_then_for_a_day()
    {
        await using var room = await RetentionRoom.MakeAsync();
        for (var day = 0; day < 10; day++) await room.PassAsync(TimeSpan.FromDays(1));
        room.Hub.Time.Advance(4 * _year);
        var clock = new RetentionClock(room.Hub.Store, room.Hub.Time);
        Assert.Equal(ClockDoubt.Ahead, clock.Doubt());
        Assert.Equal(0, await room.Keeper.RoundAsync(Cancel));

        var confirmed = room.Hub.Get<RetentionClock>();
        await Assert.ThrowsAsync<InputException>(() => confirmed.ConfirmAsync(RunningHub.Admin, " ", Cancel));
        await Assert.ThrowsAsync<InputException>(() => confirmed.ConfirmAsync(new("kansa", "auditor", "test"), "looked at it", Cancel));
        await Assert.ThrowsAsync<InputException>(() => confirmed.ConfirmAsync(new("unyo", "operator", "test"), "looked at it", Cancel));
        await confirmed.ConfirmAsync(RunningHub.Admin, "電波時計と照合", Cancel);
        Assert.Equal(1, room.Hub.Store.Read(it => it.Number("select count(*) from ledger where kind = 'hub.retention.clock-confirmed' and body ->> '$.fact.reason' = '電波時計と照合'")));
        Assert.Equal(0, await room.Keeper.RoundAsync(Cancel));
        room.Hub.Time.Advance(TimeSpan.FromHours(23));
        Assert.Equal(0, await room.Keeper.RoundAsync(Cancel));
        room.Hub.Time.Advance(TimeSpan.FromHours(2));
        Assert.NotEqual(0, await room.Keeper.RoundAsync(Cancel));
        Assert.DoesNotContain(room.Hub.Alarms.List(), it => it is { Class: AlarmClasses.RetentionStopped, Active: true });
        await Assert.ThrowsAsync<InputException>(() => confirmed.ConfirmAsync(RunningHub.Admin, "once more", Cancel)); // Nothing is in doubt.
        Assert.True((await room.VerdictAsync()).Good);
    }

    [Fact]
    public async Task A_clock_before_the_newest_record_or_round_deletes_nothing()
    {
        await using var room = await RetentionRoom.MakeAsync();
        await room.PassAsync(4 * _year - TimeSpan.FromDays(370));
        await room.Hub.Store.WriteAsync(it => it.Execute("update ledger set received_at = $at where id = (select max(id) from ledger)", ("$at", room.Hub.Time.GetUtcNow().AddDays(60))), Cancel);
        Assert.Equal(0, await room.PassAsync(TimeSpan.FromDays(29)));
        Assert.Equal(ClockDoubt.Back, room.Hub.Get<RetentionClock>().Doubt());
        Assert.Equal((4, 0), room.Of("access.granted"));
    }

    [Fact]
    public async Task Nothing_is_deleted_in_the_first_week_of_a_period()
    {
        await using var room = await RetentionRoom.MakeAsync();
        room.Hub.Time.Advance(4 * _year); // As of a store that an older program has filled.
        await room.Hub.Get<AccessLog>().SearchedAsync(RunningHub.Admin, new(), cancel: Cancel);
        Assert.Equal(0, await room.Keeper.RoundAsync(Cancel));
        for (var day = 0; day < 6; day++)
        {
            room.Hub.Time.Advance(TimeSpan.FromDays(1));
            Assert.Equal(0, await room.Keeper.RoundAsync(Cancel));
        }

        room.Hub.Time.Advance(TimeSpan.FromDays(1));
        Assert.NotEqual(0, await room.Keeper.RoundAsync(Cancel));
        Assert.True((await room.VerdictAsync()).Good);
    }

    [Fact]
    public async Task A_shorter_period_waits_a_week_on_record_with_an_alarm_and_a_longer_one_counts_at_once()
    {
        await using var room = await RetentionRoom.MakeAsync("""{ "access": 5 }""");
        await room.PassAsync(2 * _year);
        Assert.Equal((4, 0), room.Of("access.granted"));
        await ConfigureAsync(room, 1);
        Assert.Equal((5, 1), In(room));
        for (var day = 0; day < 6; day++) await DayAsync(room, 1);
        Assert.Equal(5, In(room).Years);
        await DayAsync(room, 7); // Thought better of: longer than before.
        Assert.Equal((7, null), In(room));
        await ConfigureAsync(room, 3);
        for (var day = 0; day < 8; day++) await DayAsync(room, 3);
        Assert.Equal((3, null), In(room));
        Assert.Equal(["5", "1", "7", "3"], room.Hub.Store.Read(it => it.Query("select body ->> '$.fact.after.years' from ledger where kind = 'hub.retention.rule' and body ->> '$.fact.target' = 'access' order by id", row => row.GetString(0))));
    }

    [Fact]
    public async Task Days_that_no_round_has_seen_are_no_days_of_waiting()
    {
        await using var room = await RetentionRoom.MakeAsync("""{ "access": 5 }""");
        for (var day = 0; day < 10; day++) await room.PassAsync(TimeSpan.FromDays(1));
        await ConfigureAsync(room, 1);
        room.Hub.Time.Advance(TimeSpan.FromDays(20)); // By a clock that was set ahead while the hub was off, too.
        await room.Hub.Store.WriteAsync(it => new RetentionClock(room.Hub.Store, room.Hub.Time).Begin(it, room.Hub.Time.GetUtcNow()), Cancel);
        await ConfigureAsync(room, 1);
        Assert.Equal((5, 1), In(room));
    }

    [Fact]
    public async Task The_alarm_about_a_shorter_period_stands_until_it_counts()
    {
        await using var room = await RetentionRoom.MakeAsync("""{ "access": 1 }""");
        await room.PassAsync(TimeSpan.FromDays(10));
        // As if five years had been in force until now.
        await room.Hub.Store.WriteAsync(it => it.Execute("update retention set years = 5 where class = 'access'"), Cancel);
        await room.Keeper.RoundAsync(Cancel);
        Assert.Contains(room.Hub.Alarms.List(), it => it is { Class: AlarmClasses.RetentionShortened, Active: true } && it.Detail!.Contains("access: 5 → 1", StringComparison.Ordinal));
        for (var day = 0; day < 8; day++)
        {
            room.Hub.Time.Advance(TimeSpan.FromDays(1));
            await room.Keeper.RoundAsync(Cancel);
        }

        Assert.DoesNotContain(room.Hub.Alarms.List(), it => it is { Class: AlarmClasses.RetentionShortened, Active: true });
    }

    private static (int? Years, int? Next) In(RetentionRoom room) => room.Hub.Store.Read(it => RetentionPeriods.All(it).Single(one => one.Class == "access")) is var it ? (it.Years, it.Next) : default;

    private static Task ConfigureAsync(RetentionRoom room, int access) =>
        room.Hub.Store.WriteAsync(it => { RetentionPeriods.Apply(it, new() { Access = access }, room.Hub.Time.GetUtcNow()); }, Cancel);

    private static Task DayAsync(RetentionRoom room, int access)
    {
        room.Hub.Time.Advance(TimeSpan.FromDays(1));
        return ConfigureAsync(room, access);
    }

    /// <summary>The wall clock of another one, set ahead; the monotonic clock is as it was.</summary>
    private sealed class SetAhead(TimeProvider real) : TimeProvider
    {
        public TimeSpan By { get; set; }

        public override long TimestampFrequency => real.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => real.GetUtcNow() + By;

        public override long GetTimestamp() => real.GetTimestamp();
    }
}
