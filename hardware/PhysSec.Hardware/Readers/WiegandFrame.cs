using System.Numerics;

namespace PhysSec.Hardware;

/// <summary>Why a frame gives no card. The numbers go to the journal and never change.</summary>
public enum ReaderFault
{
    None = 0,

    /// <summary>A parity bit is wrong: noise, a bad cable, or two cards at once.</summary>
    Parity = 1,

    /// <summary>Not a length that this reader may send.</summary>
    BitCount = 2,

    /// <summary>More than 64 bits, or pulses without an end.</summary>
    Overrun = 3,

    /// <summary>A data line stays low: cut, shorted, or the reader has no power.</summary>
    LineStuck = 4,

    /// <summary>The kernel saw an edge that never came here, or edges so close together that their order is not known.</summary>
    EdgeLost = 5,
}

/// <summary>
/// A card as it was read: all bits of the frame, parity included, first bit most significant.
/// A card number is a secret: it prints masked.
/// </summary>
/// <param name="Value">The bits, right-aligned.</param>
/// <param name="Length">1 to 64.</param>
public readonly record struct CardBits(ulong Value, int Length)
{
    public override string ToString() => $"{Length} bits …";
}

/// <summary>Wiegand frames, without any wire: bits in, card or key or fault out.</summary>
public static class WiegandFrame
{
    public const int BitsMax = 64;

    /// <summary>Judges a finished frame.</summary>
    /// <param name="bits">First bit most significant, right-aligned.</param>
    /// <param name="length">How many bits came; more than <see cref="BitsMax"/> is an overrun.</param>
    /// <param name="format">What this reader may send.</param>
    /// <param name="keypad">Whether 4-bit and 8-bit key frames are allowed.</param>
    public static (CardBits? Card, int? Key, ReaderFault Fault) Parse(ulong bits, int length, CardFormat format, bool keypad)
    {
        ArgumentNullException.ThrowIfNull(format);
        if (length > BitsMax) return (null, null, ReaderFault.Overrun);
        if (keypad && length is 4) return Key((int)bits);
        if (keypad && length is 8)
            return ((bits >> 4 ^ bits) & 0x0F) == 0x0F ? Key((int)(bits & 0x0F)) : (null, null, ReaderFault.Parity);
        if (format.Of(length) is not { } of) return (null, null, ReaderFault.BitCount);
        foreach (var parity in of.Parities)
            if (!parity.Holds(bits)) return (null, null, ReaderFault.Parity);

        return (new CardBits(bits, length), null, ReaderFault.None);
    }

    /// <summary>The 26-bit frame (H10301) of a facility code (0 to 255) and a card number (0 to 65535).</summary>
    public static CardBits Encode26(int facility, int number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(facility);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(facility, 255);
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(number, 65_535);
        return WithParity((ulong)(facility << 16 | number), 26);
    }

    /// <summary>Adds the two parity bits of a 26, 34 or 37-bit frame around its data.</summary>
    public static CardBits WithParity(ulong data, int length)
    {
        var half = HalfOf(length);
        var inner = data << 1;
        var leading = (ulong)(Ones(inner, length - half, half) & 1) << (length - 1);
        var trailing = (ulong)(1 - (Ones(inner, 0, half) & 1));
        return new CardBits(leading | inner | trailing, length);
    }

    private static (CardBits?, int?, ReaderFault) Key(int key) => (null, key, ReaderFault.None);

    /// <summary>Bits under each parity, the parity bit included. H10304's halves (37 bits) share the middle bit.</summary>
    private static int HalfOf(int length) => length switch
    {
        26 => 13,
        34 => 17,
        37 => 19,
        _ => throw new ArgumentOutOfRangeException(nameof(length), length, "Only 26, 34 and 37 bits carry parity."),
    };

    private static int Ones(ulong bits, int from, int count) =>
        BitOperations.PopCount(bits >> from & ((1UL << count) - 1));
}
