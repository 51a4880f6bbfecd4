using CsCheck;
using PhysSec.Core.Alarms;

namespace PhysSec.Tests.Alarms;

public sealed class AlarmMachineTests
{
    private static readonly DateTimeOffset _start = new(2026, 11, 24, 10, 0, 0, TimeSpan.FromHours(9));
    private static readonly TimeSpan _every = TimeSpan.FromMinutes(5);
    private static readonly AlarmEvent _raised = new AlarmEvent.Raised();
    private static readonly AlarmEvent _cleared = new AlarmEvent.Cleared();
    private static readonly AlarmEvent _repeat = new AlarmEvent.Repeat();
    private static readonly AlarmEvent _ack = new AlarmEvent.Acknowledged("sato", "going there");

    [Fact]
    public void An_alarm_is_said_repeated_until_acknowledged_and_said_again_when_it_clears()
    {
        var alarm = new Probe();
        alarm.Do(_raised, 0, "Raised");
        alarm.Do(_repeat, 4, "");
        alarm.Do(_repeat, 5, "Repeat");
        alarm.Do(_repeat, 9, "");
        alarm.Do(_repeat, 10, "Repeat");
        alarm.Do(_ack, 11, "Acknowledged");
        alarm.Do(_repeat, 60, "");
        Assert.Equal(new("sato", _start.AddMinutes(11), "going there"), alarm.State.Acknowledged);
        Assert.True(alarm.State.Standing);
        alarm.Do(_cleared, 61, "Cleared");
        Assert.False(alarm.State.Standing);
    }

    [Fact]
    public void A_second_raise_or_clear_or_acknowledgement_changes_nothing()
    {
        var alarm = new Probe();
        alarm.Do(_cleared, 0, "");
        alarm.Do(_ack, 0, "");
        alarm.Do(_raised, 1, "Raised");
        alarm.Do(_raised, 2, "");
        Assert.Equal(_start.AddMinutes(1), alarm.State.RaisedAt);
        alarm.Do(_ack, 3, "Acknowledged");
        alarm.Do(new AlarmEvent.Acknowledged("suzuki", "me too"), 4, "");
        Assert.Equal("sato", alarm.State.Acknowledged!.Who);
    }

    [Fact]
    public void Raised_anew_it_wants_a_new_acknowledgement()
    {
        var alarm = new Probe();
        alarm.Do(_raised, 0, "Raised");
        alarm.Do(_ack, 1, "Acknowledged");
        alarm.Do(_cleared, 2, "Cleared");
        alarm.Do(_raised, 3, "Raised");
        Assert.Null(alarm.State.Acknowledged);
        alarm.Do(_repeat, 8, "Repeat");
    }

    [Fact]
    public void A_latched_alarm_that_cleared_stays_and_is_repeated_until_acknowledged()
    {
        var alarm = new Probe(latched: true);
        alarm.Do(_raised, 0, "Raised");
        alarm.Do(_cleared, 1, "Cleared");
        Assert.True(alarm.State.Standing);
        alarm.Do(_repeat, 5, "Repeat");
        alarm.Do(_ack, 6, "Acknowledged");
        Assert.False(alarm.State.Standing);
        alarm.Do(_repeat, 20, "");
    }

    [Fact]
    public void An_alarm_that_is_not_latched_is_not_repeated_after_it_cleared()
    {
        var alarm = new Probe();
        alarm.Do(_raised, 0, "Raised");
        alarm.Do(_cleared, 1, "Cleared");
        alarm.Do(_repeat, 20, "");
    }

    [Fact]
    public void What_is_older_than_the_newest_change_goes_into_history_and_changes_nothing()
    {
        var alarm = new Probe();
        alarm.Do(new AlarmEvent.Raised(Place: new(1, 10)), 10, "Raised");
        alarm.Do(new AlarmEvent.Cleared(Late: true, Place: new(1, 9)), 9, "HistoryOnly");
        Assert.True(alarm.State.Active);
        alarm.Do(new AlarmEvent.Cleared(Place: new(1, 12)), 12, "Cleared");
        alarm.Do(new AlarmEvent.Raised(Late: true, Place: new(1, 11)), 11, "HistoryOnly");
        Assert.False(alarm.State.Active);
    }

    [Fact]
    public void The_journal_decides_what_is_newer_and_no_clock()
    {
        var alarm = new Probe();
        alarm.Do(new AlarmEvent.Raised(ReceivedAt: _start, Place: new(1, 10)), 600, "Raised"); // Its clock was ten hours ahead.
        Assert.Equal(_start, alarm.State.RaisedAt);
        alarm.Do(new AlarmEvent.Cleared(Place: new(1, 11)), 1, "Cleared");
        alarm.Do(new AlarmEvent.Raised(Place: new(2, 1)), 0, "Raised"); // A new epoch begins at 1.
        alarm.Do(new AlarmEvent.Cleared(Place: new(1, 12)), 700, "HistoryOnly");
        Assert.True(alarm.State.Active);
    }

