using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using PhysSec.Hardware;
using PhysSec.Node.Enrolment;
using PhysSec.Node.Keys;

namespace PhysSec.Node.Readers;

/// <summary>
/// The keys of OSDP readers: one line for each reader, with its name, the key that was last proved, the key that it may have taken already, and which device it is. The file is for the
/// service alone, sealed to the board's TPM where there is one, and every change is on the disk before anything is said on the wire. One program at a time may write it: the first that opens it.
/// </summary>
public sealed class ReaderKeyFile : OsdpReaderStore, IDisposable
{
    /// <summary>In the node's state folder.</summary>
    public const string Name = "readers.keys";

    private const string None = "-";
    private const int WouldBlock = 11; // EWOULDBLOCK of flock(2).
    private const string Heading = "# Keys of OSDP readers: name, proved key, key that may be in force already, device. Never copy, never mail.";

    private readonly Lock _gate = new();
    private SortedDictionary<string, OsdpReaderMemory> _kept = new(StringComparer.Ordinal);
    private readonly string _path;
    private readonly Func<Tpm?>? _tpm;
    private FileStream? _lock;
    private string? _fault;

    private ReaderKeyFile(string path, Func<Tpm?>? tpm) => (_path, _tpm) = (path, tpm);

    /// <summary>Reads the file; one that is not there holds no key.</summary>
    /// <param name="path">Of the file.</param>
    /// <param name="tpm">Opens the TPM that the file is sealed to; null, or null from it: there is none.</param>
    /// <exception cref="InvalidDataException">The file is not as this program writes it; the text says where.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="TpmException">It is sealed, and the TPM does not open it.</exception>
    public static ReaderKeyFile Open(string path, Func<Tpm?>? tpm = null)
    {
        var file = new ReaderKeyFile(path, tpm);
        try
        {
            file.Lock();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            file._fault = failure.Message; // The keys can be used all the same.
        }

        try
        {
            file._kept = file.Read();
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Why the keys cannot be written, as far as is known: another program has them.</summary>
    public override string? Fault => _fault;

    /// <summary>For a program that is here to change keys.</summary>
    /// <exception cref="ReaderKeysHeldException">Another program has them.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public void Hold()
    {
        lock (_gate) if (_lock is null) Lock();
    }

    public void Dispose() => _lock?.Dispose();

    private SortedDictionary<string, OsdpReaderMemory> Read()
    {
        var path = _path;
        var kept = new SortedDictionary<string, OsdpReaderMemory>(StringComparer.Ordinal);
        if (!File.Exists(path)) return kept;
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) != 0)
            throw new InvalidDataException($"{path} may be read by others: change the readers' keys, for they are known. Then chmod 600 it.");

        var text = File.ReadAllText(path);
        if (SealedText.Is(text))
        {
            using var chip = _tpm?.Invoke();
            text = SealedText.Open(text, chip);
        }

        foreach (var (i, line) in text.Split('\n').Index())
        {
            if (line.Length == 0 || line[0] == '#') continue;
            try
            {
                var parts = line.Split(' ');
                if (parts.Length != 4) throw new FormatException("not \"NAME KEY KEY DEVICE\"");
                if (!kept.TryAdd(parts[0], new(new(KeyOf(parts[1]), KeyOf(parts[2])), PinOf(parts[3])))) throw new FormatException("this name is there twice");
            }
            catch (Exception wrong) when (wrong is FormatException or OverflowException)
            {
                throw new InvalidDataException($"{path}, line {i + 1}: {wrong.Message}. Restore the file, or install the readers again.");
            }
        }

        return kept;
    }

    // Whoever had the file until now may have changed keys: those of other readers are taken over, and a link that does not know its reader's own may not write over it.
    private void Join(string reader)
    {
        Lock();
        try
        {
            var now = Read();
            if (!now.GetValueOrDefault(reader, OsdpReaderMemory.None).Equals(_kept.GetValueOrDefault(reader, OsdpReaderMemory.None)))
                throw new IOException("another program has changed this reader's key meanwhile: start the service anew");
            _kept = now;
        }
        catch (Exception failure)
        {
            _lock?.Dispose();
            _lock = null;
            if (failure is TpmException or InvalidDataException) throw new IOException(failure.Message, failure);
            throw;
        }
    }

    [SuppressMessage("Interoperability", "CA1416", Justification = "A node runs on Linux.")]
    private void Lock()
    {
        try
        {
            _lock = new FileStream(_path + ".lock", new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            _fault = null;
        }
        catch (IOException failure) when (failure.HResult == WouldBlock)
        {
            throw new ReaderKeysHeldException();
        }
    }

    public override OsdpReaderMemory Of(string reader)
    {
        lock (_gate) return _kept.GetValueOrDefault(reader, OsdpReaderMemory.None);
    }

    public override void Store(string reader, OsdpReaderMemory memory)
    {
        ArgumentException.ThrowIfNullOrEmpty(reader);
        ArgumentNullException.ThrowIfNull(memory);
        lock (_gate)
        {
            if (_lock is null) Join(reader);
            var before = _kept.GetValueOrDefault(reader);
            _kept[reader] = memory;
            try
            {
                var text = Text();
                using var chip = _tpm?.Invoke();
                EnrolmentFolder.WriteDurably(_path, chip is null ? text : SealedText.Make(text, chip));
            }
            catch (Exception failure)
            {
                if (before is null) _kept.Remove(reader);
                else _kept[reader] = before;
                if (failure is TpmException) throw new IOException(failure.Message, failure);
                throw;
            }
        }
    }

    private string Text()
    {
        var text = new StringBuilder(Heading).Append('\n');
        foreach (var (name, it) in _kept)
            text.Append(name).Append(' ').Append(Hex(it.Keys.Current)).Append(' ').Append(Hex(it.Keys.Pending)).Append(' ').Append(Hex(it.Pin)).Append('\n');
        return text.ToString();
    }

    private static string Hex(OsdpKey? key) => key is null ? None : Convert.ToHexStringLower(key.Export());

    private static string Hex(OsdpPin? pin) => pin is null ? None
        : $"{Convert.ToHexStringLower(pin.Identity.Data())}/{(pin.ClientId is { } id ? id.ToString("x16", CultureInfo.InvariantCulture) : None)}";

    private static OsdpKey? KeyOf(string hex)
    {
        if (hex == None) return null;
        var bytes = Convert.FromHexString(hex);
        var fault = OsdpKey.Create(bytes, out var key);
        CryptographicOperations.ZeroMemory(bytes);
        return fault == OsdpKeyFault.None ? key : throw new FormatException("no key that may be used");
    }

    private static OsdpPin? PinOf(string text)
    {
        if (text == None) return null;
        var parts = text.Split('/');
        if (parts.Length != 2 || OsdpIdentity.Parse(Convert.FromHexString(parts[0])) is not { } identity) throw new FormatException("no device");
        return new(identity, parts[1] == None ? null : ulong.Parse(parts[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
    }
}

/// <summary>Two programs never write the readers' keys.</summary>
public sealed class ReaderKeysHeldException() : IOException(
    "another program has the readers' keys open. At the board: stop the service (systemctl stop physsec-node), or work from the console instead. At the console: end physsec-node readers at the board.");

/// <summary>Stands in the place of a key file that cannot be read: every reader waits, and says why nothing can be kept.</summary>
internal sealed class UnreadableReaderKeys(string fault) : OsdpReaderStore
{
    public override string Fault => fault;

    public override OsdpReaderMemory Of(string reader) => OsdpReaderMemory.None;

    public override void Store(string reader, OsdpReaderMemory memory) => throw new IOException(fault);
}
