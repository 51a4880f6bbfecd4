using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace PhysSec.Core.Proof;

/// <summary>One SHA-256 value of the tree, by value: a million of them lie in 32 MB. Its text is base64, as checkpoints and proofs write it.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct TreeHash
{
    public const int Size = SHA256.HashSizeInBytes;

    private readonly ulong _a, _b, _c, _d;

    /// <param name="bytes">32 bytes.</param>
    /// <exception cref="ArgumentException">There are more or fewer.</exception>
    public TreeHash(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size) throw new ArgumentException($"a hash has {Size} bytes, not {bytes.Length}", nameof(bytes));
        this = MemoryMarshal.Read<TreeHash>(bytes);
    }

    /// <summary>Reads base64; false for anything that is not 32 bytes.</summary>
    public static bool TryParse(string? text, out TreeHash hash)
    {
        Span<byte> bytes = stackalloc byte[Size];
        var whole = text is { Length: 44 } && Convert.TryFromBase64String(text, bytes, out var length) && length == Size;
        hash = whole ? new(bytes) : default;
        return whole;
    }

    public void CopyTo(Span<byte> target) => MemoryMarshal.Write(target, in this);

    public byte[] ToArray()
    {
        var bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    public override string ToString() => Convert.ToBase64String(ToArray());
}
