using PdfSharp.Fonts;
using PhysSec.Hub.Access;

namespace PhysSec.Hub.Reports;

/// <summary>IPAex Gothic for every sheet: its licence (IPA Font License 1.0) lets it be shipped and embedded. It comes with a bundle, else from Debian's package.</summary>
internal sealed class JapaneseFont : IFontResolver
{
    public const string Family = "IPAexGothic";

    private static readonly string[] _places = [Path.Combine(AppContext.BaseDirectory, "fonts", "ipaexg.ttf"), "/usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf"];

    private static readonly Lazy<FontCoverage> _coverage = new(() => new FontCoverage(File.ReadAllBytes(_places.First(File.Exists))));

    /// <summary>The text as this font can show it.</summary>
    public static string Shown(string text) => _coverage.Value.Shown(text);

    /// <summary>Once a process, before the first sheet.</summary>
    /// <exception cref="InputException">The font is not on this machine.</exception>
    public static void Need()
    {
        if (!_places.Any(File.Exists)) throw new InputException("font", "the Japanese font for printed sheets is not on the hub's machine", "Install the Debian package fonts-ipaexfont-gothic; the CSV needs none");
        GlobalFontSettings.FontResolver ??= new JapaneseFont();
    }

    public byte[]? GetFont(string faceName) => File.ReadAllBytes(_places.First(File.Exists));

    public FontResolverInfo? ResolveTypeface(string familyName, bool bold, bool italic) => new(Family, mustSimulateBold: bold, mustSimulateItalic: false);
}
