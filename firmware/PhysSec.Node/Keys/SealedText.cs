using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace PhysSec.Node.Keys;

/// <summary>
/// A key file that only the board's own TPM opens: PEM around the sealed object (private and public part, each after its length in two bytes) and, under the 32 bytes that are sealed in it,
/// the text itself (AES-256-GCM: nonce, ciphertext, tag).
/// </summary>
public static class SealedText
{
    private const string Label = "PHYSSEC KEY SEALED TO A TPM";
    private const int NonceSize = 12, TagSize = 16, KeySize = 32;

    public static bool Is(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return PemEncoding.TryFind(text, out var fields) && text[fields.Label] == Label;
    }

    public static string Make(string text, Tpm tpm)
    {
        ArgumentNullException.ThrowIfNull(tpm);
        var key = RandomNumberGenerator.GetBytes(KeySize);
        try
        {
            var (privatePart, publicPart) = tpm.Seal(key);
            var plain = Encoding.UTF8.GetBytes(text);
            var body = new byte[NonceSize + plain.Length + TagSize];
            RandomNumberGenerator.Fill(body.AsSpan(0, NonceSize));
            using var cipher = new AesGcm(key, TagSize);
            cipher.Encrypt(body.AsSpan(0, NonceSize), plain, body.AsSpan(NonceSize, plain.Length), body.AsSpan(NonceSize + plain.Length));
            return PemEncoding.WriteString(Label, [.. Length(privatePart), .. privatePart, .. Length(publicPart), .. publicPart, .. body]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <exception cref="TpmException">There is no TPM, it is another one, or the text was changed.</exception>
    public static string Open(string text, Tpm? tpm)
    {
        if (tpm is null) throw new TpmException($"The key is sealed to a TPM, and there is no {Tpm.Device}.");
        byte[] key = [];
        try
        {
            var all = Convert.FromBase64String(text[PemEncoding.Find(text).Base64Data]);
            var (privatePart, at) = Part(all, 0);
            (var publicPart, at) = Part(all, at);
            key = tpm.Unseal(all.AsSpan(privatePart), all.AsSpan(publicPart));
            var body = all.AsSpan(at);
            using var cipher = new AesGcm(key, TagSize);
            var plain = new byte[body.Length - NonceSize - TagSize];
            cipher.Decrypt(body[..NonceSize], body[NonceSize..^TagSize], body[^TagSize..], plain);
            return Encoding.UTF8.GetString(plain);
        }
        catch (Exception failure) when (failure is CryptographicException or FormatException or ArgumentException or OverflowException or IndexOutOfRangeException)
        {
            throw new TpmException("The sealed key was changed since it was written.", foreignOrSpoilt: true, failure);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static byte[] Length(byte[] part)
    {
        var length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)part.Length);
        return length;
    }

    private static (Range Part, int Next) Part(byte[] all, int at)
    {
        var next = at + 2 + BinaryPrimitives.ReadUInt16BigEndian(all.AsSpan(at));
        return ((at + 2)..next, next);
    }
}
