using PhysSec.Core.Access;
using PhysSec.Core.Doors;

namespace PhysSec.Tests.Doors;

/// <summary>Modes, emergencies, types of lock, feedback and confinement: the stories behind the laws that <see cref="DoorExplorationTests"/> hold everywhere.</summary>
public sealed class DoorModeTests
{
    private static readonly DoorTimes _times = new(Seconds(5), Seconds(15), Seconds(30), Seconds(10));
    private static readonly DoorEvent _in = new DoorEvent.Granted(Direction.In, new("p-ana"), false);
    private static readonly DoorEvent _button = new DoorEvent.ExitPressed();
    private static readonly DoorEvent _opened = new DoorEvent.LeafOpened();
    private static readonly DoorEvent _closed = new DoorEvent.LeafClosed();
    private static readonly DoorEvent _tick = new DoorEvent.Tick();
    private static readonly DoorEvent _unlocked = new DoorEvent.OverrideOrdered(DoorMode.Unlocked, Seconds(60));
    private static readonly DoorEvent _blocked = new DoorEvent.OverrideOrdered(DoorMode.Blocked, Seconds(60));
    private static readonly DoorEvent _lockdown = new DoorEvent.LockdownOrdered(true);
    private static readonly DoorEvent _fire = new DoorEvent.Signalled(EmergencySignal.Fire, true);
    private static readonly DoorEvent _fireReset = new DoorEvent.Signalled(EmergencySignal.Fire, false);
    private static readonly DoorEvent _shaking = new DoorEvent.Signalled(EmergencySignal.Seismic, true);
    private static readonly DoorEvent _confirmed = new DoorEvent.Confirmed();

    [Fact]
    public void An_unlocked_door_stands_free_counts_who_shows_no_badge_and_locks_by_itself()
    {
        var door = new Probe();
        door.Do(_unlocked, 0, "Unlocked Released free: ReleaseNow");
        door.Do(_opened, 10, "Unlocked Open free: UnbadgedPassage 1");
        door.Do(_tick, 50, "Unlocked Open free:"); // It may stand open.
        door.Do(_closed, 51, "Unlocked Released free:");
        door.Do(_in, 52, "Unlocked Released free: ReleaseNow");
        door.Do(_opened, 53, "Unlocked Open free: Passage");
        door.Do(_tick, 60, "Normal Open locked: LockNow");
        door.Do(_tick, 80, "Normal PreAlarm locked: PreAlarm"); // From now on it may not.
        door.Do(_closed, 81, "Normal Locked locked: PreAlarmCleared");
    }

    [Fact]
    public void An_opening_that_the_contact_reports_just_after_an_override_is_not_forced()
    {
        var door = new Probe();
        door.Do(_unlocked, 0, "Unlocked Released free: ReleaseNow");
        door.Do(_tick, 60, "Normal Locked locked: LockNow");
        door.Do(_opened, 60.03, "Normal Open locked: UnbadgedPassage 1");
    }

    [Fact]
    public void A_blocked_door_lets_nobody_in_and_everybody_out_and_ends_by_itself()
    {
        var door = new Probe();
        door.Do(_in, 0, "Normal Released free: ReleaseNow");
        door.Do(_blocked, 1, "Blocked Locked locked: LockNow");
        door.Do(_in, 2, "Blocked Locked locked: NoPassage");
        door.Do(new DoorEvent.ReleasedByCommand(), 3, "Blocked Locked locked:");
        door.Do(_button, 4, "Blocked Released free: ReleaseNow");
        door.Do(new DoorEvent.ExitReleased(), 5, "Blocked Released free:");
        door.Do(_tick, 61, "Normal Locked locked: LockNow");
    }

