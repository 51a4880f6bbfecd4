using CsCheck;
using PhysSec.Hardware;
using static PhysSec.Tests.Osdp.OsdpFrameTests;

namespace PhysSec.Tests.Osdp;

public sealed class OsdpSecureChannelTests
{
    private static readonly byte[] _rndA = Hex("B0B1B2B3B4B5B6B7"), _rndB = Hex("A0A1A2A3A4A5A6A7");
    private static readonly OsdpKey _key = Key("000102030405060708090A0B0C0D0E11");

    [Fact]
    public void The_published_handshake_gives_the_published_keys_and_cryptograms()
    {
        using var handshake = new OsdpHandshake(OsdpKey.Default, _rndA);
        var keys = handshake.SessionKeys();
        Assert.Equal(Hex("5E86C676603BDEE2D8BEAFE178637332"), keys.Mac1);
        Assert.Equal(Hex("6FDA86E857777E81132035758239172E"), keys.Mac2);
        Assert.Equal(Hex("BF8DC2A8329ACB8C67C6D0CD9A451682"), keys.Encryption);
        Assert.Equal(Hex("FDE5D2F428EC16312471EA3C02BD7796"), handshake.ClientCryptogram(_rndB));
        Assert.Equal(Hex("26D3356E07762D262801FC8E6665A891"), handshake.ServerCryptogram(_rndB));
        Assert.Equal(Hex("B2A30057EB98BA2229EC1F875662B524"), handshake.InitialReplyMac(_rndB));
    }

    [Fact]
    public void Both_sides_read_what_the_other_sealed_through_any_conversation() =>
        Gen.Select(Gen.Byte.Array[0, 40], Gen.Byte.Array[0, 40]).Array[1, 12].Sample(talk =>
        {
            var (controller, reader) = Sessions();
            foreach (var (said, answered) in talk)
            {
                Assert.Equal(OsdpSealFault.None, reader.Open(Parse(controller.Seal(5, 2, OsdpCommand.Text, said)), out var heard));
                Assert.Equal(said, heard);
                Assert.Equal(OsdpSealFault.None, controller.Open(Parse(reader.Seal(5, 2, OsdpReply.Manufacturer, answered)), out heard));
                Assert.Equal(answered, heard);
            }
        });

    [Fact]
    public void Data_is_encrypted_and_a_frame_without_data_is_authenticated_only()
    {
        var (controller, reader) = Sessions();
        var poll = Parse(controller.Seal(5, 2, OsdpCommand.Poll, []));
        Assert.Equal((OsdpBlock.CommandMac, 0, 14), (poll.Block, poll.Data.Length, poll.Bytes.Length));
        reader.Open(poll, out _);
        var card = Parse(reader.Seal(5, 2, OsdpReply.CardBits, Hex("00 01 1A 00 80 FF FF 40")));
        Assert.Equal((OsdpBlock.ReplyEncrypted, 16, 30), (card.Block, card.Data.Length, card.Bytes.Length));
        Assert.Equal(-1, card.Bytes.Span.IndexOf(Hex("80 FF FF 40")));
    }

    [Fact]
    public void A_changed_replayed_reflected_or_foreign_frame_does_not_open_and_the_right_one_still_does()
    {
        var (controller, reader) = Sessions();
        var (_, stranger) = Sessions(Key("F00102030405060708090A0B0C0D0E11"));
        var first = Parse(controller.Seal(5, 1, OsdpCommand.Poll, []));
        reader.Open(first, out _);
        var old = Parse(reader.Seal(5, 1, OsdpReply.Keypad, Hex("00 01 31")));
        controller.Open(old, out _);
        var command = controller.Seal(5, 2, OsdpCommand.Output, Hex("00 05 1E 00"));
        reader.Open(Parse(command), out _);
        var right = reader.Seal(5, 2, OsdpReply.CardBits, Hex("00 01 1A 00 80 FF FF 40"));

        for (var at = 4; at < right.Length - 2; at++)
        {
            var changed = right[..^2];
            changed[at] ^= 1;
            var crc = OsdpFrame.Crc16(changed);
            if (OsdpFrame.Parse([.. changed, (byte)(crc & 0xFF), (byte)(crc >> 8)], out var frame) != OsdpFrameFault.None) continue;
            Assert.NotEqual(OsdpSealFault.None, controller.Open(frame!, out var nothing));
            Assert.Empty(nothing);
        }

        Assert.Equal(OsdpSealFault.Mac, controller.Open(old, out _));
        Assert.Equal(OsdpSealFault.Block, controller.Open(Parse(command), out _));
        Assert.Equal(OsdpSealFault.Mac, controller.Open(Parse(stranger.Seal(5, 2, OsdpReply.CardBits, Hex("00 01 1A 00 80 FF FF 40"))), out _));
        Assert.Equal(OsdpSealFault.None, controller.Open(Parse(right), out var data));
        Assert.Equal(Hex("00 01 1A 00 80 FF FF 40"), data);
    }

