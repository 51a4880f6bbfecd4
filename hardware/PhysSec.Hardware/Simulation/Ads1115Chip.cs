using System.Buffers.Binary;

namespace PhysSec.Hardware.Simulation;

/// <summary>An ADS1115 by its registers: pointer, conversion, configuration; single conversions that take their time. Time is an argument.</summary>
public sealed class Ads1115Chip
{
    private const ushort Ready = 0x8000;
    private const ushort PowerOn = 0x0583; // What the configuration is after power-on, without the ready bit.
    private static readonly double[] _ranges = [6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256];
    private static readonly int[] _rates = [8, 16, 32, 64, 128, 250, 475, 860];

    private byte _pointer;
    private ushort _configuration = PowerOn;
    private short _conversion;
    private TimeSpan? _readyAt;
    private double _sampled;

    public ChipFault Fault { get; set; }

    /// <summary>A write transfer; false = not acknowledged.</summary>
    /// <param name="data">The bytes after the address.</param>
    /// <param name="volts">At each of the four inputs.</param>
    /// <param name="uptime">Monotonic time.</param>
    public bool Write(ReadOnlySpan<byte> data, IReadOnlyList<double> volts, TimeSpan uptime)
    {
        ArgumentNullException.ThrowIfNull(volts);
        if (Fault == ChipFault.Absent) return false;
        if (data.IsEmpty) return true;

        Finish(uptime);
        _pointer = (byte)(data[0] & 3);
        if (_pointer != 1 || data.Length < 3) return true;

        var written = BinaryPrimitives.ReadUInt16BigEndian(data[1..]);
        _configuration = (ushort)(written & ~Ready);
        if ((written & Ready) == 0) return true;

        _sampled = Difference(volts, _configuration >> 12 & 7);
        _readyAt = uptime + TimeSpan.FromSeconds(1.0 / _rates[_configuration >> 5 & 7]);
        return true;
    }

    /// <summary>A read transfer; false = not acknowledged.</summary>
    public bool Read(Span<byte> buffer, TimeSpan uptime)
    {
        if (Fault == ChipFault.Absent) return false;
        Finish(uptime);
        var value = _pointer switch
        {
            0 => unchecked((ushort)_conversion),
            1 => (ushort)(_configuration | (_readyAt is null ? Ready : 0)),
            _ => (ushort)(_pointer == 2 ? 0x8000 : 0x7FFF), // The comparator's thresholds after power-on.
        };
        if (Fault == ChipFault.Crc) value ^= 0x0010; // It has no check value; this is a bit that falls over on the bus.
        buffer.Fill(0xFF);
        if (buffer.Length > 0) buffer[0] = (byte)(value >> 8);
        if (buffer.Length > 1) buffer[1] = (byte)(value & 0xFF);
        return true;
    }

    private void Finish(TimeSpan uptime)
    {
        if (_readyAt is not { } at || uptime < at) return;
        _readyAt = null;
        if (Fault == ChipFault.Stuck) return;
        var raw = Math.Round(_sampled / _ranges[_configuration >> 9 & 7] * 32_768);
        _conversion = (short)Math.Clamp(raw, short.MinValue, short.MaxValue);
    }

    private static double Difference(IReadOnlyList<double> volts, int mux) => mux switch
    {
        0 => volts[0] - volts[1],
        1 => volts[0] - volts[3],
        2 => volts[1] - volts[3],
        3 => volts[2] - volts[3],
        _ => volts[mux - 4],
    };
}
