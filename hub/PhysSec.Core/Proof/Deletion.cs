using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace PhysSec.Core.Proof;

/// <summary>
/// What a hub promises of retention, so that a verifier can hold it to its word: which periods there are, how long a shorter one waits, and by which of its acts it tells of them.
/// </summary>
public static class RetentionTerms
{
    /// <summary>A period came into force, or will (<see cref="RetentionRule"/>).</summary>
    public const string RuleVerb = "retention.rule";

    /// <summary>Texts were deleted (<see cref="DeletionCertificate"/>).</summary>
    public const string DeletedVerb = "retention.deleted";

    /// <summary>The periods in years.</summary>
    public static IReadOnlyList<int> Periods { get; } = [1, 3, 5, 7];

    /// <summary>The first period of a class, and each shorter one, is announced on record so long before it deletes anything.</summary>
    public static TimeSpan Wait { get; } = TimeSpan.FromDays(7);

    /// <summary>A period counts so at the least; a leap day makes it longer.</summary>
    public static long MicrosecondsOf(int years) => years * 365L * 86_400_000_000;
}

/// <summary>The period of one class of records, as an act of the hub has it under "after".</summary>
/// <param name="Class">access, alarms, measurements or acts.</param>
/// <param name="Years">One of <see cref="RetentionTerms.Periods"/>.</param>
/// <param name="Was">The period that it replaces; null: the class had none, and nothing was deleted.</param>
/// <param name="InForceAt">From when it deletes; microseconds since 1970 UTC.</param>
public sealed record RetentionRule(string Class, int Years, int? Was, long InForceAt);

/// <summary>A certificate of deletion (廃棄証明), as an act of the hub has it under "after". The act is a leaf of the tree and stands in the transaction that deleted the texts.</summary>
/// <param name="Class">See <see cref="RetentionRule"/>.</param>
/// <param name="Years">The period that had ended.</param>
/// <param name="ReceivedBefore">All that was deleted had been received before; microseconds since 1970 UTC.</param>
/// <param name="Count">How many texts.</param>
/// <param name="Numbers">The records' numbers in the ledger, like <c>5-40,43</c>; see <see cref="RecordRanges"/>.</param>
/// <param name="Digest">See <see cref="DigestOf"/>.</param>
/// <param name="Size">The ledger's size before.</param>
/// <param name="Root">The root of its tree then, base64.</param>
public sealed record DeletionCertificate(string Class, int Years, long ReceivedBefore, long Count, string Numbers, string Digest, long Size, string Root)
{
    /// <summary>SHA-256, lower-case hex, over one line for each record: its number, a space, its leaf's hash in base64, a line feed.</summary>
    public static string DigestOf(IEnumerable<(long Number, TreeHash Leaf)> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (number, leaf) in records) hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{number} {leaf}\n")));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

/// <summary>Numbers of records in ascending order, written short.</summary>
public static class RecordRanges
{
    public static string Text(IReadOnlyList<long> numbers)
    {
        ArgumentNullException.ThrowIfNull(numbers);
        var text = new StringBuilder();
        for (var i = 0; i < numbers.Count;)
        {
            var (first, last) = (numbers[i], numbers[i]);
            for (i++; i < numbers.Count && numbers[i] == last + 1; i++) last++;
            text.Append(CultureInfo.InvariantCulture, $"{(text.Length > 0 ? "," : "")}{first}");
            if (last > first) text.Append(CultureInfo.InvariantCulture, $"-{last}");
        }

        return text.ToString();
    }

    /// <exception cref="FormatException">It is no list of ascending ranges.</exception>
    public static IReadOnlyList<(long First, long Last)> Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ranges = new List<(long First, long Last)>();
        foreach (var part in text.Split(','))
        {
            var dash = part.IndexOf('-', StringComparison.Ordinal);
            var (first, last) = (Number(dash < 0 ? part : part[..dash]), Number(part[(dash + 1)..]));
            if (first < 1 || last < first || (ranges.Count > 0 && first <= ranges[^1].Last)) throw new FormatException("the numbers of records do not ascend");
            ranges.Add((first, last));
        }

        return ranges;
    }

    private static long Number(string text) => text.Length is > 0 and <= 15 && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var it)
        ? it : throw new FormatException("that is no number of a record");
}
