using System.Device.Gpio;
using Microsoft.Extensions.Time.Testing;
using PhysSec.Hardware;

namespace PhysSec.Tests.Hardware;

/// <summary>The real driver on lines in memory, on a clock that the test turns.</summary>
public sealed class WiegandReaderTests : IDisposable
{
    private const int D0 = 17, D1 = 18;
    private static readonly CardBits _card = WiegandFrame.Encode26(123, 45_678);

    private readonly FakeTimeProvider _clock = new();
    private readonly FakeGpioDriver _lines = new();
    private readonly WiegandReader _reader;
    private readonly List<ReaderFrame> _frames = [];

    public WiegandReaderTests()
    {
        var entry = new WiegandEntry("door-a.entry", DeviceRole.EntryReader, "door-a", D0, D1, CardFormat.Parity, false, Ms(25));
        _reader = new WiegandReader(entry, new CallbackEdges(entry, new GpioController(_lines), _clock, stamped: false), _clock);
        _reader.FrameRead += _frames.Add;
    }

    public void Dispose() => _reader.Dispose();

    [Fact]
    public void A_card_is_reported_one_gap_after_its_last_edge_with_the_time_of_that_edge()
    {
        Send(_card.Value, 26);
        var last = _clock.GetTimestamp();
        _clock.Advance(Ms(24));
        Assert.Empty(_frames);

        _clock.Advance(Ms(1));

        Assert.Equal(new ReaderFrame(last, _card, null, ReaderFault.None), Assert.Single(_frames));
    }

    [Fact]
    public void Two_cards_are_two_frames()
    {
        Send(_card.Value, 26);
        _clock.Advance(Ms(300));
        Send(WiegandFrame.Encode26(1, 1).Value, 26);
        _clock.Advance(Ms(300));

        Assert.Equal([_card, WiegandFrame.Encode26(1, 1)], _frames.Select(it => it.Card));
    }

    [Theory]
    [InlineData(0x2F764DCUL, 26, ReaderFault.Parity)]
    [InlineData(0x1BB26EUL, 25, ReaderFault.BitCount)]
    [InlineData(0UL, 1, ReaderFault.BitCount)]
    [InlineData(0UL, 65, ReaderFault.Overrun)]
    [InlineData(0UL, 200, ReaderFault.Overrun)]
    public void A_frame_that_is_no_card_is_reported_as_its_fault_and_gives_no_card(ulong bits, int length, ReaderFault fault)
    {
        Send(bits, length);
        _clock.Advance(Ms(100));

        var frame = Assert.Single(_frames);
        Assert.Equal((null, null, fault), (frame.Card, frame.PinKey, frame.Fault));
    }

    [Fact]
    public void An_edge_that_a_busy_board_sees_late_does_not_tear_the_card()
    {
        Send(_card.Value >> 13, 13);
        _clock.Advance(Ms(70));
        Send(_card.Value & 0x1FFF, 13);
        _clock.Advance(Ms(25));

        Assert.Equal(_card, Assert.Single(_frames).Card);
    }

    [Fact]
    public void A_line_that_stays_low_after_a_pulse_is_stuck()
    {
        _lines.Put(D0, false);
        _clock.Advance(Ms(100));

        Assert.Equal(ReaderFault.LineStuck, Assert.Single(_frames).Fault);
        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Single(_frames); // Said once, until it has been high again.
    }

    [Fact]
    public void A_line_that_was_low_from_the_start_is_found_without_any_edge()
    {
        _lines.Put(D1, false, lost: true);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(_frames);
        _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(ReaderFault.LineStuck, Assert.Single(_frames).Fault);
    }

    [Fact]
    public void A_stuck_line_that_recovers_and_sticks_again_is_told_again()
    {
        foreach (var high in (bool[])[false, true, false])
        {
            _lines.Put(D1, high, lost: true);
            _clock.Advance(TimeSpan.FromSeconds(1));
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal([ReaderFault.LineStuck, ReaderFault.LineStuck], _frames.Select(it => it.Fault));
    }

    [Fact]
    public void A_reader_whose_lines_cannot_be_read_is_stuck_not_silent()
    {
        _lines.Broken = true;
        _clock.Advance(TimeSpan.FromSeconds(1));
        _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(ReaderFault.LineStuck, Assert.Single(_frames).Fault);
    }

    [Fact]
    public void Pulses_without_a_pause_are_an_overrun_at_most_once_a_second()
    {
        for (var ms = 0; ms < 5_000; ms += 2) Send(0, 1);

        Assert.InRange(_frames.Count, 2, 5);
        Assert.All(_frames, it => Assert.Equal(ReaderFault.Overrun, it.Fault));
    }

    [Fact]
    public void A_closed_reader_reads_nothing_and_gives_its_lines_back()
    {
        _reader.Dispose();
        Send(_card.Value, 26);
        _clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Empty(_frames);
        Assert.Empty(_lines.OpenLines);
    }

    private static TimeSpan Ms(int ms) => TimeSpan.FromMilliseconds(ms);

    private void Send(ulong bits, int length)
    {
        for (var i = length - 1; i >= 0; i--)
        {
            _clock.Advance(Ms(2));
            var line = i < 64 && (bits >> i & 1) == 1 ? D1 : D0;
            _lines.Put(line, false);
            _lines.Put(line, true);
        }
    }
}
