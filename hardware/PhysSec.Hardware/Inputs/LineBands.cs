namespace PhysSec.Hardware;

/// <summary>One state's part of the excitation, both ends included.</summary>
public readonly record struct LineBand(LineState State, double Low, double High);

/// <summary>
/// What each share of the excitation means, computed from the network: each state has the values that its resistors' tolerances, the cable and the excitation
/// allow, widened by a quarter of the gap to its neighbour (at most 0.06). The middle of every gap belongs to nobody and is a fault: the guard bands.
/// </summary>
public sealed class LineBands
{
    /// <summary>Excitation taken as its nominal 3.3 V, not measured.</summary>
    public const double UnmeasuredExcitation = 0.03;

    /// <summary>Excitation measured beside the lines, by the same converter.</summary>
    public const double MeasuredExcitation = 0.002;

    /// <summary>Least distance between the worst cases of two states.</summary>
    public const double GapMin = 0.05;

    private const double CableKiloohms = 0.1; // Two wires, joints and the contact itself.
    private const double InsulationKiloohms = 47; // A cut in a damp box still leaks.
    private const double WideningMax = 0.06;
    private const double CalibratedHalfWidth = 0.03;
    private const double BelowGround = -0.02;
    private readonly double _top;

    private LineBands(IReadOnlyList<LineBand> bands, double top) => (Bands, _top) = (bands, top);

    /// <summary>From ground to the excitation.</summary>
    public IReadOnlyList<LineBand> Bands { get; }

    /// <param name="network">Its resistors.</param>
    /// <param name="excitation">How far the excitation may be from what it is taken for: 0.03 is 3 %.</param>
    /// <exception cref="ArgumentException">Two states lie too near each other to be told apart; the message names them.</exception>
    public static LineBands For(LineNetwork network, double excitation)
    {
        ArgumentNullException.ThrowIfNull(network);
        var worst = Worst(network).Select(it => it with { Low = it.Low * (1 - excitation), High = it.High * (1 + excitation) }).ToList();
        for (var i = 1; i < worst.Count; i++)
        {
            if (worst[i].Low - worst[i - 1].High < GapMin)
                throw new ArgumentException($"With these resistors {worst[i - 1].State} and {worst[i].State} cannot be told apart.", nameof(network));
        }

        var top = 1 + excitation + -BelowGround;
        return new([.. worst.Select((it, i) => new LineBand(
            it.State,
            i == 0 ? BelowGround : it.Low - Widening(worst[i - 1].High, it.Low),
            i == worst.Count - 1 ? top : it.High + Widening(it.High, worst[i + 1].Low)))], top);
    }

    /// <summary>The same with the contact's two states drawn close around what was measured at this very line; never wider than before.</summary>
    public LineBands Around(LineCalibration calibration)
    {
        ArgumentNullException.ThrowIfNull(calibration);
        return new([.. Bands.Select((it, i) => it.State switch
        {
            LineState.Closed when i > 0 => Narrowed(it, calibration.Closed),
            LineState.Open when i < Bands.Count - 1 => Narrowed(it, calibration.Open),
            _ => it, // An outermost band stands for a short or a cut as well.
        })], _top);
    }

    /// <param name="ratio">Share of the excitation; null: it could not be measured.</param>
    public LineState Classify(double? ratio)
    {
        if (ratio is not { } it || !double.IsFinite(it)) return LineState.Unreadable;
        if (it < BelowGround || it > _top) return LineState.ForeignVoltage;
        foreach (var band in Bands)
            if (it >= band.Low && it <= band.High) return band.State;
        return LineState.OutOfBand;
    }

    private static double Widening(double below, double above) => Math.Min((above - below) / 4, WideningMax);

    private static LineBand Narrowed(LineBand band, double measured) =>
        band with { Low = Math.Max(band.Low, measured - CalibratedHalfWidth), High = Math.Min(band.High, measured + CalibratedHalfWidth) };

    private static IEnumerable<LineBand> Worst(LineNetwork network)
    {
        if (network.Return is not null) yield return new(LineState.Ground, 0, new LineNetwork(network.PullUp, null, null, null, network.Tolerance).Ratio(CableKiloohms, 1));
        yield return Between(network.Series is null ? LineState.Closed : LineState.Shorted, 0);
        if (network.Series is { } series) yield return Between(LineState.Closed, series);
        if (network.Parallel is { } parallel) yield return Between(LineState.Open, (network.Series ?? 0) + parallel);
        yield return new(network.Parallel is null ? LineState.Open : LineState.Cut, network.Ratio(InsulationKiloohms, -1), 1);

        LineBand Between(LineState state, double loop) => new(state, network.Ratio(loop, -1), network.Ratio(loop + CableKiloohms, 1));
    }
}
