using System.Globalization;
using System.Reflection;

namespace PhysSec.Node;

/// <summary>What this program is and which run of it this is.</summary>
public static class Firmware
{
    public static string Version { get; } =
        typeof(Firmware).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";

    /// <summary>The day of the release, set in the project file: no true time is earlier.</summary>
    public static DateTimeOffset ReleasedAt { get; } = DateTimeOffset.Parse(
        typeof(Firmware).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(it => it.Key == "ReleaseDate").Value!,
        CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    /// <summary>What physsec-install wrote down when it put this version in a damaged one's place, see its header; null: nothing.</summary>
    /// <param name="programFolder">Where this program lies: a version beside the others.</param>
    public static string? Damage(string programFolder)
    {
        var file = Path.Combine(programFolder, "..", "damaged");
        try
        {
            return File.Exists(file) ? File.ReadAllText(file).Trim() : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return failure.Message;
        }
    }

    /// <summary>
    /// One run of the process: the machine's boot and, within it, when the process started, in clock ticks since the boot. The monotonic clock is
    /// comparable within it.
    /// </summary>
    public static string Boot()
    {
        var boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        var stat = File.ReadAllText("/proc/self/stat");
        var started = stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19]; // Field 22 of proc(5); the name before it may hold spaces.
        return $"{boot[..8]}-{started}";
    }
}
