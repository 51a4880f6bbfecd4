using System.Buffers.Binary;

namespace PhysSec.Hardware;

/// <summary>
/// One OSDP v2.2 frame, from its start byte (0x53) through its check character, without the 0xFF mark before it.
/// What it carries may be a card number or a PIN: it prints without its data.
/// </summary>
public sealed class OsdpFrame
{
    public const byte Mark = 0xFF, Start = 0x53;

    /// <summary>Where every reader listens, and answers as 0xFF. Only with one reader on the line.</summary>
    public const byte ConfigurationAddress = 0x7F;

    /// <summary>The longest message that OSDP allows.</summary>
    public const int LengthMax = 1_440;

    /// <summary>Bytes of a message authentication code that travel.</summary>
    public const int MacLength = 4;

    private const int HeaderLength = 5;
    private const byte ReplyFlag = 0x80, CrcFlag = 0x04, BlockFlag = 0x08, MultiPartFlag = 0x80;

    private readonly byte[] _bytes;
    private readonly int _code, _end;

    private OsdpFrame(byte[] bytes, int code, int end) => (_bytes, _code, _end) = (bytes, code, end);

    /// <summary>0 to 0x7F.</summary>
    public byte Address => (byte)(_bytes[1] & 0x7F);

    public bool IsReply => (_bytes[1] & ReplyFlag) != 0;

    /// <summary>0 to 3.</summary>
    public byte Sequence => (byte)(_bytes[4] & 3);

    /// <summary>CRC-16; false: the one-byte checksum.</summary>
    public bool HasCrc => (_bytes[4] & CrcFlag) != 0;

    public OsdpBlock Block => (_bytes[4] & BlockFlag) != 0 ? (OsdpBlock)_bytes[6] : OsdpBlock.None;

    /// <summary>Of a handshake's block: which key it is about (0 the default key, 1 the reader's own), or whether the cryptogram was accepted (1). 0 where there is none.</summary>
    public byte BlockData => (_bytes[4] & BlockFlag) != 0 && _bytes[5] > 2 ? _bytes[7] : (byte)0;

    /// <summary>Of a frame that is no reply.</summary>
    public OsdpCommand Command => (OsdpCommand)_bytes[_code];

    /// <summary>Of a frame that is a reply.</summary>
    public OsdpReply Reply => (OsdpReply)_bytes[_code];

    /// <summary>As it is on the wire: encrypted in <see cref="OsdpBlock.CommandEncrypted"/> and <see cref="OsdpBlock.ReplyEncrypted"/>.</summary>
    public ReadOnlyMemory<byte> Data => _bytes.AsMemory(_code + 1, _end - _code - 1);

    /// <summary>Four bytes in the blocks 15 to 18, else empty.</summary>
    public ReadOnlyMemory<byte> Mac => IsSealed ? _bytes.AsMemory(_end, MacLength) : default;

    /// <summary>What the message authentication code covers.</summary>
    public ReadOnlyMemory<byte> Covered => _bytes.AsMemory(0, _end);

    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>Carries a message authentication code.</summary>
    public bool IsSealed => Block >= OsdpBlock.CommandMac;

    /// <summary>A command in clear text, or of the handshake.</summary>
    public static byte[] Build(
        byte address, byte sequence, OsdpCommand command, ReadOnlySpan<byte> data, OsdpBlock block = OsdpBlock.None, byte blockData = 0, bool crc = true) =>
        Build(address, sequence, (byte)command, data, block, blockData, crc);

    /// <summary>A reply in clear text, or of the handshake.</summary>
    public static byte[] Build(
        byte address, byte sequence, OsdpReply reply, ReadOnlySpan<byte> data, OsdpBlock block = OsdpBlock.None, byte blockData = 0, bool crc = true) =>
        Build((byte)(address | ReplyFlag), sequence, (byte)reply, data, block, blockData, crc);

    /// <summary>Everything before the message authentication code, with the length and control of the finished frame.</summary>
    internal static byte[] BuildUnsealed(byte addressAndFlag, byte sequence, byte code, ReadOnlySpan<byte> data, OsdpBlock block) =>
        Head(addressAndFlag, sequence, code, data, block, blockData: null, crc: true, trailer: MacLength + 2);

    /// <summary>Closes what <see cref="BuildUnsealed"/> began.</summary>
    internal static byte[] Close(ReadOnlySpan<byte> unsealed, ReadOnlySpan<byte> mac) => WithCheck([.. unsealed, .. mac[..MacLength]], crc: true);

