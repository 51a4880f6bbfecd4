using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Node.Keys;

namespace PhysSec.Node;

/// <summary>Reads node.json by hand, so that one run names every mistake and not only the first.</summary>
[SuppressMessage("Reliability", "CA2000", Justification = "The configuration owns them; a fault ends the process.")]
internal sealed class NodeConfigReader(string path, Func<Tpm?> tpm)
{
    private static readonly string[] _fields =
        ["site", "node", "board", "state", "hub", "ca", "certificate", "key", "siteKey", "hubKey", "epoch"];

    private readonly List<ConfigFault> _faults = [];
    private readonly List<string> _warnings = [];
    private readonly string _folder = Path.GetDirectoryName(Path.GetFullPath(path))!;

    public NodeConfig Read(DateTimeOffset now)
    {
        using var document = Parse();
        if (document is null) throw new ConfigException(path, _faults);
        var root = document.RootElement;
        foreach (var field in root.EnumerateObject().Where(it => !_fields.Contains(it.Name)))
            Fault(field.Name, "There is no such field.", $"Remove it; the fields are {string.Join(", ", _fields)}.");

        var site = Name(root, "site");
        var node = Name(root, "node");
        var board = FilePath(root, "board");
        var state = Text(root, "state", "the folder for the journal") is { } folder ? Path.GetFullPath(folder, _folder) : null;
        var hub = Hub(root);
        var epoch = Whole(root, "epoch", 0, long.MaxValue);
        var authority = FromFile(root, "ca", it => X509Certificate2.CreateFromPem(it));
        var certificate = Certificate(root, node, authority, now);
        var device = certificate is null ? null : DeviceKey(certificate);
        var site32 = FromFile(root, "siteKey", SiteKey);
        var hubKey = FromFile(root, "hubKey", PublicKey);
        if (_faults.Count > 0) throw new ConfigException(path, _faults);

        return new NodeConfig
        {
            Site = new(site!),
            Node = new(node!),
            BoardPath = board!,
            StateFolder = state!,
            Hub = hub!,
            Epoch = epoch!.Value,
            Authority = authority!,
            Certificate = certificate!,
            DeviceKey = device!,
            HubKey = hubKey!,
            SiteKey = site32!,
            Warnings = _warnings,
        };
    }

    public string Board()
    {
        using var document = Parse();
        var board = document is null ? null : FilePath(document.RootElement, "board");
        return board ?? throw new ConfigException(path, _faults);
    }

