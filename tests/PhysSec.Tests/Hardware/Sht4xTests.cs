using System.Device.I2c;
using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;

namespace PhysSec.Tests.Hardware;

public sealed class Sht4xTests
{
    private static readonly I2cEntry _entry = new("room", "sht4x", DeviceRole.Environment, 1, 0x44, TimeSpan.FromSeconds(1));

    [Fact]
    public void The_check_value_of_the_data_sheet_is_met() => Assert.Equal(0x92, Sht4x.Crc8([0xBE, 0xEF]));

    [Theory]
    [InlineData(0x0000, -45.0)]
    [InlineData(0xFFFF, 130.0)]
    [InlineData(0x6666, 25.0)] // 26214 / 65535 × 175 − 45
    public void Temperature_follows_the_formula_of_the_data_sheet(int raw, double celsius)
    {
        var (read, _, fault) = Sht4x.Parse(Answer(raw, 0x8000));
        Assert.Equal(SensorFault.None, fault);
        Assert.Equal(celsius, read, 1e-9);
    }

    [Theory]
    [InlineData(0x0000, 0.0)] // −6 cropped
    [InlineData(0xFFFF, 100.0)] // 119 cropped
    [InlineData(0x72B0, 50.0)]
    public void Humidity_follows_the_formula_and_is_cropped(int raw, double relative) =>
        Assert.Equal(relative, Sht4x.Parse(Answer(0x6666, raw)).RelativeHumidity, 0.001);