    [Fact]
    public void A_raise_that_overtook_its_backlog_is_not_cleared_by_what_the_backlog_says()
    {
        var alarm = new Probe();
        alarm.Do(new AlarmEvent.Raised(Place: new(1, 5)), 0, "Raised");
        alarm.Do(new AlarmEvent.Raised(Place: new(1, 10)), 4, ""); // It stands already.
        alarm.Do(new AlarmEvent.Cleared(Late: true, Place: new(1, 7)), 2, "HistoryOnly");
        Assert.True(alarm.State.Active);
    }

    [Fact]
    public void The_hubs_own_events_come_in_their_order_whatever_its_clock_says()
    {
        var alarm = new Probe();
        alarm.Do(_raised, 60, "Raised");
        alarm.Do(_repeat, 0, "Repeat"); // Set back by an hour: nobody waits an hour longer for the next word.
        alarm.Do(_repeat, 4, "");
        alarm.Do(_cleared, 5, "Cleared");
        alarm.Do(_raised, 1, "Raised");
    }

    [Fact]
    public void A_late_raise_sounds_nothing_and_one_that_still_holds_is_said_by_a_repetition()
    {
        var alarm = new Probe();
        alarm.Do(new AlarmEvent.Raised(Late: true, ReceivedAt: _start.AddMinutes(60)), 10, "HistoryOnly");
        Assert.True(alarm.State.Active);
        alarm.Do(_repeat, 64, "");
        alarm.Do(_repeat, 65, "Repeat");
    }

    [Fact]
    public void A_backlog_that_raises_and_clears_is_never_said()
    {
        var alarm = new Probe();
        alarm.Do(new AlarmEvent.Raised(Late: true, ReceivedAt: _start.AddMinutes(60)), 10, "HistoryOnly");
        alarm.Do(new AlarmEvent.Cleared(Late: true), 11, "HistoryOnly");
        alarm.Do(_repeat, 200, "");
        Assert.False(alarm.State.Standing);
    }

    [Fact]
    public void An_acknowledgement_does_not_hold_off_a_clear_that_was_under_way()
    {
        var alarm = new Probe();
        alarm.Do(_raised, 0, "Raised");
        alarm.Do(_ack, 10, "Acknowledged");
        alarm.Do(new AlarmEvent.Cleared(Late: true), 5, "HistoryOnly");
        Assert.False(alarm.State.Active);
    }

    [Fact]
    public void A_shelved_alarm_is_quiet_until_its_time_and_then_speaks_again()
    {
        var alarm = new Probe();
        alarm.Do(_raised, 0, "Raised");
        alarm.Do(new AlarmEvent.Shelved(_start.AddMinutes(30)), 1, "");
        alarm.Do(_repeat, 29, "");
        alarm.Do(_repeat, 30, "Repeat");
        Assert.Equal(AlarmMode.InService, alarm.State.Mode);
    }

    [Fact]
    public void An_alarm_out_of_service_says_nothing_until_it_is_put_back()
    {
        var alarm = new Probe();
        alarm.Do(new AlarmEvent.OutOfService(true), 0, "");
        alarm.Do(_raised, 1, "");
        alarm.Do(_repeat, 100, "");
        alarm.Do(new AlarmEvent.OutOfService(false), 101, "Repeat");
        alarm.Do(_cleared, 102, "Cleared");
    }

    [Fact]
    public void In_service_an_active_alarm_that_nobody_acknowledged_is_always_due_again() =>
        Gen.Select(Gen.Int[0, 6], Gen.Int[0, 7]).Array[0, 80].Sample(day =>
        {
            var (state, at) = (AlarmState.Quiet(false), _start);
            foreach (var (what, minutes) in day)
            {
                at = at.AddMinutes(minutes);
                var it = what switch
                {
                    0 => _raised,
                    1 => _cleared,
                    2 => _ack,
                    3 => new AlarmEvent.Shelved(at.AddMinutes(9)),
                    4 => new AlarmEvent.OutOfService(true),
                    5 => new AlarmEvent.OutOfService(false),
                    _ => _repeat,
                };
                state = AlarmMachine.Step(state, it, at, _every).State;
                if (state is { Active: true, Acknowledged: null, Mode: AlarmMode.InService }) Assert.NotNull(state.RepeatAt);
                if (state is { Active: false } || state.Acknowledged is not null) Assert.Null(state.RepeatAt);
            }
        });

    private sealed class Probe(bool latched = false)
    {
        public AlarmState State { get; private set; } = AlarmState.Quiet(latched);

        public void Do(AlarmEvent what, int minute, string expected)
        {
            (State, var actions) = AlarmMachine.Step(State, what, _start.AddMinutes(minute), _every);
            Assert.Equal(expected, string.Join(", ", actions.Select(it => it is AlarmAction.Notify notify ? notify.Kind.ToString() : it.GetType().Name)));
        }
    }
}
