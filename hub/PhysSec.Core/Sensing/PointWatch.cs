using PhysSec.Core.Access;
using PhysSec.Core.Alarms;

namespace PhysSec.Core.Sensing;

/// <summary>
/// Readings of one point against its rule. UNKNOWN-IS-NOT-OK: a fault clears nothing, and time without a good reading is a condition of its own.
/// </summary>
public static class PointWatch
{
    /// <summary>The rate's window is cut into this many slices, so that its memory is bounded at any sampling rate.</summary>
    public const int SlicesMax = 30;

    /// <summary>The rate is judged when the readings span at least this part of the window.</summary>
    private const double SpanMin = 0.5;

    /// <summary>A rate alarm ends below this part of its limit.</summary>
    private const double RateClear = 0.8;

    /// <summary>In the order in which they are reported.</summary>
    public static IReadOnlyList<Condition> Conditions { get; } = Enum.GetValues<Condition>();

    /// <summary>For a point that no rule names: its silence is noticed all the same.</summary>
    public static SensingRule Unruled(PointId point, double periodSeconds) =>
        new(point, "", "", null, null, 0, 5, 0, null, 0, "", Math.Max(60, 3 * periodSeconds), 0);

    /// <summary>The alarm class of a condition under a rule.</summary>
    public static string AlarmClass(SensingRule rule, Condition condition)
    {
        ArgumentNullException.ThrowIfNull(rule);
        return condition switch
        {
            Condition.High => rule.AlarmClassHigh,
            Condition.Low => rule.AlarmClassLow,
            Condition.Rate => rule.AlarmClassRate,
            Condition.Silent => AlarmClasses.SensorSilent,
            _ => AlarmClasses.SensorImplausible,
        };
    }

    /// <summary>Takes in one reading (null: only time has passed) and says which conditions began and which ended.</summary>
    public static (PointState State, IReadOnlyList<ConditionChange> Changes) Step(
        PointState state, SensingRule rule, Reading? reading, TimeSpan uptime)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(rule);
        var good = reading is { Value: { } value, Fault: null } && double.IsFinite(value) ? value : (double?)null;
        var next = good is { } it ? Take(state, rule, it, uptime)
            : reading is { } failed ? Fail(state, failed.Fault, uptime)
            : state;
        next = Judge(next, rule, uptime, good is not null);

        var changes = new List<ConditionChange>();
        foreach (var condition in Conditions)
            if (state.Holds(condition) != next.Holds(condition)) changes.Add(Change(condition, next, rule, uptime));
        return (next, changes);
    }

    /// <summary>Least squares over the slices, in units per hour; null while they span too little of the window.</summary>
    public static double? Slope(IReadOnlyList<RateSlice> slices, double windowSeconds)
    {
        ArgumentNullException.ThrowIfNull(slices);
        if (slices.Count < 3 || slices[^1].Seconds - slices[0].Seconds < windowSeconds * SpanMin) return null;
        var (meanTime, meanValue) = (slices.Average(it => it.Seconds), slices.Average(it => it.Value));
        var above = slices.Sum(it => (it.Seconds - meanTime) * (it.Value - meanValue));
        var below = slices.Sum(it => (it.Seconds - meanTime) * (it.Seconds - meanTime));
        return below > 0 ? above / below * 3600 : null;
    }

    private static PointState Take(PointState state, SensingRule rule, double value, TimeSpan uptime) => state with
    {
        High = Limit(state.High, rule, uptime, value >= rule.High, rule.High is null || value < rule.High - rule.DeadBand),
        Low = Limit(state.Low, rule, uptime, value <= rule.Low, rule.Low is null || value > rule.Low + rule.DeadBand),
        GoodAt = uptime,
        Fault = null,
        OutOfRangeSince = null,
        Value = value,
        SameSince = state.Value == value ? state.SameSince : uptime,
        Slices = rule.RateLimit is null ? [] : Add(state.Slices, rule.RateWindow, value, uptime),
    };

    // Nobody knows whether the room got better meanwhile: a raised limit stays, and its way back starts anew. A trip delay goes on.
    private static PointState Fail(PointState state, string? fault, TimeSpan uptime) => state with
    {
        High = state.High with { ClearSince = null },
        Low = state.Low with { ClearSince = null },
        Fault = fault,
        OutOfRangeSince = string.Equals(fault, Reading.OutOfRange, StringComparison.OrdinalIgnoreCase) ? state.OutOfRangeSince ?? uptime : null,
    };

    private static LimitState Limit(LimitState limit, SensingRule rule, TimeSpan uptime, bool beyond, bool back)
    {
        if (limit.Raised)
        {
            if (!back) return limit with { ClearSince = null };
            var clear = limit.ClearSince ?? uptime;
            return uptime - clear >= TimeSpan.FromSeconds(rule.ClearDelay) ? default : limit with { ClearSince = clear };
        }

        if (!beyond) return default;
        var trip = limit.TripSince ?? uptime;
        return uptime - trip >= TimeSpan.FromSeconds(rule.TripDelay) ? new(true, null, null) : limit with { TripSince = trip };
    }

    private static PointState Judge(PointState state, SensingRule rule, TimeSpan uptime, bool good)
    {
        var slope = rule.RateLimit is null ? null : Slope(state.Slices, rule.RateWindow);
        var stuck = rule.StuckAfter > 0 && state.Value is not null && state.GoodAt - state.SameSince >= TimeSpan.FromSeconds(rule.StuckAfter);
        var outside = uptime - state.OutOfRangeSince >= TimeSpan.FromSeconds(rule.TripDelay);
        return state with
        {
            RateRaised = rule.RateLimit is { } limit && (slope is { } it ? it >= (state.RateRaised ? limit * RateClear : limit) : state.RateRaised),
            SilentRaised = uptime - state.GoodAt >= TimeSpan.FromSeconds(rule.SilentAfter)
                || (state.SilentRaised && !good),
            ImplausibleRaised = stuck || outside || (state.ImplausibleRaised && !good),
        };
    }

    private static List<RateSlice> Add(IReadOnlyList<RateSlice> slices, double windowSeconds, double value, TimeSpan uptime)
    {
        var width = windowSeconds / SlicesMax;
        var now = uptime.TotalSeconds;
        var kept = slices.Where(it => now - it.Seconds <= windowSeconds).ToList();
        if (kept.Count > 0 && now - kept[^1].From.TotalSeconds < width)
        {
            var (last, count) = (kept[^1], kept[^1].Count + 1);
            kept[^1] = last with
            {
                Seconds = last.Seconds + ((now - last.Seconds) / count),
                Value = last.Value + ((value - last.Value) / count),
                Count = count,
            };
        }
        else
        {
            kept.Add(new(uptime, now, value, 1));
        }

        return kept;
    }

    private static ConditionChange Change(Condition condition, PointState state, SensingRule rule, TimeSpan uptime)
    {
        var raised = state.Holds(condition);
        var age = Math.Round((uptime - state.GoodAt).TotalSeconds, 1);
        var (value, limit, detail) = condition switch
        {
            Condition.High => (state.Value, rule.High, null),
            Condition.Low => (state.Value, rule.Low, null),
            Condition.Rate => (Slope(state.Slices, rule.RateWindow), rule.RateLimit, "per hour"),
            Condition.Silent => (age, rule.SilentAfter, "seconds without a good reading" + (state.Fault is { } fault ? $": {fault}" : "")),
            _ => (state.Value, (double?)null, state.OutOfRangeSince is not null ? "outside what the device can measure" : "no change at all"),
        };
        return new(condition, AlarmClass(rule, condition), raised, value, limit, raised ? detail : null);
    }
}
