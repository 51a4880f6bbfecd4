using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;

namespace PhysSec.Hub.Web.Language;

/// <summary>
/// Every text of the console, in both languages, from one file (<c>words.json</c>: key → [ja, en]). Sentences are whole; {name} marks what is filled in, in the order that each language wants.
/// </summary>
public sealed class Words
{
    public const string Japanese = "ja";
    public const string English = "en";

    /// <summary>The cookie that keeps the choice.</summary>
    public const string Cookie = "physsec-language";

    private static readonly Dictionary<string, string[]> _all = Load();

    /// <summary>Whichever of <c>ja</c> and <c>en</c> the reader chose.</summary>
    public string Language { get; private set; } = Japanese;

    public static IReadOnlyDictionary<string, string[]> All => _all;

    public string this[string key] => _all[key][Language == Japanese ? 0 : 1];

    public void Use(string? language) => Language = language == English ? English : Japanese;

    /// <summary>A sentence with its blanks filled.</summary>
    public string Say(string key, params ReadOnlySpan<(string Name, object? Value)> blanks)
    {
        var text = this[key];
        var said = new StringBuilder(text.Length);
        var at = 0;
        for (var open = text.IndexOf('{', StringComparison.Ordinal); open >= 0; open = text.IndexOf('{', at))
        {
            var close = text.IndexOf('}', open);
            said.Append(text, at, open - at).Append(Value(text.AsSpan((open + 1)..close), blanks) ?? text[open..(close + 1)]);
            at = close + 1;
        }

        return said.Append(text, at, text.Length - at).ToString();
    }

    /// <summary>In one pass: what is filled in is never read as a blank.</summary>
    private static string? Value(ReadOnlySpan<char> blank, ReadOnlySpan<(string Name, object? Value)> blanks)
    {
        foreach (var (name, value) in blanks)
        {
            if (blank.SequenceEqual(name)) return Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        }

        return null;
    }

    /// <summary>Whichever of the two texts is in the reader's language.</summary>
    public string Pick(string ja, string en) => Language == Japanese ? ja : en;

    /// <summary>A text of a family of keys (<c>family.member</c>), or the member as it is when a newer part of the system has sent one that this version does not know.</summary>
    public string Member(string family, string member) =>
        _all.TryGetValue($"{family}.{member}", out var both) ? both[Language == Japanese ? 0 : 1] : member;

    /// <summary>The language to begin with: the cookie's, else the browser's first known, else Japanese.</summary>
    public static string Choose(string? cookie, string? acceptLanguage)
    {
        if (cookie is Japanese or English) return cookie;

        foreach (var part in (acceptLanguage ?? "").Split(','))
        {
            var tag = part.Split(';')[0].Trim();
            if (tag.StartsWith("ja", StringComparison.OrdinalIgnoreCase)) return Japanese;
            if (tag.StartsWith("en", StringComparison.OrdinalIgnoreCase)) return English;
        }

        return Japanese;
    }

    private static Dictionary<string, string[]> Load()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("words.json")
            ?? throw new InvalidOperationException("words.json is not part of the program");
        return JsonSerializer.Deserialize<Dictionary<string, string[]>>(stream)!;
    }
}
