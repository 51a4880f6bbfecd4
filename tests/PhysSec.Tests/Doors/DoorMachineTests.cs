using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Doors;

namespace PhysSec.Tests.Doors;

public sealed class DoorMachineTests
{
    private static readonly PersonId _ana = new("p-ana");
    private static readonly PersonId _ben = new("p-ben");
    private static readonly DoorTimes _times = new(Seconds(5), Seconds(15), Seconds(30), Seconds(10));

    private static readonly DoorEvent _in = new DoorEvent.Granted(Direction.In, _ana, false);
    private static readonly DoorEvent _opened = new DoorEvent.LeafOpened();
    private static readonly DoorEvent _closed = new DoorEvent.LeafClosed();
    private static readonly DoorEvent _unknown = new DoorEvent.LeafUnknown();
    private static readonly DoorEvent _button = new DoorEvent.ExitPressed();
    private static readonly DoorEvent _buttonLet = new DoorEvent.ExitReleased();
    private static readonly DoorEvent _buttonUnknown = new DoorEvent.ExitUnknown();
    private static readonly DoorEvent _out = new DoorEvent.Granted(Direction.Out, _ben, false);
    private static readonly DoorEvent _command = new DoorEvent.ReleasedByCommand();
    private static readonly DoorEvent _withdrawn = new DoorEvent.Withdrawn();
    private static readonly DoorEvent _tick = new DoorEvent.Tick();

    [Fact]
    public void A_door_starts_locked() => Assert.Equal((DoorPhase.Locked, false), (DoorStatus.Start.Phase, DoorStatus.Start.LockReleased));

    [Fact]
    public void An_entry_releases_passes_and_locks_again()
    {
        var door = Closed();
        door.Do(_in, 1, "Released free: ReleaseNow");
        door.Do(_opened, 3, "Open locked: LockNow, Passage In p-ana");
        door.Do(_closed, 6, "Locked locked:");
    }

    [Theory]
    [InlineData(false, 4, "Released free:")]
    [InlineData(false, 5, "Locked locked: LockNow")]
    [InlineData(true, 14, "Released free:")]
    [InlineData(true, 15, "Locked locked: LockNow")]
    public void A_release_ends_at_its_deadline_and_a_person_may_need_longer(bool extended, int after, string expected)
    {
        var door = Closed();
        door.Do(new DoorEvent.Granted(Direction.In, _ana, extended), 0, "Released free: ReleaseNow");
        door.Do(_tick, after, expected);
    }

    [Fact]
    public void Granted_and_never_opened_is_no_passage()
    {
        var door = Closed();
        door.Do(_in, 0, "Released free: ReleaseNow");
        door.Do(_tick, 5, "Locked locked: LockNow");
        door.Do(_tick, 5.4, "Locked locked:");
        door.Do(_tick, 5.5, "Locked locked: NoPassage In p-ana");
        door.Do(_opened, 6, "Forced locked: Forced");
    }

    [Fact]
    public void An_opening_in_the_last_moment_that_the_contact_reports_late_is_not_forced()
    {
        var door = Closed();
        door.Do(_in, 0, "Released free: ReleaseNow");
        door.Do(_tick, 5, "Locked locked: LockNow");
        door.Do(_opened, 5.03, "Open locked: Passage In p-ana");
    }

    [Fact]
    public void A_deadline_that_passed_unseen_comes_before_the_event_that_shows_it()
    {
        var door = Closed();
        door.Do(_in, 0, "Released free: ReleaseNow");
        door.Do(_opened, 20, "Open locked: LockNow, Passage In p-ana"); // The lock was free until this very step.
    }

    [Fact]
    public void The_exit_button_frees_the_lock_and_the_opening_is_an_exit()
    {
        var door = Closed();
        door.Do(_button, 0, "Released free: ReleaseNow");
        door.Do(_opened, 2, "Open locked: LockNow, Passage Out -");
    }

    [Fact]
    public void While_the_button_is_held_an_opening_is_an_exit_even_after_the_release_time()
    {
        var door = Closed();
        door.Do(_button, 0, "Released free: ReleaseNow");
        door.Do(_tick, 6, "Locked locked: LockNow");
        door.Do(_tick, 7, "Locked locked: NoPassage Out -");
        door.Do(_opened, 8, "Open locked: Passage Out -");
    }

