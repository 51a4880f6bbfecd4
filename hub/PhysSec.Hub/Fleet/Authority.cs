using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PhysSec.Core.Wire;

namespace PhysSec.Hub.Fleet;

/// <summary>A certificate with its private key, both in PEM.</summary>
public sealed record Issued(string CertificatePem, string KeyPem, string Thumbprint);

/// <summary>
/// The site's own certificate authority (ECDSA P-256), made at the first start. A subject's CN is its name, its OU its kind: hub, broker, node or observer.
/// Keys lie under <c>DIR/pki</c>, readable by the service alone.
/// </summary>
public sealed class Authority : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private static readonly TimeSpan _rootLife = TimeSpan.FromDays(365 * 20);
    private static readonly TimeSpan _leafLife = TimeSpan.FromDays(365 * 3);

    /// <summary>A node's certificate is renewed by the hub long before its end; one that nobody renews ends within the year.</summary>
    public static readonly TimeSpan NodeLife = TimeSpan.FromDays(365);

    private static readonly TimeSpan _slack = TimeSpan.FromHours(1);
    private static readonly DateTimeOffset _released = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly X509Certificate2 _root;

    private Authority(X509Certificate2 root) => _root = root;

    public string RootPem => _root.ExportCertificatePem();

    /// <summary>Trusts this authority alone.</summary>
    public X509Certificate2Collection Trust => [X509CertificateLoader.LoadCertificate(_root.RawData)];

    /// <summary>What <see cref="Open"/> makes at the first start.</summary>
    internal static string[] Files(string folder) => [Path.Combine(folder, "ca.crt"), Path.Combine(folder, "ca.key")];

    public static Authority Open(string folder, string site, DateTimeOffset now)
    {
        PrivateFiles.Folder(folder);
        var (certificate, key) = (Path.Combine(folder, "ca.crt"), Path.Combine(folder, "ca.key"));
        if (!File.Exists(key))
        {
            // A machine without a clock would make an authority whose life is over before it begins.
            if (now < _released) throw new InvalidOperationException($"the machine's clock says {now:yyyy-MM-dd}; set it before the first start, because the site's certificates count from it");
            using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest($"CN=PhysSec {site}, OU=authority", pair, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
            request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
            request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
            using var root = request.CreateSelfSigned(now - _slack, now + _rootLife);
            PrivateFiles.Write(certificate, root.ExportCertificatePem());
            PrivateFiles.Write(key, pair.ExportPkcs8PrivateKeyPem());
        }

        return new Authority(X509Certificate2.CreateFromPemFile(certificate, key));
    }

    /// <summary>What an enrolment code carries, so that a board knows the right hub.</summary>
    public string Pin => AuthorityPin.Of(_root.RawData);

    /// <summary>Makes a key pair and its certificate.</summary>
    /// <param name="name">The subject.</param>
    /// <param name="kind">One of <see cref="Kinds"/>.</param>
    /// <param name="now">Begin of its life.</param>
    /// <param name="names">A server's names and addresses besides localhost.</param>
    public Issued Issue(string name, string kind, DateTimeOffset now, IReadOnlyList<string>? names = null)
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Certify(new PublicKey(pair), name, kind, now, names);
        return new Issued(certificate.ExportCertificatePem(), pair.ExportPkcs8PrivateKeyPem(), certificate.GetCertHashString(HashAlgorithmName.SHA256));
    }

    /// <summary>A certificate for a key that was made elsewhere and stays there. Serial numbers are 16 random bytes.</summary>
    public X509Certificate2 Certify(PublicKey key, string name, string kind, DateTimeOffset now, IReadOnlyList<string>? names = null)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddOrganizationalUnitName(kind);
        subject.AddCommonName(name);
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        var server = kind == Kinds.Broker;
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(server ? ServerAuthentication : ClientAuthentication)], true));
        if (server)
        {
            var alternatives = new SubjectAlternativeNameBuilder();
            alternatives.AddIpAddress(IPAddress.Loopback);
            foreach (var it in (names ?? []).Append("localhost").Append(Environment.MachineName).Distinct(StringComparer.OrdinalIgnoreCase))
            {
                if (IPAddress.TryParse(it, out var address)) alternatives.AddIpAddress(address);
                else alternatives.AddDnsName(it);
            }

            request.CertificateExtensions.Add(alternatives.Build());
        }

        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_root, true, false));
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7F;

        // Never outside the authority's own life: a clock that was stepped back after the first start, or the authority's last years.
        var (begin, end) = (now - _slack, now + (kind == Kinds.Node ? NodeLife : _leafLife));
        var (first, last) = (new DateTimeOffset(_root.NotBefore.ToUniversalTime(), TimeSpan.Zero), new DateTimeOffset(_root.NotAfter.ToUniversalTime(), TimeSpan.Zero));
        return request.Create(_root, begin < first ? first : begin, end > last ? last : end, serial);
    }

    /// <summary>Null when the certificate is a client's of this authority and in its time; else why not.</summary>
    public string? Refusal(X509Certificate2 certificate, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(Trust);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck; // Revocation is the nodes table, looked at on every connect.
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        return chain.Build(certificate) ? null : "certificate of another authority: " + string.Join(", ", chain.ChainStatus.Select(it => it.Status));
    }

    public void Dispose() => _root.Dispose();
}

/// <summary>Kinds of certificate, written in the subject's OU.</summary>
public static class Kinds
{
    public const string Broker = "broker";
    public const string Hub = "hub";
    public const string Node = "node";
    public const string Observer = "observer";
}

/// <summary>Files and folders that only the service may read.</summary>
public static class PrivateFiles
{
    public static string Folder(string path)
    {
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>Written beside and renamed, so that a reader sees the old text or the new one.</summary>
    public static void Write(string path, string text)
    {
        var beside = path + ".new";
        using (var file = new FileStream(beside, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            file.Write(System.Text.Encoding.UTF8.GetBytes(text));
            file.Flush(flushToDisk: true); // A renamed file whose content a power cut has taken would be an empty key.
        }

        File.Move(beside, path, overwrite: true);
    }
}
