using CsCheck;
using PhysSec.Hub.Web.Accounts;

namespace PhysSec.Tests.Web;

public sealed class TotpTests
{
    /// <summary>RFC 6238, appendix B: the ASCII secret 12345678901234567890.</summary>
    private const string Secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1_111_111_109, "081804")]
    [InlineData(1_111_111_111, "050471")]
    [InlineData(1_234_567_890, "005924")]
    [InlineData(2_000_000_000, "279037")]
    public void Codes_are_those_of_RFC_6238(long seconds, string expected) =>
        Assert.Equal(expected, Totp.Code(Secret, Totp.Step(DateTimeOffset.FromUnixTimeSeconds(seconds))));

    [Fact]
    public void One_step_early_or_late_is_taken_and_two_are_not()
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1_234_567_890);
        var step = Totp.Step(now);
        Assert.Equal([null, step - 1, step, step + 1, null], Enumerable.Range(-2, 5).Select(it => Totp.Match(Secret, Totp.Code(Secret, step + it), now, 0)));
    }

    [Fact]
    public void A_step_that_was_used_is_never_taken_again()
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1_234_567_890);
        var step = Totp.Step(now);
        Assert.Null(Totp.Match(Secret, Totp.Code(Secret, step), now, step));
        Assert.Null(Totp.Match(Secret, Totp.Code(Secret, step - 1), now, step));
        Assert.Equal(step + 1, Totp.Match(Secret, Totp.Code(Secret, step + 1), now, step));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("12345")]
    [InlineData("1234567")]
    [InlineData("12345a")]
    [InlineData("１２３４５６")]
    public void What_is_no_six_digits_is_never_right(string? code) =>
        Assert.Null(Totp.Match(Secret, code, DateTimeOffset.FromUnixTimeSeconds(59), 0));

    [Fact]
    public void Any_secret_makes_six_digits() =>
        Gen.Byte.Array[20].Select(Gen.Long[0, 1L << 40]).Sample(
            (secret, step) => Totp.Code(Totp.ToBase32(secret), step) is { Length: 6 } code && code.All(char.IsAsciiDigit), iter: 500);
}
