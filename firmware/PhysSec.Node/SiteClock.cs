using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;

namespace PhysSec.Node;

/// <summary>
/// How far the wall clock can be trusted. Pure: time comes in as arguments. A board without a battery starts in the past; a clock can be set
/// while the node runs; only the hub's signed time confirms it.
/// </summary>
/// <param name="builtAt">No true time is before the firmware was built.</param>
/// <param name="newestRecord">… nor before what was already recorded.</param>
public sealed class SiteClock(DateTimeOffset builtAt, DateTimeOffset? newestRecord)
{
    /// <summary>A clock that moves by more than this against the monotonic one was set, not slewed; also how near the hub's time must be to confirm it.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);

    /// <summary>A clock may be behind the hub or the newest record by this much and still decide schedules: further back it was lost.</summary>
    public static readonly TimeSpan LagMax = PolicyFreshness.ClockLagMax;

    private static readonly TimeSpan _lifetime = TimeSpan.FromDays(36_525); // No firmware runs for a century.

    private TimeSpan? _offset; // The wall clock's lead over the monotonic one, as last seen.
    private DateTimeOffset _wallZero;
    private (DateTimeOffset Time, TimeSpan At)? _hub; // The hub's time as believed, and the uptime when it was told.
    private (DateTimeOffset Time, TimeSpan At)? _outlier; // One that does not fit what is believed; a second one that fits it is needed.
    private DateTimeOffset? _lead; // The wall clock's lead over the monotonic one when the hub last confirmed it, or at the hub's first word.
    private bool _confirmed;

    public ClockQuality Quality { get; private set; } = ClockQuality.Unset;

    /// <summary>Looks at both clocks. Null when nothing changed since the last look.</summary>
    public ClockChanged? Observe(DateTimeOffset wall, TimeSpan uptime)
    {
        if (_offset is null) (_wallZero, _offset) = (wall - uptime, TimeSpan.Zero);
        var offset = wall - uptime - _wallZero;
        var step = offset - _offset.Value;
        _offset = offset;
        if (step.Duration() > Tolerance) _confirmed = false;
        else step = TimeSpan.Zero;
        return Changed(Judge(wall), step);
    }

    /// <summary>
    /// Compares with the time in a signed acknowledgement. An older one than the last proves nothing. A hub whose clock is set far forward or back is believed at the second
    /// word that agrees with the first; back only where the word is proved to be new, or where this node's own clock says the same and was not set back itself, because old
    /// acknowledgements may be played again.
    /// </summary>
    /// <param name="hubTime">What the hub has signed.</param>
    /// <param name="wall">This node's own clock.</param>
    /// <param name="uptime">Monotonic, now.</param>
    /// <param name="signedAfter">Monotonic time before which it cannot have been signed; null: nobody knows.</param>
    public ClockChanged? HubSays(DateTimeOffset hubTime, DateTimeOffset wall, TimeSpan uptime, TimeSpan? signedAfter = null)
    {
        if (hubTime < builtAt || hubTime - builtAt > _lifetime) return null;
        var isNew = uptime - signedAfter <= LagMax; // Never of a null.
        var back = false;
        if (_hub is { } hub)
        {
            var expected = hub.Time + (uptime - hub.At);
            if ((hubTime - expected).Duration() > LagMax)
            {
                back = hubTime < expected;
                if (!SaidTwice(hubTime, uptime) || back && !isNew && !StoodFast(hubTime, wall, uptime))
                {
                    _outlier = (hubTime, uptime);
                    return null;
                }
            }
            else if (hubTime <= hub.Time)
            {
                return null;
            }
        }

        (_hub, _outlier) = ((hubTime, uptime), null);
        _confirmed = (wall - hubTime).Duration() <= Tolerance;
        if (_lead is null || _confirmed && (isNew || !back)) _lead = wall - uptime; // Never from an unproved word that went back: small steps would lead far.
        return Changed(Judge(wall), TimeSpan.Zero);
    }

    private bool SaidTwice(DateTimeOffset hubTime, TimeSpan uptime) =>
        _outlier is { } first && hubTime > first.Time && (hubTime - first.Time - (uptime - first.At)).Duration() <= Tolerance;

    private bool StoodFast(DateTimeOffset hubTime, DateTimeOffset wall, TimeSpan uptime) =>
        (wall - hubTime).Duration() <= LagMax && _lead is { } lead && wall - uptime >= lead - LagMax;

    private ClockQuality Judge(DateTimeOffset wall)
    {
        if (_confirmed) return ClockQuality.Synced;
        if (wall < builtAt) return ClockQuality.Unset;
        if (newestRecord is { } newest && wall < newest - LagMax) return ClockQuality.Unset;
        if (_hub is { } hub && wall < hub.Time - LagMax) return ClockQuality.Unset; // Time does not run back behind what the hub has signed.
        return ClockQuality.Holdover;
    }

    private ClockChanged? Changed(ClockQuality quality, TimeSpan step)
    {
        if (quality == Quality && step == TimeSpan.Zero) return null;
        Quality = quality;
        return new(quality, step.TotalSeconds);
    }
}
