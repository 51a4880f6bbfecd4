using System.Security.Cryptography;
using System.Text;

namespace PhysSec.Core.Wire;

/// <summary>
/// The board file as a node puts it on record: for the hub alone. It tells an intruder which wire does what, so neither a broker nor a reader of the records sees it.
/// AES-256-GCM under a key of its own that node and hub derive from the site's key; bound to site and node.
/// </summary>
public static class BoardSeal
{
    /// <summary>A larger file is no board file; a record of it still fits a batch.</summary>
    public const int BytesMax = 32 << 10;

    private const int NonceSize = 12;
    private const int TagSize = 16;

    /// <returns>Base64 of nonce, ciphertext and tag.</returns>
    public static string Seal(ReadOnlySpan<byte> siteKey, SiteId site, NodeId node, string text)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var all = new byte[NonceSize + plain.Length + TagSize];
        RandomNumberGenerator.Fill(all.AsSpan(0, NonceSize));
        using var cipher = Cipher(siteKey);
        cipher.Encrypt(all.AsSpan(0, NonceSize), plain, all.AsSpan(NonceSize, plain.Length), all.AsSpan(NonceSize + plain.Length), Bound(site, node));
        return Convert.ToBase64String(all);
    }

    /// <returns>Null: sealed under another key, for another node, or changed since.</returns>
    public static string? Open(ReadOnlySpan<byte> siteKey, SiteId site, NodeId node, string text)
    {
        var all = new byte[text.Length];
        if (!Convert.TryFromBase64String(text, all, out var length) || length < NonceSize + TagSize) return null;
        var plain = new byte[length - NonceSize - TagSize];
        try
        {
            using var cipher = Cipher(siteKey);
            cipher.Decrypt(all.AsSpan(0, NonceSize), all.AsSpan(NonceSize, plain.Length), all.AsSpan(length - TagSize, TagSize), plain, Bound(site, node));
            return Encoding.UTF8.GetString(plain);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    /// <summary>SHA-256 of the file's text, lower-case hex: tells a change without telling the file.</summary>
    public static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static AesGcm Cipher(ReadOnlySpan<byte> siteKey)
    {
        Span<byte> key = stackalloc byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, siteKey, key, [], "physsec-board-1"u8);
        try
        {
            return new AesGcm(key, TagSize);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static byte[] Bound(SiteId site, NodeId node) => Encoding.UTF8.GetBytes($"physsec-board-1\n{site}\n{node}");
}
