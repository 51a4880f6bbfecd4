using System.Security.Cryptography;

namespace PhysSec.Hardware;

/// <summary>
/// The keys and cryptograms of one handshake (OSDP v2.2 annex D). Controller and reader compute the same; who may believe what is said at each member.
/// </summary>
public sealed class OsdpHandshake : IDisposable
{
    public const int ChallengeLength = 8, CryptogramLength = 16;

    private readonly Aes _encryption, _mac1, _mac2;
    private readonly byte[] _challenge;
    private bool _keysHandedOn;

    /// <param name="key">The reader's own, or the default key.</param>
    /// <param name="challenge">The controller's random number RND.A, eight bytes of a cryptographic generator, new for each handshake.</param>
    public OsdpHandshake(OsdpKey key, ReadOnlySpan<byte> challenge)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(challenge.Length, ChallengeLength, nameof(challenge));
        _challenge = challenge.ToArray();
        using var scbk = OsdpCipher.Of(key.Bytes);
        _encryption = Derive(scbk, 0x82);
        _mac1 = Derive(scbk, 0x01);
        _mac2 = Derive(scbk, 0x02);
    }

    /// <summary>The reader's proof that it has the key: the controller compares.</summary>
    /// <param name="readerRandom">RND.B, eight bytes.</param>
    public byte[] ClientCryptogram(ReadOnlySpan<byte> readerRandom) => OsdpCipher.Block(_encryption, [.. _challenge, .. readerRandom]);

    /// <summary>The controller's proof that it has the key: the reader compares.</summary>
    /// <param name="readerRandom">RND.B, eight bytes.</param>
    public byte[] ServerCryptogram(ReadOnlySpan<byte> readerRandom) => OsdpCipher.Block(_encryption, [.. readerRandom, .. _challenge]);

    /// <summary>The first value of the chain, which the reader sends and the controller compares with its own.</summary>
    public byte[] InitialReplyMac(ReadOnlySpan<byte> readerRandom) => OsdpCipher.Block(_mac2, OsdpCipher.Block(_mac1, ServerCryptogram(readerRandom)));

    /// <summary>The session of both sides, once both have believed each other. This handshake gives its keys away: it is over.</summary>
    /// <param name="isController">Which side seals commands and opens replies; the other does the opposite.</param>
    /// <param name="readerRandom">RND.B, eight bytes.</param>
    public OsdpSecureChannel Session(bool isController, ReadOnlySpan<byte> readerRandom)
    {
        var initial = InitialReplyMac(readerRandom);
        _keysHandedOn = true;
        return new OsdpSecureChannel(_encryption, _mac1, _mac2, initial, isController);
    }

    /// <summary>Compares in constant time.</summary>
    public static bool Matches(ReadOnlySpan<byte> ours, ReadOnlySpan<byte> theirs) => CryptographicOperations.FixedTimeEquals(ours, theirs);

    public void Dispose()
    {
        if (_keysHandedOn) return;
        _encryption.Dispose();
        _mac1.Dispose();
        _mac2.Dispose();
    }

    /// <summary>For the published vectors.</summary>
    internal (byte[] Encryption, byte[] Mac1, byte[] Mac2) SessionKeys() => (_encryption.Key, _mac1.Key, _mac2.Key);

    private Aes Derive(Aes scbk, byte purpose)
    {
        Span<byte> block = stackalloc byte[OsdpCipher.BlockLength];
        (block[0], block[1]) = (0x01, purpose);
        _challenge.AsSpan(0, 6).CopyTo(block[2..]);
        return OsdpCipher.Of(OsdpCipher.Block(scbk, block));
    }
}

/// <summary>Why a frame was not opened.</summary>
public enum OsdpSealFault
{
    None = 0,

    /// <summary>No block of this direction that a session allows: clear text, or a block of the handshake.</summary>
    Block = 1,

    /// <summary>The code is not this session's next one: changed, replayed, foreign, or out of step.</summary>
    Mac = 2,

    /// <summary>Data in a block for frames without data.</summary>
    ClearData = 3,

    /// <summary>Authentic, but not whole blocks, or padded in another way than the standard's.</summary>
    Padding = 4,
}

/// <summary>
/// An established session of one side. Each frame is sealed once and opened once; a frame that does not open moves nothing,
/// so the right one can still come.
/// </summary>
public sealed class OsdpSecureChannel : IDisposable
{
    private const byte ReplyFlag = 0x80, PadStart = 0x80;

    private readonly Aes _encryption, _mac1, _mac2;
    private readonly bool _isController;

    /// <summary>The last code of each direction; the other direction's is where the next one starts.</summary>
    private byte[] _sent, _received;

    internal OsdpSecureChannel(Aes encryption, Aes mac1, Aes mac2, byte[] initialReplyMac, bool isController)
    {
        (_encryption, _mac1, _mac2, _isController) = (encryption, mac1, mac2, isController);
        _sent = _received = initialReplyMac;
    }

    /// <summary>The controller's next command, sealed: to be sent again as these very bytes, never sealed again.</summary>
    public byte[] Seal(byte address, byte sequence, OsdpCommand command, ReadOnlySpan<byte> data)
    {
        if (!_isController) throw new InvalidOperationException("A reader's side seals replies.");
        return Seal(address, sequence, (byte)command, data, data.Length > 0 ? OsdpBlock.CommandEncrypted : OsdpBlock.CommandMac);
    }

