using System.Buffers.Binary;
using System.Device.I2c;

namespace PhysSec.Hardware;

/// <summary>Sensirion SHT40/41/45 on I2C: temperature and relative humidity, high repeatability.</summary>
public sealed class Sht4x : Sensor
{
    public const byte MeasureHighRepeatability = 0xFD;

    /// <summary>8.3 ms at most by the data sheet; a little more for a busy bus.</summary>
    private static readonly TimeSpan _measuring = TimeSpan.FromMilliseconds(10);

    private readonly I2cEntry _entry;
    private readonly I2cDevice _chip;
    private readonly TimeProvider _clock;
    private readonly PointInfo _temperature;
    private readonly PointInfo _humidity;

    public Sht4x(I2cEntry entry, I2cDevice chip, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(entry);
        (_entry, _chip, _clock) = (entry, chip, clock);
        _temperature = new($"{entry.Id}.temperature", "°C", -40, 125, "temperature");
        _humidity = new($"{entry.Id}.humidity", "%RH", 0, 100, "humidity");
        Points = [_temperature, _humidity];
    }

    public override string Id => _entry.Id;

    public override DeviceRole Role => _entry.Role;

    public override IReadOnlyList<PointInfo> Points { get; }

    public override TimeSpan Period => _entry.Period;

    public override IReadOnlyList<PointReading> Sample()
    {
        Span<byte> answer = stackalloc byte[6];
        try
        {
            _chip.WriteByte(MeasureHighRepeatability);
            Task.Delay(_measuring, _clock).Wait();
            _chip.Read(answer);
        }
        catch (IOException failure)
        {
            return All(I2cFault.Of(failure));
        }

        var (celsius, relative, fault) = Parse(answer);
        return fault == SensorFault.None
            ? [InRange(_temperature, celsius), InRange(_humidity, relative)]
            : All(fault);
    }

    /// <summary>The chip's six bytes: temperature, its CRC, humidity, its CRC. °C and %RH, humidity cropped to 0 to 100.</summary>
    public static (double Celsius, double RelativeHumidity, SensorFault Fault) Parse(ReadOnlySpan<byte> answer)
    {
        if (answer.Length != 6) return (0, 0, SensorFault.Protocol);
        if (Crc8(answer[..2]) != answer[2] || Crc8(answer[3..5]) != answer[5]) return (0, 0, SensorFault.BadChecksum);

        var celsius = -45 + (175.0 * BinaryPrimitives.ReadUInt16BigEndian(answer) / 65_535);
        var relative = -6 + (125.0 * BinaryPrimitives.ReadUInt16BigEndian(answer[3..]) / 65_535);
        return (celsius, Math.Clamp(relative, 0, 100), SensorFault.None); // The data sheet asks for the cropping.
    }

    /// <summary>CRC-8: polynomial 0x31, start 0xFF, not reflected. Of BE EF it is 92.</summary>
    public static byte Crc8(ReadOnlySpan<byte> data)
    {
        var crc = 0xFF;
        foreach (var b in data)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 0x80) != 0 ? (crc << 1 ^ 0x31) & 0xFF : crc << 1 & 0xFF;
        }

        return (byte)crc;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _chip.Dispose();
    }
}
