using System.Security.Cryptography;
using System.Text.Json;
using PhysSec.Node.Journal;
using PhysSec.Node.Readers;

namespace PhysSec.Node.Erasure;

/// <summary>What a board holds of its site, in the order in which it is destroyed: keys first.</summary>
internal static class ErasedFiles
{
    private static readonly string[] _inState = [ReaderKeyFile.Name + "*", JournalFiles.Name + "*", "node.crt*", "health.json*"];

    /// <param name="configuration">Path of node.json.</param>
    /// <param name="state">The journal's folder.</param>
    public static IReadOnlyList<string> Of(string configuration, string state)
    {
        var path = Path.GetFullPath(configuration);
        var folder = Path.GetDirectoryName(path)!;
        using var json = JsonDocument.Parse(File.ReadAllBytes(path), new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        string[] named = [.. ((string[])["key", "siteKey", "certificate", "ca", "hubKey", "board"]).Select(it => Path.GetFullPath(json.RootElement.GetProperty(it).GetString()!, folder))];
        var files = new List<string>(named.SkipLast(1));
        if (Path.GetDirectoryName(named[^1]) == folder) files.Add(named[^1]); // One elsewhere is of the program, not of the site.
        files.AddRange(named.Append(path).SelectMany(it => Beside(folder, Path.GetFileName(it) + ".*"))); // What an interrupted write or enrolment left.
        files.AddRange(_inState.SelectMany(it => Beside(state, it)));
        files.AddRange(Beside(Path.Combine(state, "commissioning"), "*"));
        files.Add(path);
        return [.. files.Distinct().Where(File.Exists)];
    }

    /// <summary>Overwrites, flushes and removes. A memory card keeps old blocks where no program reaches them: the keys are worthless because the hub has revoked them.</summary>
    public static void Destroy(string file)
    {
        if (!File.Exists(file)) return;
        using (var stream = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.None))
        {
            var noise = new byte[1 << 16];
            for (var left = stream.Length; left > 0; left -= noise.Length)
            {
                RandomNumberGenerator.Fill(noise);
                stream.Write(noise.AsSpan(0, (int)Math.Min(left, noise.Length)));
            }

            stream.Flush(flushToDisk: true);
        }

        File.Delete(file);
        JournalFiles.FlushFolder(Path.GetDirectoryName(file)!);
    }

    private static IEnumerable<string> Beside(string folder, string pattern) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder, pattern).Order(StringComparer.Ordinal) : [];
}
