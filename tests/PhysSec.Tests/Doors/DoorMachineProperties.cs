using CsCheck;
using PhysSec.Core.Access;
using PhysSec.Core.Doors;

namespace PhysSec.Tests.Doors;

/// <summary>Whole days of a door. Whole seconds, so that events often fall exactly on a deadline: that is where doors go wrong.</summary>
public sealed class DoorMachineProperties
{
    private static readonly DoorTimes _times =
        new(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(6), TimeSpan.FromSeconds(2));

    private static readonly Gen<DoorEvent> _events = Gen.OneOf<DoorEvent>(
        Gen.Select(Gen.Enum<Direction>(), Gen.Int[0, 2], Gen.Bool)
            .Select((direction, person, extended) => (DoorEvent)new DoorEvent.Granted(direction, new($"p-{person}"), extended)),
        Any(
            new DoorEvent.ReleasedByCommand(), new DoorEvent.ExitPressed(), new DoorEvent.ExitReleased(), new DoorEvent.LeafOpened(), new DoorEvent.LeafClosed(),
            new DoorEvent.ExitUnknown(), new DoorEvent.LeafUnknown(), new DoorEvent.Withdrawn(), new DoorEvent.Tick()),
        Any(new DoorEvent.LeafOpened(), new DoorEvent.LeafClosed(), new DoorEvent.Tick()));

    private static readonly Gen<(DoorEvent What, int Seconds)[]> _days = Gen.Select(_events, Gen.Int[0, 4]).Array[0, 80];

    private static readonly Gen<(DoorEvent What, int Seconds)[]> _slowDays = Gen.Select(_events, Gen.Int[0, 4].Select(it => it switch { 0 => 0, 1 => 1, 2 => 6, 3 => 15, _ => 31 })).Array[0, 80];

    [Fact]
    public void The_lock_is_free_only_between_a_badge_a_button_or_a_command_and_the_deadline()
    {
        _days.Sample(day =>
        {
            var until = TimeSpan.MinValue;
            foreach (var (before, what, at, after) in Run(day))
            {
                var time = what switch
                {
                    DoorEvent.Granted { Extended: true } => _times.ExtendedRelease,
                    DoorEvent.Granted or DoorEvent.ExitPressed or DoorEvent.ReleasedByCommand => _times.Release,
                    _ => TimeSpan.Zero,
                };
                if (time > TimeSpan.Zero && at + time > until) until = at + time;
                if (after.Status.LockReleased) Assert.True(at < until, $"free at {at} although every release ended at {until}, after {what} in {before.Phase}");
            }
        });
    }

    [Fact]
    public void After_every_step_the_lock_is_free_only_with_a_deadline_ahead_and_one_late_look_locks_it() => _days.Sample(day =>
    {
        foreach (var (_, what, at, after) in Run(day))
        {
            Assert.Equal(after.Status.ReleaseUntil is not null, after.Status.LockReleased);
            Assert.True(after.Status.ReleaseUntil is not { } until || until > at, $"free at {at} until {after.Status.ReleaseUntil}, after {what}");
            Assert.False(DoorMachine.Step(after.Status, new DoorEvent.Tick(), _times, at + _times.ExtendedRelease).Status.LockReleased);
        }
    });

    /// <summary>EGRESS; and what nobody inside asked for is always taken back, whatever the leaf does.</summary>
    [Fact]
    public void A_withdrawal_locks_unless_somebody_inside_asked_for_the_release() => _days.Sample(day =>
    {
        var asked = false;
        foreach (var (before, what, at, after) in Run(day))
        {
            asked &= !after.Notices.Any(it => it is DoorNotice.LockNow);
            asked |= what is DoorEvent.ExitPressed || (what is DoorEvent.Granted { Direction: Direction.Out } && (Shut(before) || before.LeafOpen is not true));
            if (what is DoorEvent.Withdrawn && before.LockReleased)
                Assert.True(after.Status.LockReleased == asked, $"at {at} asked from inside: {asked}, free: {after.Status.LockReleased}");
            if (what is DoorEvent.Withdrawn && asked) Assert.Equal(before.ReleaseUntil, after.Status.ReleaseUntil);
        }
    });

    [Fact]
    public void A_button_pressed_without_end_alarms_once_and_masks_no_forced_opening()
    {
        var shown = 0;
        _slowDays.Sample(day =>
        {
            var (since, alarmed) = ((TimeSpan?)null, false);
            foreach (var (before, what, at, after) in Run(day))
            {
                // The door as somebody sees it who looks at the button alone.
                since = what switch { DoorEvent.ExitPressed => since ?? at, DoorEvent.ExitReleased => null, _ => since };
                foreach (var it in after.Notices)
                {
                    if (it is DoorNotice.ButtonStuck) Assert.True(!alarmed);
                    if (it is DoorNotice.ButtonStuckCleared) Assert.True(alarmed && what is DoorEvent.ExitReleased);
                    alarmed = it is DoorNotice.ButtonStuck || (it is not DoorNotice.ButtonStuckCleared && alarmed);
                }

                Assert.Equal(at - since >= DoorMachine.ButtonStuckAfter, alarmed);
                if (!alarmed || what is not DoorEvent.LeafOpened || !Shut(before) || !before.LeafSeen || before.LeafOpen is true || before.Pending.Count > 0) continue;
                Assert.Equal([new DoorNotice.Forced()], after.Notices.Where(it => it is not DoorNotice.ConfinementCleared));
                Interlocked.Increment(ref shown);
            }
        });
        Assert.NotEqual(0, shown); // Such openings did happen.
    }

