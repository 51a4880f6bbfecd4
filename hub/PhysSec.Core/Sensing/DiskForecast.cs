namespace PhysSec.Core.Sensing;

/// <summary>How much of a disk could not be written to at one time, in bytes.</summary>
public sealed record DiskUse(DateTimeOffset At, long UsedBytes, long TotalBytes)
{
    /// <summary>0 to 1.</summary>
    public double Share => TotalBytes > 0 ? Math.Clamp((double)UsedBytes / TotalBytes, 0, 1) : 0;
}

/// <summary>When a disk will be full, and when that is worth an alarm: capacity is warned of at 75 % or a month ahead.</summary>
public static class DiskForecast
{
    /// <summary>With fewer, or over a shorter time, a forecast would be a guess.</summary>
    public const int SamplesMin = 12;

    /// <inheritdoc cref="SamplesMin"/>
    public static readonly TimeSpan SpanMin = TimeSpan.FromHours(24);

    private const double RaiseShare = 0.75;
    private const double ClearShare = 0.72;
    private static readonly TimeSpan _raiseAhead = TimeSpan.FromDays(31);
    private static readonly TimeSpan _clearAhead = TimeSpan.FromDays(38);
    private static readonly TimeSpan _horizon = TimeSpan.FromDays(36_525); // A later day says nothing.

    /// <summary>The day on which the straight line through the samples (least squares) meets the disk's end. Null: unknown, because there are too few or the use does not grow.</summary>
    /// <param name="samples">Of one disk, in any order. Those from before it was exchanged for one of another size do not count.</param>
    public static DateTimeOffset? FullAt(IReadOnlyList<DiskUse> samples)
    {
        ArgumentNullException.ThrowIfNull(samples);
        if (samples.MaxBy(it => it.At) is not { } newest) return null;
        var known = samples.Where(it => it.TotalBytes == newest.TotalBytes).Select(it => (Seconds: (it.At - newest.At).TotalSeconds, Used: (double)it.UsedBytes)).ToList();
        if (known.Count < SamplesMin || -known.Min(it => it.Seconds) < SpanMin.TotalSeconds) return null;

        var (time, used) = (known.Average(it => it.Seconds), known.Average(it => it.Used));
        var growth = known.Sum(it => (it.Seconds - time) * (it.Used - used)) / known.Sum(it => (it.Seconds - time) * (it.Seconds - time));
        if (growth <= 0) return null;
        var left = (newest.TotalBytes - (used - (growth * time))) / growth;
        return left > _horizon.TotalSeconds ? null : newest.At.AddSeconds(Math.Max(0, left));
    }

    /// <summary>Whether the alarm stands. What once stood goes only when the disk is clearly better, so that it does not come and go.</summary>
    /// <param name="standing">It stood until now.</param>
    /// <param name="now">How full the disk is.</param>
    /// <param name="fullAt">What <see cref="FullAt"/> says.</param>
    public static bool Alarms(bool standing, DiskUse now, DateTimeOffset? fullAt)
    {
        ArgumentNullException.ThrowIfNull(now);
        return now.Share >= (standing ? ClearShare : RaiseShare) || fullAt - now.At <= (standing ? _clearAhead : _raiseAhead);
    }
}
