using System.Globalization;
using PhysSec.Core.Wire;

namespace PhysSec.Node.Health;

/// <summary>
/// How worn the memory under the state folder is, as far as the kernel knows: what was written to it since the machine's start and, of eMMC, the life that its own
/// controller counts (JEDEC EXT_CSD: DEVICE_LIFE_TIME_EST_TYP_A and _B in steps of 10 %, PRE_EOL_INFO). SD cards do not say their age; there the bytes must do.
/// </summary>
public static class StorageWear
{
    private const int SectorBytes = 512; // Of /sys/block/*/stat, whatever the device's own sectors are.
    private const int SectorsWritten = 6; // Column of that file.
    private const int NearEndPercent = 90;
    private const int PreEndNormal = 1;

    /// <summary>Null where the folder lies on no block device (memory, an overlay), or the kernel does not tell.</summary>
    public static StorageHealth? Of(string folder, string proc = "/proc", string sys = "/sys")
    {
        ArgumentNullException.ThrowIfNull(folder);
        try
        {
            if (DeviceNumber(File.ReadAllLines(Path.Combine(proc, "self", "mountinfo")), Path.GetFullPath(folder)) is not { } number) return null;
            var link = new DirectoryInfo(Path.Combine(sys, "dev", "block", number));
            if (!link.Exists) return null;
            var place = (DirectoryInfo?)link.ResolveLinkTarget(returnFinalTarget: true) ?? link;
            var disk = File.Exists(Path.Combine(place.FullName, "partition")) ? place.Parent! : place;
            var columns = File.ReadAllText(Path.Combine(disk.FullName, "stat")).Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            var used = LifeUsed(Path.Combine(disk.FullName, "device", "life_time"));
            var preEnd = Words(Path.Combine(disk.FullName, "device", "pre_eol_info")) is [var info, ..] && info > PreEndNormal;
            return new(disk.Name, long.Parse(columns[SectorsWritten], CultureInfo.InvariantCulture) * SectorBytes, used, preEnd || used >= NearEndPercent);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or FormatException or OverflowException or IndexOutOfRangeException)
        {
            return null; // A report must not fail for what a kernel does not offer.
        }
    }

    /// <summary>"major:minor" of the mount that a folder lies on, from the lines of <c>mountinfo</c> (proc(5)); null for none.</summary>
    public static string? DeviceNumber(IReadOnlyList<string> mountinfo, string folder)
    {
        ArgumentNullException.ThrowIfNull(mountinfo);
        ArgumentNullException.ThrowIfNull(folder);
        var (number, length) = ((string?)null, -1);
        foreach (var fields in mountinfo.Select(it => it.Split(' ')).Where(it => it.Length > 4))
        {
            var point = fields[4].Replace("\\040", " ", StringComparison.Ordinal);
            var under = point == "/" || folder == point || folder.StartsWith(point + "/", StringComparison.Ordinal);
            if (under && point.Length >= length) (number, length) = (fields[2], point.Length); // The later of two at one place lies on top.
        }

        return number;
    }

    /// <summary>The worse of both kinds of cells, at most so much; 0x01 is 0–10 %, 0x0b more than its life.</summary>
    private static int? LifeUsed(string path) => Words(path) is { Count: > 0 } steps && steps.Max() is > 0 and var step ? step * 10 : null;

    private static List<int> Words(string path) => File.Exists(path)
        ? [.. File.ReadAllText(path).Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(it => int.Parse(it.Replace("0x", "", StringComparison.OrdinalIgnoreCase), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture))]
        : [];
}
