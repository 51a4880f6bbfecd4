using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Node.Enrolment;

namespace PhysSec.Node.Uplink;

/// <summary>
/// The node's own certificate: the one of its enrolment or, later, the newest that the hub has issued for the same key, kept beside the journal. One that is not for this
/// node and this key, of this authority, and with a later end, changes nothing.
/// </summary>
public sealed class CertificateIntake
{
    public const string FileName = "node.crt";

    private readonly NodeId _node;
    private readonly X509Certificate2 _authority;
    private readonly ECDsa _key;
    private readonly string _path;
    private X509Certificate2 _current;

    public CertificateIntake(NodeId node, X509Certificate2 authority, X509Certificate2 enrolled, ECDsa key, string stateFolder)
    {
        (_node, _authority, _current, _key, _path) = (node, authority, enrolled, key, Path.Combine(stateFolder, FileName));
        try
        {
            if (File.Exists(_path) && Judge(File.ReadAllText(_path), out var kept) is null) _current = kept!;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The enrolment's certificate serves until the hub offers the newer one again.
        }
    }

    public X509Certificate2 Current => Volatile.Read(ref _current);

    public string Thumbprint => Current.GetCertHashString(HashAlgorithmName.SHA256);

    /// <summary>Takes what the hub offers. Renewed: belongs on record, and the next connection uses it. Fault: why it was not taken; both null when it is the one in use.</summary>
    public (CertificateRenewed? Renewed, string? Fault) Take(NodeCertificate offered)
    {
        ArgumentNullException.ThrowIfNull(offered);
        if (Judge(offered.Certificate, out var certificate) is { } fault) return (null, fault.Length == 0 ? null : fault);
        try
        {
            EnrolmentFolder.WriteDurably(_path, offered.Certificate);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            certificate!.Dispose();
            return (null, $"it cannot be stored: {failure.Message}");
        }

        Volatile.Write(ref _current, certificate!); // The old one may still serve a connection; it ends with it.
        return (new CertificateRenewed(Thumbprint, new DateTimeOffset(certificate!.NotAfter.ToUniversalTime(), TimeSpan.Zero)), null);
    }

    /// <summary>Null: good, with the private key. Empty: the one in use.</summary>
    private string? Judge(string pem, out X509Certificate2? certificate)
    {
        certificate = null;
        try
        {
            using var read = X509Certificate2.CreateFromPem(pem);
            if (read.RawData.AsSpan().SequenceEqual(Current.RawData)) return "";
            using var key = read.GetECDsaPublicKey();
            if (key is null || !key.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(_key.ExportSubjectPublicKeyInfo())) return "it is for another key";
            if (read.GetNameInfo(X509NameType.SimpleName, forIssuer: false) != _node.Value) return "it is for another node";
            if (read.NotAfter <= Current.NotAfter) return "it does not end later than the one in use";
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(_authority);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.DisableCertificateDownloads = true;
            chain.ChainPolicy.VerificationFlags |= X509VerificationFlags.IgnoreNotTimeValid; // The board may have no time; the hub judges that.
            if (!chain.Build(read)) return "it is of another authority";
            certificate = read.CopyWithPrivateKey(_key);
            return null;
        }
        catch (CryptographicException failure)
        {
            return $"it is no certificate: {failure.Message}";
        }
    }
}
