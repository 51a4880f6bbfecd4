using System.Buffers.Binary;
using System.Device.I2c;

namespace PhysSec.Hardware;

/// <summary>How many conversions a second: more of them are less quiet.</summary>
internal enum ConversionRate
{
    PerSecond128 = 4,
    PerSecond475 = 6,
}

/// <summary>
/// One Texas Instruments ADS1115 on its bus (SBAS444): four inputs against ground, 16 bits, ±4.096 V, one conversion at a time. The chip has no check value, so
/// its configuration is read back before a conversion is believed: another chip at the address, or a bit that fell over on the bus, is no voltage. It owns the
/// device and is not for two threads.
/// </summary>
internal sealed class AnalogConverter(I2cDevice chip, ConversionRate rate, TimeProvider clock) : IDisposable
{
    public const double FullScaleVolts = 4.096;

    private const byte Conversion = 0x00;
    private const byte Configuration = 0x01;
    private const ushort Start = 0x8000; // Written: begin. Read: no conversion is going on.
    private const ushort SingleShot = 0x4000 | 0x0200 | 0x0100 | 0x0003; // Against ground, ±4.096 V, single shot, no comparator.
    private const int ChannelShift = 12;
    private const int RateShift = 5;
    private const int LooksMax = 10;

    /// <summary>The conversion and the chip's clock's ten per cent.</summary>
    private readonly TimeSpan _converting = TimeSpan.FromMilliseconds(rate == ConversionRate.PerSecond128 ? 9 : 3);

    /// <summary>Volts at an input, or why there are none. At the end of its range: <see cref="SensorFault.OutOfRange"/>.</summary>
    public (double Volts, SensorFault Fault) Read(int channel)
    {
        try
        {
            return Convert((ushort)(SingleShot | channel << ChannelShift | (int)rate << RateShift));
        }
        catch (IOException failure)
        {
            return (0, I2cFault.Of(failure));
        }
    }

    public void Dispose() => chip.Dispose();

    private (double Volts, SensorFault Fault) Convert(ushort configuration)
    {
        Span<byte> order = stackalloc byte[3];
        order[0] = Configuration;
        BinaryPrimitives.WriteUInt16BigEndian(order[1..], (ushort)(configuration | Start));
        chip.Write(order);
        for (var look = 0; look < LooksMax; look++)
        {
            Task.Delay(_converting, clock).Wait();
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
        chip.WriteRead([register], answer);
        return BinaryPrimitives.ReadUInt16BigEndian(answer);
    }
}
