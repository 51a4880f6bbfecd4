using System.Security.Cryptography;
using System.Text;

namespace PhysSec.Core.Access;

/// <summary>Which of a person's two codes was entered.</summary>
public enum PinMatch { None = 0, Right = 1, Duress = 2 }

/// <summary>
/// Makes and checks what a policy holds of a PIN: HMAC-SHA256 under a key of its own, derived from the site's (HKDF, RFC 5869), over the person's random salt and the digits.
/// <para>Keyed and not stretched: to whoever has a policy or a journal alone the key leaves 2^256 to guess. To whoever has the site's key too, a code of 4–8 digits is guessable at any cost that a
/// door could bear: at 40 ms a try on the board (and 20 µs on a graphics card) 10,000 codes last minutes. A slow function would only hold up the loop that runs the doors, by whoever types.
/// What answers a stolen board and key is therefore the procedure: revoke, new site key, new PINs.</para>
/// </summary>
public sealed class PinKey
{
    /// <summary>Hex digits of a salt.</summary>
    public const int SaltLength = 32;

    private readonly byte[] _key;

    private PinKey(byte[] key) => _key = key;

    /// <param name="siteKey">32 bytes.</param>
    public static PinKey Of(ReadOnlySpan<byte> siteKey)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(siteKey.Length, CredentialTokens.KeyLength);
        var key = new byte[CredentialTokens.KeyLength];
        HKDF.Expand(HashAlgorithmName.SHA256, siteKey, key, "physsec pin 1"u8);
        return new(key);
    }

    /// <summary>What stands for one person's code; 64 lower-case hex digits.</summary>
    public string Verifier(string salt, string digits) => Mac($"person {salt} {digits}");

    /// <summary>By what a code that works without a card is found, whosever it is: one look-up, whatever the number of people. It has no salt, so no two people may have the same code.</summary>
    public string Tag(string digits) => Mac($"alone {digits}");

    /// <summary>Both codes are always worked out and compared whole, in the same order, whichever matches or none: the time tells nothing.</summary>
    public PinMatch Match(Pin pin, string digits)
    {
        ArgumentNullException.ThrowIfNull(pin);
        var entered = Encoding.ASCII.GetBytes(Verifier(pin.Salt, digits));
        var right = CryptographicOperations.FixedTimeEquals(entered, Encoding.ASCII.GetBytes(pin.Right));
        var duress = CryptographicOperations.FixedTimeEquals(entered, Encoding.ASCII.GetBytes(pin.Duress));
        return right ? PinMatch.Right : duress ? PinMatch.Duress : PinMatch.None;
    }

    public override string ToString() => nameof(PinKey);

    private string Mac(string text) => Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.ASCII.GetBytes(text)));
}
