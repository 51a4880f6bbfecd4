using System.Globalization;

namespace PhysSec.Rig.Faults;

/// <summary>A file system of a few MiB in memory, mounted over one folder, that can be filled and emptied again.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private const int Block = 64 << 10;
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(20);
    private readonly string _folder;

    private SmallDisk(string folder) => _folder = folder;

    private string Ballast => Path.Combine(_folder, "ballast");

    private long Free => new DriveInfo(_folder).AvailableFreeSpace;

    /// <exception cref="FaultSkippedException">Nothing may be mounted here.</exception>
    public static async Task<SmallDisk> MountAsync(string folder, int megabytes, CancellationToken cancel)
    {
        await Mounts.RunAsync("mount", ["-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={megabytes}m,mode=0700"), "physsec-small", folder], cancel);
        return new SmallDisk(folder);
    }

    /// <summary>Writes until only so much is free.</summary>
    public void FillTo(long bytesFree)
    {
        using var file = new FileStream(Ballast, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            for (var left = Free - bytesFree; left > 0; left = Free - bytesFree) file.Write(new byte[Math.Min(Block, left)]);
        }
        catch (IOException) when (bytesFree == 0)
        {
            // As full as it gets.
        }
    }

    public void Empty() => File.Delete(Ballast);

    public async ValueTask DisposeAsync() => await Child.RunAsync("umount", "umount", ["-l", _folder], _limit);
}

internal static class Mounts
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(20);

    /// <summary>A program that only root may use.</summary>
    /// <exception cref="FaultSkippedException">It cannot be used here.</exception>
    public static async Task<string> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancel)
    {
        if (!Environment.IsPrivilegedProcess) throw new FaultSkippedException($"{program} needs root");
        try
        {
            return await Child.RunAsync(program, program, arguments, _limit, cancel);
        }
        catch (RigException why)
        {
            throw new FaultSkippedException($"this machine does not let root {program}: {why.Message}");
        }
    }
}
