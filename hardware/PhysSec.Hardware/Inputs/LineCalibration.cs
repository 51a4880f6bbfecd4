using System.Globalization;

namespace PhysSec.Hardware;

/// <summary>What a line gave with its contact closed and open, as shares of the excitation, when somebody stood at it.</summary>
/// <param name="Device">The input's id.</param>
/// <param name="Wiring">The network and the converter's channel that it was measured with: it counts for no other.</param>
/// <param name="Closed">Share of the excitation with the contact closed.</param>
/// <param name="Open">Share of the excitation with the contact open.</param>
public sealed record LineCalibration(string Device, string Wiring, double Closed, double Open)
{
    /// <summary>Samples of each state that a calibration rests on.</summary>
    public const int Samples = 20;

    private const double SpreadMax = 0.02;

    /// <summary>The calibration, or in a sentence why these samples are none.</summary>
    /// <param name="entry">The input.</param>
    /// <param name="bands">As computed from its network, not narrowed by an earlier calibration.</param>
    /// <param name="closed">Measured with the contact closed.</param>
    /// <param name="open">Measured with the contact open.</param>
    public static (LineCalibration? Value, string? Refusal) Judge(
        SupervisedEntry entry, LineBands bands, IReadOnlyList<double?> closed, IReadOnlyList<double?> open)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ArgumentNullException.ThrowIfNull(bands);
        var (low, refusal) = Value(bands, closed, LineState.Closed);
        if (low is null) return (null, refusal);
        (var high, refusal) = Value(bands, open, LineState.Open);
        return high is null ? (null, refusal) : (new(entry.Id, entry.Wiring, low.Value, high.Value), null);
    }

    private static (double? Value, string? Refusal) Value(LineBands bands, IReadOnlyList<double?> samples, LineState asked)
    {
        var good = samples.OfType<double>().Order().ToList();
        if (good.Count < Samples || good.Count != samples.Count) return (null, $"{asked}: the line could not be measured");
        var middle = good[good.Count / 2];
        if (bands.Classify(middle) is var found && found != asked)
            return (null, string.Create(CultureInfo.InvariantCulture, $"{asked}: the line is {found} ({middle:0.000} of the excitation); look at its resistors and its wires"));
        return good[^1] - good[0] > SpreadMax
            ? (null, string.Create(CultureInfo.InvariantCulture, $"{asked}: the line is not steady ({good[0]:0.000} to {good[^1]:0.000} of the excitation)"))
            : (middle, null);
    }
}
