using CsCheck;
using PhysSec.Hardware;

namespace PhysSec.Tests.Osdp;

/// <summary>Frames byte for byte, as public implementations and the conformance tool have them.</summary>
public sealed class OsdpFrameTests
{
    public static TheoryData<string, byte, byte, OsdpCommand, string, bool> Commands() => new()
    {
        { "53 00 08 00 04 60 EB AA", 0, 0, OsdpCommand.Poll, "", true },
        { "53 00 08 00 05 60 DA 99", 0, 1, OsdpCommand.Poll, "", true },
        { "53 00 08 00 06 60 89 CC", 0, 2, OsdpCommand.Poll, "", true },
        { "53 00 08 00 07 60 B8 FF", 0, 3, OsdpCommand.Poll, "", true },
        { "53 00 07 00 00 60 46", 0, 0, OsdpCommand.Poll, "", false },
        { "53 00 07 00 02 60 44", 0, 2, OsdpCommand.Poll, "", false },
        { "53 00 09 00 04 61 00 C0 66", 0, 0, OsdpCommand.Id, "00", true },
        { "53 00 09 00 05 62 00 A3 04", 0, 1, OsdpCommand.Capabilities, "00", true },
        { "53 7F 0D 00 04 6E 00 80 25 00 00 6E 38", 0x7F, 0, OsdpCommand.CommunicationSet, "00 80 25 00 00", true },
        { "53 7F 0C 00 00 6E 00 80 25 00 00 0F", 0x7F, 0, OsdpCommand.CommunicationSet, "00 80 25 00 00", false },
        { "53 00 0C 00 05 68 00 05 1E 00 71 51", 0, 1, OsdpCommand.Output, "00 05 1E 00", true },
    };

    public static TheoryData<string, byte, byte, OsdpReply, string> Replies() => new()
    {
        { "53 80 08 00 04 40 59 AC", 0, 0, OsdpReply.Ack, "" },
        { "53 80 08 00 05 40 68 9F", 0, 1, OsdpReply.Ack, "" },
        { "53 80 09 00 04 41 04 82 F4", 0, 0, OsdpReply.Nak, "04" },
        { "53 80 08 00 04 79 23 0B", 0, 0, OsdpReply.Busy, "" },
        { "53 80 10 00 06 50 00 01 1A 00 80 FF FF 40 0E 8A", 0, 2, OsdpReply.CardBits, "00 01 1A 00 80 FF FF 40" },
        { "53 E5 14 00 04 45 A1 A2 A3 B1 C1 D1 D2 D3 D4 E1 E2 E3 F8 D9", 101, 0, OsdpReply.Id, "A1 A2 A3 B1 C1 D1 D2 D3 D4 E1 E2 E3" },
        { "53 E5 0B 00 05 46 04 04 01 B3 EC", 101, 1, OsdpReply.Capabilities, "04 04 01" },
    };

    [Theory]
    [MemberData(nameof(Commands))]
    public void SIA_050_06_01_a_command_is_built_and_read_as_these_bytes(string wire, byte address, byte sequence, OsdpCommand command, string data, bool crc)
    {
        Assert.Equal(Hex(wire), OsdpFrame.Build(address, sequence, command, Hex(data), crc: crc));

        Assert.Equal(OsdpFrameFault.None, OsdpFrame.Parse(Hex(wire), out var frame));
        Assert.Equal((address, sequence, command, crc, false), (frame!.Address, frame.Sequence, frame.Command, frame.HasCrc, frame.IsReply));
        Assert.Equal(Hex(data), frame.Data.ToArray());
    }

    [Theory]
    [MemberData(nameof(Replies))]
    public void A_reply_is_built_and_read_as_these_bytes(string wire, byte address, byte sequence, OsdpReply reply, string data)
    {
        Assert.Equal(Hex(wire), OsdpFrame.Build(address, sequence, reply, Hex(data)));

        Assert.Equal(OsdpFrameFault.None, OsdpFrame.Parse(Hex(wire), out var frame));
        Assert.Equal((address, sequence, reply, true), (frame!.Address, frame.Sequence, frame.Reply, frame.IsReply));
        Assert.Equal(Hex(data), frame.Data.ToArray());
    }

