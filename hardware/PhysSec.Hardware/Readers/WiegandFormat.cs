using System.Numerics;

namespace PhysSec.Hardware;

/// <summary>One parity bit of a Wiegand format.</summary>
/// <param name="Covers">The bits under it, its own among them, in the frame's value (first bit most significant).</param>
/// <param name="Odd">Whether they hold an odd number of ones; else an even one.</param>
public readonly record struct WiegandParity(ulong Covers, bool Odd)
{
    public bool Holds(ulong bits) => BitOperations.PopCount(bits & Covers) % 2 == (Odd ? 1 : 0);
}

/// <summary>The frames of one kind of card, as data.</summary>
/// <param name="Name">For people.</param>
/// <param name="Length">Bits, parity included, 1 to 64.</param>
/// <param name="Parities">All of them are checked.</param>
public sealed record WiegandFormat(string Name, int Length, IReadOnlyList<WiegandParity> Parities)
{
    /// <summary>26 bits (H10301): even parity over the leading half, odd over the trailing half.</summary>
    public static WiegandFormat Bits26 { get; } = Halves("26", 26);

    /// <summary>34 bits (H10306).</summary>
    public static WiegandFormat Bits34 { get; } = Halves("34", 34);

    /// <summary>37 bits (H10304); its halves share the middle bit.</summary>
    public static WiegandFormat Bits37 { get; } = Halves("37", 37);

    /// <summary>32 bits without any check: a flipped bit is another card.</summary>
    public static WiegandFormat Raw32 { get; } = new("raw32", 32, []);

    /// <summary>The formats that a board file names.</summary>
    public static IReadOnlyList<WiegandFormat> Known { get; } = [Bits26, Bits34, Bits37, Raw32];

    /// <summary>The bits from one to another, numbered from 1 as they come.</summary>
    public static ulong Mask(int length, int first, int last) => (last - first == 63 ? ulong.MaxValue : (1UL << (last - first + 1)) - 1) << (length - last);

    private static WiegandFormat Halves(string name, int length)
    {
        var half = (length + 1) / 2;
        return new(name, length, [new(Mask(length, 1, half), false), new(Mask(length, length - half + 1, length), true)]);
    }
}

/// <summary>Which frames a reader may send: formats of different lengths, so that a frame's length alone says which one it is.</summary>
public sealed class CardFormat(IReadOnlyList<WiegandFormat> formats)
{
    /// <summary>26, 34 or 37 bits, each with its two parity bits.</summary>
    public static CardFormat Parity { get; } = new([WiegandFormat.Bits26, WiegandFormat.Bits34, WiegandFormat.Bits37]);

    /// <summary>32 bits without any check.</summary>
    public static CardFormat Raw32 { get; } = new([WiegandFormat.Raw32]);

    public IReadOnlyList<WiegandFormat> Formats { get; } = formats;

    /// <summary>The format of this length; null: this reader sends none such.</summary>
    public WiegandFormat? Of(int length)
    {
        foreach (var it in Formats)
            if (it.Length == length) return it;
        return null;
    }
}
