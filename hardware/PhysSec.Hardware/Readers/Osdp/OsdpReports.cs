using System.Buffers.Binary;

namespace PhysSec.Hardware;

/// <summary>Who a reader says it is. Believed only inside a secure channel.</summary>
/// <param name="Vendor">The maker's 24-bit IEEE number, first byte most significant.</param>
/// <param name="Model">The maker's own.</param>
/// <param name="Version">Of the hardware.</param>
/// <param name="Serial">The maker's own.</param>
/// <param name="Firmware">Major, minor and build, one byte each, major most significant.</param>
public readonly record struct OsdpIdentity(int Vendor, byte Model, byte Version, uint Serial, int Firmware)
{
    private const int Length = 12;

    public byte[] Data()
    {
        var data = new byte[Length];
        (data[0], data[1], data[2], data[3], data[4]) = ((byte)(Vendor >> 16), (byte)(Vendor >> 8 & 0xFF), (byte)(Vendor & 0xFF), Model, Version);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(5), Serial);
        (data[9], data[10], data[11]) = ((byte)(Firmware >> 16), (byte)(Firmware >> 8 & 0xFF), (byte)(Firmware & 0xFF));
        return data;
    }

    public static OsdpIdentity? Parse(ReadOnlySpan<byte> data) =>
        data.Length == Length
            ? new(data[0] << 16 | data[1] << 8 | data[2], data[3], data[4], BinaryPrimitives.ReadUInt32LittleEndian(data[5..]), data[9] << 16 | data[10] << 8 | data[11])
            : null;

    /// <summary>The same device: firmware may change, the rest may not.</summary>
    public bool IsSameDevice(OsdpIdentity other) => (Vendor, Model, Serial) == (other.Vendor, other.Model, other.Serial);

    /// <summary>Like "1.2.3".</summary>
    public string FirmwareText => $"{Firmware >> 16}.{Firmware >> 8 & 0xFF}.{Firmware & 0xFF}";

    public override string ToString() => $"{Vendor:X6} model {Model}.{Version} serial {Serial:X8} firmware {FirmwareText}";
}

/// <summary>One line of what a reader says it can do.</summary>
public readonly record struct OsdpCapability(OsdpFunction Function, byte Level, byte Count)
{
    private const int Length = 3;

    public static byte[] Data(IEnumerable<OsdpCapability> all) => [.. all.SelectMany(it => new[] { (byte)it.Function, it.Level, it.Count })];

    /// <summary>Null unless the data is whole entries.</summary>
    public static IReadOnlyList<OsdpCapability>? Parse(ReadOnlySpan<byte> data)
    {
        if (data.Length % Length != 0) return null;
        var all = new List<OsdpCapability>();
        for (; data.Length > 0; data = data[Length..]) all.Add(new((OsdpFunction)data[0], data[1], data[2]));
        return all;
    }
}

/// <summary>The reader's own case and supply.</summary>
public readonly record struct OsdpLocalStatus(bool Tamper, bool PowerFault)
{
    public byte[] Data() => [(byte)(Tamper ? 1 : 0), (byte)(PowerFault ? 1 : 0)];

    /// <summary>Anything but zero is a fault: what is not known is not well.</summary>
    public static OsdpLocalStatus? Parse(ReadOnlySpan<byte> data) => data.Length == 2 ? new(data[0] != 0, data[1] != 0) : null;
}

/// <summary>An input of the reader. A maker's own codes (0x80 and above) are <see cref="Unknown"/>.</summary>
public enum OsdpInput : byte
{
    Inactive = 0,
    Active = 1,
    ShortCircuit = 2,
    OpenCircuit = 3,
    Fault = 4,
    Unknown = 5,
}

/// <summary>The reading head behind the address.</summary>
public enum OsdpReaderHead : byte
{
    Normal = 0,
    NotConnected = 1,
    Tamper = 2,
}

/// <summary>Lists of one byte for each input, output or head.</summary>
public static class OsdpStatus
{
    public static byte[] Data(IEnumerable<OsdpInput> inputs) => [.. inputs.Select(it => (byte)it)];

    public static byte[] Data(IEnumerable<OsdpReaderHead> heads) => [.. heads.Select(it => (byte)it)];

    public static byte[] Data(IEnumerable<bool> outputs) => [.. outputs.Select(it => (byte)(it ? 1 : 0))];

