using PhysSec.Hardware;

namespace PhysSec.Tests.Simulation.Readers;

/// <summary>
/// Samples of every kind from a supervised line: its states with their tolerances, noise, both sides of every band's edge, and nothing at all. The judge has its own arithmetic for the bands and
/// its own idea of what has settled; a state that changes without reason, and one that does not change with reason, are findings.
/// </summary>
internal sealed class LineTrial(Random random)
{
    private const double Tolerance = 0.01;
    private static readonly (double PullUp, double? Series, double? Parallel, double? Return)[] _networks =
        [(2.2, 1, 1, null), (2.2, 1, 1, 0.47), (2.2, 2.2, 8.2, null), (2.2, 10, null, null), (4.7, null, 10, null)];

    private static readonly int[] _steps = [5, 10, 25, 25, 25, 25, 40, 70];

    /// <summary>Plays so many samples. Null: nothing is wrong; else what is.</summary>
    public string? Play(long samples)
    {
        const int PerLine = 500;
        for (var played = 0L; played < samples; played += PerLine)
            if (Line(PerLine) is { } wrong) return wrong;
        return null;
    }

    private string? Line(int samples)
    {
        var (pullUp, series, parallel, back) = _networks[random.Next(_networks.Length)];
        var own = Own(pullUp, series, parallel, back);
        var line = new LineSupervision(LineBands.For(new(pullUp, series, parallel, back, Tolerance), LineBands.MeasuredExcitation));
        var (ms, runSince, run, believed) = (0L, 0L, 0, (long?)null);
        LineState? before = null, last = null;
        double? held = 0.3;
        for (var i = 0; i < samples; i++)
        {
            ms += _steps[random.Next(_steps.Length)];
            if (random.Next(4) == 0) held = Any(own);
            var sample = held is { } value && random.Next(3) > 0 ? value + ((random.NextDouble() - 0.5) * 0.002) : held;
            var state = StateOf(own, sample);
            (runSince, run) = state == last ? (runSince, run + 1) : (ms, 1);
            (last, believed) = (state, believed ?? ms);
            var settled = run >= 3 && ms - runSince >= 50;
            if (settled) believed = ms;
            var expected = settled ? state : ms - believed > 500 ? LineState.OutOfBand : before;
            var changed = line.Take(sample, TimeSpan.FromMilliseconds(ms));
            if (line.State != expected) return $"a line of {pullUp}/{series}/{parallel}/{back} kΩ is {line.State} and should be {expected} at a sample of {sample}";
            if (changed != (expected != before)) return "a change was told that was none, or not told";
            before = expected;
        }

        return null;
    }

    private double? Any(List<(LineState State, double Low, double High)> own)
    {
        var band = own[random.Next(own.Count)];
        return random.Next(8) switch
        {
            0 => null,
            1 => double.NaN,
            2 => (random.NextDouble() * 1.6) - 0.3,
            3 => band.Low + ((random.Next(2) == 0 ? 1 : -1) * 0.003),
            4 => band.High + ((random.Next(2) == 0 ? 1 : -1) * 0.003),
            _ => band.Low + ((band.High - band.Low) * random.NextDouble()),
        };
    }

    private static LineState StateOf(List<(LineState State, double Low, double High)> own, double? sample)
    {
        if (sample is not { } it || double.IsNaN(it)) return LineState.Unreadable;
        if (it < own[0].Low || it > own[^1].High) return LineState.ForeignVoltage;
        var found = own.FindIndex(band => band.Low <= it && it <= band.High);
        return found < 0 ? LineState.OutOfBand : own[found].State;
    }

    /// <summary>The bands, from the voltage divider and the widening that hardware/README.md states.</summary>
    private static List<(LineState State, double Low, double High)> Own(double pullUp, double? series, double? parallel, double? back)
    {
        double Divider(double lower, double sign) => lower * (1 + (sign * Tolerance)) / ((lower * (1 + (sign * Tolerance))) + (pullUp * (1 - (sign * Tolerance))));
        var (r, cable, leak) = (back ?? 0, 0.1, 47.0);
        var all = new List<(LineState State, double Low, double High)>();
        if (back is not null) all.Add((LineState.Ground, 0, Divider(cable, 1)));
        if (series is { } s)
        {
            all.Add((LineState.Shorted, Divider(r, -1), Divider(r + cable, 1)));
            all.Add((LineState.Closed, Divider(r + s, -1), Divider(r + s + cable, 1)));
        }
        else all.Add((LineState.Closed, Divider(r, -1), Divider(r + cable, 1)));

        if (parallel is { } p) all.Add((LineState.Open, Divider(r + (series ?? 0) + p, -1), Divider(r + (series ?? 0) + p + cable, 1)));
        all.Add((parallel is null ? LineState.Open : LineState.Cut, Divider(r + leak, -1), 1));
        for (var i = 0; i < all.Count; i++) all[i] = (all[i].State, all[i].Low * 0.998, all[i].High * 1.002);
        var wide = new List<(LineState State, double Low, double High)>();
        for (var i = 0; i < all.Count; i++)
        {
            var down = i == 0 ? -0.02 : all[i].Low - Math.Min(0.06, (all[i].Low - all[i - 1].High) / 4);
            var up = i == all.Count - 1 ? 1.022 : all[i].High + Math.Min(0.06, (all[i + 1].Low - all[i].High) / 4);
            wide.Add((all[i].State, down, up));
        }

        return wide;
    }
}
