using System.Globalization;
using System.Security.Cryptography;
using PhysSec.Hardware;

namespace PhysSec.Node.Readers;

/// <summary>What <c>physsec-node readers</c> was told, checked. It holds keys: it has no text form.</summary>
internal sealed class ReadersOptions
{
    private const int AddressesMax = 127;

    private static readonly string[] _flags = ["--json", "--show-cards", "--discover", "--rs485"];
    private static readonly string[] _valued = ["--port", "--baud", "--addresses", "--key", "--key-file", "--new-key", "--seconds", "--capture", "--board", "--replace", "--accept"];

    public required SerialSettings Line { get; init; }

    public required IReadOnlyList<byte> Addresses { get; init; }

    /// <summary>Under which name a reader's keys are kept: the device's of the board file, else its address.</summary>
    public required IReadOnlyDictionary<byte, string> Names { get; init; }

    /// <summary>The readers' own, given by hand; null: from the key file, or none.</summary>
    public OsdpKey? Key { get; init; }

    /// <summary>Readers on the default key get one of their own.</summary>
    public bool Install { get; init; }

    /// <summary>Another device is to stand at these addresses: what is known of the one before is forgotten.</summary>
    public IReadOnlyList<byte> Replace { get; init; } = [];

    /// <summary>Another device that has the key is the right one at these addresses.</summary>
    public IReadOnlyList<byte> Accept { get; init; } = [];

    /// <summary>Null: nothing is kept.</summary>
    public string? KeyFile { get; init; }

    /// <summary>What the readers are to have; null with <see cref="ChangesKey"/>: a random one each.</summary>
    public OsdpKey? NewKey { get; init; }

    public bool ChangesKey { get; init; }

    /// <summary>Null: until it is stopped.</summary>
    public TimeSpan? Time { get; init; }

    public bool Json { get; init; }

    public bool ShowCards { get; init; }

    public bool Discover { get; init; }

    public string? Capture { get; init; }

