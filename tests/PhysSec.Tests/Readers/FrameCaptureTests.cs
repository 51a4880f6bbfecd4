using PhysSec.Hardware;
using PhysSec.Node.Readers;

namespace PhysSec.Tests.Readers;

/// <summary>SECRETS in a capture: no card, no PIN, no key, and nothing from which one could be guessed.</summary>
public sealed class FrameCaptureTests : IDisposable
{
    private static readonly byte[] _challenge = [1, 2, 3, 4, 5, 6, 7, 8], _random = [8, 7, 6, 5, 4, 3, 2, 1];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("capture");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_frame_without_a_secret_is_there_byte_for_byte_with_time_direction_and_name() => Assert.Equal(
        ["12.500000 > 53 00 08 00 04 60 EB AA  to 0 #0 Poll, 8 bytes", "12.500000 < 53 80 08 00 04 40 59 AC  from 0 #0 Ack, 8 bytes"],
        Captured(OsdpFrame.Build(0, 0, OsdpCommand.Poll, []), OsdpFrame.Build(0, 0, OsdpReply.Ack, [])));

    [Theory]
    [InlineData(OsdpReply.CardBits)]
    [InlineData(OsdpReply.CardText)]
    [InlineData(OsdpReply.Keypad)]
    [InlineData(OsdpReply.Manufacturer)]
    [InlineData((OsdpReply)0xB9)]
    public void In_clear_a_reply_s_data_is_masked_with_its_check_unless_it_is_known_to_be_harmless(OsdpReply reply)
    {
        var frame = OsdpFrame.Build(0, 1, reply, [0, 1, 0x37, 0x38]);

        Assert.Equal($"53 80 0C 00 05 {(byte)reply:X2} xx xx xx xx xx xx", Hex(frame));
    }

    [Fact]
    public void A_key_that_is_set_is_masked_in_clear_and_in_a_session()
    {
        byte[] data = [1, 16, .. Enumerable.Range(0x61, 16).Select(it => (byte)it)];

        Assert.All((string[])[Hex(OsdpFrame.Build(0, 1, OsdpCommand.KeySet, data)), Hex(Channel(true).Seal(0, 1, OsdpCommand.KeySet, data))], it =>
        {
            Assert.DoesNotContain("61 62 63", it, StringComparison.Ordinal);
            Assert.EndsWith("75 " + string.Join(' ', Enumerable.Repeat("xx", it.Split(" 75 ")[1].Split(' ').Length)), it, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void In_a_session_whoever_has_its_key_finds_nothing_to_try_a_digit_against()
    {
        // Neither what is encrypted nor what authenticates it, nor the check over both: with the session's key each digit could be tried against them.
        var keypad = Hex(Channel(false).Seal(0, 1, OsdpReply.Keypad, [0, 1, 0x37]));
        var poll = Hex(Channel(true).Seal(0, 2, OsdpCommand.Poll, []));
        var led = Hex(Channel(true).Seal(0, 3, OsdpCommand.Led, new byte[14]));

        Assert.Equal("53 80 1E 00 0D 02 18 53" + string.Concat(Enumerable.Repeat(" xx", 22)), keypad);
        Assert.Equal("53 00 0E 00 0E 02 15 60" + string.Concat(Enumerable.Repeat(" xx", 6)), poll);
        Assert.Equal("53 00 1E 00 0F 02 17 69" + string.Concat(Enumerable.Repeat(" xx", 22)), led);
    }

    [Fact]
    public void Bytes_that_are_no_frame_are_counted_and_not_shown()
    {
        var broken = OsdpFrame.Build(0, 1, OsdpReply.Keypad, [0, 1, 0x37]);
        broken[^1] ^= 1;

        var text = string.Join('\n', Captured([], broken));

        Assert.Contains("CheckCharacter", text, StringComparison.Ordinal);
        Assert.DoesNotContain("37", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_file_is_its_owner_s_alone()
    {
        Captured([], []);

        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_folder.FullName, "line.txt")));
    }

    private string[] Captured(byte[] sent, byte[] received)
    {
        var path = Path.Combine(_folder.FullName, "line.txt");
        using (var capture = new FrameCapture(path))
        {
            capture.Sent(sent, TimeSpan.FromSeconds(12.5));
            capture.Received(received, TimeSpan.FromSeconds(12.5));
        }

        return File.ReadAllLines(path);
    }

    private static string Hex(byte[] bytes)
    {
        Assert.Equal(OsdpFrameFault.None, OsdpFrame.Parse(bytes, out var frame));
        return FrameCapture.Hex(frame!);
    }

    private static OsdpSecureChannel Channel(bool isController) => new OsdpHandshake(OsdpKey.Default, _challenge).Session(isController, _random);
}