    [Fact]
    public void The_crc_is_that_of_the_published_check_value() => Assert.Equal(0xE5CC, OsdpFrame.Crc16("123456789"u8));

    [Theory]
    [InlineData("52 00 08 00 04 60 EB AA", OsdpFrameFault.NoStart)]
    [InlineData("53 00 06 00 04 60 EB AA", OsdpFrameFault.Length)]
    [InlineData("53 00 A1 05 04 60 EB AA", OsdpFrameFault.Length)]
    [InlineData("53 00 08 00 04 60 EB AB", OsdpFrameFault.CheckCharacter)]
    [InlineData("53 00 08 00 04 60 EB", OsdpFrameFault.Incomplete)]
    [InlineData("53", OsdpFrameFault.Incomplete)]
    [InlineData("", OsdpFrameFault.Incomplete)]
    public void What_is_no_frame_is_named(string wire, OsdpFrameFault fault)
    {
        Assert.Equal(fault, OsdpFrame.Parse(Hex(wire), out var frame));
        Assert.Null(frame);
    }

    [Theory]
    [InlineData("53 00 08 00 84 60", OsdpFrameFault.MultiPart)]
    [InlineData("53 00 0A 00 0C 02 11 60", OsdpFrameFault.SecurityBlock)] // A handshake's block has three bytes.
    [InlineData("53 00 0B 00 0C 03 15 00 60", OsdpFrameFault.SecurityBlock)] // A sealed frame's has two.
    [InlineData("53 00 0A 00 0C 02 19 60", OsdpFrameFault.SecurityBlock)] // There is no such type.
    [InlineData("53 00 0A 00 0C 02 15 60", OsdpFrameFault.SecurityBlock)] // No room for the code that authenticates it.
    [InlineData("53 00 08 00 0C 02", OsdpFrameFault.SecurityBlock)]
    public void SIA_050_09_08_a_frame_with_a_wrong_security_block_is_refused_though_its_crc_holds(string unchecked_, OsdpFrameFault fault)
    {
        var bytes = Hex(unchecked_);
        var crc = OsdpFrame.Crc16(bytes);
        Assert.Equal(fault, OsdpFrame.Parse([.. bytes, (byte)(crc & 0xFF), (byte)(crc >> 8)], out _));
    }

    [Fact]
    public void A_frame_prints_without_what_it_carries()
    {
        OsdpFrame.Parse(Hex("53 80 10 00 06 50 00 01 1A 00 80 FF FF 40 0E 8A"), out var frame);
        Assert.Equal("from 0 #2 CardBits, 16 bytes", frame!.ToString());
    }

    [Fact]
    public void Every_single_wrong_bit_is_seen() =>
        Assert.All(Enumerable.Range(0, 16 * 8), bit =>
        {
            var bytes = Hex("53 80 10 00 06 50 00 01 1A 00 80 FF FF 40 0E 8A");
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.NotEqual(OsdpFrameFault.None, OsdpFrame.Parse(bytes, out _));
        });

    [Fact]
    public void No_bytes_make_the_parser_throw() =>
        _anyBytes.Sample(bytes =>
        {
            var fault = OsdpFrame.Parse(bytes, out var frame);
            Assert.Equal(fault == OsdpFrameFault.None, frame is not null);
            if (frame is not null) _ = (frame.ToString(), frame.Data, frame.Mac, frame.Covered, frame.BlockData, frame.Block);
        });

    /// <summary>Noise, and frames with a valid check character around anything.</summary>
    private static readonly Gen<byte[]> _anyBytes = Gen.OneOf(
        Gen.Byte.Array[0, 40],
        Gen.Select(Gen.Byte, Gen.Byte, Gen.Byte.Array[0, 40]).Select((address, control, rest) =>
        {
            byte[] head = [0x53, address, (byte)(rest.Length + 7), 0, (byte)(control | 4), .. rest];
            var crc = OsdpFrame.Crc16(head);
            return (byte[])[.. head, (byte)(crc & 0xFF), (byte)(crc >> 8)];
        }));

    internal static byte[] Hex(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));
}
