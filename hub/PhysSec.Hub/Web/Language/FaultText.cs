using System.Text.RegularExpressions;
using PhysSec.Hub.Access;

namespace PhysSec.Hub.Web.Language;

/// <summary>
/// Faults of input in the reader's language. The parts of the hub that judge input speak English, as the API and the logs do; the family <c>input</c> of the words holds each of
/// their sentences beside its Japanese. One that is not there is shown as it is.
/// </summary>
public static partial class FaultText
{
    private static readonly (Regex Pattern, string Key)[] _known =
        [.. Words.All.Where(it => it.Key.StartsWith("input.", StringComparison.Ordinal)).Select(it => (Pattern(it.Value[1]), it.Key))];

    /// <summary>The whole sentence: field, fault and remedy.</summary>
    public static string Fault(this Words words, InputException fault)
    {
        ArgumentNullException.ThrowIfNull(words);
        ArgumentNullException.ThrowIfNull(fault);
        return words.Fault(fault.Field, fault.Fault, fault.Remedy);
    }

    /// <summary>The same, from the message of an <see cref="InputException"/> that is all there is left of it.</summary>
    public static string Fault(this Words words, string message)
    {
        ArgumentNullException.ThrowIfNull(words);
        return Message().Match(message) is { Success: true } it
            ? words.Fault(it.Groups["field"].Value, it.Groups["fault"].Value, it.Groups["remedy"].Value)
            : words.Part(message);
    }

    /// <summary>A fault or a remedy by itself.</summary>
    public static string Part(this Words words, string text)
    {
        ArgumentNullException.ThrowIfNull(words);
        foreach (var (pattern, key) in _known)
        {
            if (pattern.Match(text) is not { Success: true } found) continue;
            return words.Say(key, [.. found.Groups.Values.Skip(1).Select(it => (it.Name, (object?)it.Value))]);
        }

        return text;
    }

    /// <summary>Whether the words hold this English text.</summary>
    public static bool Knows(string text) => _known.Any(it => it.Pattern.IsMatch(text));

    private static string Fault(this Words words, string field, string fault, string remedy) => words.Say(
        "fault.input", ("field", words.Member("field", field)), ("fault", words.Part(fault)), ("remedy", words.Part(remedy)));

    private static Regex Pattern(string text) => new(
        "^" + Blank().Replace(Regex.Escape(text), "(?<$1>.+)") + "$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);

    [GeneratedRegex(@"\\\{(\w+)}")]
    private static partial Regex Blank();

    [GeneratedRegex(@"^(?<field>[\w., ]+): (?<fault>.+)\. (?<remedy>[^.]+(\.[^ .]+)*)\.$")]
    private static partial Regex Message();
}
