namespace PhysSec.Rig;

/// <summary>Files and folders that only their owner may read.</summary>
public static class Files
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes a file (0600) whole or not at all.</summary>
    public static void WriteSecret(string path, string text)
    {
        var fresh = path + ".new";
        File.Delete(fresh);
        using (var stream = new FileStream(fresh, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Owner }))
        using (var writer = new StreamWriter(stream))
            writer.Write(text);
        File.Move(fresh, path, overwrite: true);
    }

    /// <summary>A folder (0700); its path.</summary>
    public static string Folder(params string[] parts)
    {
        var path = Path.Combine(parts);
        Directory.CreateDirectory(path, Owner | UnixFileMode.UserExecute);
        return path;
    }
}
