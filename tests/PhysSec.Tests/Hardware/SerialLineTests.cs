using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;

namespace PhysSec.Tests.Hardware;

/// <summary>A serial line over the kernel's own pseudo-terminal.</summary>
public sealed class SerialLineTests : IDisposable
{
    private readonly PseudoTerminal _cable = new();

    public void Dispose() => _cable.Dispose();

    [Fact]
    public void Every_byte_value_passes_as_it_is_in_both_directions()
    {
        using var line = SerialLine.Open(new(_cable.Path, 9_600));
        byte[] all = [.. Enumerable.Range(0, 256).Select(it => (byte)it)];

        Assert.True(line.Write(all));
        Assert.Equal(all, Read(_cable.Line, 256));
        Assert.True(_cable.Line.Write(all));
        Assert.Equal(all, Read(line, 256));
    }

    [Fact]
    public void Each_rate_that_OSDP_allows_is_taken() => Assert.All(SerialSettings.BaudRates, baud =>
    {
        using var line = SerialLine.Open(new(_cable.Path, baud));
        var settings = default(SerialUapi.Settings);
        using var again = SerialUapi.Open(_cable.Path, SerialUapi.ReadWrite | SerialUapi.NoControllingTerminal);
        Assert.Equal(0, SerialUapi.Ask(again, SerialUapi.GetSettings, ref settings));
        Assert.Equal((uint)baud, settings.OutputRate);
    });

    [Fact]
    public void An_unplugged_adapter_is_an_answer_of_wait_read_and_write()
    {
        using var line = SerialLine.Open(new(_cable.Path, 9_600));

        _cable.Dispose();

        // What a wait calls received may be the end itself; reading tells.
        Assert.True(line.Wait(RunningRoom.Patience) is SerialWait.Gone or SerialWait.Received);
        Assert.Equal(-1, line.Read(new byte[16]));
        Assert.False(line.Write([1, 2, 3]));
    }

    [Fact]
    public void Whoever_listens_at_virtual_readers_hears_each_command_and_each_answer_before_it_can_be_read()
    {
        using var readers = new VirtualReaders([new() { Address = 0 }], 115_200, TimeProvider.System);
        var heard = new List<(bool FromReaders, string Bytes)>();
        readers.Tapped += (fromReaders, bytes) => heard.Add((fromReaders, Convert.ToHexString(bytes.Span)));
        using var line = SerialLine.Open(new(readers.Port, 115_200));
        byte[] poll = OsdpFrame.Build(0, 0, OsdpCommand.Poll, []), ack = [OsdpFrame.Mark, .. OsdpFrame.Build(0, 0, OsdpReply.Ack, [])];

        Assert.True(line.Write(poll));
        Assert.Equal(ack, Read(line, ack.Length));

        Assert.Equal([(false, Convert.ToHexString(poll)), (true, Convert.ToHexString(ack))], heard);
    }

    [Fact]
    public void A_wait_ends_at_once_when_it_is_woken()
    {
        using var line = SerialLine.Open(new(_cable.Path, 9_600));

        line.Wake();

        Assert.Equal(SerialWait.Woken, line.Wait(RunningRoom.Patience));
        Assert.Equal(SerialWait.TimedOut, line.Wait(TimeSpan.Zero)); // Once only.
    }

    [Fact]
    public void What_came_before_the_port_was_opened_is_not_read()
    {
        _cable.Line.Write([1, 2, 3]);

        using var line = SerialLine.Open(new(_cable.Path, 9_600));

        Assert.Equal(SerialWait.TimedOut, line.Wait(TimeSpan.Zero));
    }

    [Fact]
    public void Two_programs_never_share_a_port()
    {
        using var line = SerialLine.Open(new(_cable.Path, 9_600));

        Assert.Contains("held by another program", Assert.Throws<IOException>(() => SerialLine.Open(new(_cable.Path, 9_600))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/dev/no-such-port", "cannot be opened")]
    [InlineData("/dev/null", "no serial port")]
    public void A_port_that_is_none_is_refused_with_its_reason(string port, string reason) =>
        Assert.Contains(reason, Assert.Throws<IOException>(() => SerialLine.Open(new(port, 9_600))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_driver_that_cannot_switch_the_transceiver_is_not_used_in_its_place() =>
        Assert.Contains("RS-485", Assert.Throws<IOException>(() => SerialLine.Open(new(_cable.Path, 9_600, Rs485: true))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_link_gives_the_cable_a_name_that_is_known_beforehand()
    {
        var link = Path.Combine(Path.GetTempPath(), $"physsec-cable-{Environment.ProcessId}");
        using (var cable = new PseudoTerminal(link))
        using (var line = SerialLine.Open(new(link, 9_600)))
        {
            line.Write([7]);
            Assert.Equal([7], Read(cable.Line, 1));
        }

        Assert.False(File.Exists(link));
    }

    [Fact]
    public void The_structures_are_those_of_the_kernel()
    {
        Assert.Equal((44, 32, 16), (Unsafe.SizeOf<SerialUapi.Settings>(), Unsafe.SizeOf<SerialUapi.Rs485>(), Unsafe.SizeOf<SerialUapi.Wait>()));
        Assert.Equal(17, (int)Marshal.OffsetOf<SerialUapi.Settings>("Characters"));
        Assert.Equal(36, (int)Marshal.OffsetOf<SerialUapi.Settings>("InputRate"));
        Assert.Equal(44, (int)(SerialUapi.SetSettings >> 16 & 0x3FFF));
    }

    private static byte[] Read(SerialLine line, int count)
    {
        var (all, length) = (new byte[count], 0);
        while (length < count)
        {
            Assert.Equal(SerialWait.Received, line.Wait(RunningRoom.Patience));
            length += line.Read(all.AsSpan(length));
        }

        return all;
    }
}
