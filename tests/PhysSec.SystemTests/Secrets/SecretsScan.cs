using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using PhysSec.Core.Access;

namespace PhysSec.SystemTests.Secrets;

/// <summary>A secret that was used, in every form in which it could slip out.</summary>
/// <param name="Name">What it is; the secret itself is never printed.</param>
/// <param name="Forms">Bytes that must be nowhere.</param>
/// <param name="Numbers">Numbers that must not stand where a card's number would; by themselves they may be anything.</param>
/// <param name="Homes">Files whose business it is.</param>
/// <param name="Code">Digits that must not stand anywhere as a number or a text of their own; null: it has none.</param>
public sealed record Secret(string Name, IReadOnlyList<byte[]> Forms, IReadOnlyList<string> Numbers, IReadOnlyList<string> Homes, string? Code = null);

/// <summary>Looks for each secret in everything that was written, sent or handed out.</summary>
public sealed class SecretsScan
{
    private const int NoSuchDevice = 6; // ENXIO

    private readonly List<Secret> _secrets = [];
    private readonly List<(string Name, byte[] Bytes)> _places = [];

    public IReadOnlyList<Secret> Secrets => _secrets;

    public int Places => _places.Count;

    public void Add(string name, string text, params string[] homes) => _secrets.Add(new(name, TextForms(text), [], homes));

    /// <summary>A key in hex, in every form in which it could stand.</summary>
    public void AddKey(string name, string hex, params string[] homes) => _secrets.Add(new(name, KeyForms(hex), [], homes));

    /// <summary>A PIN, long enough not to stand anywhere by chance.</summary>
    public void AddCode(string name, string digits, params string[] homes)
    {
        Assert.True(digits.Length >= 8, "a shorter code stands somewhere by chance");
        _secrets.Add(new(name, [], [], homes, digits));
    }

    /// <summary>A card's numbers as a reader would give them. Its token is no secret to the store and to the doors, and one to everything else.</summary>
    public void AddCard(string name, int facility, int number)
    {
        var (bits, data) = (CredentialTokens.Bits(facility, number, 26), (facility << 16) | number);
        string[] texts =
        [
            Convert.ToString((long)bits, 2), bits.ToString("x7", CultureInfo.InvariantCulture), bits.ToString("X7", CultureInfo.InvariantCulture),
            .. new[] { ":", "-", "/", ", ", " " }.Select(it => string.Create(CultureInfo.InvariantCulture, $"{facility}{it}{number}")),
            string.Create(CultureInfo.InvariantCulture, $"26:{bits}"), string.Create(CultureInfo.InvariantCulture, $"\"number\":{number}"),
        ];
        _secrets.Add(new(name, [.. texts.Select(Encoding.UTF8.GetBytes)], [number.ToString(CultureInfo.InvariantCulture), bits.ToString(CultureInfo.InvariantCulture), data.ToString(CultureInfo.InvariantCulture)], []));
    }

    /// <summary>Every key that lies in a file of its own below the folder; one that two programs share has two homes.</summary>
    public void AddKeys(string folder)
    {
        foreach (var same in Directory.EnumerateFiles(folder, "*.key", SearchOption.AllDirectories).GroupBy(it => File.ReadAllText(it).Trim().ToUpperInvariant()))
        {
            string[] homes = [.. same.Order(StringComparer.Ordinal)];
            Assert.All(homes, it => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(it) & ~UnixFileMode.GroupRead));
            _secrets.Add(new(Path.GetRelativePath(folder, homes[0]), KeyForms(File.ReadAllText(homes[0]).Trim()), [], homes));
        }
    }

    public void LookIn(string name, string text) => _places.Add((name, Encoding.UTF8.GetBytes(text)));

    /// <summary>An archive is looked at as it is and unpacked.</summary>
    public void LookIn(string name, byte[] bytes)
    {
        _places.Add((name, bytes));
        if (!bytes.AsSpan().StartsWith("PK"u8)) return;
        using var zip = new ZipArchive(new MemoryStream(bytes), ZipArchiveMode.Read);
        foreach (var entry in zip.Entries)
        {
            using var copy = new MemoryStream();
            using (var stream = entry.Open()) stream.CopyTo(copy);
            _places.Add(($"{name}/{entry.FullName}", copy.ToArray()));
        }
    }

    /// <summary>Every file below the folder: stores, logs, queues, spools, mails.</summary>
    public void LookBelow(string folder, params string[] except)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(it => !except.Contains(it) && new FileInfo(it) is { Length: > 0, LinkTarget: null })) // A link keeps nothing; a pseudo-terminal hangs behind one.
        {
            try
            {
                using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                using var copy = new MemoryStream();
                stream.CopyTo(copy);
                LookIn(file, copy.ToArray());
            }
            catch (IOException fault) when (fault.HResult == NoSuchDevice)
            {
                // A socket keeps nothing.
            }
        }
    }

    /// <summary>What was found, a sentence each, without the secret.</summary>
    public IReadOnlyList<string> Run() =>
    [
        .. from place in _places
           from secret in _secrets
           where !secret.Homes.Contains(place.Name)
           where secret.Forms.Any(it => place.Bytes.AsSpan().IndexOf(it) >= 0) || secret.Numbers.Any(it => StandsAsACardNumber(place.Bytes, it)) || (secret.Code is { } code && StandsAlone(place.Bytes, code))
           select $"{secret.Name} is in {place.Name}",
    ];

    private static bool StandsAlone(byte[] bytes, string code) =>
        bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(code)) >= 0
        && Regex.IsMatch(Encoding.UTF8.GetString(bytes), $"(?<![0-9A-Za-z.]){code}(?![0-9A-Za-z])", RegexOptions.CultureInvariant, TimeSpan.FromMinutes(1));

    private static bool StandsAsACardNumber(byte[] bytes, string number) =>
        bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(number)) >= 0
        && Regex.IsMatch(Encoding.UTF8.GetString(bytes), $@"(?i)(card|credential|badge|facility|number|番号|カード|認証媒体)[^0-9A-Za-z]{{0,6}}{number}(?![0-9])", RegexOptions.CultureInvariant, TimeSpan.FromMinutes(1));

    private static List<byte[]> KeyForms(string text)
    {
        if (!text.StartsWith("-----BEGIN", StringComparison.Ordinal))
            return text.Length % 2 == 0 && text.All(char.IsAsciiHexDigit) ? [.. BytesForms(Convert.FromHexString(text)), .. TextForms(text)] : [.. TextForms(text)];
        using var key = ECDsa.Create();
        key.ImportFromPem(text);
        return
        [
            .. BytesForms(key.ExportParameters(includePrivateParameters: true).D!),
            .. text.Split('\n').Where(it => it.Length > 40 && !it.StartsWith('-')).Select(it => Encoding.ASCII.GetBytes(it.Trim())),
        ];
    }

    private static byte[][] TextForms(string text) =>
        [Encoding.UTF8.GetBytes(text), Encoding.UTF8.GetBytes(Uri.EscapeDataString(text)), Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).TrimEnd('='))];

    private static byte[][] BytesForms(byte[] bytes) =>
        [bytes, Encoding.ASCII.GetBytes(Convert.ToHexString(bytes)), Encoding.ASCII.GetBytes(Convert.ToHexStringLower(bytes)), Encoding.ASCII.GetBytes(Convert.ToBase64String(bytes).TrimEnd('='))];
}
