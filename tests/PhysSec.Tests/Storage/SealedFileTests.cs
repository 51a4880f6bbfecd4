using System.Security.Cryptography;
using PhysSec.Hub.Storage;

namespace PhysSec.Tests.Storage;

public sealed class SealedFileTests
{
    private const string Passphrase = "correct horse battery";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(200_000)]
    public async Task What_was_sealed_opens_as_it_was(int length)
    {
        var plain = RandomNumberGenerator.GetBytes(length);
        Assert.Equal(plain, await OpenAsync(await SealAsync(plain)));
    }

    [Fact]
    public async Task Nothing_of_it_can_be_read_without_the_passphrase()
    {
        var file = await SealAsync("the site's keys"u8.ToArray());
        Assert.True(file.AsSpan().IndexOf("keys"u8) < 0);
        await Assert.ThrowsAsync<InvalidDataException>(() => OpenAsync(file, "another passphrase"));
    }

    [Theory]
    [InlineData("a flipped bit")]
    [InlineData("a missing end")]
    [InlineData("a missing piece in the middle")]
    [InlineData("two pieces the other way round")]
    [InlineData("another file")]
    [InlineData("nothing")]
    public async Task A_file_that_is_not_whole_is_never_taken_for_one(string damage)
    {
        var file = await SealAsync(RandomNumberGenerator.GetBytes(200_000));
        const int Header = 37, Piece = 4 + 65_536 + 16;
        file = damage switch
        {
            "a flipped bit" => [.. file[..100_000], (byte)(file[100_000] ^ 1), .. file[100_001..]],
            "a missing end" => file[..(Header + (2 * Piece))],
            "a missing piece in the middle" => [.. file[..(Header + Piece)], .. file[(Header + (2 * Piece))..]],
            "two pieces the other way round" => [.. file[..Header], .. file[(Header + Piece)..(Header + (2 * Piece))], .. file[Header..(Header + Piece)], .. file[(Header + (2 * Piece))..]],
            "another file" => RandomNumberGenerator.GetBytes(1000),
            _ => [],
        };
        await Assert.ThrowsAsync<InvalidDataException>(() => OpenAsync(file));
    }

    private static async Task<byte[]> SealAsync(byte[] plain)
    {
        using var target = new MemoryStream();
        await SealedFile.SealAsync(new MemoryStream(plain), target, Passphrase, Cancel);
        return target.ToArray();
    }

    private static async Task<byte[]> OpenAsync(byte[] file, string passphrase = Passphrase)
    {
        using var target = new MemoryStream();
        await SealedFile.OpenAsync(new MemoryStream(file), target, passphrase, Cancel);
        return target.ToArray();
    }
}
