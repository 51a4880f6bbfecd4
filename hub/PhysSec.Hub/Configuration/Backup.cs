using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using PhysSec.Hub.Access;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Configuration;

/// <summary>
/// Everything under the state directory in one sealed file, taken while the hub runs, and a state directory made of it. A restored hub has a higher epoch: nodes send again what
/// the backup does not know, and a policy that is newer at a node than in the backup stays in force until an administrator has looked.
/// </summary>
public static class Backup
{
    private const string Manifest = "backup.json";
    private static readonly string[] _databases = ["hub.db", "operators.db"];
    private static readonly string[] _left = ["hub.lock", "hub.sock", "first-sign-in.txt"];

    /// <summary>Writes the file, whole or not at all, and puts on record that it was taken.</summary>
    /// <exception cref="InputException">The passphrase is too short, or the file is there already.</exception>
    public static async Task TakeAsync(HubHome home, Actor actor, string to, string? passphrase, DateTimeOffset now, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(home);
        Check(passphrase);
        to = Path.GetFullPath(to);
        if (File.Exists(to)) throw new InputException("to", $"{to} is there already", "give a new name; a backup replaces no other");
        var folder = Directory.CreateDirectory(Path.Combine(home.Folder, "backup.partial"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
        try
        {
            // The record of it is in it: whoever restores it sees by whom it was taken.
            await home.Store.WriteAsync(store => Records.Act(store, new Act(actor, "backup.taken", to, null), now), cancel);
            foreach (var database in _databases.Where(it => File.Exists(Path.Combine(home.Folder, it)))) Copy(Path.Combine(home.Folder, database), Path.Combine(folder, database));
            File.WriteAllText(Path.Combine(folder, Manifest), new JsonObject
            {
                ["site"] = home.Site.Value,
                ["at"] = now.ToString("O", CultureInfo.InvariantCulture),
                ["hubEpoch"] = home.Store.Read(Records.HubEpoch),
            }.ToJsonString());
            await PackAsync(home.Folder, folder, to, passphrase!, cancel);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Makes a state directory of a backup; it appears whole or not at all.</summary>
    /// <returns>What was restored, in a sentence.</returns>
    /// <exception cref="InputException">A field is wrong, or the file is not what it should be.</exception>
    public static async Task<string> RestoreAsync(string from, string folder, string? passphrase, string? reason, DateTimeOffset now, CancellationToken cancel)
    {
        Check(passphrase);
        if (string.IsNullOrWhiteSpace(reason)) throw new InputException("reason", "it is missing", "say why the hub is restored; it goes on record");
        if (!File.Exists(from)) throw new InputException("from", $"there is no file {from}", "name the backup");
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new InputException("state", $"{folder} is not empty", "move it away first: a restore replaces nothing");
        var partial = folder + ".restoring";
        if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true); // Of a restore that was broken off.
        PrivateFiles.Folder(partial);
        try
        {
            await UnpackAsync(from, partial, passphrase!, cancel);
            var about = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(partial, Manifest), cancel))!;
            File.Delete(Path.Combine(partial, Manifest));
            var epoch = await RaiseAsync(partial, (string)about["at"]!, reason, now);
            if (Directory.Exists(folder)) Directory.Delete(folder);
            Directory.Move(partial, folder);
            return $"restored: site {about["site"]}, as it was at {about["at"]}; hub epoch {epoch.ToString(CultureInfo.InvariantCulture)}";
        }
        catch (Exception fault) when (fault is InvalidDataException or System.Text.Json.JsonException or EndOfStreamException or FileNotFoundException)
        {
            throw new InputException("from", $"{from} cannot be restored: {fault.Message}", "check the passphrase and the file; nothing was changed");
        }
        finally
        {
            if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
        }
    }

    private static void Check(string? passphrase)
    {
        if (passphrase is null || passphrase.Length < SealedFile.PassphraseMin)
            throw new InputException("passphrase", "it is too short", $"use at least {SealedFile.PassphraseMin} characters; whoever has file and passphrase has every key of the site");
    }

    /// <summary>A consistent copy while others write.</summary>
    internal static void Copy(string from, string to)
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = from, Mode = SqliteOpenMode.ReadWrite, Pooling = false, DefaultTimeout = 60 }.ToString());
        connection.Open();
        connection.Execute("vacuum into $to", ("$to", to));
    }

    private static async Task PackAsync(string home, string copies, string to, string passphrase, CancellationToken cancel)
    {
        var (packed, partial) = (Path.Combine(copies, "packed"), to + ".partial");
        await using (var file = Private(packed))
        await using (var zip = new GZipStream(file, CompressionLevel.Fastest))
        await using (var tar = new TarWriter(zip, TarEntryFormat.Pax))
        {
            foreach (var it in Directory.EnumerateFiles(copies).Where(it => it != packed)) await tar.WriteEntryAsync(it, Path.GetFileName(it), cancel);
            foreach (var it in Directory.EnumerateFiles(home, "*", SearchOption.AllDirectories))
            {
                var name = Path.GetRelativePath(home, it);
                if (_left.Contains(name) || _databases.Any(database => name.StartsWith(database, StringComparison.Ordinal)) || name.StartsWith("backup.partial", StringComparison.Ordinal)) continue;
                await tar.WriteEntryAsync(it, name, cancel);
            }
        }

        try
        {
            await using (var plain = File.OpenRead(packed))
            await using (var target = Private(partial))
            {
                await SealedFile.SealAsync(plain, target, passphrase, cancel);
                target.Flush(flushToDisk: true);
            }

            File.Move(partial, to);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    private static async Task UnpackAsync(string from, string folder, string passphrase, CancellationToken cancel)
    {
        var packed = Path.Combine(folder, "packed");
        await using (var source = File.OpenRead(from))
        await using (var target = Private(packed)) await SealedFile.OpenAsync(source, target, passphrase, cancel);
        await using (var file = File.OpenRead(packed))
        await using (var zip = new GZipStream(file, CompressionMode.Decompress))
            await TarFile.ExtractToDirectoryAsync(zip, folder, overwriteFiles: false, cancel);
        File.Delete(packed);
    }

    private static FileStream Private(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.CreateNew,
        Access = FileAccess.Write,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    });

    /// <summary>A hub epoch that no earlier life of this hub can have had: the same backup may be restored twice.</summary>
    internal static async Task<long> RaiseAsync(string folder, string takenAt, string reason, DateTimeOffset now)
    {
        await using var store = Store.Open(Path.Combine(folder, "hub.db"));
        return await store.WriteAsync(it =>
        {
            var epoch = Math.Max(Records.HubEpoch(it) + 1, now.ToUnixTimeSeconds());
            it.Execute("update meta set value = $epoch where name = 'hub-epoch'", ("$epoch", epoch.ToString(CultureInfo.InvariantCulture)));
            Records.Act(it, new Act(Actor.CommandLine, "hub.restored", null, reason, null, new JsonObject { ["asOf"] = takenAt, ["hubEpoch"] = epoch }), now);
            return epoch;
        });
    }
}
