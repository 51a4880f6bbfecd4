using System.Globalization;

namespace PhysSec.Benchmarks;

/// <summary>Durations in milliseconds, summed up by rank.</summary>
public sealed class Percentiles(IEnumerable<double> milliseconds)
{
    private readonly double[] _sorted = [.. milliseconds.Order()];

    public int Count => _sorted.Length;

    /// <summary>The smallest value that at least this share (0–1) of all values do not exceed.</summary>
    public double At(double share) => _sorted[Math.Clamp((int)Math.Ceiling(share * _sorted.Length) - 1, 0, _sorted.Length - 1)];

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"p50 {At(0.5):0.###} ms, p99 {At(0.99):0.###} ms, max {At(1):0.###} ms (n = {Count})");
}
