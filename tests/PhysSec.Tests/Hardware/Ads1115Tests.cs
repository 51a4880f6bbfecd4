using System.Device.I2c;
using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;

namespace PhysSec.Tests.Hardware;

public sealed class Ads1115Tests
{
    private static readonly AnalogI2cEntry _entry = new(
        "supply", DeviceRole.Environment, 1, 0x48,
        [new("battery", 0, "V", "voltage", 5.7, 0), new("current", 3, "A", "current", 2, -1)], TimeSpan.FromSeconds(1));

    [Fact]
    public void Each_channel_is_its_own_input_scaled_to_its_unit()
    {
        using var device = new ChipDevice(2.2, 0, 0, 0.75);
        using var sensor = new Ads1115(_entry, device, device.Clock);

        var readings = sensor.Sample();

        Assert.Equal(["supply.battery", "supply.current"], readings.Select(it => it.Point));
        Assert.Equal(12.54, readings[0].Value!.Value, 0.001); // 2.2 V × 5.7
        Assert.Equal(0.5, readings[1].Value!.Value, 0.001); // 0.75 V × 2 − 1
    }

    [Theory]
    [InlineData(0.0, 0.0)]
    [InlineData(-0.01, 0.0)] // The chip's own error around ground.
    [InlineData(3.3, 18.81)]
    public void What_the_chip_can_measure_is_a_value(double volts, double value)
    {
        using var device = new ChipDevice(volts, 0, 0, 1);
        using var sensor = new Ads1115(_entry, device, device.Clock);

        Assert.Equal(value, sensor.Sample()[0].Value!.Value, 0.001);
    }

    [Theory]
    [InlineData(4.2)]
    [InlineData(100.0)]
    [InlineData(-0.3)]
    public void Beyond_its_range_or_below_ground_is_no_value(double volts)
    {
        using var device = new ChipDevice(volts, 0, 0, 1);
        using var sensor = new Ads1115(_entry, device, device.Clock);

        Assert.Equal((null, SensorFault.OutOfRange), (sensor.Sample()[0].Value, sensor.Sample()[0].Fault));
        Assert.Equal(SensorFault.None, sensor.Sample()[1].Fault); // One bad input takes no other with it.
    }

    [Theory]
    [InlineData(ChipFault.Absent, SensorFault.Absent)]
    [InlineData(ChipFault.Crc, SensorFault.Protocol)]
    public void A_fault_of_the_chip_is_the_fault_of_its_points_and_never_a_value(ChipFault chip, SensorFault expected)
    {
        using var device = new ChipDevice(2, 2, 2, 2) { Chip = { Fault = chip } };
        using var sensor = new Ads1115(_entry, device, device.Clock);

        Assert.All(sensor.Sample(), it => Assert.Equal((null, expected), (it.Value, it.Fault)));
    }

    [Fact]
    public void A_bus_that_breaks_between_order_and_answer_is_a_fault()
    {
        using var device = new ChipDevice(2, 2, 2, 2) { WritesLeft = 1 };
        using var sensor = new Ads1115(_entry, device, device.Clock);

        Assert.All(sensor.Sample(), it => Assert.Equal((null, SensorFault.Absent), (it.Value, it.Fault)));
    }

    [Fact]
    public void A_chip_that_never_finishes_is_given_up_on_in_time()
    {
        using var device = new ChipDevice(2, 2, 2, 2) { Stopped = true };
        using var sensor = new Ads1115(_entry, device, device.Clock);
        var begin = device.Clock.GetTimestamp();

        Assert.All(sensor.Sample(), it => Assert.Equal((null, SensorFault.Timeout), (it.Value, it.Fault)));
        Assert.InRange(device.Clock.GetElapsedTime(begin), TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void The_chip_takes_its_time_and_tells_when_it_is_ready()
    {
        var chip = new Ads1115Chip();
        var answer = new byte[2];
        Assert.True(chip.Write([1, 0xC3, 0x83], [1, 0, 0, 0], Ms(0)));
        Assert.True(chip.Read(answer, Ms(7)));
        Assert.Equal([0x43, 0x83], answer);
        Assert.True(chip.Read(answer, Ms(8)));
        Assert.Equal([0xC3, 0x83], answer);
        Assert.True(chip.Write([0], [1, 0, 0, 0], Ms(8)));
        Assert.True(chip.Read(answer, Ms(8)));
        Assert.Equal(8_000, answer[0] << 8 | answer[1]); // 1 V of 4.096 V.
    }

    [Fact]
    public async Task The_simulated_room_s_supply_is_measured_through_the_shipped_driver()
    {
        var board = BoardFile.Parse(
            """{"hardware":{"kind":"simulated","socket":"?"},"devices":[{"id":"supply","type":"ads1115","role":"environment","address":"0x48","channels":[{"point":"battery","channel":1,"unit":"V","quantity":"voltage","scale":5.7}]}]}""", "room");
        await using var room = new RunningRoom(board.Devices);
        using var open = Board.Open(room.BoardFile with { Devices = board.Devices }, TimeProvider.System);
        await room.SayAsync("battery 11.2");

        var charged = open.Sensors[0].Sample()[0].Value!.Value;
        await room.SayAsync("mains off");
        var alone = open.Sensors[0].Sample()[0].Value!.Value;

        Assert.Equal((13.8, 11.2), (Math.Round(charged, 2), Math.Round(alone, 2)));
        Assert.StartsWith("error", await room.SayAsync("battery high"), StringComparison.Ordinal);
    }

    private static TimeSpan Ms(double ms) => TimeSpan.FromMilliseconds(ms);

    private sealed class ChipDevice(params double[] volts) : I2cDevice
    {
        public Ads1115Chip Chip { get; } = new();

        public JumpingClock Clock { get; } = new();

        public int WritesLeft { get; set; } = int.MaxValue;

        public bool Stopped { get; init; }

        public override I2cConnectionSettings ConnectionSettings { get; } = new(1, 0x48);

        private TimeSpan Uptime => Stopped ? TimeSpan.Zero : Clock.GetElapsedTime(0);

        public override void Read(Span<byte> buffer)
        {
            if (!Chip.Read(buffer, Uptime)) throw I2cFault.Exception(121, "Remote I/O error");
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (WritesLeft-- <= 0 || !Chip.Write(buffer, volts, Uptime)) throw I2cFault.Exception(121, "Remote I/O error");
        }

        public override void WriteRead(ReadOnlySpan<byte> writeBuffer, Span<byte> readBuffer)
        {
            Write(writeBuffer);
            Read(readBuffer);
        }
    }
}
