using CsCheck;
using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;

namespace PhysSec.Tests.Hardware;

public sealed class RoomTests
{
    private static readonly RoomParameters _parameters = new();
    private readonly Room _room = new(_parameters);

    [Fact]
    public void Each_time_that_the_software_releases_the_lock_is_counted_once()
    {
        var door = _parameters.Devices.OfType<OutputEntry>().Single(it => it.Role == DeviceRole.Lock).Id;
        var lamp = _parameters.Devices.OfType<OutputEntry>().First(it => it.Role != DeviceRole.Lock).Id;
        foreach (var (output, on) in new[] { (door, true), (door, true), (lamp, true), (door, false), (door, true) }) _room.SetOutput(output, on);

        Assert.Equal(2, _room.Doors[0].LockReleases);
    }

    [Fact]
    public void Whoever_listens_is_told_of_each_output_that_goes_on_or_off_and_once()
    {
        var told = new List<(string, bool)>();
        _room.Switched += (output, on) => told.Add((output, on));

        foreach (var (output, on) in new[] { ("lamp", false), ("lamp", true), ("lamp", true), ("siren", true), ("lamp", false), ("lamp", false) }) _room.SetOutput(output, on);

        Assert.Equal([("lamp", true), ("siren", true), ("lamp", false)], told);
    }

    [Fact]
    public void With_cooling_the_room_settles_between_the_cooler_s_start_and_full_power()
    {
        _room.Step(4 * 3_600);
        var settled = _room.Temperature;
        _room.Step(3_600);

        Assert.InRange(settled, 23, 25);
        Assert.Equal(settled, _room.Temperature, 0.01);
        Assert.Equal(_room.HeatWatts, _room.CoolingWatts, 400.0); // What is left comes through the walls.
    }

    [Fact]
    public void Without_cooling_the_air_warms_as_heat_over_heat_capacity()
    {
        _room.CoolingOn = false;
        _room.Step(60);

        var walls = _parameters.WallWattsPerKelvin * (_parameters.Ambient - 24);
        Assert.Equal(24 + ((2_000 + walls) * 60 / _parameters.JoulePerKelvin), _room.Temperature, 0.05);
    }

    [Fact]
    public void Lost_mains_stop_the_cooler_and_not_the_machines()
    {
        _room.Mains = false;
        Assert.Equal(0, _room.CoolingWatts);
        _room.Step(600);
        Assert.True(_room.Temperature > 29);

        _room.Mains = true;
        _room.Step(3_600);
        Assert.InRange(_room.Temperature, 23, 25);
    }

    [Fact]
    public void Warming_air_gets_drier_and_water_makes_it_damp()
    {
        _room.CoolingOn = false;
        _room.Step(600);
        Assert.True(_room.Humidity < 40);

        _room.Leak = true;
        _room.Step(4 * 3_600);
        Assert.True(_room.Humidity > 60);
    }

    [Fact]
    public void The_same_day_gives_the_same_room_to_the_last_bit() => Gen.Select(Gen.Int[0, 3], Gen.Int[1, 900]).Array[1, 40].Sample(day =>
    {
        var (one, two) = (new Room(_parameters), new Room(_parameters));
        foreach (var room in (Room[])[one, two])
        {
            foreach (var (what, seconds) in day)
            {
                if (what == 0) room.Mains = !room.Mains;
                if (what == 1) room.CoolingOn = !room.CoolingOn;
                if (what == 2) room.Leak = !room.Leak;
                if (what == 3) room.HeatWatts = 10 * seconds;
                room.Step(seconds);
            }
        }

        return one.Temperature.Equals(two.Temperature) && one.Humidity.Equals(two.Humidity)
            && one.Humidity is > 0 and <= 100 && one.Temperature is > 0 and < 300;
    });

    [Fact]
    public void A_locked_leaf_opens_by_lever_and_by_force_but_not_by_pulling()
    {
        Assert.False(_room.Doors[0].Pull());
        Assert.False(_room.Doors[0].LeafOpen);

        _room.Doors[0].OpenLeaf();
        Assert.True(_room.Doors[0].LeafOpen);
    }

    [Fact]
    public void A_released_leaf_opens_and_a_closed_one_is_held_again()
    {
        _room.SetOutput("door-a.lock", true);
        Assert.True(_room.Doors[0].Pull());
        _room.SetOutput("door-a.lock", false);
        _room.Doors[0].CloseLeaf();

        Assert.False(_room.Doors[0].Pull());
    }

    [Theory] // EGRESS
    [InlineData(FailMode.FailSafe, false, false, false)]
    [InlineData(FailMode.FailSafe, true, false, true)]
    [InlineData(FailMode.FailSafe, false, true, true)] // The button frees it whatever the software says.
    [InlineData(FailMode.FailSafe, true, true, true)]
    [InlineData(FailMode.FailSecure, false, false, false)]
    [InlineData(FailMode.FailSecure, true, false, true)]
    [InlineData(FailMode.FailSecure, false, true, false)] // Cutting the power of such a lock frees nobody: the lever does.
    [InlineData(FailMode.FailSecure, true, true, false)]
    public void The_exit_button_cuts_the_lock_s_power(FailMode mode, bool released, bool pressed, bool free)
    {
        OutputEntry strike = new("door-a.lock", DeviceRole.Lock, "door-a", 24, Level.High, mode);
        var room = new Room(_parameters with { Devices = [strike] });
        room.Doors[0].ExitPressed = pressed;
        room.SetOutput(strike.Id, released);

        Assert.Equal(free, room.Doors[0].LockFree);
    }

    [Theory] // EGRESS
    [InlineData(LockType.FailSafeStrike, true)]
    [InlineData(LockType.FailSecureStrike, false)]
    [InlineData(LockType.Motor, false)]
    public void Fire_panel_and_break_glass_free_only_what_is_free_without_power(LockType type, bool free)
    {
        OutputEntry strike = new("door-a.lock", DeviceRole.Lock, "door-a", 24, Level.High, free ? FailMode.FailSafe : FailMode.FailSecure, type);
        var room = new Room(_parameters with { Devices = [strike] });
        Assert.False(room.Doors[0].LockFree);
        room.Fire = true;
        Assert.Equal(free, room.Doors[0].LockFree);
        (room.Fire, room.Doors[0].GlassBroken) = (false, true);
        Assert.Equal((free, !free), (room.Doors[0].LockFree, room.Doors[0].Secured));
    }

    [Fact]
    public void A_lock_that_is_driven_by_pulses_stays_as_the_last_one_left_it()
    {
        OutputEntry free = new("door-a.lock", DeviceRole.Lock, "door-a", 24, Level.High, FailMode.FailSecure, LockType.Latching);
        OutputEntry locks = new("door-a.relock", DeviceRole.Relock, "door-a", 25, Level.High, null);
        var room = new Room(_parameters with { Devices = [free, locks] });
        room.SetOutput(free.Id, true);
        room.SetOutput(free.Id, false);
        Assert.True(room.Doors[0].LockFree);
        room.SetOutput(locks.Id, true);
        room.SetOutput(locks.Id, false);
        Assert.False(room.Doors[0].LockFree);
    }
}
