using System.Globalization;

namespace PhysSec.Hardware;

/// <summary>What a supervised line is found to be. The names go to the record and never change.</summary>
public enum LineState
{
    /// <summary>The converter does not answer, or its excitation is not there.</summary>
    Unreadable = 0,

    /// <summary>The two wires touch.</summary>
    Shorted = 1,

    /// <summary>The contact is closed.</summary>
    Closed = 2,

    /// <summary>The contact is open.</summary>
    Open = 3,

    /// <summary>A wire is cut.</summary>
    Cut = 4,

    /// <summary>The live wire touches earth; told from a short only where the network has a return resistor.</summary>
    Ground = 5,

    /// <summary>More than the excitation, or less than ground: somebody else's voltage.</summary>
    ForeignVoltage = 6,

    /// <summary>Between two states, or it does not come to rest: a wrong resistor, water in a box, a bad joint, somebody at work.</summary>
    OutOfBand = 7,
}

/// <summary>
/// The resistors of a supervised line: excitation → pull-up → live wire → (series resistor, then the contact with the parallel resistor across it) → return
/// resistor → ground. The converter measures the live wire. Resistances in kΩ.
/// </summary>
/// <param name="PullUp">From the excitation to the live wire.</param>
/// <param name="Series">In series with the contact; null: a short cannot be told from a closed contact.</param>
/// <param name="Parallel">Across the contact; null: a cut cannot be told from an open contact.</param>
/// <param name="Return">Between the return wire and ground, at the board; null: a wire that touches earth reads as a short.</param>
/// <param name="Tolerance">Of each resistor: 0.01 is 1 %.</param>
public sealed record LineNetwork(double PullUp, double? Series, double? Parallel, double? Return, double Tolerance)
{
    /// <summary>The networks that a board file names: each in series/parallel, or series alone.</summary>
    public static IReadOnlyDictionary<string, (double? Series, double? Parallel)> Presets { get; } = new Dictionary<string, (double?, double?)>
    {
        ["1k/1k"] = (1, 1),
        ["2.2k/8.2k"] = (2.2, 8.2),
        ["10k"] = (10, null),
    };

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Kilo(Series)}/{Kilo(Parallel)} at {PullUp} kΩ, return {Kilo(Return)}");

    /// <summary>The live wire's share of the excitation.</summary>
    /// <param name="loop">Between the two wires.</param>
    /// <param name="sign">−1 for the least that the tolerances allow, 1 for the most, 0 for the nominal value.</param>
    public double Ratio(double loop, int sign = 0)
    {
        if (double.IsPositiveInfinity(loop)) return 1;
        var below = (loop + (Return ?? 0)) * (1 + (sign * Tolerance));
        return below / (below + (PullUp * (1 - (sign * Tolerance))));
    }

    private static string Kilo(double? it) => it is { } value ? string.Create(CultureInfo.InvariantCulture, $"{value}k") : "-";
}