    /// <summary>The options, or what is wrong: option, fault, remedy.</summary>
    public static (ReadersOptions? Options, string? Fault) Parse(IReadOnlyList<string> args)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < args.Count; i++)
        {
            var name = args[i];
            if (!_flags.Contains(name) && !_valued.Contains(name)) return (null, $"{name}: there is no such option. See physsec-node help.");
            var value = "";
            if (_valued.Contains(name) && (++i == args.Count || args[i].StartsWith("--", StringComparison.Ordinal))) return (null, $"{name}: its value is missing. {Remedy(name)}");
            if (_valued.Contains(name)) value = args[i];
            if (!given.TryAdd(name, value)) return (null, $"{name}: it is there twice. Give it once.");
        }

        try
        {
            return (Checked(given), null);
        }
        catch (FormatException wrong)
        {
            return (null, wrong.Message);
        }
    }

    /// <summary>Addresses like "0-3", "0,2,5-7".</summary>
    internal static IReadOnlyList<byte>? AddressesOf(string text)
    {
        var addresses = new SortedSet<byte>();
        foreach (var part in text.Split(','))
        {
            var ends = part.Split('-');
            if (ends.Length > 2 || !byte.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
                || !byte.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last) || last >= AddressesMax || first > last) return null;
            for (var it = first; it <= last; it++) addresses.Add(it);
        }

        return [.. addresses];
    }

    private static ReadersOptions Checked(Dictionary<string, string> given)
    {
        string? Of(string name) => given.GetValueOrDefault(name);
        FormatException Wrong(string name, string fault) => new($"{name}: {fault} {Remedy(name)}");

        var discover = given.ContainsKey("--discover");
        var wired = Of("--board") is { } board ? Wired(board) : [];
        var port = Of("--port") ?? (wired.Select(it => it.Line.Port).Distinct().ToList() is [var only] ? only : throw Wrong("--port", wired.Count > 0 ? "the board has several." : "it is missing."));
        wired = wired.FindAll(it => it.Line.Port == port);
        if (given.ContainsKey("--board") && wired.Count == 0) throw Wrong("--board", $"it has no OSDP reader at {port}.");
        var baud = wired.Count > 0 ? wired[0].Line.Baud : SerialSettings.BaudRates[0];
        if (Of("--baud") is { } speed && (!int.TryParse(speed, NumberStyles.None, CultureInfo.InvariantCulture, out baud) || !SerialSettings.BaudRates.Contains(baud)))
            throw Wrong("--baud", $"{speed} is no speed of OSDP.");
        var (replace, accept) = (Some("--replace"), Some("--accept"));
        var some = string.Join(',', replace.Concat(accept));
        var addresses = AddressesOf(Of("--addresses") ?? (wired.Count == 0 && some.Length > 0 ? some : discover ? "0-126" : wired.Count > 0 ? string.Join(',', wired.Select(it => it.Address)) : "0")) ?? throw Wrong("--addresses", $"\"{Of("--addresses")}\" is no list of addresses.");
        var seconds = 0.0;
        if (Of("--seconds") is { } time && (!double.TryParse(time, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out seconds) || seconds is <= 0 or > 604_800))
            throw Wrong("--seconds", $"\"{time}\" is no time.");

        foreach (var name in (string[])["--replace", "--accept"])
            if (Some(name).Except(addresses).ToList() is { Count: > 0 } strangers) throw Wrong(name, $"address {strangers[0]} is none of this line's.");

        var install = Of("--key") == "install";
        var key = Of("--key") is { } hex && !install ? KeyOf("--key", hex) : null;
        var changes = given.ContainsKey("--new-key");
        var newKey = Of("--new-key") is { } next && next != "random" ? KeyOf("--new-key", next) : null;
        if (newKey is not null && addresses.Count > 1) throw Wrong("--new-key", "two readers never get the same key.");
        if (!discover && key is null && !install && some.Length == 0 && Of("--key-file") is null) throw Wrong("--key", "it is missing, and so is --key-file.");
        return new()
        {
            Line = new(port, baud, given.ContainsKey("--rs485") || wired.Exists(it => it.Line.Rs485)),
            Addresses = addresses,
            Names = addresses.ToDictionary(it => it, it => wired.Find(device => device.Address == it)?.Id ?? it.ToString(CultureInfo.InvariantCulture)),
            Key = key,
            Install = install,
            Replace = replace,
            Accept = accept,
            // A key that a reader gets is kept, always: one that only the reader knew would lock everybody out of it.
            KeyFile = Of("--key-file") is { } file ? Path.GetFullPath(file) : install || changes || some.Length > 0 ? Path.GetFullPath(ReaderKeyFile.Name) : null,
            NewKey = newKey,
            ChangesKey = changes,
            Time = Of("--seconds") is null ? null : TimeSpan.FromSeconds(seconds),
            Json = given.ContainsKey("--json"),
            ShowCards = given.ContainsKey("--show-cards"),
            Discover = discover,
            Capture = Of("--capture") is { } capture ? Path.GetFullPath(capture) : null,
        };

        IReadOnlyList<byte> Some(string name) => Of(name) is not { } text ? [] : AddressesOf(text) ?? throw Wrong(name, $"\"{text}\" is no list of addresses.");

        List<OsdpEntry> Wired(string path)
        {
            try
            {
                return [.. BoardFile.Load(path).Devices.OfType<OsdpEntry>()];
            }
            catch (BoardFileException wrong)
            {
                throw Wrong("--board", wrong.Message);
            }
        }

        OsdpKey KeyOf(string name, string digits)
        {
            var bytes = new byte[OsdpKey.Length];
            try
            {
                if (digits.Length != 2 * OsdpKey.Length || Convert.FromHexString(digits, bytes, out _, out _) != System.Buffers.OperationStatus.Done)
                    throw Wrong(name, "this is not 32 hex digits.");
                return OsdpKey.Create(bytes, out var made) switch
                {
                    OsdpKeyFault.None => made!,
                    OsdpKeyFault.DefaultKey => throw Wrong(name, "this is the default key, which everybody knows; it is only used to install another."),
                    _ => throw Wrong(name, "this key can be guessed (zeros, a pattern, or counting)."),
                };
            }
            finally
            {
                CryptographicOperations.ZeroMemory(bytes);
            }
        }
    }

    private static string Remedy(string name) => name switch
    {
        "--port" => "Give the serial port, like /dev/ttyAMA2 or one of /dev/serial/by-id.",
        "--baud" => $"Give one of {string.Join(", ", SerialSettings.BaudRates)}; --discover finds it.",
        "--addresses" or "--replace" or "--accept" => "Give addresses from 0 to 126, like 0-3 or 0,2,5.",
        "--key" => "Give the readers' key as 32 hex digits, or \"install\" for readers fresh from the factory, or --key-file.",
        "--key-file" => "Give a file that only you may read; it is made where it is missing.",
        "--new-key" => "Give 32 hex digits and one address, or \"random\".",
        "--seconds" => "Give a number of seconds, or leave it out to run until Ctrl-C.",
        "--board" => "Give the node's board file, whose OSDP readers are meant.",
        "--capture" => "Give a file for the line's frames.",
        _ => "",
    };
}
