using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using PhysSec.Hub.Access;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Reports;

/// <summary>
/// Takes everybody but one person out of free texts: names, readings, family names, ids and mail addresses of all who are or were registered, who applied for or approved a right, who came or escorted
/// by a paper form, and who has acted at the hub; and whatever looks like a token. Widths and spaces between letters do not count. Where names overlap, the one that begins first and is longest
/// counts, so that 林 明 is not found in 小林 明. A name that this hub has never heard stays: somebody reads an extract before it is handed over.
/// </summary>
internal sealed partial class ThirdParties
{
    private static readonly string[] _titles =
        ["さん", "さま", "様", "氏", "君", "くん", "殿", "先生", "係長", "課長", "部長", "次長", "局長", "室長", "班長", "所長", "館長", "主任", "主事", "主査", "主幹", "参事", "理事", "技師", "補佐", "副市長", "市長"];

    private readonly string _mask;
    private readonly string _own;
    private readonly Dictionary<char, Form[]> _byFirst;

    private ThirdParties(string mask, string own, IEnumerable<Form> forms)
    {
        (_mask, _own) = (mask, own);
        _byFirst = forms.GroupBy(it => Key(it.Letters[0])).ToDictionary(it => it.Key, it => it.OrderByDescending(form => form.Letters.Length).ThenByDescending(form => form.Own).ToArray());
    }

    // A family of one sign is found only where it can hardly be a part of another word.
    private enum Place
    {
        Anywhere,
        NotInKatakana,
        OneSign,
    }

    public static ThirdParties Of(SqliteConnection store, Person subject, string mask)
    {
        ArgumentNullException.ThrowIfNull(subject);
        var others = new HashSet<Form>();
        var own = new HashSet<Form>();
        foreach (var it in store.Query("select id, name, kana, email from people where id <> $id", Names, ("$id", subject.Id))) AddOther(it);
        foreach (var it in store.Query(
            """
            select body ->> '$.fact.before.name' as name, body ->> '$.fact.before.kana' as kana, body ->> '$.fact.before.email' as email, person as id from ledger
            where kind = 'hub.person.changed' and json_valid(body)
            """,
            Names))
        {
            if (it[0] == subject.Id) Add(own, it);
            else AddOther(it);
        }

        foreach (var it in store.Query(
            """
            select applicant from rights union select approver from rights union select set_by from holds union select name from tokens
            union select body ->> '$.fact.actor' from ledger where source = 'hub' and json_valid(body) and body ->> '$.fact.role' not in ('system', 'none') and body ->> '$.fact.actor' is not null
            union select body ->> '$.fact.actor' from ledger where kind = 'command' and json_valid(body) and body ->> '$.fact.actor' is not null
            """,
            it => it.GetString(0))) AddOther([null, it, null, null]);
        foreach (var it in LateEntries.All(store).Values)
        {
            AddOther([null, it.Value.Name, null, null]);
            AddOther([null, it.Value.Escort, null, null]);
        }


        Add(own, [subject.Id, subject.Name, subject.Kana, subject.Email]);
        own.RemoveWhere(it => it.Family && others.Any(other => other.Letters == it.Letters)); // That family name alone may mean the other one.
        others.RemoveWhere(it => own.Any(mine => mine.Letters == it.Letters));
        return new(mask, Plain(subject.Name), own.Select(it => it with { Own = true }).Concat(others));

        // Somebody who is called alike adds nothing: that name stays, and where it is all there is, the extract says so.
        void AddOther(string?[] it) => Add(others, it[1] is { } name && Plain(name) == Plain(subject.Name) ? [it[0], null, null, it[3]] : it);

        static string?[] Names(SqliteDataReader it) => [it.Text("id"), it.Text("name"), it.Text("kana"), it.Text("email")];
    }

    /// <summary>Whether that is how the person is called, whatever the widths and spaces.</summary>
    public bool IsOwn(string? name) => name is not null && Plain(name) == _own;