    [Fact]
    public void A_release_for_entry_that_ran_out_unseen_counts_as_inside_and_one_that_was_seen_or_taken_back_does_not() => _slowDays.Sample(day =>
    {
        var takenBack = false;
        foreach (var (before, what, at, after) in Run(day))
        {
            takenBack = what is DoorEvent.Withdrawn ? takenBack || (before.LockReleased && !after.Status.LockReleased)
                : takenBack && !after.Notices.Any(it => it is DoorNotice.ReleaseNow);
            if (what is not DoorEvent.Tick || !Shut(before) || after.Status.Pending.Count == before.Pending.Count) continue;
            Assert.Empty(after.Status.Pending);
            Assert.Equal(
                before.Pending.Select(it => it.Direction == Direction.In && before.LeafOpen is null && !takenBack
                    ? (DoorNotice)new DoorNotice.Passage(it.Direction, it.Person) : new DoorNotice.NoPassage(it.Direction, it.Person)),
                after.Notices.Where(it => it is DoorNotice.Passage or DoorNotice.NoPassage));
        }
    });

    [Fact]
    public void Every_opening_is_a_passage_or_forced_and_never_both() => _days.Sample(day =>
    {
        foreach (var (before, what, at, after) in Run(day))
        {
            var passages = after.Notices.Count(it => it is DoorNotice.Passage);
            var forced = after.Notices.Count(it => it is DoorNotice.Forced);
            var openedNow = what is DoorEvent.LeafOpened && before.Phase is DoorPhase.Locked or DoorPhase.Released && before.LeafOpen is not true;
            if (openedNow && (before.LeafSeen || before.Pending.Count > 0)) Assert.True(passages > 0 != (forced == 1), $"at {at}: {passages} passages, {forced} forced");
            else Assert.Equal(0, forced);
        }
    });

    /// <summary>EGRESS.</summary>
    [Fact]
    public void In_every_reachable_state_the_exit_button_frees_the_lock() => _days.Sample(day =>
    {
        foreach (var (_, _, at, after) in Run(day))
        {
            var pressed = DoorMachine.Step(after.Status, new DoorEvent.ExitPressed(), _times, at);
            Assert.True(pressed.Status.LockReleased, $"the button did not free the lock in {after.Status}");
            Assert.True(at + _times.Release <= pressed.Status.ReleaseUntil);

            // And nothing but the deadline or an opening takes it back.
            var withdrawn = DoorMachine.Step(pressed.Status, new DoorEvent.Withdrawn(), _times, at);
            Assert.True(withdrawn.Status.LockReleased);
        }
    });

    [Fact]
    public void The_announced_moves_of_the_lock_are_its_moves() => _days.Sample(day =>
    {
        var free = false;
        foreach (var (_, _, _, after) in Run(day))
        {
            foreach (var it in after.Notices) free = it is DoorNotice.ReleaseNow || (it is not DoorNotice.LockNow && free);
            Assert.Equal(after.Status.LockReleased, free);
        }
    });

    [Fact]
    public void Alarms_of_a_door_begin_and_end_in_turns() => _days.Sample(day =>
    {
        var (held, forced) = (false, false);
        foreach (var (_, _, _, after) in Run(day))
        {
            foreach (var it in after.Notices)
            {
                if (it is DoorNotice.Held or DoorNotice.HeldCleared)
                {
                    Assert.Equal(held, it is DoorNotice.HeldCleared);
                    held = !held;
                }

                if (it is DoorNotice.Forced or DoorNotice.ForcedCleared)
                {
                    Assert.Equal(forced, it is DoorNotice.ForcedCleared);
                    forced = !forced;
                }
            }

            Assert.Equal((held, forced), (after.Status.Phase == DoorPhase.HeldOpen, after.Status.Phase == DoorPhase.Forced));
        }
    });

    [Fact]
    public void A_leaf_event_or_tick_that_is_repeated_changes_nothing() => _days.Sample(day =>
    {
        foreach (var (_, what, at, after) in Run(day))
        {
            if (what is DoorEvent.Granted or DoorEvent.ExitPressed or DoorEvent.ReleasedByCommand) continue;
            var again = DoorMachine.Step(after.Status, what, _times, at);
            Assert.Empty(again.Notices);
            Assert.Equal(after.Status, again.Status);
        }
    });

    [Fact]
    public void A_leaf_that_stays_open_alarms_at_its_time_whatever_else_happens() => _days.Sample(day =>
    {
        var held = (TimeSpan?)null;
        foreach (var (before, _, at, after) in Run(day))
        {
            if (after.Status.Phase == DoorPhase.Open && before.Phase is DoorPhase.Locked or DoorPhase.Released) held = at + _times.Open;
            if (after.Status.Phase is DoorPhase.Open or DoorPhase.PreAlarm) Assert.True(at < held, $"open at {at}, due at {held}");
        }
    });

    private static bool Shut(DoorStatus door) => door.Phase is DoorPhase.Locked or DoorPhase.Released;

    private static Gen<DoorEvent> Any(params DoorEvent[] events) => Gen.Int[0, events.Length - 1].Select(it => events[it]);

    private static IEnumerable<(DoorStatus Before, DoorEvent What, TimeSpan At, DoorStep After)> Run((DoorEvent What, int Seconds)[] day)
    {
        var status = DoorStatus.Start;
        var at = TimeSpan.Zero;
        foreach (var (what, seconds) in day)
        {
            at += TimeSpan.FromSeconds(seconds);

            // Time first, as the control loop does it: so that what an event did can be told from what was due.
            var due = DoorMachine.Step(status, new DoorEvent.Tick(), _times, at);
            yield return (status, new DoorEvent.Tick(), at, due);
            var after = DoorMachine.Step(due.Status, what, _times, at);
            yield return (due.Status, what, at, after);
            status = after.Status;
        }
    }
}
