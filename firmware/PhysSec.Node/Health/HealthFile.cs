using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;

namespace PhysSec.Node.Health;

/// <summary>
/// <c>health.json</c>, written anew each second, whole or not at all. Under systemd it lies in memory (/run/physsec-node): a memory card would not stand a write
/// each second for years, and nothing stale is left after a stop.
/// </summary>
public sealed class HealthFile(string folder, Func<bool, IReadOnlyList<DoorHealth>, HealthReport> report, ILogger log)
{
    public const string Name = "health.json";
    private const string Runtime = "/run/physsec-node";
    private readonly ConcurrentDictionary<string, DoorHealth> _doors = new(StringComparer.Ordinal);
    private bool _failed;

    /// <summary>Where the running node writes.</summary>
    public static string Folder(string stateFolder) => Environment.GetEnvironmentVariable("RUNTIME_DIRECTORY") is { Length: > 0 } given ? given : stateFolder;

    /// <summary>Where a person's command looks, unless told.</summary>
    public static string Usual => Runtime;

    /// <summary>Called by the control loop for every live value; keeps the doors'.</summary>
    public void Saw(Live value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (value.Value is not DoorLive door) return;
        var id = value.Point.Value[..^Topics.DoorSuffix.Length];
        _doors[id] = new(id, door.State, door.LockReleased, door.LeafOpen);
    }

    public void Write(bool acknowledged)
    {
        var path = Path.Combine(folder, Name);
        try
        {
            var made = report(acknowledged, [.. _doors.Values.OrderBy(it => it.Id, StringComparer.Ordinal)]);
            File.WriteAllText(path + ".new", JsonSerializer.Serialize(made, HealthJson.Default.HealthReport));
            File.Move(path + ".new", path, overwrite: true);
            _failed = false;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            if (!_failed) log.LogWarning("{File} cannot be written: {Fault}", path, failure.Message); // The doors do not depend on it.
            _failed = true;
        }
    }

    /// <summary>The name of the node that writes its health here; null when none does.</summary>
    public static string? RunningNode(string state, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        var up = clock.GetElapsedTime(0);
        var boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        foreach (var folder in new[] { Usual, state })
        {
            try
            {
                if (Read(folder) is { } report && !report.Gone(up, boot)) return report.Node;
            }
            catch (UnauthorizedAccessException)
            {
                // Another user's; then the board's lines tell whether it runs.
            }
        }

        return null;
    }

    /// <summary>The last report, or null when there is none.</summary>
    public static HealthReport? Read(string folder)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(Path.Combine(folder, Name)), HealthJson.Default.HealthReport);
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }
}
