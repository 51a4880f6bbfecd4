using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PhysSec.Node.Uplink;
using PhysSec.Tests.Uplink;

namespace PhysSec.Tests.Enrolment;

/// <summary>FRESH: a node takes a later certificate for its own key of its own authority, and nothing else.</summary>
public sealed class CertificateIntakeTests : IDisposable
{
    private readonly TestSite _site = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("physsec-certificate-");
    private readonly ECDsa _key;
    private readonly CertificateIntake _intake;

    public CertificateIntakeTests()
    {
        _key = _site.NodeCertificate.GetECDsaPrivateKey()!;
        _intake = _site.Intake(_folder.FullName);
    }

    public void Dispose()
    {
        _key.Dispose();
        _site.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void A_later_certificate_for_the_same_key_is_used_and_survives_a_restart()
    {
        var before = _intake.Thumbprint;
        var (renewed, fault) = _intake.Take(new(_site.Certify(_key, "node-a", 2059 + 1)));
        Assert.Null(fault);
        Assert.Equal(_intake.Thumbprint, renewed!.Thumbprint);
        Assert.NotEqual(before, _intake.Thumbprint);
        Assert.True(_intake.Current.HasPrivateKey);
        Assert.Equal(_intake.Thumbprint, _site.Intake(_folder.FullName).Thumbprint);
    }

    [Fact]
    public void The_one_in_use_changes_nothing_however_often_it_comes() =>
        Assert.Equal((null, null), _intake.Take(new(_intake.Current.ExportCertificatePem())));

    [Theory]
    [InlineData("another key")]
    [InlineData("another node")]
    [InlineData("later")]
    [InlineData("another authority")]
    [InlineData("no certificate")]
    public void Anything_else_changes_nothing_and_says_why(string what)
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var impostor = new TestSite();
        var pem = what switch
        {
            "another key" => _site.Certify(other, "node-a", 2060),
            "another node" => _site.Certify(_key, "node-b", 2060),
            "later" => _site.Certify(_key, "node-a", 2058),
            "another authority" => _site.Certify(_key, "node-a", 2060, impostor.Authority),
            _ => "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        };
        var before = _intake.Thumbprint;
        var (renewed, fault) = _intake.Take(new(pem));
        Assert.Null(renewed);
        Assert.Contains(what, fault!, StringComparison.Ordinal);
        Assert.Equal(before, _intake.Thumbprint);
        Assert.Empty(_folder.GetFiles());
    }

    [Fact]
    public void A_damaged_stored_certificate_leaves_the_enrolments_in_use()
    {
        File.WriteAllText(Path.Combine(_folder.FullName, CertificateIntake.FileName), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----");
        Assert.Equal(_intake.Thumbprint, _site.Intake(_folder.FullName).Thumbprint);
    }
}
