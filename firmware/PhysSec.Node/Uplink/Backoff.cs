namespace PhysSec.Node.Uplink;

/// <summary>How long to wait before the next attempt: 1 s doubling to 60 s, and of that any part (full jitter), so that a site's nodes do not return in step.</summary>
public static class Backoff
{
    public static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    /// <param name="failures">Attempts that failed in a row, from 1.</param>
    /// <param name="part">Which part of it, 0 to 1, drawn at random.</param>
    public static TimeSpan Wait(int failures, double part)
    {
        var longest = Math.Min(First.TotalSeconds * Math.Pow(2, Math.Min(failures - 1, 10)), Longest.TotalSeconds);
        return TimeSpan.FromSeconds(longest * part);
    }
}
