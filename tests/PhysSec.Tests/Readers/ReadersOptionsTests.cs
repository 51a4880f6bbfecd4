using PhysSec.Node.Readers;

namespace PhysSec.Tests.Readers;

public sealed class ReadersOptionsTests
{
    private const string Good = "9f3c5a7e1b2d4860a1c3e5f708192a3b";

    [Theory]
    [InlineData("--baud 9600 --key " + Good, "--port", "missing")]
    [InlineData("--port /dev/x --baud 14400 --key " + Good, "--baud", "no speed")]
    [InlineData("--port /dev/x --addresses 0-127 --key " + Good, "--addresses", "no list")]
    [InlineData("--port /dev/x --addresses 3-0 --key " + Good, "--addresses", "no list")]
    [InlineData("--port /dev/x", "--key", "missing")]
    [InlineData("--port /dev/x --key 00", "--key", "not 32 hex digits")]
    [InlineData("--port /dev/x --key zz3c5a7e1b2d4860a1c3e5f708192a3b", "--key", "not 32 hex digits")]
    [InlineData("--port /dev/x --key 303132333435363738393a3b3c3d3e3f", "--key", "default key")]
    [InlineData("--port /dev/x --key 00000000000000000000000000000000", "--key", "guessed")]
    [InlineData("--port /dev/x --key 000102030405060708090a0b0c0d0e0f", "--key", "guessed")]
    [InlineData("--port /dev/x --key " + Good + " --new-key 11111111111111111111111111111111", "--new-key", "guessed")]
    [InlineData("--port /dev/x --addresses 0-1 --key install --new-key " + Good, "--new-key", "same key")]
    [InlineData("--port /dev/x --addresses 0-1 --replace 2 --key-file k", "--replace", "none of this line's")]
    [InlineData("--port /dev/x --accept x --key-file k", "--accept", "no list")]
    [InlineData("--port /dev/x --seconds soon --key " + Good, "--seconds", "no time")]
    [InlineData("--port", "--port", "value is missing")]
    [InlineData("--port --baud 9600", "--port", "value is missing")]
    [InlineData("--port /dev/x --port /dev/y", "--port", "twice")]
    [InlineData("--prot /dev/x", "--prot", "no such option")]
    public void Each_mistake_names_the_option_the_fault_and_the_remedy(string line, string option, string fault)
    {
        var (options, text) = ReadersOptions.Parse(line.Split(' '));

        Assert.Null(options);
        Assert.StartsWith($"{option}: ", text, StringComparison.Ordinal);
        Assert.Contains(fault, text, StringComparison.Ordinal);
        Assert.True(text!.Count(it => it == '.') >= 2, text); // A fault and a remedy.
        Assert.DoesNotContain("3c5a7e1b", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_a_reader_gets_is_always_kept()
    {
        Assert.NotNull(ReadersOptions.Parse(["--port", "/dev/x", "--key", "install"]).Options!.KeyFile);
        Assert.NotNull(ReadersOptions.Parse(["--port", "/dev/x", "--key", Good, "--new-key", "random"]).Options!.KeyFile);
        Assert.NotNull(ReadersOptions.Parse(["--port", "/dev/x", "--replace", "3"]).Options!.KeyFile);
        Assert.NotNull(ReadersOptions.Parse(["--port", "/dev/x", "--accept", "3"]).Options!.KeyFile);
        Assert.Null(ReadersOptions.Parse(["--port", "/dev/x", "--key", Good]).Options!.KeyFile);
    }

    [Theory]
    [InlineData("0-3", new byte[] { 0, 1, 2, 3 })]
    [InlineData("5", new byte[] { 5 })]
    [InlineData("7,0-1,1", new byte[] { 0, 1, 7 })]
    [InlineData("126", new byte[] { 126 })]
    [InlineData("", null)]
    [InlineData("-1", null)]
    [InlineData("1-2-3", null)]
    [InlineData("a", null)]
    public void Addresses_are_ranges_and_single_ones(string text, byte[]? addresses) => Assert.Equal(addresses, ReadersOptions.AddressesOf(text));
}
