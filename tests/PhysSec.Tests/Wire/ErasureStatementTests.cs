using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PhysSec.Core.Wire;

namespace PhysSec.Tests.Wire;

/// <summary>A certificate of erasure is believed as the board signed it, and in no other form.</summary>
public sealed class ErasureStatementTests
{
    private static readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private static readonly X509Certificate2 _certificate = Certificate("node-a");

    [Fact]
    public void It_reads_as_it_was_signed_and_names_the_certificate_of_its_key()
    {
        var (read, thumbprint) = ErasureStatement.Verify(Statement().Sign(_key));
        Assert.Equivalent(Statement(), read, strict: true);
        Assert.Equal(_certificate.GetCertHashString(HashAlgorithmName.SHA256), thumbprint);
    }

    [Fact]
    public void A_change_at_any_place_of_what_was_signed_is_found()
    {
        var text = Statement().Sign(_key);
        for (var i = text.IndexOf(':', StringComparison.Ordinal) + 1; i < text.IndexOf(",\"signature\"", StringComparison.Ordinal); i++)
        {
            var changed = text[..i] + (text[i] == '7' ? '8' : '7') + text[(i + 1)..];
            Assert.Throws<InvalidDataException>(() => ErasureStatement.Verify(changed));
            Assert.Throws<InvalidDataException>(() => ErasureStatement.Verify(text[..i]));
        }
    }

    [Fact]
    public void Another_key_cannot_sign_for_the_board()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Throws<InvalidDataException>(() => ErasureStatement.Verify(Statement().Sign(other)));
    }

    [Fact]
    public void One_board_cannot_sign_for_another() =>
        Assert.Throws<InvalidDataException>(() => ErasureStatement.Verify((Statement() with { Node = "node-b" }).Sign(_key)));

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"erasure":null,"signature":null}""")]
    [InlineData("""{"erasure":{},"signature":"AA=="}""")]
    [InlineData("""{"erasure":{"format":"physsec-erasure-2"},"signature":"AA=="}""")]
    [InlineData("""{"erasure":{"format":"physsec-erasure-1"},"signature":5}""")]
    public void What_is_no_certificate_is_refused_with_a_sentence(string file) => Assert.Throws<InvalidDataException>(() => ErasureStatement.Verify(file));

    private static ErasureStatement Statement() => new(
        ErasureStatement.Version, "city", "node-a", _certificate.ExportCertificatePem(), new(2026, 11, 24, 1, 2, 3, TimeSpan.Zero), ClockQuality.Holdover, "佐藤", "the room is given up",
        "1.0.0", [new(1, "a", 12, "00ff", 11)], ["/etc/physsec-node/node.key", "/var/lib/physsec-node/journal.db"]);

    private static X509Certificate2 Certificate(string node)
    {
        var request = new CertificateRequest("CN=" + node, _key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }
}