    [Fact]
    public void Clear_text_and_blocks_of_the_handshake_do_not_open()
    {
        var (controller, _) = Sessions();
        var card = Hex("00 01 1A 00 80 FF FF 40");
        Assert.Equal(OsdpSealFault.Block, controller.Open(Parse(OsdpFrame.Build(5, 2, OsdpReply.CardBits, card)), out _));
        foreach (var block in new[] { OsdpBlock.ClientCryptogram, OsdpBlock.InitialReplyMac })
            Assert.Equal(OsdpSealFault.Block, controller.Open(Parse(OsdpFrame.Build(5, 2, OsdpReply.CardBits, card, block, 1)), out _));
    }

    [Fact]
    public void Data_in_clear_under_a_valid_code_is_refused()
    {
        var (controller, reader) = Sessions();
        reader.Open(Parse(controller.Seal(5, 1, OsdpCommand.Poll, [])), out _);
        var clear = Parse(reader.SealAs(OsdpBlock.ReplyMac, 5, 1, OsdpReply.CardBits, Hex("00 01 1A 00 80 FF FF 40")));
        Assert.Equal(OsdpSealFault.ClearData, controller.Open(clear, out var data));
        Assert.Empty(data);
    }

    [Theory]
    [InlineData("00000000000000000000000000000000", OsdpKeyFault.Guessable)]
    [InlineData("A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5", OsdpKeyFault.Guessable)]
    [InlineData("0123456789ABCDEF0123456789ABCDEF", OsdpKeyFault.Guessable)]
    [InlineData("010203010203010203010203010203" + "01", OsdpKeyFault.Guessable)]
    [InlineData("000102030405060708090A0B0C0D0E0F", OsdpKeyFault.Guessable)]
    [InlineData("FFFEFDFCFBFAF9F8F7F6F5F4F3F2F1F0", OsdpKeyFault.Guessable)]
    [InlineData("00102030405060708090A0B0C0D0E0F0", OsdpKeyFault.Guessable)]
    [InlineData("303132333435363738393A3B3C3D3E3F", OsdpKeyFault.DefaultKey)]
    [InlineData("000102030405060708090A0B0C0D0E", OsdpKeyFault.Length)]
    [InlineData("6B1F3D5A99C04E7720F8A1B3D4C5E697", OsdpKeyFault.None)]
    public void A_key_that_can_be_guessed_is_refused(string hex, OsdpKeyFault fault)
    {
        Assert.Equal(fault, OsdpKey.Create(Hex(hex), out var key));
        Assert.Equal(fault == OsdpKeyFault.None, key is not null);
    }

    [Fact]
    public void A_key_prints_as_its_fingerprint_and_equals_only_itself()
    {
        var key = Key("6B1F3D5A99C04E7720F8A1B3D4C5E697");
        Assert.Matches("^key [0-9a-f]{16}$", key.ToString());
        Assert.DoesNotContain("6b1f3d5a", new OsdpKeyState(key, key).ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(key, Key("6B1F3D5A99C04E7720F8A1B3D4C5E697"));
        Assert.NotEqual(key, _key);
    }

    internal static OsdpKey Key(string hex) => OsdpKey.Create(Hex(hex), out var key) == OsdpKeyFault.None ? key! : throw new ArgumentException(hex);

    internal static OsdpFrame Parse(byte[] bytes) => OsdpFrame.Parse(bytes, out var frame) == OsdpFrameFault.None ? frame! : throw new ArgumentException("no frame");

    private static (OsdpSecureChannel Controller, OsdpSecureChannel Reader) Sessions(OsdpKey? key = null) =>
        (new OsdpHandshake(key ?? _key, _rndA).Session(isController: true, _rndB), new OsdpHandshake(key ?? _key, _rndA).Session(isController: false, _rndB));
}
