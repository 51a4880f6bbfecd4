using System.Security.Cryptography;

namespace PhysSec.Hardware;

/// <summary>Why sixteen bytes are no key for a reader.</summary>
public enum OsdpKeyFault
{
    None = 0,
    Length = 1,

    /// <summary>The key that every reader leaves the factory with.</summary>
    DefaultKey = 2,

    /// <summary>Zeros, a pattern that repeats, or bytes that count up or down.</summary>
    Guessable = 3,
}

/// <summary>A reader's secure channel base key (SCBK). It prints as a fingerprint, which two people can compare and which opens nothing.</summary>
public sealed class OsdpKey : IEquatable<OsdpKey>
{
    public const int Length = 16;

    /// <summary>SCBK-D: known to everyone, so good for nothing but to install a key.</summary>
    internal static readonly OsdpKey Default = new([.. Enumerable.Range(0x30, Length).Select(it => (byte)it)]);

    private readonly byte[] _bytes;

    private OsdpKey(byte[] bytes) => _bytes = bytes;

    /// <summary>The first 8 bytes of SHA-256 over the key and its purpose.</summary>
    public string Fingerprint => Convert.ToHexStringLower(SHA256.HashData([.. "physsec osdp key"u8, .. _bytes]).AsSpan(0, 8));

    internal ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Takes a key unless it can be guessed.</summary>
    public static OsdpKeyFault Create(ReadOnlySpan<byte> bytes, out OsdpKey? key)
    {
        key = null;
        if (bytes.Length != Length) return OsdpKeyFault.Length;
        if (CryptographicOperations.FixedTimeEquals(bytes, Default._bytes)) return OsdpKeyFault.DefaultKey;
        if (IsGuessable(bytes)) return OsdpKeyFault.Guessable;

        key = new OsdpKey(bytes.ToArray());
        return OsdpKeyFault.None;
    }

    /// <summary>A new key that cannot be guessed.</summary>
    public static OsdpKey Make(OsdpRandom random)
    {
        ArgumentNullException.ThrowIfNull(random);
        Span<byte> bytes = stackalloc byte[Length];
        while (true)
        {
            random(bytes);
            if (Create(bytes, out var key) == OsdpKeyFault.None) return key!;
        }
    }

    /// <summary>For the one file that keeps it, and for nothing else.</summary>
    public byte[] Export() => [.. _bytes];

    public bool Equals(OsdpKey? other) => other is not null && CryptographicOperations.FixedTimeEquals(_bytes, other._bytes);

    public override bool Equals(object? obj) => Equals(obj as OsdpKey);

    public override int GetHashCode() => Fingerprint.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => $"key {Fingerprint}";

    private static bool IsGuessable(ReadOnlySpan<byte> bytes)
    {
        for (var period = 1; period <= Length / 2; period++)
        {
            if (bytes[period..].SequenceEqual(bytes[..^period])) return true;
        }

        var step = bytes[1] - bytes[0] & 0xFF;
        for (var i = 2; i < Length; i++)
        {
            if ((bytes[i] - bytes[i - 1] & 0xFF) != step) return false;
        }

        return true;
    }
}

/// <summary>
/// What the controller keeps of a reader's keys, and writes to disk before it acts on it. A power cut at any point of a key change leaves the reader with one of these two.
/// </summary>
/// <param name="Current">The last key that was proved; null: none yet.</param>
/// <param name="Pending">A key that the reader may have taken already.</param>
public sealed record OsdpKeyState(OsdpKey? Current, OsdpKey? Pending)
{
    public static readonly OsdpKeyState None = new(null, null);
}
