using System.Security.Cryptography;
using System.Text;
using PhysSec.Hardware;
using PhysSec.Node.Enrolment;
using PhysSec.Node.Keys;

namespace PhysSec.Node.Readers;

/// <summary>
/// The keys of OSDP readers: one line for each reader, with its name, the key that was last proved and the key that it may have taken already. The file is for the service alone, sealed to
/// the board's TPM where there is one, and every change is on the disk before anything is said on the wire.
/// </summary>
public sealed class ReaderKeyFile
{
    /// <summary>In the node's state folder.</summary>
    public const string Name = "readers.keys";

    private const string None = "-";
    private const string Heading = "# Keys of OSDP readers: name, proved key, key that may be in force already. Never copy, never mail.";

    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, OsdpKeyState> _keys = new(StringComparer.Ordinal);
    private readonly string _path;
    private readonly Func<Tpm?>? _tpm;

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
        if (!File.Exists(path)) return file;
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) != 0)
            throw new InvalidDataException($"{path} may be read by others: change the readers' keys, for they are known. Then chmod 600 it.");

        var text = File.ReadAllText(path);
        if (SealedText.Is(text))
        {
            using var chip = tpm?.Invoke();
            text = SealedText.Open(text, chip);
        }

        foreach (var (i, line) in text.Split('\n').Index())
        {
            if (line.Length == 0 || line[0] == '#') continue;
            var parts = line.Split(' ');
            if (parts.Length != 3 || !file._keys.TryAdd(parts[0], new(KeyOf(parts[1]), KeyOf(parts[2]))))
                throw new InvalidDataException($"{path}, line {i + 1}: not \"NAME KEY KEY\", or a name that is there twice. Restore the file, or install the readers again.");

            OsdpKey? KeyOf(string hex)
            {
                if (hex == None) return null;
                var bytes = new byte[OsdpKey.Length];
                if (Convert.FromHexString(hex, bytes, out _, out var length) != System.Buffers.OperationStatus.Done || length != OsdpKey.Length
                    || OsdpKey.Create(bytes, out var key) != OsdpKeyFault.None)
                    throw new InvalidDataException($"{path}, line {i + 1}: no key of 32 hex digits. Restore the file, or install the reader again.");
                CryptographicOperations.ZeroMemory(bytes);
                return key;
            }
        }

        return file;
    }

    /// <summary>What is known of a reader's keys.</summary>
    public OsdpKeyState Of(string reader)
    {
        lock (_gate) return _keys.GetValueOrDefault(reader, OsdpKeyState.None);
    }

    /// <summary>Whether another reader has this key, or may have.</summary>
    public bool IsAnothers(string reader, OsdpKey key)
    {
        lock (_gate) return _keys.Any(it => it.Key != reader && (key.Equals(it.Value.Current) || key.Equals(it.Value.Pending)));
    }

    /// <summary>Keeps it, durably: when this returns, a power cut loses nothing of it.</summary>
    /// <exception cref="IOException">The disk did not take it, and what was kept before is still what is kept.</exception>
    public void Store(string reader, OsdpKeyState state)
    {
        ArgumentException.ThrowIfNullOrEmpty(reader);
        ArgumentNullException.ThrowIfNull(state);
        lock (_gate)
        {
            var before = _keys.GetValueOrDefault(reader);
            _keys[reader] = state;
            try
            {
                var text = Text();
                using var chip = _tpm?.Invoke();
                EnrolmentFolder.WriteDurably(_path, chip is null ? text : SealedText.Make(text, chip));
            }
            catch
            {
                if (before is null) _keys.Remove(reader);
                else _keys[reader] = before;
                throw;
            }
        }
    }

    private string Text()
    {
        var text = new StringBuilder(Heading).Append('\n');
        foreach (var (name, it) in _keys) text.Append(name).Append(' ').Append(Hex(it.Current)).Append(' ').Append(Hex(it.Pending)).Append('\n');
        return text.ToString();
    }

    private static string Hex(OsdpKey? key) => key is null ? None : Convert.ToHexStringLower(key.Export());
}
