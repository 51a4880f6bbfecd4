using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hardware;
using PhysSec.Node.Journal;

namespace PhysSec.VmGuest;

/// <summary>
/// What an enrolment and a hub have left on the board: keys, node.json, and in the journal the signed policy of the last time the hub was there.
/// The hub itself is out of reach for good.
/// </summary>
internal sealed class Site
{
    public const long Epoch = 1;
    public const double ReleaseSeconds = 3, OpenSeconds = 6, PreAlarmSeconds = 2, SilentSeconds = 5, HotCelsius = 30;
    public static readonly PersonId Sato = new("p-sato");
    public static readonly CardBits Card = WiegandFrame.Encode26(17, 4711);
    public static readonly CardBits UnknownCard = WiegandFrame.Encode26(17, 4712);

    private static readonly SiteId _site = new("city");
    private static readonly NodeId _node = new("node-a");
    private readonly string _folder;
    private readonly byte[] _siteKey = RandomNumberGenerator.GetBytes(CredentialTokens.KeyLength);

    public Site(string folder, string board, DateTimeOffset now)
    {
        _folder = folder;
        Directory.CreateDirectory(folder);
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var self = new CertificateRequest("CN=Authority", authorityKey, HashAlgorithmName.SHA256);
        self.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        using var authority = self.CreateSelfSigned(now.AddDays(-1), now.AddYears(10));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest($"CN={_node}", key, HashAlgorithmName.SHA256)
            .Create(authority, now.AddDays(-1), now.AddYears(1), [1, 2, 3, 4]);
        using var hubKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Write("ca.crt", authority.ExportCertificatePem());
        Write("node.crt", certificate.ExportCertificatePem());
        Write("node.key", key.ExportPkcs8PrivateKeyPem());
        Write("site.key", Convert.ToHexString(_siteKey));
        Write("hub.pub", hubKey.ExportSubjectPublicKeyInfoPem());
        Write("node.json", $$"""
            {
              "site": "{{_site}}", "node": "{{_node}}", "board": "{{board}}", "state": "state",
              "hub": { "host": "127.0.0.1", "port": 8883, "serverName": "hub" },
              "ca": "ca.crt", "certificate": "node.crt", "key": "node.key", "siteKey": "site.key", "hubKey": "hub.pub", "epoch": {{Epoch}}
            }
            """);
        using var journal = JournalStore.Open(StateFolder, Epoch);
        journal.Put("policy", JsonSerializer.Serialize(Signed(hubKey, Policy(now)), WireJson.Plain.PolicyMessage));
    }

    public string Config => Path.Combine(_folder, "node.json");

    private string StateFolder => Path.Combine(_folder, "state");

    /// <summary>What stands for a card at this site.</summary>
    public CredentialToken Token(CardBits card) => CredentialTokens.Of(_siteKey, card.Length, card.Value);

    /// <summary>Both streams as the node left them, every record checked against its chain. The node must have ended.</summary>
    public IReadOnlyList<JournalRecord> Journal()
    {
        using var journal = JournalStore.Open(StateFolder, Epoch);
        if (journal.Repaired is { } repaired) throw new InvalidOperationException($"the journal was damaged: {repaired.Fault}");
        return [.. Stream(Streams.Access).Concat(Stream(Streams.Measurements))];

        IEnumerable<JournalRecord> Stream(string stream) => journal.Read(journal.Epoch, stream, 1, journal.State(stream).Seq, int.MaxValue, int.MaxValue)
            .Select(it => JsonSerializer.Deserialize(it.Body, WireJson.Plain.JournalRecord)!);
    }

    private Policy Policy(DateTimeOffset now) => new(
        1, _site, _node, now, "Asia/Tokyo",
        [new(new("room"), 1, 72, Assurance.Low, JournalFaultRule.Refuse)],
        [new(new("door-a"), new("room"), false, ReleaseSeconds, 5, OpenSeconds, PreAlarmSeconds, Assurance.Low, null)],
        [new(Token(Card), Sato, CredentialState.Active, null, null)],
        [new(new("r-1"), Sato, new("room"), new("always"), now.AddDays(-1), now.AddYears(1), "p-suzuki", "p-tanaka", "2026-1", "点検")],
        [new(new("always"), [new(Enum.GetValues<DayOfWeek>(), new(0, 0), new(0, 0), true)])],
        [],
        [new(new("room.temperature"), AlarmClasses.TemperatureHigh, AlarmClasses.TemperatureLow, HotCelsius, 10, 0.5, 2, 2, null, 0, "", SilentSeconds, 0)]);

    private static PolicyMessage Signed(ECDsa hubKey, Policy policy)
    {
        var body = JsonSerializer.Serialize(policy, WireJson.Plain.Policy);
        var message = new PolicyMessage(policy.Version, null, Signing.PolicyHash(body), policy.IssuedAt, body, "");
        return message with { Signature = Signing.Sign(hubKey, Signing.PolicyText(_site, _node, message)) };
    }

    private void Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
