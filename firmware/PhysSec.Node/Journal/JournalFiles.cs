using System.Runtime.InteropServices;

namespace PhysSec.Node.Journal;

/// <summary>The journal's files on disk. The framework cannot flush a directory, so that one call goes to libc.</summary>
internal static partial class JournalFiles
{
    public const string Name = "journal.db";
    private static readonly string[] _parts = ["", "-wal", "-shm"];

    /// <summary>True when an earlier journal was set aside here: what follows it cannot prove continuity.</summary>
    public static bool AnySetAside(string folder) => Directory.EnumerateFiles(folder, Name + ".corrupt-*").Any();

    /// <summary>Renames the journal and its log to the next free <c>journal.db.corrupt-N</c>, durably. Nothing is deleted.</summary>
    public static string SetAside(string folder)
    {
        var number = 1;
        while (Directory.EnumerateFiles(folder, $"{Name}.corrupt-{number}*").Any()) number++;
        var aside = $"{Name}.corrupt-{number}";
        foreach (var part in _parts)
        {
            var from = Path.Combine(folder, Name + part);
            if (File.Exists(from)) File.Move(from, Path.Combine(folder, aside + part), overwrite: true);
        }

        FlushFolder(folder);
        return aside;
    }

    /// <summary>Makes names in the folder durable.</summary>
    /// <exception cref="IOException">The folder cannot be opened or flushed.</exception>
    public static void FlushFolder(string folder) => FlushPath("folder", folder);

    /// <summary>Makes a file's bytes durable; the framework's own flush never tells that it failed.</summary>
    /// <exception cref="IOException">The file cannot be opened or flushed.</exception>
    public static void FlushFile(string path) => FlushPath("file", path);

    private static void FlushPath(string kind, string path)
    {
        var handle = Open(path, 0); // O_RDONLY: enough to flush.
        if (handle < 0) throw new IOException($"The {kind} {path} cannot be opened to flush it: errno {Marshal.GetLastPInvokeError()}");
        try
        {
            if (Flush(handle) != 0) throw new IOException($"The {kind} {path} cannot be flushed: errno {Marshal.GetLastPInvokeError()}");
        }
        finally
        {
            _ = Close(handle);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Flush(int handle);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int handle);
}
