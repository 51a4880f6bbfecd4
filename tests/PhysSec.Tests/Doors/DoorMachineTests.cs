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
        door.Do(new DoorEvent.Granted(Direction.In, _ben, false), 2, "Released free:");
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