    [Fact]
    public void The_button_pressed_at_an_open_door_keeps_the_lock_free_when_the_leaf_falls_shut()
    {
        var door = Closed();
        door.Do(_in, 0, "Released free: ReleaseNow");
        door.Do(_opened, 1, "Open locked: LockNow, Passage In p-ana");
        door.Do(_button, 2, "Open free: ReleaseNow");
        door.Do(_closed, 3, "Released free:");
        door.Do(_opened, 4, "Open locked: LockNow, Passage Out -");
    }

    [Fact]
    public void An_opening_with_no_release_no_badge_and_no_button_is_forced_until_the_leaf_closes()
    {
        var door = Closed();
        door.Do(_opened, 1, "Forced locked: Forced");
        door.Do(_tick, 100, "Forced locked:");
        door.Do(_closed, 101, "Locked locked: ForcedCleared");
    }

    [Fact]
    public void An_open_door_warns_then_alarms_and_clears_when_it_closes()
    {
        var door = Closed();
        door.Do(_in, 0, "Released free: ReleaseNow");
        door.Do(_opened, 1, "Open locked: LockNow, Passage In p-ana");
        door.Do(_tick, 20, "Open locked:");
        door.Do(_tick, 21, "PreAlarm locked: PreAlarm");
        door.Do(_tick, 30, "PreAlarm locked:");
        door.Do(_tick, 31, "HeldOpen locked: Held");
        door.Do(_closed, 40, "Locked locked: HeldCleared");
    }

    [Fact]
    public void A_badge_at_an_open_door_is_a_passage_and_extends_nothing()
    {
        var door = Closed();
        door.Do(_in, 0, "Released free: ReleaseNow");
        door.Do(_opened, 1, "Open locked: LockNow, Passage In p-ana");
        door.Do(new DoorEvent.Granted(Direction.In, _ben, true), 20, "Open locked: Passage In p-ben");
        door.Do(_tick, 31, "HeldOpen locked: Held");
        door.Do(_closed, 32, "Locked locked: HeldCleared");
    }

    [Fact]
    public void Two_people_who_badge_for_one_opening_both_pass()
    {
        var door = Closed();
        door.Do(_in, 0, "Released free: ReleaseNow");
        door.Do(new DoorEvent.Granted(Direction.In, _ben, false), 2, "Released free: ReleaseNow");
        door.Do(_opened, 6, "Open locked: LockNow, Passage In p-ana, Passage In p-ben");
    }

    [Fact]
    public void A_release_by_command_is_an_entry_of_somebody_unnamed()
    {
        var door = Closed();
        door.Do(_command, 0, "Released free: ReleaseNow");
        door.Do(_opened, 1, "Open locked: LockNow, Passage In -");
    }

    [Fact]
    public void A_leaf_found_open_at_the_start_alarms_only_if_it_stays()
    {
        var door = new Probe();
        door.Do(_opened, 0, "Open locked:");
        door.Do(_tick, 20, "PreAlarm locked: PreAlarm");
        door.Do(_closed, 21, "Locked locked: PreAlarmCleared");
        door.Do(_opened, 22, "Forced locked: Forced");
    }

    [Fact]
    public void A_contact_that_cannot_be_read_clears_nothing_and_hides_nothing()
    {
        var door = Closed();
        door.Do(_opened, 1, "Forced locked: Forced");
        door.Do(_unknown, 2, "Forced locked:");
        door.Do(_closed, 3, "Locked locked: ForcedCleared");
        door.Do(_unknown, 4, "Locked locked:");
        Assert.Null(door.Status.LeafOpen);
        door.Do(_opened, 5, "Forced locked: Forced");
    }

    [Fact]
    public void A_release_that_could_not_be_recorded_is_taken_back_but_never_one_for_leaving()
    {
        var door = Closed();
        door.Do(_in, 0, "Released free: ReleaseNow");
        door.Do(_withdrawn, 0.3, "Locked locked: LockNow");
        door.Do(_tick, 1, "Locked locked: NoPassage In p-ana");
        door.Do(_button, 2, "Released free: ReleaseNow");
        door.Do(_withdrawn, 2.3, "Released free:");
    }

