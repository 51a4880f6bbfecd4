namespace PhysSec.Core.Access;

/// <summary>
/// When the hub last said that the policy in force is right. Its age is measured twice, by site time and within a boot by the monotonic clock, and the greater one counts:
/// a wall clock that is set back does not make an old policy young.
/// </summary>
/// <param name="At">The hub's time of the confirmation.</param>
/// <param name="HeardAt">Uptime when it arrived in this boot; null when it was loaded from the disk.</param>
/// <param name="AgeWhenHeard">How old it already was on arrival, by site time; null when the clock was unset then.</param>
public sealed record PolicyFreshness(DateTimeOffset At, TimeSpan? HeardAt, TimeSpan? AgeWhenHeard)
{
    /// <summary>How far the site's clock may lag behind the hub's before the age counts as unknown.</summary>
    public static readonly TimeSpan ClockLagMax = TimeSpan.FromMinutes(5);

    /// <summary>A confirmation that came over the wire.</summary>
    public static PolicyFreshness Heard(DateTimeOffset at, TimeSpan uptime, DateTimeOffset? siteTime) =>
        new(at, uptime, siteTime is { } now ? Zero(now - at) : null);

    /// <summary>A confirmation kept from before the restart.</summary>
    public static PolicyFreshness Stored(DateTimeOffset at) => new(at, null, null);

    /// <summary>Null when it cannot be known: the clock is unset, or far behind the confirmation.</summary>
    public TimeSpan? Age(TimeSpan uptime, DateTimeOffset? siteTime)
    {
        var monotonic = HeardAt is { } heard && AgeWhenHeard is { } before ? before + (uptime - heard) : (TimeSpan?)null;
        if (siteTime is not { } now) return monotonic;
        if (now - At < -ClockLagMax) return monotonic;
        var wall = Zero(now - At);
        return monotonic is { } other && other > wall ? other : wall;
    }

    private static TimeSpan Zero(TimeSpan age) => age < TimeSpan.Zero ? TimeSpan.Zero : age;
}