    private JsonDocument? Parse()
    {
        try
        {
            var document = JsonDocument.Parse(File.ReadAllBytes(path), new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
            Fault(path, "The file is no JSON object.", "Write { \"site\": …, \"node\": … }; see firmware/README.md.");
        }
        catch (JsonException failure)
        {
            Fault(path, $"The file is no JSON (line {failure.LineNumber + 1}).", "Correct it; see firmware/README.md.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Fault(path, $"The file cannot be read: {failure.Message}", "Give the path of a node.json that the node may read.");
        }

        return null;
    }

    private HubAddress? Hub(JsonElement root)
    {
        if (!root.TryGetProperty("hub", out var hub) || hub.ValueKind != JsonValueKind.Object)
        {
            Fault("hub", "It is missing or no object.", "Write \"hub\": { \"host\": …, \"port\": 8883, \"serverName\": … }.");
            return null;
        }

        var host = Text(hub, "host", "the hub's name or address", "hub.");
        var port = Whole(hub, "port", 1, 65_535, "hub.");
        var server = Text(hub, "serverName", "the name in the hub's certificate", "hub.");
        return host is null || port is null || server is null ? null : new(host, (int)port.Value, server);
    }

    private X509Certificate2? Certificate(JsonElement root, string? node, X509Certificate2? authority, DateTimeOffset now)
    {
        var keyText = FromFile(root, "key", it => it);
        var certificate = FromFile(root, "certificate", it => X509Certificate2.CreateFromPem(it));
        if (certificate is null || keyText is null) return null;
        if (OperatingSystem.IsLinux()
            && File.GetUnixFileMode(Path.GetFullPath(root.GetProperty("key").GetString()!, _folder)) is var mode
            && (mode & (UnixFileMode.GroupRead | UnixFileMode.OtherRead)) != 0)
            _warnings.Add("key: others than the owner may read the file; chmod 600 it");

        var name = certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
        if (node is not null && name != node)
            Fault("certificate", $"It belongs to '{name}', not to '{node}'.", "Give this node's own certificate, or correct the field node.");
        if (authority is not null && !certificate.IssuerName.RawData.AsSpan().SequenceEqual(authority.SubjectName.RawData))
            Fault("certificate", "It was not issued by the authority in ca.", "Give certificate and ca from the same enrolment.");
        if (certificate.NotAfter < now.LocalDateTime)
            _warnings.Add($"certificate: it expired on {certificate.NotAfter:yyyy-MM-dd}; doors work on, the hub will refuse the node: enrol it again");
        try
        {
            return certificate.GetECDsaPublicKey() is null
                ? Fault<X509Certificate2>("certificate", "Its key is not an elliptic-curve key.", "Use the certificate that the hub issued.")
                : X509Certificate2.CreateFromPem(certificate.ExportCertificatePem(), keyText);
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            return Fault<X509Certificate2>("key", "It is not the private key of the certificate.", "Give certificate and key from the same enrolment.");
        }
    }

    private ECDsa? DeviceKey(X509Certificate2 certificate) =>
        certificate.GetECDsaPrivateKey() ?? Fault<ECDsa>("key", "It is no elliptic-curve private key.", "Give the key that the hub issued.");

    private static byte[] SiteKey(string text) =>
        Convert.FromHexString(text.Trim()) is { Length: CredentialTokens.KeyLength } key ? key : throw new FormatException("it has not 64 hex digits");

    private static ECDsa PublicKey(string text)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(text);
            return key;
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    private T? FromFile<T>(JsonElement root, string field, Func<string, T> parse) where T : class
    {
        if (FilePath(root, field) is not { } file) return null;
        try
        {
            return parse(Opened(File.ReadAllText(file)));
        }
        catch (TpmException failure) when (failure.ForeignOrSpoilt)
        {
            return Fault<T>(field, $"The file {file} does not open: {failure.Message}", "Enrol this board again: physsec-node enroll CODE --again.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return Fault<T>(field, $"The file {file} cannot be read: {failure.Message}", "Give a file that the node may read.");
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException or FormatException)
        {
            // The file may hold a key: its content is never repeated.
            return Fault<T>(field, $"The file {file} does not hold what it should.", field == "siteKey" ? "It holds 64 hex digits." : "It is PEM, as the hub gave it.");
        }
    }

    private string Opened(string text)
    {
        if (!SealedText.Is(text)) return text;
        using var chip = tpm();
        return SealedText.Open(text, chip);
    }

    private string? FilePath(JsonElement root, string field)
    {
        if (Text(root, field, "the path of a file") is not { } text) return null;
        var full = Path.GetFullPath(text, _folder);
        return File.Exists(full) ? full : Fault<string>(field, $"There is no file {full}.", "Paths are taken from the folder of node.json.");
    }

    private string? Name(JsonElement root, string field) =>
        Text(root, field, "a name") is not { } name ? null
        : Names.IsPlain(name) ? name
        : Fault<string>(field, $"'{name}' is no name.", "Use 1 to 32 of a-z, 0-9 and '-', not starting with '-'.");

    private string? Text(JsonElement root, string field, string what, string under = "") =>
        !root.TryGetProperty(field, out var value) ? Fault<string>(under + field, "It is missing.", $"Give {what}.")
        : value.ValueKind != JsonValueKind.String || string.IsNullOrWhiteSpace(value.GetString()) ? Fault<string>(under + field, "It is no text.", $"Give {what}.")
        : value.GetString();

    private long? Whole(JsonElement root, string field, long min, long max, string under = "")
    {
        var remedy = max == long.MaxValue ? $"Give a whole number from {min}." : $"Give a whole number from {min} to {max}.";
        if (!root.TryGetProperty(field, out var value)) Fault(under + field, "It is missing.", remedy);
        else if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out var number) || number < min || number > max)
            Fault(under + field, $"{value.GetRawText()} is not possible.", remedy);
        else return number;
        return null;
    }

    private void Fault(string field, string fault, string remedy) => _faults.Add(new(field, fault, remedy));

    private T? Fault<T>(string field, string fault, string remedy) where T : class
    {
        Fault(field, fault, remedy);
        return null;
    }
}
