using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Reports;

/// <summary>
/// Takes everybody but one person out of free texts: names, readings, family names, ids and mail addresses of all who are registered, who applied for or approved a right, and
/// who has acted at the hub; and whatever looks like a token. A name that this hub has never heard stays: somebody reads an extract before it is handed over.
/// </summary>
internal sealed partial class ThirdParties
{
    private const int ShortestMax = 2;
    private const char Own = '\u0001';

    private readonly string _mask;
    private readonly string _ownName;
    private readonly SearchValues<string> _any;
    private readonly Dictionary<char, string[]> _byFirst;

    private ThirdParties(string mask, string ownName, IReadOnlyCollection<string> names)
    {
        (_mask, _ownName) = (mask, ownName);
        _any = SearchValues.Create([.. names], StringComparison.OrdinalIgnoreCase);
        _byFirst = names.GroupBy(it => char.ToUpperInvariant(it[0])).ToDictionary(it => it.Key, it => it.OrderByDescending(name => name.Length).ToArray());
    }

    public static ThirdParties Of(SqliteConnection store, string person, string ownName, string mask)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        void Add(string? name)
        {
            if (name is not { Length: >= ShortestMax } || name == ownName) return;
            names.Add(name);
            names.Add(name.Replace(" ", "", StringComparison.Ordinal).Replace("\u3000", "", StringComparison.Ordinal));
            if (name.Split(' ', '\u3000')[0] is { Length: >= ShortestMax } family && family != name) names.Add(family);
        }

        foreach (var it in store.Query("select id, name, kana, email from people where id <> $id", it => (string?[])[it.GetString(0), it.GetString(1), it.GetString(2), it.Text("email")], ("$id", person)))
            foreach (var name in it) Add(name);
        foreach (var it in store.Query("select applicant from rights union select approver from rights union select set_by from holds union select name from tokens", it => it.GetString(0))) Add(it);
        return new(mask, ownName, names);
    }

    public string Mask(string text)
    {
        var rest = HexRun().Replace(text.Replace(_ownName, $"{Own}", StringComparison.Ordinal), "…");
        var masked = new StringBuilder();
        for (var at = rest.AsSpan().IndexOfAny(_any); at >= 0; at = rest.AsSpan().IndexOfAny(_any))
        {
            var found = _byFirst[char.ToUpperInvariant(rest[at])].First(it => rest.AsSpan(at).StartsWith(it, StringComparison.OrdinalIgnoreCase));
            masked.Append(rest, 0, at).Append(_mask);
            rest = rest[(at + found.Length)..];
        }

        return masked.Append(rest).Replace($"{Own}", _ownName).ToString();
    }

    [GeneratedRegex("[0-9a-fA-F]{16,}")]
    private static partial Regex HexRun();
}
