using System.Diagnostics;
using System.Runtime.InteropServices;

namespace PhysSec.VmGuest.Machine;

/// <summary>The machine's own clock, the one that the node stamps its records with, and exact sleeps on it.</summary>
internal static partial class Monotonic
{
    private const int ClockMonotonic = 1;
    private const int Absolute = 1;
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(1);

    public static TimeSpan Now => Stopwatch.GetElapsedTime(0);

    public static void Sleep(TimeSpan time) => SleepUntil(Now + time);

    public static void SleepUntil(TimeSpan at)
    {
        var (seconds, rest) = Math.DivRem(at.Ticks, TimeSpan.TicksPerSecond);
        var due = new TimeSpec(seconds, rest * 100);
        while (ClockNanosleep(ClockMonotonic, Absolute, due, 0) != 0)
        {
            // A signal woke it.
        }
    }

    /// <summary>How long it took until this was so; null when it was not so within the time.</summary>
    public static TimeSpan? Until(Func<bool> so, TimeSpan within)
    {
        var start = Now;
        while (!so())
        {
            if (Now - start > within) return null;
            Sleep(_look);
        }

        return Now - start;
    }

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "clock_nanosleep")]
    private static partial int ClockNanosleep(int clock, int flags, in TimeSpec due, nint remaining);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct TimeSpec(long seconds, long nanoseconds)
    {
        private readonly long _seconds = seconds;
        private readonly long _nanoseconds = nanoseconds;
    }
}
