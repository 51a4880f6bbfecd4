using System.Device.I2c;

namespace PhysSec.Hardware;

/// <summary>The voltages at an ADS1115, each scaled to what it stands for.</summary>
public sealed class Ads1115 : Sensor
{
    public const double FullScaleVolts = AnalogConverter.FullScaleVolts;

    private const double GroundVolts = -0.02; // A little below zero is the chip's own error; more is a wire on the wrong side.

    private readonly AnalogI2cEntry _entry;
    private readonly AnalogConverter _converter;

    public Ads1115(AnalogI2cEntry entry, I2cDevice chip, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(entry);
        _entry = entry;
        _converter = new AnalogConverter(chip, ConversionRate.PerSecond128, clock);
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
        if (disposing) _converter.Dispose();
    }

    private PointReading Read(AdcChannel channel, PointInfo point)
    {
        var (volts, fault) = _converter.Read(channel.Channel);
        if (fault == SensorFault.None && volts is < GroundVolts or >= FullScaleVolts) fault = SensorFault.OutOfRange;
        return fault == SensorFault.None ? InRange(point, (Math.Max(0, volts) * channel.Scale) + channel.Offset) : new(point.Id, null, fault);
    }
}
