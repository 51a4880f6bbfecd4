namespace PhysSec.Core.Sensing;

/// <summary>What is wrong with a measured point. Several can hold at once.</summary>
public enum Condition
{
    High = 0,
    Low = 1,

    /// <summary>Rising faster than the limit. Falling is not judged: a room that cools down after a fault is getting better.</summary>
    Rate = 2,

    /// <summary>No good reading for longer than the rule allows.</summary>
    Silent = 3,

    /// <summary>Outside what the device can measure, or never changing.</summary>
    Implausible = 4,
}

/// <summary>A value, or a fault's name; never both.</summary>
public readonly record struct Reading(double? Value, string? Fault)
{
    /// <summary>The fault of a value that the device cannot have measured (compared without case).</summary>
    public const string OutOfRange = "outOfRange";

    public static Reading Good(double value) => new(value, null);

    public static Reading Failed(string fault) => new(null, fault);
}

/// <summary>A condition began or ended. Value and Limit are in the point's unit (per hour for Rate, seconds for Silent).</summary>
public sealed record ConditionChange(Condition Condition, string AlarmClass, bool Raised, double? Value, double? Limit, string? Detail);

/// <summary>One limit's way from quiet to raised and back. Times are uptime.</summary>
public readonly record struct LimitState(bool Raised, TimeSpan? TripSince, TimeSpan? ClearSince);

/// <summary>The mean of the readings in one slice of the rate's window.</summary>
public readonly record struct RateSlice(TimeSpan From, double Seconds, double Value, int Count);

/// <summary>What is remembered of a point between two readings.</summary>
public sealed record PointState
{
    public LimitState High { get; init; }

    public LimitState Low { get; init; }

    public bool RateRaised { get; init; }

    public bool SilentRaised { get; init; }

    public bool ImplausibleRaised { get; init; }

    /// <summary>The newest good reading, or the start of watching.</summary>
    public TimeSpan GoodAt { get; init; }

    /// <summary>Since when readings have been out of range without a good one between.</summary>
    public TimeSpan? OutOfRangeSince { get; init; }

    /// <summary>What the newest reading named as its fault; null after a good one.</summary>
    public string? Fault { get; init; }

    /// <summary>The newest good value, and since when it has been exactly that.</summary>
    public double? Value { get; init; }

    public TimeSpan SameSince { get; init; }

    public IReadOnlyList<RateSlice> Slices { get; init; } = [];

    public static PointState Start(TimeSpan uptime) => new() { GoodAt = uptime, SameSince = uptime };

    /// <summary>The same with these conditions already raised, as they were before a restart.</summary>
    public PointState Holding(Condition condition) => condition switch
    {
        Condition.High => this with { High = new(true, null, null) },
        Condition.Low => this with { Low = new(true, null, null) },
        Condition.Rate => this with { RateRaised = true },
        Condition.Silent => this with { SilentRaised = true },
        Condition.Implausible => this with { ImplausibleRaised = true },
        _ => throw new ArgumentOutOfRangeException(nameof(condition), condition, "Not a condition"),
    };

    /// <summary>The same with a limit or rate forgotten: its rule has changed, and the next readings are judged anew.</summary>
    public PointState Without(Condition condition) => condition switch
    {
        Condition.High => this with { High = default },
        Condition.Low => this with { Low = default },
        Condition.Rate => this with { RateRaised = false, Slices = [] },
        _ => this,
    };

    public bool Holds(Condition condition) => condition switch
    {
        Condition.High => High.Raised,
        Condition.Low => Low.Raised,
        Condition.Rate => RateRaised,
        Condition.Silent => SilentRaised,
        Condition.Implausible => ImplausibleRaised,
        _ => false,
    };
}
