using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using CsCheck;
using PhysSec.Core.Access;

namespace PhysSec.Tests.Node;

public sealed class CredentialTokenTests
{
    private static readonly byte[] _key = [.. Enumerable.Range(0, 32).Select(it => (byte)it)];

    [Fact]
    public void A_token_is_the_keyed_hash_of_length_and_value()
    {
        var expected = Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.ASCII.GetBytes("26:33619968")));
        Assert.Equal(expected, CredentialTokens.Of(_key, 26, 33_619_968).Value);
    }

    [Fact]
    public void The_same_card_under_another_sites_key_is_another_token() =>
        Assert.NotEqual(CredentialTokens.Of(_key, 26, 1), CredentialTokens.Of(new byte[32], 26, 1));

    [Fact]
    public void The_same_value_in_another_length_is_another_card() =>
        Assert.NotEqual(CredentialTokens.Of(_key, 26, 1), CredentialTokens.Of(_key, 34, 1));

    [Theory]
    [InlineData(1, 1, 26, 0b1_00000001_0000000000000001_0UL)]
    [InlineData(0, 0, 26, 0b0_00000000_0000000000000000_1UL)]
    [InlineData(255, 65_535, 26, 0b0_11111111_1111111111111111_1UL)]
    [InlineData(1, 1, 34, 0b1_0000000000000001_0000000000000001_0UL)]
    public void The_printed_numbers_become_the_bits_that_a_reader_sends(int facility, int number, int length, ulong bits) =>
        Assert.Equal(bits, CredentialTokens.Bits(facility, number, length));

    [Fact]
    public void Each_half_of_a_frame_has_the_parity_that_a_reader_checks() =>
        Gen.Select(Gen.Int[0, 255], Gen.Int[0, 65_535], Gen.Bool).Sample((facility, number, wide) =>
        {
            var length = wide ? 34 : 26;
            var bits = CredentialTokens.Bits(facility, number, length);
            return BitOperations.PopCount(bits >> (length / 2)) % 2 == 0
                && BitOperations.PopCount(bits & ((1UL << (length / 2)) - 1)) % 2 == 1;
        });

    [Theory]
    [InlineData(256, 0, 26)]
    [InlineData(-1, 0, 26)]
    [InlineData(0, 65_536, 26)]
    [InlineData(65_536, 0, 34)]
    [InlineData(0, 0, 37)]
    public void Numbers_that_no_such_card_carries_are_refused(int facility, int number, int length) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => CredentialTokens.Bits(facility, number, length));
}
