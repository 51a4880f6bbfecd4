using System.Buffers.Binary;
using System.Text;

namespace PhysSec.Hub.Reports;

/// <summary>Which characters a TrueType font can draw, from its cmap table: what it cannot would be an empty box or nothing at all on paper.</summary>
internal sealed class FontCoverage
{
    private readonly HashSet<int> _known = [];

    /// <exception cref="InvalidDataException">The file is no TrueType font with a Unicode table.</exception>
    public FontCoverage(byte[] font)
    {
        ReadOnlySpan<byte> file = font;
        for (var i = 0; i < U16(file, 4); i++)
        {
            var entry = file[(12 + (16 * i))..];
            if (!entry[..4].SequenceEqual("cmap"u8)) continue;
            var cmap = file[(int)U32(entry, 8)..];
            for (var n = 0; n < U16(cmap, 2); n++)
            {
                var subtable = cmap[(int)U32(cmap, 8 + (8 * n))..];
                if (U16(cmap, 4 + (8 * n)) is not (0 or 3)) continue; // Unicode, or Windows.
                if (U16(subtable, 0) == 4) Segments(subtable);
                else if (U16(subtable, 0) == 12) Groups(subtable);
            }
        }

        if (_known.Count == 0) throw new InvalidDataException("the font has no table of Unicode characters");
    }

    public bool Has(Rune it) => _known.Contains(it.Value);

    /// <summary>The text with 〓 and the number of each character that the font lacks: seen by everybody, and still to be looked up. Selectors of a variant are left out.</summary>
    public string Shown(string text)
    {
        var shown = new StringBuilder(text.Length);
        foreach (var it in text.EnumerateRunes())
        {
            if (it.Value is '\n' || Has(it)) shown.Append(it);
            else if (it.Value is not ((>= 0xFE00 and <= 0xFE0F) or (>= 0xE0100 and <= 0xE01EF))) shown.Append(System.Globalization.CultureInfo.InvariantCulture, $"〓[{it.Value:X4}]");
        }

        return shown.ToString();
    }

    private void Segments(ReadOnlySpan<byte> table)
    {
        var count = U16(table, 6) / 2;
        for (var i = 0; i < count; i++)
        {
            int last = U16(table, 14 + (2 * i)), first = U16(table, 16 + (2 * (count + i)));
            int delta = U16(table, 16 + (2 * ((2 * count) + i))), place = 16 + (2 * ((3 * count) + i));
            var offset = U16(table, place);
            for (var it = first; it <= last && it < 0xFFFF; it++)
            {
                var at = place + offset + (2 * (it - first));
                if (offset == 0 ? ((it + delta) & 0xFFFF) != 0 : at + 1 < table.Length && U16(table, at) != 0) _known.Add(it);
            }
        }
    }

    private void Groups(ReadOnlySpan<byte> table)
    {
        for (var i = 0; i < U32(table, 12); i++)
        {
            var (first, last, glyph) = (U32(table, 16 + (12 * i)), U32(table, 20 + (12 * i)), U32(table, 24 + (12 * i)));
            for (var it = first; it <= last && it <= 0x10FFFF; it++)
                if (glyph + (it - first) != 0) _known.Add((int)it);
        }
    }

    private static int U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);

    private static long U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32BigEndian(bytes[at..]);
}
