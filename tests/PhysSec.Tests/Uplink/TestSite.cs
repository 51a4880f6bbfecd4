using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Node;
using PhysSec.Node.Uplink;

namespace PhysSec.Tests.Uplink;

/// <summary>A site's keys as the hub would make them: authority, hub, one node.</summary>
internal sealed class TestSite : IDisposable
{
    public static readonly SiteId Site = new("city");
    public static readonly NodeId Node = new("node-a");

    private readonly ECDsa _authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public TestSite()
    {
        var request = new CertificateRequest("CN=Test authority", _authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        Authority = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(90));
        HubCertificate = Issue("hub", "1.3.6.1.5.5.7.3.1");
        NodeCertificate = Issue(Node.Value, "1.3.6.1.5.5.7.3.2");
    }

    public X509Certificate2 Authority { get; }

    public X509Certificate2 HubCertificate { get; }

    public X509Certificate2 NodeCertificate { get; }

    public ECDsa HubKey { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public byte[] SiteKey { get; } = [.. Enumerable.Range(1, 32).Select(it => (byte)it)];

    public X509Certificate2 Issue(string name, string usage)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var serial = RandomNumberGenerator.GetBytes(8);
        using var certificate = request.Create(Authority, DateTimeOffset.UnixEpoch.AddYears(51), DateTimeOffset.UnixEpoch.AddYears(89), serial);
        using var whole = certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pfx), null, X509KeyStorageFlags.Exportable);
    }

    public UplinkIdentity Identity(int port, string serverName = "localhost") => new(
        Site, Node, new HubAddress("127.0.0.1", port, serverName), Authority, Intake("/nonexistent"), NodeCertificate.GetECDsaPrivateKey()!, HubKey);

    public CertificateIntake Intake(string stateFolder) => new(Node, Authority, NodeCertificate, NodeCertificate.GetECDsaPrivateKey()!, stateFolder);

    /// <summary>Another certificate of the authority, in PEM.</summary>
    public string Certify(ECDsa key, string name, int endYear, X509Certificate2? by = null)
    {
        var request = new CertificateRequest(new X500DistinguishedName($"CN={name}"), new PublicKey(key), HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
        using var certificate = request.Create(by ?? Authority, DateTimeOffset.UnixEpoch.AddYears(51), DateTimeOffset.UnixEpoch.AddYears(endYear - 1970), RandomNumberGenerator.GetBytes(8));
        return certificate.ExportCertificatePem();
    }

    public Ack Sign(Ack ack) => ack with { Signature = Signing.Sign(HubKey, Signing.AckText(Site, Node, ack)) };

    public Command Sign(Command command) => command with { Signature = Signing.Sign(HubKey, Signing.CommandText(Site, Node, command)) };

    public PolicyMessage Sign(PolicyMessage message) => message with { Signature = Signing.Sign(HubKey, Signing.PolicyText(Site, Node, message)) };

    public Command Command(string verb, string nonce, DateTimeOffset notAfter, params (string, string)[] arguments) =>
        Sign(new Command(verb, nonce, notAfter, "op-tanaka", "点検", arguments.ToDictionary(it => it.Item1, it => it.Item2), ""));

    public PolicyMessage Snapshot(Policy policy, DateTimeOffset at)
    {
        var body = JsonSerializer.Serialize(policy, WireJson.Plain.Policy);
        return Sign(new PolicyMessage(policy.Version, null, Signing.PolicyHash(body), at, body, ""));
    }

    public PolicyMessage Confirmation(PolicyMessage snapshot, DateTimeOffset at) => Sign(snapshot with { Body = null, At = at });

    /// <summary>One door, one person whose card 1/1 may enter at any hour.</summary>
    public Policy Policy(long version, DateTimeOffset at) => new(
        version, Site, Node, at, "Asia/Tokyo",
        [new(new("room"), 1, 72, Assurance.Low, JournalFaultRule.Refuse)],
        [new(new("door-a"), new("room"), false, 3, 5, 30, 10, Assurance.Low, null)],
        [new(CredentialTokens.Of(SiteKey, 26, CredentialTokens.Bits(1, 1, 26)), new("p-sato"), CredentialState.Active, null, null)],
        [new(new("r-1"), new("p-sato"), new("room"), new("always"), at.AddDays(-1), at.AddYears(1), "p-suzuki", "p-tanaka", "2026-1", "test")],
        [new(new("always"), [new(Enum.GetValues<DayOfWeek>(), new(0, 0), new(0, 0), true)])],
        [], []);

    /// <summary>Writes what an enrolment gives, and the node.json that names it.</summary>
    public string WriteConfig(string folder, string boardPath, int port)
    {
        File.WriteAllText(Path.Combine(folder, "ca.crt"), Authority.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "node.crt"), NodeCertificate.ExportCertificatePem());
        using var key = NodeCertificate.GetECDsaPrivateKey()!;
        File.WriteAllText(Path.Combine(folder, "node.key"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(folder, "site.key"), Convert.ToHexString(SiteKey));
        File.WriteAllText(Path.Combine(folder, "hub.pub"), HubKey.ExportSubjectPublicKeyInfoPem());
        var path = Path.Combine(folder, "node.json");
        File.WriteAllText(path, $$"""
            {
              "site": "{{Site}}", "node": "{{Node}}", "board": "{{boardPath}}", "state": "state",
              "hub": { "host": "127.0.0.1", "port": {{port}}, "serverName": "localhost" },
              "ca": "ca.crt", "certificate": "node.crt", "key": "node.key", "siteKey": "site.key", "hubKey": "hub.pub", "epoch": 1
            }
            """);
        return path;
    }

    public void Dispose()
    {
        _authorityKey.Dispose();
        Authority.Dispose();
        HubCertificate.Dispose();
        NodeCertificate.Dispose();
        HubKey.Dispose();
    }
}
