using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace PhysSec.Rig;

/// <summary>The six digits that an authenticator shows (RFC 6238: SHA-1, 30 s), for people and tests without one.</summary>
public static class Totp
{
    private const int PeriodSeconds = 30;
    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <param name="secret">Base32 as shown at enrolment; blanks, hyphens and case do not matter.</param>
    /// <param name="at">The moment.</param>
    /// <exception cref="RigException">The secret is not base32.</exception>
    public static string Code(string secret, DateTimeOffset at)
    {
        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, at.ToUnixTimeSeconds() / PeriodSeconds);
#pragma warning disable CA5350 // The RFC's default; authenticator programs know no other.
        var hash = HMACSHA1.HashData(Decode(secret), counter);
#pragma warning restore CA5350
        var start = hash[^1] & 0x0F;
        var number = BinaryPrimitives.ReadInt32BigEndian(hash.AsSpan(start, 4)) & 0x7FFF_FFFF;
        return (number % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }

    private static byte[] Decode(string secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        var bytes = new List<byte>();
        var (buffer, bits) = (0, 0);
        foreach (var c in secret.ToUpperInvariant().Where(it => it is not ' ' and not '-' and not '='))
        {
            var value = Base32.IndexOf(c, StringComparison.Ordinal);
            if (value < 0) throw new RigException($"The secret has a '{c}'; base32 has only A-Z and 2-7.");

            (buffer, bits) = (((buffer << 5) | value) & 0xFFFF, bits + 5);
            if (bits < 8) continue;
            bits -= 8;
            bytes.Add((byte)((buffer >> bits) & 0xFF));
        }

        return bytes.Count > 0 ? [.. bytes] : throw new RigException("The secret is empty; give the one shown at enrolment.");
    }
}
