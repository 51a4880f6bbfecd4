using PhysSec.VmGuest.Machine;

namespace PhysSec.VmGuest.Scenarios;

internal static class Times
{
    /// <summary>Frame gap or debounce, decision, journal and line together.</summary>
    public static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(400);

    /// <summary>A little longer than a reader shows a decision.</summary>
    public static readonly TimeSpan Flash = TimeSpan.FromSeconds(2.2);

    public static readonly TimeSpan Release = TimeSpan.FromSeconds(Site.ReleaseSeconds);

    /// <summary>Two samples of the sensor and a little.</summary>
    public static readonly TimeSpan Sampled = TimeSpan.FromSeconds(2.5);

    /// <summary>Until this was so, counted from a moment before.</summary>
    public static TimeSpan? Since(TimeSpan start, Func<bool> so, TimeSpan within) =>
        Monotonic.Until(so, within) is null ? null : Monotonic.Now - start;
}
