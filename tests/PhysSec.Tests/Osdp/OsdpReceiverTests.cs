using CsCheck;
using PhysSec.Hardware;
using static PhysSec.Tests.Osdp.OsdpFrameTests;

namespace PhysSec.Tests.Osdp;

public sealed class OsdpReceiverTests
{
    private static readonly byte[] _ack = Hex("53 80 08 00 05 40 68 9F"), _nak = Hex("53 80 09 00 04 41 04 82 F4");

    private readonly OsdpReceiver _receiver = new(OsdpReceiver.StandardGap);

    [Fact]
    public void Frames_are_found_between_marks_and_noise_however_the_bytes_are_cut() =>
        Gen.Select(Gen.Bool.Array[1, 8], Gen.Byte.Where(it => it != OsdpFrame.Start).Array[0, 12], Gen.Int[1, 30]).Sample((kinds, noise, piece) =>
        {
            var stream = kinds.SelectMany(it => (byte[])[.. noise, 0xFF, .. it ? _ack : _nak]).ToArray();
            var receiver = new OsdpReceiver(OsdpReceiver.StandardGap);
            var found = stream.Chunk(piece).SelectMany(it => receiver.Receive(it, TimeSpan.Zero)).ToArray();
            Assert.Equal(kinds.Select(it => it ? OsdpReply.Ack : OsdpReply.Nak), found.Select(it => it.Frame!.Reply));
            Assert.Equal(noise.Count(it => it != 0xFF) * kinds.Length, receiver.Skipped);
        });

    [Theory]
    [InlineData("53 80 08 00 05 40 68 9E")] // Damaged.
    [InlineData("53 53 80")]
    [InlineData("53 80 09 00")] // Longer by its length than it is.
    [InlineData("53 FF FF")]
    public void A_frame_is_found_behind_one_that_is_damaged(string damaged)
    {
        var found = Receive([.. Hex(damaged), .. _ack, .. _nak], 0);
        Assert.Equal([OsdpReply.Ack, OsdpReply.Nak], found.Where(it => it.Frame is not null).Select(it => it.Frame!.Reply));
        Assert.Contains(found, it => it.Frame is null);
    }

    [Fact]
    public void A_frame_is_found_inside_what_began_as_a_longer_one_when_the_line_falls_silent()
    {
        Assert.Empty(Receive([.. Hex("53 80 40 00"), .. _ack], 0));
        Assert.Equal(TimeSpan.FromMilliseconds(20), _receiver.Due);
        Assert.Empty(_receiver.Expire(TimeSpan.FromMilliseconds(19)));

        var found = _receiver.Expire(TimeSpan.FromMilliseconds(20));
        Assert.Equal([OsdpFrameFault.CutOff, OsdpFrameFault.None], found.Select(it => it.Fault));
        Assert.Equal(OsdpReply.Ack, found[1].Frame!.Reply);
        Assert.Null(_receiver.Due);
    }

    [Fact]
    public void Half_a_frame_and_a_silence_and_a_whole_one_are_one_frame()
    {
        Assert.Empty(Receive(Hex("53 80 10 00 06 50"), 0));
        var found = Receive(_nak, 21);
        Assert.Equal([OsdpFrameFault.CutOff, OsdpFrameFault.None], found.Select(it => it.Fault));
        Assert.Equal(OsdpReply.Nak, found[1].Frame!.Reply);
    }

    [Fact]
    public void A_rest_that_is_read_late_and_completes_its_frame_is_taken()
    {
        Receive(_ack.AsSpan(0, 6), 0);
        Assert.Equal(OsdpReply.Ack, Assert.Single(Receive(_ack.AsSpan(6), 50)).Frame!.Reply);
    }

    [Fact]
    public void What_a_refused_frame_carries_is_no_frame_of_its_own()
    {
        byte[] head = [0x53, 0x80, (byte)(8 + _ack.Length), 0, 0x84, 0x90, .. _ack];
        var crc = OsdpFrame.Crc16(head);
        Assert.Equal(OsdpFrameFault.MultiPart, Assert.Single(Receive([.. head, (byte)(crc & 0xFF), (byte)(crc >> 8)], 0)).Fault);
    }

    [Fact]
    public void The_longest_message_passes_and_nothing_longer_is_waited_for()
    {
        var longest = OsdpFrame.Build(1, 2, OsdpReply.Manufacturer, new byte[OsdpFrame.LengthMax - 8]);
        Assert.Equal(OsdpFrame.LengthMax, Assert.Single(Receive(longest, 0)).Frame!.Bytes.Length);
        Assert.Equal(OsdpFrameFault.Length, Receive(Hex("53 80 A1 05 04"), 0)[0].Fault);
        Assert.Null(_receiver.Due);
    }

    [Fact]
    public void Random_streams_neither_throw_nor_hide_the_next_frame_after_a_silence() =>
        Gen.Select(Gen.Byte.Array[0, 400], Gen.Int[1, 50]).Sample((noise, piece) =>
        {
            var receiver = new OsdpReceiver(OsdpReceiver.StandardGap);
            foreach (var it in noise.Chunk(piece)) receiver.Receive(it, TimeSpan.Zero);
            receiver.Expire(TimeSpan.FromSeconds(1));
            Assert.Null(receiver.Due);
            Assert.NotNull(Assert.Single(receiver.Receive(_ack, TimeSpan.FromSeconds(1))).Frame);
        });

    private IReadOnlyList<OsdpReceived> Receive(ReadOnlySpan<byte> bytes, int milliseconds) => _receiver.Receive(bytes, TimeSpan.FromMilliseconds(milliseconds));
}
