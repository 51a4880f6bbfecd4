namespace PhysSec.Hardware.Simulation;

/// <summary>What is wrong with a simulated chip.</summary>
public enum ChipFault
{
    None,

    /// <summary>Nothing acknowledges the address.</summary>
    Absent,

    /// <summary>Check values are wrong.</summary>
    Crc,

    /// <summary>The same measurement for ever.</summary>
    Stuck,
}

/// <summary>
/// An SHT4x by its registers: commands 0xFD, 0xF6, 0xE0 (measure), 0x89 (serial number), 0x94 (soft reset); measuring
/// time; no acknowledge while it is busy, empty or absent. Time is an argument.
/// </summary>
public sealed class Sht4xChip(uint serial, int seed)
{
    private uint _noise = unchecked((uint)seed * 2_654_435_761u) | 1;
    private byte[]? _answer;
    private TimeSpan _readyAt;
    private (ushort T, ushort Rh)? _frozen;

    public ChipFault Fault { get; set; }

    /// <summary>A write transfer; false = not acknowledged.</summary>
    /// <param name="data">The bytes after the address; none for a probe.</param>
    /// <param name="celsius">Temperature of the air around the chip.</param>
    /// <param name="relativeHumidity">0 to 100.</param>
    /// <param name="uptime">Monotonic time.</param>
    public bool Write(ReadOnlySpan<byte> data, double celsius, double relativeHumidity, TimeSpan uptime)
    {
        if (Fault == ChipFault.Absent || (_answer is not null && uptime < _readyAt)) return false;
        if (data.IsEmpty) return true;

        (_answer, _readyAt) = data[0] switch
        {
            0xFD => (Measure(celsius, relativeHumidity), uptime + TimeSpan.FromMilliseconds(8.3)),
            0xF6 => (Measure(celsius, relativeHumidity), uptime + TimeSpan.FromMilliseconds(4.5)),
            0xE0 => (Measure(celsius, relativeHumidity), uptime + TimeSpan.FromMilliseconds(1.6)),
            0x89 => (Words((ushort)(serial >> 16), (ushort)(serial & 0xFFFF)), uptime),
            _ => (null, uptime), // 0x94 (reset) and unknown commands leave nothing to read.
        };
        return true;
    }

    /// <summary>A read transfer; false = not acknowledged.</summary>
    public bool Read(Span<byte> buffer, TimeSpan uptime)
    {
        if (Fault == ChipFault.Absent || _answer is null || uptime < _readyAt) return false;

        buffer.Fill(0xFF); // Past its answer the chip leaves the bus high.
        _answer.AsSpan(0, Math.Min(_answer.Length, buffer.Length)).CopyTo(buffer);
        _answer = null;
        return true;
    }

    private byte[] Measure(double celsius, double relativeHumidity)
    {
        var measured = (
            Raw((celsius + Noise(0.02) + 45) / 175),
            Raw((relativeHumidity + Noise(0.05) + 6) / 125));
        _frozen = Fault == ChipFault.Stuck ? _frozen ?? measured : measured;
        return Words(_frozen.Value.T, _frozen.Value.Rh);
    }

    private byte[] Words(ushort first, ushort second)
    {
        byte[] bytes = [(byte)(first >> 8), (byte)(first & 0xFF), 0, (byte)(second >> 8), (byte)(second & 0xFF), 0];
        var spoilt = Fault == ChipFault.Crc ? 0x01 : 0x00;
        bytes[2] = (byte)(Sht4x.Crc8(bytes.AsSpan(0, 2)) ^ spoilt);
        bytes[5] = (byte)(Sht4x.Crc8(bytes.AsSpan(3, 2)) ^ spoilt);
        return bytes;
    }

    private static ushort Raw(double ratio) => (ushort)Math.Round(Math.Clamp(ratio, 0, 1) * 65_535);

    /// <summary>Even noise of ± the amplitude: a real chip never gives the same word for ever.</summary>
    private double Noise(double amplitude)
    {
        _noise ^= _noise << 13;
        _noise ^= _noise >> 17;
        _noise ^= _noise << 5;
        return amplitude * ((2.0 * _noise / uint.MaxValue) - 1);
    }
}