    public static IReadOnlyList<OsdpInput> Inputs(ReadOnlySpan<byte> data) => [.. data.ToArray().Select(it => it <= (byte)OsdpInput.Unknown ? (OsdpInput)it : OsdpInput.Unknown)];

    public static IReadOnlyList<bool> Outputs(ReadOnlySpan<byte> data) => [.. data.ToArray().Select(it => it != 0)];

    /// <summary>What is not in the standard counts as not connected.</summary>
    public static IReadOnlyList<OsdpReaderHead> Heads(ReadOnlySpan<byte> data) =>
        [.. data.ToArray().Select(it => it <= (byte)OsdpReaderHead.Tamper ? (OsdpReaderHead)it : OsdpReaderHead.NotConnected)];
}

/// <summary>A card as it was read. A card number is a secret: it prints without its bits.</summary>
/// <param name="Reader">The reading head.</param>
/// <param name="Parity">The reader has checked the format's parity.</param>
/// <param name="Bits">How many.</param>
/// <param name="Packed">The bits, first one most significant in the first byte.</param>
public sealed record OsdpCardRead(byte Reader, bool Parity, int Bits, ReadOnlyMemory<byte> Packed)
{
    /// <summary>Null when it has no bits, or more than <see cref="WiegandFrame.BitsMax"/>.</summary>
    public CardBits? Card
    {
        get
        {
            if (Bits is < 1 or > WiegandFrame.BitsMax) return null;
            var value = 0UL;
            for (var i = 0; i < Bits; i++) value = value << 1 | ((Packed.Span[i / 8] & 0x80 >> i % 8) != 0 ? 1UL : 0);
            return new CardBits(value, Bits);
        }
    }

    public static OsdpCardRead Of(CardBits card)
    {
        var packed = new byte[(card.Length + 7) / 8];
        for (var i = 0; i < card.Length; i++) packed[i / 8] |= (byte)((card.Value >> (card.Length - 1 - i) & 1) << (7 - i % 8));
        return new OsdpCardRead(0, false, card.Length, packed);
    }

    public byte[] Data() => [Reader, (byte)(Parity ? 1 : 0), (byte)(Bits & 0xFF), (byte)(Bits >> 8), .. Packed.Span];

    /// <summary>Null unless there are exactly the bytes that the bit count needs.</summary>
    public static OsdpCardRead? Parse(ReadOnlySpan<byte> data)
    {
        if (data.Length < 4) return null;
        var bits = BinaryPrimitives.ReadUInt16LittleEndian(data[2..]);
        return data.Length == 4 + (bits + 7) / 8 ? new(data[0], data[1] == 1, bits, data[4..].ToArray()) : null;
    }

    public override string ToString() => $"{Bits} bits …";
}

/// <summary>Keys that were pressed: a secret, which prints as their number.</summary>
/// <param name="Reader">The reading head.</param>
/// <param name="Keys">0 to 9, 10 for *, 11 for #.</param>
public sealed record OsdpKeys(byte Reader, IReadOnlyList<int> Keys)
{
    public const int Star = 10, Hash = 11;

    public byte[] Data() => [Reader, (byte)Keys.Count, .. Keys.Select(it => it switch { Star => (byte)0x7F, Hash => (byte)0x0D, _ => (byte)('0' + it) })];

    /// <summary>Null unless the count fits and every key is one of a numeric keypad: a PIN with a key left out would be another PIN.</summary>
    public static OsdpKeys? Parse(ReadOnlySpan<byte> data)
    {
        if (data.Length < 2 || data.Length != 2 + data[1]) return null;
        var keys = new List<int>();
        foreach (var it in data[2..])
        {
            int? key = it switch { >= (byte)'0' and <= (byte)'9' => it - '0', 0x7F or (byte)'*' => Star, 0x0D or (byte)'#' => Hash, _ => null };
            if (key is not { } known) return null;
            keys.Add(known);
        }

        return new(data[0], keys);
    }

    public override string ToString() => $"{Keys.Count} keys";
}

/// <summary>Address and speed, as ordered and as taken.</summary>
public readonly record struct OsdpCommunication(byte Address, int Baud)
{
    public byte[] Data()
    {
        var data = new byte[5];
        data[0] = Address;
        BinaryPrimitives.WriteInt32LittleEndian(data.AsSpan(1), Baud);
        return data;
    }

    public static OsdpCommunication? Parse(ReadOnlySpan<byte> data) =>
        data.Length == 5 && BinaryPrimitives.ReadInt32LittleEndian(data[1..]) is var baud and > 0 ? new(data[0], baud) : null;
}