    [Fact]
    public void Each_flipped_bit_of_an_answer_is_a_bad_checksum()
    {
        var good = Answer(0x6666, 0x72B0);
        for (var bit = 0; bit < 48; bit++)
        {
            var bad = good.ToArray();
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(SensorFault.BadChecksum, Sht4x.Parse(bad).Fault);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(7)]
    public void An_answer_of_another_length_is_no_answer(int length) =>
        Assert.Equal(SensorFault.Protocol, Sht4x.Parse(new byte[length]).Fault);

    [Fact]
    public void The_driver_reads_the_chip_within_its_noise()
    {
        using var device = new ChipDevice(celsius: 24.5, relative: 45);
        using var sensor = new Sht4x(_entry, device, device.Clock);

        var readings = sensor.Sample();

        Assert.Equal(["room.temperature", "room.humidity"], readings.Select(it => it.Point));
        Assert.All(readings, it => Assert.Equal(SensorFault.None, it.Fault));
        Assert.Equal(24.5, readings[0].Value!.Value, 0.05);
        Assert.Equal(45, readings[1].Value!.Value, 0.1);
    }

    [Theory]
    [InlineData(ChipFault.Absent, SensorFault.Absent)]
    [InlineData(ChipFault.Crc, SensorFault.BadChecksum)]
    public void A_fault_of_the_chip_is_the_fault_of_both_points_and_never_a_value(ChipFault chip, SensorFault expected)
    {
        using var device = new ChipDevice(24.5, 45) { Chip = { Fault = chip } };
        using var sensor = new Sht4x(_entry, device, device.Clock);

        Assert.All(sensor.Sample(), it => Assert.Equal((null, expected), (it.Value, it.Fault)));
    }

    [Theory]
    [InlineData(-44, SensorFault.OutOfRange)]
    [InlineData(-40, SensorFault.None)]
    [InlineData(125, SensorFault.None)]
    [InlineData(129, SensorFault.OutOfRange)]
    public void What_the_chip_cannot_measure_is_out_of_range(double celsius, SensorFault expected)
    {
        using var device = new ChipDevice(celsius + (celsius < 0 ? 0.05 : -0.05), 45);
        using var sensor = new Sht4x(_entry, device, device.Clock);

        Assert.Equal(expected, sensor.Sample()[0].Fault);
    }

    [Theory]
    [InlineData("Error 6 (No such device or address) performing I2C data transfer.", SensorFault.Absent)]
    [InlineData("Error 110 (Connection timed out) performing I2C data transfer.", SensorFault.Absent)]
    [InlineData("Error 121 (Remote I/O error) performing I2C data transfer.", SensorFault.Absent)]
    [InlineData("Error 5 (Input/output error) performing I2C data transfer.", SensorFault.Unreachable)]
    [InlineData("Error 19 (The simulated room is gone).", SensorFault.Unreachable)]
    [InlineData("Can not open I2C device file '/dev/i2c-1'.", SensorFault.Unreachable)]
    [InlineData("Error ", SensorFault.Unreachable)]
    public void Absent_has_another_number_on_each_adapter(string message, SensorFault expected) =>
        Assert.Equal(expected, I2cFault.Of(new IOException(message)));

    [Fact]
    public void A_stuck_chip_repeats_itself_and_a_healthy_one_does_not()
    {
        using var device = new ChipDevice(24.5, 45);
        using var sensor = new Sht4x(_entry, device, device.Clock);
        Assert.NotEqual(1, Enumerable.Range(0, 20).Select(_ => sensor.Sample()[0].Value).Distinct().Count());

        device.Chip.Fault = ChipFault.Stuck;

        Assert.Single(Enumerable.Range(0, 20).Select(_ => sensor.Sample()[0].Value).Distinct());
    }

    [Fact]
    public void The_chip_does_not_acknowledge_while_it_measures_and_answers_once()
    {
        var chip = new Sht4xChip(1, 1);
        var answer = new byte[6];
        Assert.False(chip.Read(answer, Ms(0))); // Nothing was asked.
        Assert.True(chip.Write([0xFD], 20, 50, Ms(0)));
        Assert.False(chip.Read(answer, Ms(8.2)));
        Assert.False(chip.Write([0xFD], 20, 50, Ms(8.2)));
        Assert.True(chip.Read(answer, Ms(8.3)));
        Assert.False(chip.Read(answer, Ms(9)));
    }

    [Fact]
    public void The_chip_tells_its_serial_number_and_forgets_a_measurement_at_soft_reset()
    {
        var chip = new Sht4xChip(0x1234_5678, 1);
        var answer = new byte[6];
        Assert.True(chip.Write([0x89], 20, 50, Ms(0)));
        Assert.True(chip.Read(answer, Ms(0)));
        Assert.Equal([0x12, 0x34, Sht4x.Crc8([0x12, 0x34]), 0x56, 0x78, Sht4x.Crc8([0x56, 0x78])], answer);

        Assert.True(chip.Write([0xFD], 20, 50, Ms(1)));
        Assert.True(chip.Write([0x94], 20, 50, Ms(20)));
        Assert.False(chip.Read(answer, Ms(21)));
    }

    private static TimeSpan Ms(double ms) => TimeSpan.FromMilliseconds(ms);

    private static byte[] Answer(int temperature, int humidity)
    {
        byte[] t = [(byte)(temperature >> 8), (byte)(temperature & 0xFF)];
        byte[] rh = [(byte)(humidity >> 8), (byte)(humidity & 0xFF)];
        return [.. t, Sht4x.Crc8(t), .. rh, Sht4x.Crc8(rh)];
    }

    /// <summary>The register-level chip behind the framework's own device type, on a clock that jumps over waits.</summary>
    private sealed class ChipDevice(double celsius, double relative) : I2cDevice
    {
        public Sht4xChip Chip { get; } = new(1, 1);

        public JumpingClock Clock { get; } = new();

        public override I2cConnectionSettings ConnectionSettings { get; } = new(1, 0x44);

        public override void Read(Span<byte> buffer)
        {
            if (!Chip.Read(buffer, Uptime)) throw I2cFault.Exception(121, "Remote I/O error");
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (!Chip.Write(buffer, celsius, relative, Uptime)) throw I2cFault.Exception(121, "Remote I/O error");
        }

        public override void WriteRead(ReadOnlySpan<byte> writeBuffer, Span<byte> readBuffer)
        {
            Write(writeBuffer);
            Read(readBuffer);
        }

        private TimeSpan Uptime => Clock.GetElapsedTime(0);
    }
}
