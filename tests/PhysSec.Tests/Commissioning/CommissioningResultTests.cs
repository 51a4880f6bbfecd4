using System.Security.Cryptography;
using PhysSec.Node.Commissioning;

namespace PhysSec.Tests.Commissioning;

public sealed class CommissioningResultTests
{
    private static readonly DateTimeOffset _at = new(2026, 11, 23, 9, 0, 0, TimeSpan.FromHours(9));

    private static readonly CommissioningResult _result = new(
        CommissioningResult.Version, "fukaya", "n1", "one-room", new string('a', 64), true, "1.0.0", "深谷 太郎", _at, _at.AddHours(1), false,
        [new("contactMoves:door-a.contact", Outcome.Passed, "open → shut", null, _at), new("exitByButton:door-a.lock", Outcome.Failed, null, "ボタン故障", _at)]);

    [Fact]
    public void A_signed_result_comes_back_as_it_was_with_the_key_that_signed_it()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        var (result, publicKey) = CommissioningResult.Verify(_result.Sign(key));

        Assert.Equal(key.ExportSubjectPublicKeyInfo(), publicKey);
        Assert.Equal(_result.Steps, result.Steps);
        Assert.Equal(_result with { Steps = result.Steps }, result);
    }

    [Fact]
    public void Any_changed_byte_of_the_file_is_noticed()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var signed = _result.Sign(key);
        var result = signed[..signed.IndexOf("\"publicKey\"", StringComparison.Ordinal)];
        for (var i = result.IndexOf('{', 1); i <= result.LastIndexOf('}'); i++)
        {
            var changed = signed[..i] + (char)(signed[i] ^ 1) + signed[(i + 1)..];

            Assert.Throws<InvalidDataException>(() => CommissioningResult.Verify(changed));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("""{"result":{},"publicKey":"AA==","signature":"AA=="}""")]
    [InlineData("""{"result":{},"publicKey":7,"signature":"x"}""")]
    public void What_is_no_signed_result_is_refused(string file) => Assert.Throws<InvalidDataException>(() => CommissioningResult.Verify(file));
}
