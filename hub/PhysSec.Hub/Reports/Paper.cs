using System.Globalization;
using PdfSharp;
using PdfSharp.Drawing;
using PdfSharp.Pdf;
using QRCoder;

namespace PhysSec.Hub.Reports;

/// <summary>A column of a table on paper; its share of the width.</summary>
internal sealed record PaperColumn(string Head, double Share);

/// <summary>
/// Sheets of A4, filled from top to bottom: text and tables that break lines and pages by themselves. Every page says what it is part of, its classification, whose copy it
/// is, and its number of how many. Lengths in points (1/72 inch).
/// </summary>
internal sealed class Paper : IDisposable
{
    private const double Margin = 36;
    private const double Foot = 30;
    private const double Pad = 3;
    private const double Size = 8;
    private const double Leading = 11;
    private const string Closing = "、。，．・：；！？）」』】〕》〉ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ%)],.:;!?";
    private const string Opening = "（「『【〔《〈([";

    private readonly PdfDocument _document = new();
    private readonly XFont _font;
    private readonly XFont _small;
    private readonly Dictionary<string, double> _widths = new(StringComparer.Ordinal);
    private readonly bool _landscape;
    private XGraphics _page;
    private double _y;
    private (double Until, double Wide) _beside;

    public Paper(string title, bool landscape)
    {
        JapaneseFont.Need();
        (_document.Info.Title, _document.Info.Creator, _landscape) = (title, "PhysSec", landscape);
        (_font, _small) = (new(JapaneseFont.Family, Size), new(JapaneseFont.Family, 6.5));
        _page = Next();
    }

    private double Width => (_landscape ? 842 : 595) - (2 * Margin);

    private double Bottom => (_landscape ? 595 : 842) - Margin - Foot;

    /// <summary>A heading; of the document with size 16.</summary>
    public void Heading(string text, double size = 11) => Text(text, new XFont(JapaneseFont.Family, size, XFontStyleEx.Bold), size * 1.5);

    public void Line(string text) => Text(text, _font, Leading);

    /// <summary>Text as it is, like a checkpoint that somebody types in again.</summary>
    public void Verbatim(string text)
    {
        foreach (var it in text.Split('\n', StringSplitOptions.RemoveEmptyEntries)) Text(it, _small, 9);
    }

    /// <summary>What follows stays on one page, if it is no higher.</summary>
    public void Keep(double points) => Room(points);

    public void Gap(double points = 8) => _y += points;

    /// <summary>A table whose head stands on each of its pages. A row that is higher than a page goes on on the next one.</summary>
    public void Table(IReadOnlyList<PaperColumn> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var total = columns.Sum(it => it.Share);
        double[] widths = [.. columns.Select(it => it.Share / total * Width)];
        void Head() => Row(widths, [.. columns.Select(it => Broken(it.Head, _font, it.Share / total * Width - (2 * Pad)))], shaded: true);
        Room(3 * Leading);
        Head();
        foreach (var row in rows)
        {
            IReadOnlyList<string>[] cells = [.. row.Select((it, i) => Broken(it, _font, widths[i] - (2 * Pad)))];
            for (var from = 0; from == 0 || cells.Any(it => it.Count > from);)
            {
                var left = Math.Max(1, cells.Max(it => it.Count) - from);
                if (_y + (Math.Min(left, 4) * Leading) + (2 * Pad) > Bottom) Begin(Head);
                var fit = Math.Clamp((int)((Bottom - _y - (2 * Pad)) / Leading), 1, left);
                Row(widths, [.. cells.Select(it => (IReadOnlyList<string>)[.. it.Skip(from).Take(fit)])], shaded: false);
                from += fit;
            }
        }
    }