    public string Mask(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (plain, origins) = Widths.FoldWithOrigins(text);
        var masked = new StringBuilder();
        for (var at = 0; at < plain.Length;)
        {
            var (form, end) = Longest(plain, at);
            if (form is null) (form, end) = (null, at + 1);
            var original = text.AsSpan(origins[at], (end < plain.Length ? origins[end] : text.Length) - origins[at]);
            if (form is { Own: false }) masked.Append(_mask);
            else masked.Append(original);
            at = end;
        }

        return HexRun().Replace(masked.ToString(), "…");
    }

    private (Form? Form, int End) Longest(string text, int at)
    {
        (Form? Form, int End) best = (null, at);
        foreach (var it in _byFirst.GetValueOrDefault(Key(text[at]), []))
            if (EndOf(it, text, at) is { } end && end > best.End) best = (it, end);
        return best;
    }

    private static int? EndOf(Form it, string text, int at)
    {
        var end = at;
        foreach (var letter in it.Letters)
        {
            while (end > at && end < text.Length && text[end] == ' ') end++;
            if (end == text.Length || !(char.ToUpperInvariant(text[end]) == letter || (it.Reading && Widths.Katakana(text[end]) == letter))) return null;
            end++;
        }

        var (before, after) = (at > 0 ? text[at - 1] : ' ', end < text.Length ? text[end] : ' ');
        if (char.IsAsciiLetterOrDigit(text[at]) && char.IsAsciiLetterOrDigit(before)) return null;
        if (char.IsAsciiLetterOrDigit(text[end - 1]) && char.IsAsciiLetterOrDigit(after)) return null;
        var free = it.Place switch
        {
            Place.NotInKatakana => !IsKatakana(before) && !IsKatakana(after),
            Place.OneSign => Array.Exists(_titles, title => text.AsSpan(end).TrimStart(' ').StartsWith(title, StringComparison.Ordinal))
                || (!IsKanji(after) && (!IsKanji(before) || Array.Exists(_titles, title => text.AsSpan(0, at).EndsWith(title, StringComparison.Ordinal)))),
            _ => true,
        };
        return free ? end : null;
    }

    // Each of: id, name, reading, mail address.
    private static void Add(HashSet<Form> forms, string?[] it)
    {
        if (it[0] is { } id) AddName(forms, id, whole: true);
        if (it[1] is { } name) AddName(forms, name, whole: false);
        if (it[2] is { } kana) AddName(forms, kana, whole: false);
        if (it[3] is { } email) AddName(forms, email, whole: true);
    }

    private static void AddName(HashSet<Form> forms, string name, bool whole)
    {
        var parts = Widths.Fold(name).ToUpperInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(it => !_titles.Contains(it)).ToArray();
        if (parts.Length == 0) return;
        AddForm(forms, string.Concat(parts), family: false);
        if (!whole && parts.Length > 1) AddForm(forms, parts[0], family: true);
    }

    private static void AddForm(HashSet<Form> forms, string letters, bool family)
    {
        var katakana = letters.All(IsKatakana);
        if (letters.Length == 1 && !IsKanji(letters[0])) return;
        forms.Add(new(letters, family, Reading: katakana && !family, letters.Length == 1 ? Place.OneSign : katakana && family ? Place.NotInKatakana : Place.Anywhere));
    }

    private static string Plain(string name) => Widths.Fold(name).ToUpperInvariant().Replace(" ", "", StringComparison.Ordinal);

    private static char Key(char it) => char.ToUpperInvariant(Widths.Katakana(it));

    private static bool IsKatakana(char it) => it is (>= 'ァ' and <= 'ヺ') or 'ー';

    private static bool IsKanji(char it) => it is (>= '一' and <= '\u9fff') or (>= '\u3400' and <= '\u4dbf') or '々' or '〆' || char.IsSurrogate(it) || it is >= '\uf900' and <= '\ufaff';

    [GeneratedRegex("[0-9a-fA-F]{16,}")]
    private static partial Regex HexRun();

    /// <param name="Letters">Half-width Latin in capitals, full-width katakana, no spaces.</param>
    /// <param name="Family">The family name alone.</param>
    /// <param name="Reading">Hiragana count as katakana.</param>
    /// <param name="Place">What may stand beside it.</param>
    /// <param name="Own">The subject's: it stays.</param>
    private sealed record Form(string Letters, bool Family, bool Reading, Place Place, bool Own = false);
}