    [Fact]
    public void A_button_that_stays_pressed_is_an_alarm_and_hides_no_forced_opening()
    {
        var door = Closed();
        door.Do(_button, 0, "Released free: ReleaseNow");
        door.Do(_tick, 5, "Locked locked: LockNow");
        door.Do(_tick, 29.9, "Locked locked: NoPassage Out -");
        door.Do(_tick, 30, "Locked locked: ButtonStuck");
        door.Do(_tick, 300, "Locked locked:");
        door.Do(_opened, 301, "Forced locked: Forced");
        door.Do(_closed, 302, "Locked locked: ForcedCleared");
        door.Do(_in, 303, "Released free: ReleaseNow");
        door.Do(_opened, 304, "Open locked: LockNow, Passage In p-ana");
        door.Do(_buttonLet, 305, "Open locked: ButtonStuckCleared");
    }

    [Fact]
    public void An_opening_that_shows_a_stuck_button_first_is_forced() // What fell due comes first.
    {
        var door = Closed();
        door.Do(_button, 0, "Released free: ReleaseNow");
        door.Do(_tick, 5, "Locked locked: LockNow");
        door.Do(_tick, 6, "Locked locked: NoPassage Out -");
        door.Do(_opened, 30, "Forced locked: ButtonStuck, Forced");
    }

    [Fact]
    public void A_button_that_was_let_go_in_between_is_not_stuck()
    {
        var door = Closed();
        door.Do(_button, 0, "Released free: ReleaseNow");
        door.Do(_buttonLet, 20, "Locked locked: LockNow");
        door.Do(_button, 21, "Released free: NoPassage Out -, ReleaseNow");
        door.Do(_tick, 40, "Locked locked: LockNow");
        door.Do(_tick, 41, "Locked locked: NoPassage Out -");
        door.Do(_opened, 50, "Open locked: Passage Out -");
        door.Do(_tick, 51, "Open locked: ButtonStuck");
    }

    /// <summary>UNKNOWN-IS-NOT-OK.</summary>
    [Fact]
    public void A_button_that_cannot_be_read_ends_no_alarm_and_is_not_let_go()
    {
        var door = Closed();
        door.Do(_button, 0, "Released free: ReleaseNow");
        door.Do(_buttonUnknown, 10, "Locked locked: LockNow");
        door.Do(_button, 20, "Released free: NoPassage Out -, ReleaseNow"); // The same press, as far as anybody knows.
        door.Do(_tick, 30, "Locked locked: LockNow, ButtonStuck");
        door.Do(_buttonUnknown, 31, "Locked locked: NoPassage Out -");
        door.Do(_opened, 32, "Forced locked: Forced");
        door.Do(_buttonLet, 33, "Forced locked: ButtonStuckCleared");
    }

    /// <summary>EGRESS.</summary>
    [Fact]
    public void A_stuck_button_that_is_pressed_again_frees_the_lock_as_ever()
    {
        var door = Closed();
        door.Do(_button, 0, "Released free: ReleaseNow");
        door.Do(_tick, 40, "Locked locked: LockNow, ButtonStuck");
        door.Do(_button, 41, "Released free: NoPassage Out -, ReleaseNow");
        door.Do(_opened, 42, "Open locked: LockNow, Passage Out -");
    }

    [Fact]
    public void A_release_for_entry_at_an_open_leaf_is_taken_back_and_the_leaf_falls_shut_locked()
    {
        var door = Closed();
        door.Do(_in, 0, "Released free: ReleaseNow");
        door.Do(_opened, 1, "Open locked: LockNow, Passage In p-ana");
        door.Do(_command, 2, "Open free: ReleaseNow");
        door.Do(_withdrawn, 2.3, "Open locked: LockNow");
        Assert.Empty(door.Status.Pending);
        door.Do(_closed, 3, "Locked locked:");
        door.Do(_opened, 4, "Forced locked: Forced");
    }

