using System.Globalization;
using System.Security.Cryptography;

namespace PhysSec.Hub.Web.Accounts;

/// <summary>RFC 6238 with HMAC-SHA-1, six digits and 30-second steps: what every authenticator app speaks.</summary>
public static class Totp
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    public static long Step(DateTimeOffset now) => now.ToUnixTimeSeconds() / 30;

    /// <summary>The six digits of one step. The secret is base32.</summary>
    public static string Code(string secret, long step)
    {
        Span<byte> counter = stackalloc byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> mac = stackalloc byte[20];
#pragma warning disable CA5350 // RFC 6238: authenticator apps know only SHA-1; HMAC does not need collision resistance.
        HMACSHA1.HashData(FromBase32(secret), counter, mac);
#pragma warning restore CA5350
        var at = mac[^1] & 0x0F;
        var number = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(mac[at..]) & 0x7FFF_FFFF;
        return (number % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }

    /// <summary>The step that the code belongs to, one before and one after now included; null when it is wrong or not newer than <paramref name="lastStep"/>.</summary>
    public static long? Match(string secret, string? code, DateTimeOffset now, long lastStep)
    {
        if (code is not { Length: 6 } || !code.All(char.IsAsciiDigit)) return null;

        for (var step = Step(now) - 1; step <= Step(now) + 1; step++)
        {
            var equal = CryptographicOperations.FixedTimeEquals(
                System.Text.Encoding.ASCII.GetBytes(code), System.Text.Encoding.ASCII.GetBytes(Code(secret, step)));
            if (equal && step > lastStep) return step;
        }

        return null;
    }

    public static string NewSecret() => ToBase32(RandomNumberGenerator.GetBytes(20));

    /// <summary>What the QR code says to the app.</summary>
    public static string Uri(string secret, string site, string name) =>
        $"otpauth://totp/{System.Uri.EscapeDataString($"PhysSec {site}:{name}")}?secret={secret}&issuer={System.Uri.EscapeDataString($"PhysSec {site}")}";

    public static string ToBase32(ReadOnlySpan<byte> bytes)
    {
        var text = new System.Text.StringBuilder();
        int buffer = 0, bits = 0;
        foreach (var b in bytes)
        {
            buffer = ((buffer << 8) | b) & 0xFFFF;
            bits += 8;
            while (bits >= 5)
            {
                bits -= 5;
                text.Append(Alphabet[(buffer >> bits) & 31]);
            }
        }

        if (bits > 0) text.Append(Alphabet[(buffer << (5 - bits)) & 31]);
        return text.ToString();
    }

    private static byte[] FromBase32(string text)
    {
        var bytes = new List<byte>();
        int buffer = 0, bits = 0;
        foreach (var c in text)
        {
            var value = Alphabet.IndexOf(c, StringComparison.Ordinal);
            if (value < 0) throw new FormatException("secret: not base32; use A–Z and 2–7");
            buffer = ((buffer << 5) | value) & 0xFFFF;
            bits += 5;
            if (bits < 8) continue;
            bits -= 8;
            bytes.Add((byte)((buffer >> bits) & 0xFF));
        }

        return [.. bytes];
    }
}