    [Fact]
    public void A_lockdown_ends_an_unlocked_override_for_good()
    {
        var door = new Probe();
        door.Do(_unlocked, 0, "Unlocked Released free: ReleaseNow");
        door.Do(_lockdown, 1, "Lockdown Locked locked: LockNow");
        door.Do(new DoorEvent.LockdownOrdered(false), 2, "Normal Locked locked:");
        door.Do(_lockdown, 3, "Lockdown Locked locked:");
        door.Do(_unlocked, 4, "Lockdown Locked locked:"); // Not offered.
    }

    [Fact]
    public void Fire_frees_the_door_in_every_mode_and_it_locks_only_after_reset_and_confirmation()
    {
        var door = new Probe();
        door.Do(_lockdown, 0, "Lockdown Locked locked:");
        door.Do(_fire, 1, "FireRelease Released free: ReleaseNow");
        door.Do(_opened, 2, "FireRelease Open free: UnbadgedPassage 1");
        door.Do(_closed, 3, "FireRelease Released free:");
        door.Do(_opened, 4, "FireRelease Open free: UnbadgedPassage 2");
        door.Do(_closed, 5, "FireRelease Released free:");
        door.Do(_confirmed, 6, "FireRelease Released free:"); // The panel still calls.
        door.Do(new DoorEvent.Signalled(EmergencySignal.Fire, null), 7, "FireRelease Released free:");
        door.Do(_confirmed, 8, "FireRelease Released free:"); // A cut wire is no reset.
        door.Do(_fireReset, 9, "FireRelease Released free:");
        door.Do(_tick, 9_000, "FireRelease Released free:");
        door.Do(_confirmed, 9_001, "Lockdown Locked locked: LockNow");
    }

    [Theory]
    [InlineData(LockType.FailSafeStrike, "FireRelease", "SeismicRelease")]
    [InlineData(LockType.Magnet, "FireRelease", "SeismicRelease")]
    [InlineData(LockType.FailSecureStrike, "withheld", "withheld")]
    [InlineData(LockType.Latching, "withheld", "SeismicRelease")]
    [InlineData(LockType.Motor, "withheld", "SeismicRelease")]
    public void The_type_of_the_lock_says_what_fire_and_shaking_may_do(LockType type, string fire, string shaking)
    {
        Assert.Equal(fire, After(type, _fire));
        Assert.Equal(shaking, After(type, _shaking));
        Assert.Equal("withheld", After(type, _lockdown, _shaking)); // It would open the room from the corridor.
        Assert.Equal("withheld", After(type, _shaking, _lockdown));
        Assert.Equal("withheld", After(type, _shaking, _blocked));
        Assert.Equal("Normal", After(type, _shaking, _lockdown, new DoorEvent.LockdownOrdered(false), new DoorEvent.Signalled(EmergencySignal.Seismic, false), _confirmed));
        Assert.Equal(fire, After(type, new DoorEvent.Signalled(EmergencySignal.BreakGlass, true)));
    }

    [Theory]
    [InlineData(LockType.Latching, 0.5)]
    [InlineData(LockType.Motor, 2)]
    public void A_lock_that_is_driven_by_pulses_gets_one_for_each_move_and_one_more_for_who_asks_again(LockType type, double pulse)
    {
        var door = new Probe(type);
        door.Do(_tick, 10, "Normal Locked locked: CoilOff"); // The pulse of the start.
        door.Do(_in, 11, "Normal Released free: ReleaseNow");
        Assert.Equal(LockCoil.Release, door.Status.Coil);
        door.Do(_tick, 11 + pulse, "Normal Released free: CoilOff");
        door.Do(_button, 14, "Normal Released free: ReleaseNow");
        door.Do(_opened, 14.25, "Normal Open locked: LockNow, Passage, Passage");
        Assert.Equal(LockCoil.Lock, door.Status.Coil);
        door.Do(_tick, 14.25 + pulse, "Normal Open locked: CoilOff");
        Assert.Equal(LockCoil.Off, door.Status.Coil);
    }

