using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace PhysSec.Hub.Review;

/// <summary>
/// Draws a sample that anybody can draw again: each record of the population gets the key SHA-256(seed ‖ newline ‖ record number in decimal digits), and the sample is the
/// records with the smallest keys. Nobody chooses: whoever takes another seed takes another sample, and every sample is on record with its seed.
/// </summary>
internal static class SampleDraw
{
    private const int SeedLetters = 12;

    /// <summary>Lower-case hex.</summary>
    public static string Key(string seed, long record) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{seed}\n{record}"))));

    /// <summary>The records in the order of their keys.</summary>
    /// <param name="seed">Any text.</param>
    /// <param name="population">Record numbers, in any order.</param>
    /// <param name="count">How many; the whole population when it has no more.</param>
    public static IReadOnlyList<(string Key, long Record)> Of(string seed, IEnumerable<long> population, int count)
    {
        var kept = new SortedSet<(string Key, long Record)>(Comparer<(string Key, long Record)>.Create((one, other) =>
            string.CompareOrdinal(one.Key, other.Key) is var by && by != 0 ? by : one.Record.CompareTo(other.Record)));
        foreach (var it in population)
        {
            kept.Add((Key(seed, it), it));
            if (kept.Count > count) kept.Remove(kept.Max);
        }

        return [.. kept];
    }

    public static string NewSeed() => RandomNumberGenerator.GetHexString(SeedLetters, lowercase: true);
}
