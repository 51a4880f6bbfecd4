using System.Buffers.Binary;
using System.Device.I2c;

namespace PhysSec.Hardware;

/// <summary>
/// Texas Instruments ADS1115 on I2C: four inputs against ground, 16 bits, ±4.096 V, one conversion at a time (SBAS444). The chip has no check value, so its
/// configuration is read back before a conversion is believed: another chip at the address, or a bit that fell over on the bus, is no voltage.
/// </summary>
public sealed class Ads1115 : Sensor
{
    public const double FullScaleVolts = 4.096;

    private const byte Conversion = 0x00;
    private const byte Configuration = 0x01;
    private const ushort Start = 0x8000; // Written: begin. Read: no conversion is going on.
    private const ushort SingleShot = 0x4000 | 0x0200 | 0x0100 | 0x0080 | 0x0003; // Against ground, ±4.096 V, single shot, 128 a second, no comparator.
    private const int ChannelShift = 12;
    private const int LooksMax = 10;
    private const double GroundVolts = -0.02; // A little below zero is the chip's own error; more is a wire on the wrong side.

    /// <summary>1/128 s and the clock's ten per cent.</summary>
    private static readonly TimeSpan _converting = TimeSpan.FromMilliseconds(9);

    private readonly AnalogI2cEntry _entry;
    private readonly I2cDevice _chip;
    private readonly TimeProvider _clock;

    public Ads1115(AnalogI2cEntry entry, I2cDevice chip, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(entry);
        (_entry, _chip, _clock) = (entry, chip, clock);
        Points = [.. entry.Channels.Select(it => new PointInfo(
            $"{entry.Id}.{it.Point}", it.Unit,
            Math.Min(it.Offset, (it.Scale * FullScaleVolts) + it.Offset), Math.Max(it.Offset, (it.Scale * FullScaleVolts) + it.Offset), it.Quantity))];
    }

    public override string Id => _entry.Id;

    public override DeviceRole Role => _entry.Role;

    public override IReadOnlyList<PointInfo> Points { get; }

    public override TimeSpan Period => _entry.Period;

    /// <summary>value = volts at the input × scale + offset.</summary>
    public override IReadOnlyList<PointReading> Sample() => [.. _entry.Channels.Select((it, i) => Read(it, Points[i]))];

    protected override void Dispose(bool disposing)
    {
        if (disposing) _chip.Dispose();
    }

    private PointReading Read(AdcChannel channel, PointInfo point)
    {
        try
        {
            var (volts, fault) = Convert((ushort)(SingleShot | channel.Channel << ChannelShift));
            if (fault == SensorFault.None && volts is < GroundVolts or >= FullScaleVolts) fault = SensorFault.OutOfRange;
            return fault == SensorFault.None ? InRange(point, (Math.Max(0, volts) * channel.Scale) + channel.Offset) : new(point.Id, null, fault);
        }
        catch (IOException failure)
        {
            return new(point.Id, null, I2cFault.Of(failure));
        }
    }

    private (double Volts, SensorFault Fault) Convert(ushort configuration)
    {
        Span<byte> order = stackalloc byte[3];
        order[0] = Configuration;
        BinaryPrimitives.WriteUInt16BigEndian(order[1..], (ushort)(configuration | Start));
        _chip.Write(order);
        for (var look = 0; look < LooksMax; look++)
        {
            Task.Delay(_converting, _clock).Wait();
            var state = Register(Configuration);
            if ((state & ~Start) != configuration) return (0, SensorFault.Protocol);
            if ((state & Start) == 0) continue;

            var raw = unchecked((short)Register(Conversion));
            return raw == short.MaxValue ? (0, SensorFault.OutOfRange) : (raw * FullScaleVolts / 32_768, SensorFault.None); // The last step means "that or more".
        }

        return (0, SensorFault.Timeout);
    }

    private ushort Register(byte register)
    {
        Span<byte> answer = stackalloc byte[2];
        _chip.WriteRead([register], answer);
        return BinaryPrimitives.ReadUInt16BigEndian(answer);
    }
}
