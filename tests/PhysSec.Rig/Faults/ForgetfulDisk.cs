namespace PhysSec.Rig.Faults;

/// <summary>
/// A disk that loses what was not flushed when its power goes: ext4 on a loop device on a file that nbdkit serves with a write-back cache. To kill nbdkit is to
/// cut the power. Needs no module of the kernel but loop and FUSE.
/// </summary>
internal sealed class ForgetfulDisk : IAsyncDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(20);
    private readonly string _folder = Directory.CreateTempSubdirectory("physsec-forgetful-").FullName;
    private readonly string _mount;
    private Child? _server;
    private Child? _fuse;
    private string? _loop;
    private bool _mounted;

    private ForgetfulDisk(string mount) => _mount = mount;

    private string Image => Path.Combine(_folder, "disk.img");

    private string Socket => Path.Combine(_folder, "s");

    private string FuseFolder => Path.Combine(_folder, "fuse");

    private string Device => Path.Combine(FuseFolder, "disk");

    private string Control => Path.Combine(_mount, "never-flushed");

    /// <exception cref="FaultSkippedException">This machine cannot do it.</exception>
    public static async Task<ForgetfulDisk> MountAsync(string mount, CancellationToken cancel)
    {
        var disk = new ForgetfulDisk(mount);
        try
        {
            await Mounts.RunAsync("truncate", ["-s", "128M", disk.Image], cancel);
            await Mounts.RunAsync("mkfs.ext4", ["-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", disk.Image], cancel);
            Directory.CreateDirectory(disk.FuseFolder);
            await disk.PowerOnAsync(cancel);
            return disk;
        }
        catch
        {
            await disk.DisposeAsync();
            throw;
        }
    }

    /// <summary>Flushes what is on it so far, which is not what is tried.</summary>
    public Task FlushAsync(CancellationToken cancel) => Child.RunAsync("sync", "sync", ["-f", _mount], _limit, cancel);

    /// <summary>Power off in the middle of whatever happens, and on again after a check of the file system as at a boot.</summary>
    /// <param name="kill">Kills who used it: its machine has no power either.</param>
    /// <param name="cancel">Breaks it off.</param>
    /// <exception cref="RigException">The disk forgot nothing, or cannot be mounted again.</exception>
    public async Task CutAsync(Func<Task> kill, CancellationToken cancel)
    {
        await File.WriteAllTextAsync(Control, "written and never flushed", cancel);
        await _server!.KillAsync();
        await kill();
        await TakeDownAsync();
        await Child.RunAsync("e2fsck", "sh", ["-c", "e2fsck -fy \"$1\"; [ $? -le 1 ]", "sh", Image], _limit, cancel);
        await PowerOnAsync(cancel);
        if (File.Exists(Control) && new FileInfo(Control).Length > 0) throw new RigException("the disk kept what was never flushed: no power cut was tried");
    }

    public async ValueTask DisposeAsync()
    {
        await TakeDownAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task PowerOnAsync(CancellationToken cancel)
    {
        File.Delete(Socket);
        _server = Child.Start("nbdkit", "nbdkit", ["-f", "-U", Socket, "--filter=cache", "file", Image, "cache=writeback"],
            environment: new Dictionary<string, string?> { ["TMPDIR"] = _folder });
        await Wait.UntilAsync("nbdkit to serve the disk", () => Task.FromResult(File.Exists(Socket) || (_server.Ended.IsCompleted ? throw new RigException(_server.Tail()) : false)), _limit, cancel);
        _fuse = Child.Start("nbdfuse", "nbdfuse", [Device, "--unix", Socket]);
        await Wait.UntilAsync("nbdfuse to show the disk", () => Task.FromResult(
            _fuse.Ended.IsCompleted ? throw new FaultSkippedException($"this machine lets nobody mount FUSE: {_fuse.Tail()}") : File.Exists(Device) && new FileInfo(Device).Length > 0), _limit, cancel);
        _loop = (await Mounts.RunAsync("losetup", ["-f", "--show", Device], cancel)).Trim();
        await Mounts.RunAsync("mount", ["-o", "commit=30", _loop, _mount], cancel); // A file system that flushes by itself only now and then.
        _mounted = true;
    }

    private async Task TakeDownAsync()
    {
        if (_mounted) await Child.RunAsync("umount", "umount", ["-l", _mount], _limit);
        _mounted = false;
        if (_loop is not null) await Child.RunAsync("losetup", "losetup", ["-d", _loop], _limit);
        _loop = null;
        if (_fuse is not null)
        {
            await _fuse.KillAsync();
            await _fuse.DisposeAsync();
            await Child.RunAsync("fusermount3", "sh", ["-c", "fusermount3 -uz \"$1\" 2>/dev/null || umount -l \"$1\" 2>/dev/null || true", "sh", FuseFolder], _limit);
        }

        _fuse = null;
        if (_server is not null)
        {
            await _server.KillAsync();
            await _server.DisposeAsync();
        }

        _server = null;
    }
}