    [Fact]
    public void A_release_for_leaving_at_an_open_leaf_is_not_taken_back()
    {
        var door = Closed();
        door.Do(_in, 0, "Released free: ReleaseNow");
        door.Do(_opened, 1, "Open locked: LockNow, Passage In p-ana");
        door.Do(_command, 2, "Open free: ReleaseNow");
        door.Do(_button, 2.1, "Open free: ReleaseNow");
        door.Do(_withdrawn, 2.3, "Open free:");
    }

    [Fact]
    public void Who_was_let_out_before_does_not_make_a_new_entry_look_like_leaving()
    {
        var door = Closed();
        door.Do(_out, 0, "Released free: ReleaseNow");
        door.Do(_tick, 5, "Locked locked: LockNow");
        door.Do(_in, 5.2, "Released free: NoPassage Out p-ben, ReleaseNow");
        Assert.Equal([new PendingPassage(Direction.In, _ana)], door.Status.Pending);
        door.Do(_withdrawn, 5.4, "Locked locked: LockNow");
    }

    [Fact]
    public void When_too_many_wait_for_one_opening_who_wants_to_leave_keeps_the_place()
    {
        var door = Closed();
        door.Do(_out, 0, "Released free: ReleaseNow");
        for (var i = 0; i < 2 * DoorMachine.PendingMax; i++) door.Do(new DoorEvent.Granted(Direction.In, new($"p-{i}"), false), 1, "Released free: ReleaseNow");
        Assert.Equal(DoorMachine.PendingMax, door.Status.Pending.Count);
        door.Do(_withdrawn, 2, "Released free:");
    }

    /// <summary>Unknown counts as inside: the evacuation list must not lack anybody.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)] // A door without a contact.
    public void An_entry_that_no_contact_could_show_counts_as_inside_and_a_leaving_does_not_count(bool contact)
    {
        var door = contact ? Closed() : new Probe();
        if (contact) door.Do(_unknown, 0, "Locked locked:");
        door.Do(_in, 1, "Released free: ReleaseNow");
        door.Do(_out, 2, "Released free: ReleaseNow");
        door.Do(_tick, 7, "Locked locked: LockNow");
        door.Do(_tick, 7.5, "Locked locked: Passage In p-ana, NoPassage Out p-ben");
    }

    [Fact]
    public void An_entry_that_was_taken_back_is_no_passage_even_if_no_contact_can_show_it()
    {
        var door = new Probe();
        door.Do(_in, 0, "Released free: ReleaseNow");
        door.Do(_withdrawn, 0.3, "Locked locked: LockNow");
        door.Do(_tick, 1, "Locked locked: NoPassage In p-ana");
        door.Do(_in, 2, "Released free: ReleaseNow");
        door.Do(_tick, 7, "Locked locked: LockNow");
        door.Do(_tick, 8, "Locked locked: Passage In p-ana");
    }

    [Fact]
    public void A_release_at_a_leaf_that_became_unreadable_while_open_counts_as_inside()
    {
        var door = Closed();
        door.Do(_in, 0, "Released free: ReleaseNow");
        door.Do(_opened, 1, "Open locked: LockNow, Passage In p-ana");
        door.Do(_command, 2, "Open free: ReleaseNow");
        door.Do(_unknown, 3, "Open free:");
        door.Do(_tick, 7, "Open locked: LockNow, Passage In -");
    }

    private static Probe Closed()
    {
        var door = new Probe();
        door.Do(_closed, 0, "Locked locked:");
        return door;
    }

    private static TimeSpan Seconds(double value) => TimeSpan.FromSeconds(value);

    private sealed class Probe
    {
        public DoorStatus Status { get; private set; } = DoorStatus.Start;

        public void Do(DoorEvent what, double at, string expected)
        {
            var (next, notices) = DoorMachine.Step(Status, what, _times, Seconds(at));
            Status = next;
            Assert.Equal(expected, $"{next.Phase} {(next.LockReleased ? "free" : "locked")}: {string.Join(", ", notices.Select(Say))}".TrimEnd());
        }

        private static string Say(DoorNotice it) => it switch
        {
            DoorNotice.Passage passage => $"Passage {passage.Direction} {passage.Person?.Value ?? "-"}",
            DoorNotice.NoPassage none => $"NoPassage {none.Direction} {none.Person?.Value ?? "-"}",
            _ => it.GetType().Name,
        };
    }
}
