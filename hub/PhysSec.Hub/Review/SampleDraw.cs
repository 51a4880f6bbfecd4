using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace PhysSec.Hub.Review;

/// <summary>
/// Draws a sample that anybody can draw again: each record of the population gets the key SHA-256(seed ‖ newline ‖ root ‖ newline ‖ record number in decimal digits), and the sample is
/// the records with the smallest keys. The root is of a checkpoint that was made after the request went on record and covers it: nobody can know it while choosing a seed.
/// </summary>
internal static class SampleDraw
{
    private const int SeedLetters = 16;

    /// <summary>Lower-case hex.</summary>
    public static string Key(string seed, string root, long record) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{seed}\n{root}\n{record}"))));

    /// <summary>The records in the order of their keys.</summary>
    /// <param name="seed">Any text.</param>
    /// <param name="root">The checkpoint's, in base64 as its note has it.</param>
    /// <param name="population">Record numbers, in any order.</param>
    /// <param name="count">How many; the whole population when it has no more.</param>
    public static IReadOnlyList<(string Key, long Record)> Of(string seed, string root, IEnumerable<long> population, int count)
    {
        var kept = new SortedSet<(string Key, long Record)>(Comparer<(string Key, long Record)>.Create((one, other) =>
            string.CompareOrdinal(one.Key, other.Key) is var by && by != 0 ? by : one.Record.CompareTo(other.Record)));
        foreach (var it in population)
        {
            kept.Add((Key(seed, root, it), it));
            if (kept.Count > count) kept.Remove(kept.Max);
        }

        return [.. kept];
    }

    /// <summary>Letters alone: digits might by chance look like an individual number.</summary>
    public static string NewSeed() => RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz", SeedLetters);
}