    /// <summary>The reader's answer to the command that it opened last.</summary>
    public byte[] Seal(byte address, byte sequence, OsdpReply reply, ReadOnlySpan<byte> data)
    {
        if (_isController) throw new InvalidOperationException("A controller's side seals commands.");
        return Seal((byte)(address | ReplyFlag), sequence, (byte)reply, data, data.Length > 0 ? OsdpBlock.ReplyEncrypted : OsdpBlock.ReplyMac);
    }

    /// <summary>Opens the other side's next frame: first its code, only then its data. Never throws.</summary>
    /// <param name="frame">As received.</param>
    /// <param name="data">In clear; empty unless the fault is <see cref="OsdpSealFault.None"/>.</param>
    public OsdpSealFault Open(OsdpFrame frame, out byte[] data)
    {
        data = [];
        var (plain, encrypted) = _isController ? (OsdpBlock.ReplyMac, OsdpBlock.ReplyEncrypted) : (OsdpBlock.CommandMac, OsdpBlock.CommandEncrypted);
        if (frame.IsReply != _isController || (frame.Block != plain && frame.Block != encrypted)) return OsdpSealFault.Block;

        var mac = Mac(frame.Covered.Span, _sent);
        if (!OsdpHandshake.Matches(mac.AsSpan(0, OsdpFrame.MacLength), frame.Mac.Span)) return OsdpSealFault.Mac;
        if (frame.Block == plain && frame.Data.Length > 0) return OsdpSealFault.ClearData;
        if (frame.Block == encrypted && !TryDecrypt(frame.Data.Span, _sent, out data)) return OsdpSealFault.Padding;

        _received = mac;
        return OsdpSealFault.None;
    }

    public void Dispose()
    {
        _encryption.Dispose();
        _mac1.Dispose();
        _mac2.Dispose();
    }

    /// <summary>A reader that authenticates its data and does not encrypt it: such readers exist, and test equipment plays one.</summary>
    internal byte[] SealAs(OsdpBlock block, byte address, byte sequence, OsdpReply reply, ReadOnlySpan<byte> data) =>
        Seal((byte)(address | ReplyFlag), sequence, (byte)reply, data, block);

    private byte[] Seal(byte addressAndFlag, byte sequence, byte code, ReadOnlySpan<byte> data, OsdpBlock block)
    {
        var encrypts = block is OsdpBlock.CommandEncrypted or OsdpBlock.ReplyEncrypted;
        var unsealed = OsdpFrame.BuildUnsealed(addressAndFlag, sequence, code, encrypts ? Encrypt(data, _received) : data, block);
        _sent = Mac(unsealed, _received);
        return OsdpFrame.Close(unsealed, _sent);
    }

    /// <summary>CBC over the message, the last block under the second key.</summary>
    private byte[] Mac(ReadOnlySpan<byte> message, ReadOnlySpan<byte> start)
    {
        var padded = message.Length % OsdpCipher.BlockLength == 0 ? message.ToArray() : Padded(message);
        var split = padded.Length - OsdpCipher.BlockLength;
        var chain = split == 0 ? start : OsdpCipher.EncryptCbc(_mac1, padded.AsSpan(0, split), start).AsSpan(split - OsdpCipher.BlockLength);
        return OsdpCipher.EncryptCbc(_mac2, padded.AsSpan(split), chain);
    }

    private byte[] Encrypt(ReadOnlySpan<byte> data, ReadOnlySpan<byte> mac) => OsdpCipher.EncryptCbc(_encryption, Padded(data), Inverse(mac));

    private bool TryDecrypt(ReadOnlySpan<byte> data, ReadOnlySpan<byte> mac, out byte[] plain)
    {
        plain = [];
        if (data.Length == 0 || data.Length % OsdpCipher.BlockLength != 0) return false;

        var padded = OsdpCipher.DecryptCbc(_encryption, data, Inverse(mac));
        var end = padded.Length - 1;
        while (end > 0 && padded[end] == 0) end--;
        if (padded[end] != PadStart || padded.Length - end > OsdpCipher.BlockLength) return false;
        plain = padded[..end];
        return true;
    }

    private static byte[] Padded(ReadOnlySpan<byte> data)
    {
        var padded = new byte[data.Length / OsdpCipher.BlockLength * OsdpCipher.BlockLength + OsdpCipher.BlockLength];
        data.CopyTo(padded);
        padded[data.Length] = PadStart;
        return padded;
    }

    private static byte[] Inverse(ReadOnlySpan<byte> mac)
    {
        var inverse = new byte[mac.Length];
        for (var i = 0; i < inverse.Length; i++) inverse[i] = (byte)(mac[i] ^ 0xFF);
        return inverse;
    }
}

/// <summary>AES-128 as OSDP uses it: single blocks, and chains without padding of their own.</summary>
internal static class OsdpCipher
{
    public const int BlockLength = 16;

    public static Aes Of(ReadOnlySpan<byte> key)
    {
        var aes = Aes.Create();
        aes.SetKey(key);
        return aes;
    }

    public static byte[] Block(Aes key, ReadOnlySpan<byte> block) => key.EncryptEcb(block, PaddingMode.None);

    public static byte[] EncryptCbc(Aes key, ReadOnlySpan<byte> blocks, ReadOnlySpan<byte> start) => key.EncryptCbc(blocks, start, PaddingMode.None);

    public static byte[] DecryptCbc(Aes key, ReadOnlySpan<byte> blocks, ReadOnlySpan<byte> start) => key.DecryptCbc(blocks, start, PaddingMode.None);
}
