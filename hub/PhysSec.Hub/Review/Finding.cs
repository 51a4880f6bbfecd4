using System.Security.Cryptography;
using System.Text;
using PhysSec.Hub.Access;

namespace PhysSec.Hub.Review;

/// <summary>Something in the record that a reviewer looks at: an entry that stands out, or a matter of the system itself.</summary>
/// <param name="Pattern">Its kind, one of <see cref="Patterns"/> or <see cref="Matters"/>; the words' family <c>pattern</c> says it in a sentence.</param>
/// <param name="First">When it began.</param>
/// <param name="Last">When it ended; the same for a single event.</param>
/// <param name="Count">How many records or things it is made of.</param>
/// <param name="Records">The ledger numbers of the first of them.</param>
/// <param name="Person">A registered person's id.</param>
/// <param name="Door">A door's id.</param>
/// <param name="Other">The other door.</param>
/// <param name="Subject">Whoever or whatever else it is about: a card's beginning, an account, a node.</param>
/// <param name="Act">What was done, for an act at the hub.</param>
public sealed record Finding(
    string Pattern, DateTimeOffset First, DateTimeOffset Last, long Count, IReadOnlyList<long> Records, string? Person = null, string? Door = null, string? Other = null,
    string? Subject = null, string? Act = null)
{
    /// <summary>So many numbers are kept of one finding.</summary>
    public const int RecordsMax = 50;

    internal static Finding Of(string pattern, IReadOnlyCollection<Trace> records, string? person = null, string? door = null, string? other = null, string? subject = null) => new(
        pattern, records.Min(it => it.At), records.Max(it => it.At), records.Count, [.. records.Select(it => it.Id).Take(RecordsMax)], person, door, other, subject);
}

/// <summary>The findings of a period: at most <see cref="Most"/> of each pattern; Left says how many more there were.</summary>
public sealed record FindingList(IReadOnlyList<Finding> Items, long Left)
{
    public const int Most = 500;

    /// <summary>SHA-256 of the list as JSON, lower-case hex: what a reviewer signs is what was shown.</summary>
    public string Digest => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(AccessJson.Text(new { Items, Left }))));

    /// <summary>What a later list says that this one did not: new ones, and those that have changed.</summary>
    public IReadOnlyList<Finding> NewIn(FindingList later)
    {
        ArgumentNullException.ThrowIfNull(later);
        var known = Items.Select(it => AccessJson.Text(it)).ToHashSet();
        return [.. later.Items.Where(it => !known.Contains(AccessJson.Text(it)))];
    }

    public static FindingList Of(IEnumerable<Finding> all)
    {
        var (kept, left) = (new List<Finding>(), 0L);
        foreach (var pattern in all.GroupBy(it => it.Pattern))
        {
            var list = pattern.ToList();
            kept.AddRange(list.Take(Most));
            left += Math.Max(0, list.Count - Most);
        }

        return new(kept, left);
    }
}
