using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace PhysSec.Hub.Storage;

/// <summary>
/// A file under a passphrase: AES-256-GCM in chunks of 64 KiB, each bound to its place and the last one marked, so that nothing can be changed, moved or cut off unseen. The key
/// comes from the passphrase by PBKDF2-HMAC-SHA-512 with a salt of the file's own.
/// </summary>
public static class SealedFile
{
    private const int Chunk = 64 << 10;
    private const int TagSize = 16;
    private const int Iterations = 600_000;
    private const int IterationsMax = 10_000_000;
    private const uint LastMark = 0x8000_0000;
    private static readonly byte[] _magic = Encoding.ASCII.GetBytes("PhysSec sealed 1\n");

    public const int PassphraseMin = 16;

    /// <summary>Seals everything that the source gives.</summary>
    public static async Task SealAsync(Stream source, Stream target, string passphrase, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        var header = new byte[_magic.Length + 20];
        _magic.CopyTo(header, 0);
        RandomNumberGenerator.Fill(header.AsSpan(_magic.Length, 16));
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(_magic.Length + 16), Iterations);
        await target.WriteAsync(header, cancel);
        using var cipher = Cipher(passphrase, header);

        var (now, next) = (new byte[Chunk], new byte[Chunk]);
        var length = await source.ReadAtLeastAsync(now, Chunk, throwOnEndOfStream: false, cancel);
        for (var number = 0L; ; number++)
        {
            var following = length == Chunk ? await source.ReadAtLeastAsync(next, Chunk, throwOnEndOfStream: false, cancel) : 0;
            var mark = (uint)length | (following == 0 ? LastMark : 0);
            var sealedChunk = new byte[4 + length + TagSize];
            BinaryPrimitives.WriteUInt32BigEndian(sealedChunk, mark);
            cipher.Encrypt(Nonce(number), now.AsSpan(0, length), sealedChunk.AsSpan(4, length), sealedChunk.AsSpan(4 + length), Bound(header, mark));
            await target.WriteAsync(sealedChunk, cancel);
            if (following == 0) return;
            (now, next, length) = (next, now, following);
        }
    }

    /// <summary>Opens what <see cref="SealAsync"/> has sealed.</summary>
    /// <exception cref="InvalidDataException">Another passphrase, or the file is damaged, cut off or none of ours. What was written to the target until then is worth nothing.</exception>
    public static async Task OpenAsync(Stream source, Stream target, string passphrase, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        var header = new byte[_magic.Length + 20];
        if (await source.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancel) < header.Length || !header.AsSpan().StartsWith(_magic))
            throw new InvalidDataException("it is no sealed file of PhysSec");
        if (BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(_magic.Length + 16)) is < 1 or > IterationsMax) throw new InvalidDataException("its header is damaged");
        using var cipher = Cipher(passphrase, header);

        var mark = new byte[4];
        for (var number = 0L; ; number++)
        {
            if (await source.ReadAtLeastAsync(mark, 4, throwOnEndOfStream: false, cancel) < 4) throw new InvalidDataException("its end is missing");
            var value = BinaryPrimitives.ReadUInt32BigEndian(mark);
            var length = (int)(value & ~LastMark);
            if (length > Chunk) throw new InvalidDataException("it is damaged");
            var body = new byte[length + TagSize];
            if (await source.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancel) < body.Length) throw new InvalidDataException("its end is missing");
            var plain = new byte[length];
            try
            {
                cipher.Decrypt(Nonce(number), body.AsSpan(0, length), body.AsSpan(length), plain, Bound(header, value));
            }
            catch (AuthenticationTagMismatchException)
            {
                throw new InvalidDataException(number == 0 ? "the passphrase is another, or the file is damaged" : "it is damaged");
            }

            await target.WriteAsync(plain, cancel);
            if ((value & LastMark) != 0) return;
        }
    }

    private static AesGcm Cipher(string passphrase, byte[] header)
    {
        var iterations = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(_magic.Length + 16));
        var key = Rfc2898DeriveBytes.Pbkdf2(passphrase, header.AsSpan(_magic.Length, 16), iterations, HashAlgorithmName.SHA512, 32);
        try
        {
            return new AesGcm(key, TagSize);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    // The key is the file's own, so a counter never comes twice under it.
    private static byte[] Nonce(long number)
    {
        var nonce = new byte[12];
        BinaryPrimitives.WriteInt64BigEndian(nonce.AsSpan(4), number);
        return nonce;
    }

    private static byte[] Bound(byte[] header, uint mark)
    {
        var bound = new byte[header.Length + 4];
        header.CopyTo(bound, 0);
        BinaryPrimitives.WriteUInt32BigEndian(bound.AsSpan(header.Length), mark);
        return bound;
    }
}