    /// <summary>A QR code at the right edge; what follows goes on beside it.</summary>
    public void Code(string text, double side)
    {
        Room(side);
        _beside = (_y + side, side + (2 * Pad));
        using var code = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.L);
        var dot = side / code.ModuleMatrix.Count;
        for (var row = 0; row < code.ModuleMatrix.Count; row++)
            for (var column = 0; column < code.ModuleMatrix.Count; column++)
                if (code.ModuleMatrix[row][column]) _page.DrawRectangle(XBrushes.Black, Margin + Width - side + (column * dot), _y + (row * dot), dot, dot);
    }

    /// <summary>Boxes for a name and a seal, side by side.</summary>
    public void Seals(IReadOnlyList<string> names)
    {
        const double high = 46;
        const double wide = 130;
        Room(high);
        for (var i = 0; i < names.Count; i++)
        {
            var box = new XRect(Margin + (i * wide), _y, wide, high);
            _page.DrawRectangle(XPens.Gray, box);
            _page.DrawString(JapaneseFont.Shown(names[i]), _small, XBrushes.Black, box.X + Pad, box.Y + 9);
        }

        _y += high + Pad;
    }

    /// <summary>An empty box to write into by hand, over the whole width.</summary>
    public void Box(string name, double high)
    {
        Room(high);
        _page.DrawRectangle(XPens.Gray, new XRect(Margin, _y, Width, high));
        _page.DrawString(JapaneseFont.Shown(name), _small, XBrushes.Black, Margin + Pad, _y + 9);
        _y += high + Pad;
    }

    /// <summary>Numbers the pages and writes the file.</summary>
    public void Save(Stream target, string foot)
    {
        _page.Dispose();
        for (var i = 0; i < _document.PageCount; i++)
        {
            using var page = XGraphics.FromPdfPage(_document.Pages[i]);
            var y = Bottom + Foot;
            page.DrawLine(XPens.Gray, Margin, Bottom + 8, Margin + Width, Bottom + 8);
            foreach (var (line, at) in Broken(foot, _small, Width - 60).Take(2).Select((it, n) => (it, n))) page.DrawString(line, _small, XBrushes.Black, Margin, y - 12 + (at * 9));
            var number = string.Create(CultureInfo.InvariantCulture, $"{i + 1} / {_document.PageCount}");
            page.DrawString(number, _font, XBrushes.Black, Margin + Width - page.MeasureString(number, _font).Width, y - 8);
        }

        _document.Save(target, closeStream: false);
    }

    public void Dispose()
    {
        _page.Dispose();
        _document.Dispose();
    }

    private XGraphics Next()
    {
        var page = _document.AddPage();
        (page.Size, page.Orientation) = (PageSize.A4, _landscape ? PageOrientation.Landscape : PageOrientation.Portrait);
        _y = Margin;
        return XGraphics.FromPdfPage(page);
    }

    private void Begin(Action? head = null)
    {
        _page.Dispose();
        (_page, _beside) = (Next(), default);
        head?.Invoke();
    }

    private void Room(double points)
    {
        if (_y + points > Bottom) Begin();
    }

    private void Text(string text, XFont font, double leading)
    {
        foreach (var line in Broken(text, font, Width - (_y < _beside.Until ? _beside.Wide : 0)))
        {
            Room(leading);
            _page.DrawString(line, font, XBrushes.Black, Margin, _y + (leading * 0.8));
            _y += leading;
        }
    }

    private void Row(double[] widths, IReadOnlyList<string>[] cells, bool shaded)
    {
        var high = (Math.Max(1, cells.Max(it => it.Count)) * Leading) + (2 * Pad);
        var x = Margin;
        for (var i = 0; i < cells.Length; i++)
        {
            var box = new XRect(x, _y, widths[i], high);
            if (shaded) _page.DrawRectangle(XBrushes.Gainsboro, box);
            _page.DrawRectangle(XPens.Gray, box);
            for (var n = 0; n < cells[i].Count; n++) _page.DrawString(cells[i][n], _font, XBrushes.Black, x + Pad, _y + Pad + ((n + 0.8) * Leading) - 1);
            x += widths[i];
        }

        _y += high;
    }

    // Japanese breaks between any two characters but before a closing mark and after an opening one (禁則); Latin words and numbers stay whole where they fit into a line.
    private List<string> Broken(string text, XFont font, double width)
    {
        var lines = new List<string>();
        foreach (var paragraph in JapaneseFont.Shown(text.ReplaceLineEndings("\n")).Split('\n'))
        {
            var (line, used) = ("", 0.0);
            foreach (var part in Bound(Parts(paragraph)))
            {
                var wide = Wide(part, font);
                if (used + wide > width && line.Length > 0)
                {
                    lines.Add(line.TrimEnd());
                    (line, used) = ("", 0);
                    if (part == " ") continue;
                }

                foreach (var piece in wide > width ? Signs(part) : [part])
                {
                    if (used + Wide(piece, font) > width && line.Length > 0) (lines, line, used) = ([.. lines, line], "", 0);
                    (line, used) = (line + piece, used + Wide(piece, font));
                }
            }

            lines.Add(line.TrimEnd());
        }

        return lines;
    }

    private static IEnumerable<string> Bound(IEnumerable<string> parts)
    {
        var bound = "";
        foreach (var part in parts)
        {
            if (bound.Length > 0 && bound != " " && part != " " && (Closing.Contains(part[0], StringComparison.Ordinal) || Opening.Contains(bound[^1], StringComparison.Ordinal))) bound += part;
            else
            {
                if (bound.Length > 0) yield return bound;
                bound = part;
            }
        }

        if (bound.Length > 0) yield return bound;
    }

    private static IEnumerable<string> Parts(string text)
    {
        var word = "";
        foreach (var sign in Signs(text))
        {
            if (sign.Length == 1 && sign[0] is > ' ' and < '\u2e80') word += sign;
            else
            {
                if (word.Length > 0) yield return word;
                word = "";
                yield return sign;
            }
        }

        if (word.Length > 0) yield return word;
    }

    private static IEnumerable<string> Signs(string text)
    {
        for (var signs = StringInfo.GetTextElementEnumerator(text); signs.MoveNext();) yield return signs.GetTextElement();
    }

    private double Wide(string text, XFont font)
    {
        var key = string.Create(CultureInfo.InvariantCulture, $"{font.Size} {text}");
        if (_widths.TryGetValue(key, out var wide)) return wide;
        return _widths[key] = _page.MeasureString(text, font).Width;
    }
}
