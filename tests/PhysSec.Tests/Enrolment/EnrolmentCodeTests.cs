using PhysSec.Node.Enrolment;

namespace PhysSec.Tests.Enrolment;

public sealed class EnrolmentCodeTests
{
    private const string Pin = "0123456789abcdef0123456789abcdef";

    [Fact]
    public void A_code_names_the_hub_the_secret_and_the_pin()
    {
        var code = EnrolmentCode.Parse($"https://hub.city.example.jp:8443/enroll#abcde-fghjk-mnpqr-stvwx.{Pin.ToUpperInvariant()}\n", out _)!;
        Assert.Equal(new Uri("https://hub.city.example.jp:8443/"), code.Hub);
        Assert.Equal(("abcde-fghjk-mnpqr-stvwx", Pin), (code.Secret, code.Pin));
    }

    [Theory]
    [InlineData("", "https://")]
    [InlineData("hub.city.example.jp:8443/enroll", "https://")]
    [InlineData("ftp://hub/enroll#abcde." + Pin, "https://")]
    [InlineData("http://hub.city.example.jp/enroll#abcde." + Pin, "in the clear")]
    [InlineData("https://hub.city.example.jp:8443/enroll", "the shell takes #")]
    [InlineData("https://hub.city.example.jp:8443/enroll#abcde", "not whole")]
    [InlineData("https://hub.city.example.jp:8443/enroll#abcde.0123", "not whole")]
    public void What_is_no_code_is_refused_with_what_to_do(string text, string word)
    {
        Assert.Null(EnrolmentCode.Parse(text, out var fault));
        Assert.Contains(word, fault!, StringComparison.Ordinal);
    }

    [Fact]
    public void The_machine_itself_may_be_reached_in_the_clear() =>
        Assert.NotNull(EnrolmentCode.Parse($"http://localhost:8080/enroll#abcde.{Pin}", out _));
}
