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
    /// <summary>A clock that moves by more than this against the monotonic one was set, not slewed; also how near the hub's time must be.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);

    private TimeSpan? _offset; // The wall clock's lead over the monotonic one, as last seen.
    private DateTimeOffset _wallZero;
    private DateTimeOffset? _hubTime;
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

    /// <summary>Compares with the time in a signed acknowledgement. An older one than the last proves nothing.</summary>
    public ClockChanged? HubSays(DateTimeOffset hubTime, DateTimeOffset wall)
    {
        if (hubTime <= _hubTime) return null;
        _hubTime = hubTime;
        _confirmed = (wall - hubTime).Duration() <= Tolerance;
        return Changed(Judge(wall), TimeSpan.Zero);
    }

    private ClockQuality Judge(DateTimeOffset wall)
    {
        if (_confirmed) return ClockQuality.Synced;
        if (wall < builtAt) return ClockQuality.Unset;
        if (newestRecord is { } newest && wall < newest - Tolerance) return ClockQuality.Unset;
        if (_hubTime is { } hub && wall < hub - Tolerance) return ClockQuality.Unset; // Time does not run back behind what the hub has signed.
        return ClockQuality.Holdover;
    }

    private ClockChanged? Changed(ClockQuality quality, TimeSpan step)
    {
        if (quality == Quality && step == TimeSpan.Zero) return null;
        Quality = quality;
        return new(quality, step.TotalSeconds);
    }
}
