using System.Text;

namespace PhysSec.Hub.Access;

/// <summary>
/// One letter for one sound, whichever width a keyboard gave it. By our own table: this program runs without ICU (InvariantGlobalization), and then <c>string.Normalize</c> returns what it was given.
/// </summary>
internal static class Widths
{
    private const string HalfKana = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜";
    private const string Voiceable = "カキクケコサシスセソタチツテトハヒフヘホ";
    private const int ToKatakana = 0x60;

    /// <summary>Full-width Latin letters, digits and spaces become half-width ones, half-width katakana become full-width ones, and a mark of voicing joins the kana before it.</summary>
    public static string Fold(string text) => Fold(text, null);

    /// <summary>The same, and where each letter began in the text.</summary>
    public static (string Text, IReadOnlyList<int> Origins) FoldWithOrigins(string text)
    {
        var origins = new List<int>(text.Length);
        return (Fold(text, origins), origins);
    }

    /// <summary>Only joins marks of voicing to their kana, as files of a Mac have them apart.</summary>
    public static string Compose(string text)
    {
        var made = new StringBuilder(text.Length);
        foreach (var it in text) Append(made, it, it is '\u3099' or '\u309a' ? it : null, null, 0);
        return made.ToString();
    }

    /// <summary>Katakana for hiragana, and everything else as it is.</summary>
    public static char Katakana(char it) => it is >= 'ぁ' and <= 'ゖ' ? (char)(it + ToKatakana) : it;

    private static string Fold(string text, List<int>? origins)
    {
        var made = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var it = text[i] switch
            {
                '\u3000' or '\u00a0' => ' ',
                >= '！' and <= '～' => (char)(text[i] - 0xfee0),
                >= '｡' and <= 'ﾟ' => HalfKana[text[i] - '｡'],
                _ => text[i],
            };
            Append(made, it, it switch { '゛' or '\u3099' => '\u3099', '゜' or '\u309a' => '\u309a', _ => null }, origins, i);
        }

        return made.ToString();
    }

    private static void Append(StringBuilder made, char it, char? mark, List<int>? origins, int at)
    {
        if (mark is { } voicing && made.Length > 0 && Voiced(made[^1], voicing) is { } joined)
        {
            made[^1] = joined;
            return;
        }

        made.Append(it);
        origins?.Add(at);
    }

    private static char? Voiced(char kana, char mark)
    {
        var (katakana, back) = (Katakana(kana), kana == Katakana(kana) ? 0 : ToKatakana);
        if (mark == '\u309a') return katakana is 'ハ' or 'ヒ' or 'フ' or 'ヘ' or 'ホ' ? (char)(kana + 2) : null;
        if (Voiceable.Contains(katakana, StringComparison.Ordinal)) return (char)(kana + 1);
        return katakana == 'ウ' ? (char)('ヴ' - back) : null;
    }
}