    /// <summary>Judges the frame at the beginning of these bytes. Never throws.</summary>
    /// <param name="bytes">From the start byte on; what is behind the frame is left alone.</param>
    /// <param name="frame">Only when the fault is <see cref="OsdpFrameFault.None"/>.</param>
    public static OsdpFrameFault Parse(ReadOnlySpan<byte> bytes, out OsdpFrame? frame)
    {
        frame = null;
        if (bytes.Length == 0) return OsdpFrameFault.Incomplete;
        if (bytes[0] != Start) return OsdpFrameFault.NoStart;
        if (bytes.Length < HeaderLength) return OsdpFrameFault.Incomplete;

        var length = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
        var check = (bytes[4] & CrcFlag) != 0 ? 2 : 1;
        if (length > LengthMax || length < HeaderLength + 1 + check) return OsdpFrameFault.Length;
        if (bytes.Length < length) return OsdpFrameFault.Incomplete;
        if (!CheckHolds(bytes[..length], check)) return OsdpFrameFault.CheckCharacter;
        if ((bytes[4] & MultiPartFlag) != 0) return OsdpFrameFault.MultiPart;

        var (code, end) = (HeaderLength, length - check);
        if ((bytes[4] & BlockFlag) != 0)
        {
            if (length < HeaderLength + 2 + 1 + check) return OsdpFrameFault.SecurityBlock;
            var block = (OsdpBlock)bytes[6];
            if (bytes[5] != LengthOf(block)) return OsdpFrameFault.SecurityBlock;
            code += bytes[5];
            if (block >= OsdpBlock.CommandMac) end -= MacLength;
            if (end <= code) return OsdpFrameFault.SecurityBlock;
        }

        frame = new OsdpFrame(bytes[..length].ToArray(), code, end);
        return OsdpFrameFault.None;
    }

    public override string ToString()
    {
        var name = IsReply ? Enum.IsDefined(Reply) ? Reply.ToString() : $"reply {(byte)Reply:X2}" : Enum.IsDefined(Command) ? Command.ToString() : $"command {(byte)Command:X2}";
        return $"{(IsReply ? "from" : "to")} {Address} #{Sequence} {name}{(Block == OsdpBlock.None ? "" : $" SCS_{(byte)Block:X2}")}, {_bytes.Length} bytes";
    }

    /// <summary>CRC-16, polynomial 0x1021, initial value 0x1D0F, not reflected (IEC 60839-11-5, annex C).</summary>
    public static ushort Crc16(ReadOnlySpan<byte> bytes)
    {
        var crc = 0x1D0F;
        foreach (var it in bytes)
        {
            crc ^= it << 8;
            for (var bit = 0; bit < 8; bit++) crc = ((crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1) & 0xFFFF;
        }

        return (ushort)crc;
    }

    /// <summary>The two's complement of the sum of all bytes.</summary>
    public static byte Checksum(ReadOnlySpan<byte> bytes)
    {
        var sum = 0;
        foreach (var it in bytes) sum = (sum + it) & 0xFF;
        return (byte)((0x100 - sum) & 0xFF);
    }

    private static byte[] Build(byte addressAndFlag, byte sequence, byte code, ReadOnlySpan<byte> data, OsdpBlock block, byte blockData, bool crc)
    {
        if (block >= OsdpBlock.CommandMac) throw new ArgumentOutOfRangeException(nameof(block), block, "A sealed frame is made by its secure channel.");
        return WithCheck(Head(addressAndFlag, sequence, code, data, block, blockData, crc, crc ? 2 : 1), crc);
    }

    private static byte[] Head(byte addressAndFlag, byte sequence, byte code, ReadOnlySpan<byte> data, OsdpBlock block, byte? blockData, bool crc, int trailer)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sequence, 3);
        var blockLength = LengthOf(block);
        var length = HeaderLength + blockLength + 1 + data.Length + trailer;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, LengthMax, nameof(data));
        var head = new byte[length - trailer];
        head[0] = Start;
        head[1] = addressAndFlag;
        BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(2), (ushort)length);
        head[4] = (byte)(sequence | (crc ? CrcFlag : 0) | (blockLength > 0 ? BlockFlag : 0));
        if (blockLength > 0) (head[5], head[6]) = ((byte)blockLength, (byte)block);
        if (blockLength > 2) head[7] = blockData ?? 0;
        head[HeaderLength + blockLength] = code;
        data.CopyTo(head.AsSpan(HeaderLength + blockLength + 1));
        return head;
    }

    private static byte[] WithCheck(ReadOnlySpan<byte> head, bool crc)
    {
        if (!crc) return [.. head, Checksum(head)];
        var check = Crc16(head);
        return [.. head, (byte)(check & 0xFF), (byte)(check >> 8)];
    }

    private static bool CheckHolds(ReadOnlySpan<byte> frame, int check) =>
        check == 2 ? BinaryPrimitives.ReadUInt16LittleEndian(frame[^2..]) == Crc16(frame[..^2]) : frame[^1] == Checksum(frame[..^1]);

    /// <summary>0 for a block type that does not exist, which no length matches.</summary>
    private static int LengthOf(OsdpBlock block) => block switch
    {
        >= OsdpBlock.Challenge and <= OsdpBlock.InitialReplyMac => 3,
        >= OsdpBlock.CommandMac and <= OsdpBlock.ReplyEncrypted => 2,
        _ => 0,
    };
}