    [Fact]
    public void Who_asks_to_leave_again_and_sees_no_opening_is_looked_for_and_so_is_who_is_known_to_be_inside()
    {
        var door = new Probe();
        door.Do(_button, 0, "Normal Released free: ReleaseNow");
        door.Do(new DoorEvent.ExitReleased(), 1, "Normal Released free:");
        door.Do(_tick, 10, "Normal Locked locked: LockNow"); // Once, and nobody is known to be inside: another way was taken.
        door.Do(_button, 20, "Normal Released free: NoPassage, ReleaseNow");
        door.Do(new DoorEvent.ExitReleased(), 21, "Normal Released free:");
        door.Do(_button, 22, "Normal Released free: ReleaseNow"); // EGRESS: the first may have been lost on its way to the lock.
        door.Do(_tick, 30, "Normal Locked locked: LockNow, ConfinementSuspected");
        door.Do(_opened, 31, "Normal Open locked: NoPassage, ConfinementCleared, Passage");
        door.Do(_closed, 32, "Normal Locked locked:");
        door.Do(new DoorEvent.ExitReleased(), 33, "Normal Locked locked:");
        door.Do(new DoorEvent.ExitPressed(Occupied: true), 40, "Normal Released free: ReleaseNow");
        door.Do(_tick, 50, "Normal Locked locked: LockNow, ConfinementSuspected");
    }

    [Fact]
    public void Shut_and_not_held_is_ajar_and_a_bolt_that_does_not_obey_is_a_fault()
    {
        var door = new Probe();
        door.Do(new DoorEvent.BoltSeen(true), 0, "Normal Locked locked:");
        door.Do(_in, 1, "Normal Released free: ReleaseNow");
        door.Do(_tick, 4, "Normal Released free: LockDisagrees"); // Free for 3 s, and the bolt is still there.
        door.Do(new DoorEvent.BoltSeen(false), 4.5, "Normal Released free: LockAgrees");
        door.Do(_opened, 5, "Normal Open locked: LockNow, Passage");
        door.Do(_closed, 6, "Normal Locked locked:");
        door.Do(_tick, 9, "Normal Locked locked: Ajar");
        door.Do(new DoorEvent.BoltSeen(null), 10, "Normal Locked locked:");
        door.Do(new DoorEvent.BoltSeen(true), 11, "Normal Locked locked: AjarCleared");
        door.Do(new DoorEvent.BoltSeen(false), 12, "Normal Locked locked:");
        door.Do(_tick, 15, "Normal Locked locked: LockDisagrees"); // It held, and without an order it does no more.
    }

    private static string After(LockType type, params DoorEvent[] events)
    {
        var door = DoorStatus.Start with { Lock = type };
        foreach (var it in events) door = DoorMachine.Step(door, it, _times, Seconds(1)).Status;
        Assert.Equal(door.Mode is DoorMode.FireRelease or DoorMode.SeismicRelease, door.LockReleased);
        return door.Withheld ? "withheld" : door.Mode.ToString();
    }

    private static TimeSpan Seconds(double value) => TimeSpan.FromSeconds(value);

    /// <summary>A door whose leaf was seen shut.</summary>
    private sealed class Probe
    {
        public Probe(LockType type = LockType.FailSafeStrike)
        {
            Status = DoorMachine.Step(DoorStatus.Start with { Lock = type }, new DoorEvent.Started(), _times, default).Status;
            Status = DoorMachine.Step(Status, _closed, _times, default).Status;
        }

        public DoorStatus Status { get; private set; }

        public void Do(DoorEvent what, double at, string expected)
        {
            var (next, notices) = DoorMachine.Step(Status, what, _times, Seconds(at));
            Status = next;
            var said = notices.Select(it => it is DoorNotice.UnbadgedPassage free ? $"UnbadgedPassage {free.Count}" : it.GetType().Name);
            Assert.Equal(expected, $"{next.Mode} {next.Phase} {(next.LockReleased ? "free" : "locked")}: {string.Join(", ", said)}".TrimEnd());
        }
    }
}
