using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace PhysSec.Core.Access;

/// <summary>Turns a card's bits into the token that stands for it everywhere else. The bits themselves go no further.</summary>
public static class CredentialTokens
{
    /// <summary>Bytes of a site's key.</summary>
    public const int KeyLength = 32;

    /// <summary>HMAC-SHA256 under the site's key over <c>length:value</c>, as 64 lower-case hex digits.</summary>
    /// <param name="siteKey">32 bytes.</param>
    /// <param name="length">How many bits the reader sent, parity included, 1–64.</param>
    /// <param name="value">The bits, first bit most significant, right-aligned.</param>
    public static CredentialToken Of(ReadOnlySpan<byte> siteKey, int length, ulong value)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(siteKey.Length, KeyLength);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, 64);
        var text = string.Create(CultureInfo.InvariantCulture, $"{length}:{value}");
        return new(Convert.ToHexStringLower(HMACSHA256.HashData(siteKey, Encoding.UTF8.GetBytes(text))));
    }

    /// <summary>
    /// The bits that a reader sends for the numbers printed on a card: 26 bits (facility 0–255) or 34 bits (facility 0–65535), number 0–65535, an even
    /// parity bit before and an odd one after.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Names the value that does not fit.</exception>
    public static ulong Bits(int facility, int number, int length)
    {
        if (length is not (26 or 34)) throw new ArgumentOutOfRangeException(nameof(length), length, "give 26 or 34 bits");
        ArgumentOutOfRangeException.ThrowIfNegative(facility);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(facility, length == 26 ? 255 : 65_535);
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(number, 65_535);

        var data = (ulong)(uint)facility << 16 | (uint)number;
        var half = (length - 2) / 2;
        var even = (ulong)(BitOperations.PopCount(data >> half) & 1);
        var odd = (ulong)(~BitOperations.PopCount(data & ((1UL << half) - 1)) & 1);
        return even << (length - 1) | data << 1 | odd;
    }
}
