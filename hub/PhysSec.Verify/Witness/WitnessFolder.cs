using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Math.EC.Rfc8032;
using PhysSec.Core.Proof;

namespace PhysSec.Verify.Witness;

/// <summary>
/// What a witness keeps: its own key, the newest checkpoint that it has cosigned, and the last one of each day for whoever audits. Everything is on the disk before a
/// signature leaves the machine, so that it never signs two stories.
/// </summary>
internal sealed partial class WitnessFolder : IDisposable
{
    private const string NewestName = "newest.txt";
    private const string ReplacedName = "before-restore-";
    private const string None = "none yet\n";
    private readonly string _folder;
    private readonly byte[] _seed;
    private readonly FileStream _lock;

    private WitnessFolder(string folder, byte[] seed, string name, FileStream held)
    {
        (_folder, _seed, _lock) = (folder, seed, held);
        var its = new byte[Ed25519.PublicKeySize];
        Ed25519.GeneratePublicKey(_seed, 0, its, 0);
        Key = new(name, its, NoteAlgorithm.Cosignature);
    }

    /// <summary>Under which this machine cosigns.</summary>
    public NoteKey Key { get; }

    /// <summary>The newest that was cosigned; null: none yet.</summary>
    /// <exception cref="FormatException">It is gone: without it this key must never sign again.</exception>
    public SignedNote? Newest =>
        !File.Exists(At(NewestName)) ? throw new FormatException($"{At(NewestName)} is gone: this key may have cosigned what is no longer known here. Begin with a new folder and a new key")
        : File.ReadAllText(At(NewestName)) is var text && text == None ? null : SignedNote.Parse(text);

    /// <summary>Opens the folder, or makes it and a key in it.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="name">What the key is called where it is made; null: it must be there.</param>
    /// <exception cref="FormatException">The key's file is none, or there is none and no name for one.</exception>
    /// <exception cref="IOException">Another process works with this folder: two of them could sign two stories.</exception>
    public static WitnessFolder Open(string folder, string? name)
    {
        Directory.CreateDirectory(folder);
#pragma warning disable CA2000 // The folder that is given back owns it.
        var held = new FileStream(Path.Combine(folder, "in-use.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
#pragma warning restore CA2000
        try
        {
            return Open(folder, name, held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    public void Dispose() => _lock.Dispose();

    private static WitnessFolder Open(string folder, string? name, FileStream held)
    {
        var file = Path.Combine(folder, "cosigner.key");
        if (!File.Exists(file))
        {
            if (name is null || name.Any(it => char.IsWhiteSpace(it) || char.IsControl(it) || it is '+' or '"')) throw new FormatException("--name is missing: the new key needs a name without blanks, like audit-office");
            Write(Path.Combine(folder, NewestName), None);
            Write(file, $"{name} {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Ed25519.SecretKeySize))}\n");
        }

        var parts = File.ReadAllText(file).Trim().Split(' ');
        if (parts is not [var its, var hex] || hex.Length != 2 * Ed25519.SecretKeySize || !hex.All(char.IsAsciiHexDigit)) throw new FormatException($"{file} is no cosigner's key");
        if (name is not null && name != its) throw new FormatException($"the key in {file} is called {its}, not {name}");
        return new(folder, Convert.FromHexString(hex), its, held);
    }

    /// <summary>Keeps the note and only then gives it back with this machine's line below it.</summary>
    public SignedNote Cosign(SignedNote note, Checkpoint value, DateTimeOffset at)
    {
        var line = Cosignature.Sign(note, Key, at, text =>
        {
            var signature = new byte[Ed25519.SignatureSize];
            Ed25519.Sign(_seed, 0, text, 0, text.Length, signature, 0);
            return signature;
        });
        var whole = (note with { Signatures = [.. note.Signatures.Where(it => it.Name != Key.Name || it.KeyId != Key.Id), line] }).ToString();
        Write(At(NewestName), whole);
        Write(At($"{at.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}.txt"), whole);
        return SignedNote.Parse(whole);
    }

    /// <summary>Everything that this machine has cosigned and still has.</summary>
    /// <exception cref="FormatException">One of the files is none of its own.</exception>
    public IReadOnlyList<Checkpoint> Cosigned() =>
    [
        .. Directory.GetFiles(_folder, "????-??-??.txt").Concat(Directory.GetFiles(_folder, $"{ReplacedName}*.txt")).Append(At(NewestName))
            .Select(File.ReadAllText).Where(it => it != None).Select(it => Checkpoint.Parse(SignedNote.Parse(it).Text)).Distinct(),
    ];

    /// <summary>Keeps what another ledger takes the place of: the day's own file may be written over.</summary>
    public string KeepReplaced(SignedNote held, DateTimeOffset at)
    {
        var file = At($"{ReplacedName}{at.UtcDateTime.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}.txt");
        Write(file, held.ToString());
        return file;
    }

    /// <summary>Keeps what cannot both be true, for whoever has to find out.</summary>
    public string KeepContradiction(SignedNote held, string offered, string why, DateTimeOffset at)
    {
        var file = At($"contradiction-{at.UtcDateTime.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}.txt");
        Write(file, $"{why}\n\n== cosigned before / 以前に連署したもの\n{held}\n== offered now / 今回示されたもの\n{offered}");
        return file;
    }

    private string At(string name) => Path.Combine(_folder, name);

    // Written through to the disk beside, then renamed: a power cut leaves the old text or the new one.
    private static void Write(string path, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Options = FileOptions.WriteThrough };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(path + ".new", options)) file.Write(Encoding.UTF8.GetBytes(text));
        File.Move(path + ".new", path, overwrite: true);
        if (!OperatingSystem.IsWindows()) Sync(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    // .NET has no way to flush a folder, and without it the new name may be gone after a power cut.
    private static void Sync(string folder)
    {
        var file = Open(folder, 0);
        var done = file >= 0 && Fsync(file) == 0;
        var error = Marshal.GetLastPInvokeError();
        if (file >= 0) _ = Close(file);
        if (!done) throw new IOException($"{folder} cannot be made durable: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int file);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}
