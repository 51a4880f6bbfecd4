using System.Device.Spi;
using Iot.Device.Adc;

namespace PhysSec.Hardware.IotBindings;

/// <summary>
/// Microchip MCP3008, eight channels of ten bits: value = ratio × scale + offset. SPI has no acknowledge: an absent chip
/// reads as all ones or all zeros, so a channel whose wiring can never reach its rails should be given sensing limits.
/// </summary>
public sealed class Mcp3008Sensor : Sensor
{
    private const int FullScale = 1_023;

    private readonly AdcEntry _entry;
    private readonly Mcp3008 _chip;

    public Mcp3008Sensor(AdcEntry entry, SpiDevice device)
    {
        ArgumentNullException.ThrowIfNull(entry);
        _entry = entry;
        _chip = new Mcp3008(device);
        Points = [.. entry.Channels.Select(it => new PointInfo(
            $"{entry.Id}.{it.Point}", it.Unit,
            Math.Min(it.Offset, it.Scale + it.Offset), Math.Max(it.Offset, it.Scale + it.Offset), it.Quantity))];
    }

    public override string Id => _entry.Id;

    public override DeviceRole Role => _entry.Role;

    public override IReadOnlyList<PointInfo> Points { get; }

    public override TimeSpan Period => _entry.Period;

    public override IReadOnlyList<PointReading> Sample() =>
        [.. _entry.Channels.Select((it, i) => Read(it, Points[i]))];

    protected override void Dispose(bool disposing)
    {
        if (disposing) _chip.Dispose();
    }

    private PointReading Read(AdcChannel channel, PointInfo point)
    {
        try
        {
            var ratio = (double)_chip.Read(channel.Channel) / FullScale;
            return InRange(point, (ratio * channel.Scale) + channel.Offset);
        }
        catch (InvalidOperationException)
        {
            return new(point.Id, null, SensorFault.Protocol); // The answer's null bit is not null: no chip, or a bad wire.
        }
        catch (IOException)
        {
            return new(point.Id, null, SensorFault.Unreachable);
        }
    }
}
