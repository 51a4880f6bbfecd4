using System.Device.Gpio;
using Microsoft.Extensions.Time.Testing;
using PhysSec.Hardware;

namespace PhysSec.Tests.Hardware;

/// <summary>Edges that carry the time of their wire and a count, as the simulated room's do, and arrive when a crowded machine lets them.</summary>
public sealed class StampedEdgesTests : IDisposable
{
    private const int D0 = 17, D1 = 18;
    private static readonly CardBits _first = WiegandFrame.Encode26(123, 45_678);
    private static readonly CardBits _second = WiegandFrame.Encode26(1, 1);

    private readonly FakeTimeProvider _clock = new();
    private readonly FakeGpioDriver _lines = new();
    private readonly WiegandReader _reader;
    private readonly List<ReaderFrame> _frames = [];
    private readonly Dictionary<int, uint> _counts = [];

    public StampedEdgesTests()
    {
        var entry = new WiegandEntry("door-a.entry", DeviceRole.EntryReader, "door-a", D0, D1, CardFormat.Parity, false, Ms(25));
        _reader = new WiegandReader(entry, new CallbackEdges(entry, new GpioController(_lines), _clock, stamped: true), _clock);
        _reader.FrameRead += _frames.Add;
    }

    public void Dispose() => _reader.Dispose();

    [Fact]
    public void A_stall_within_a_card_tears_nothing()
    {
        var edges = Edges(_first, at: 7_000);
        edges[..13].ForEach(_lines.Deliver);
        _clock.Advance(Ms(90));
        edges[13..].ForEach(_lines.Deliver);
        _clock.Advance(Ms(25));

        Assert.Equal(_first, Assert.Single(_frames).Card);
    }

    [Fact]
    public void Two_cards_that_arrive_at_once_are_two_cards()
    {
        Edges(_first, at: 7_000).ForEach(_lines.Deliver);
        Edges(_second, at: 7_200).ForEach(_lines.Deliver);
        _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal([_first, _second], _frames.Select(it => it.Card));
    }

    [Fact]
    public void An_edge_that_was_dropped_on_its_way_is_a_fault()
    {
        var edges = Edges(_first, at: 7_000);
        edges.RemoveAt(5);
        edges.ForEach(_lines.Deliver);
        _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(ReaderFault.EdgeLost, Assert.Single(_frames).Fault);
    }

    [Fact]
    public void A_room_that_starts_anew_has_a_clock_of_its_own()
    {
        Edges(_first, at: 7_000_000).ForEach(_lines.Deliver);
        _clock.Advance(Ms(300));
        Edges(_second, at: 10).ForEach(_lines.Deliver);
        _clock.Advance(Ms(300));

        Assert.Equal([_first, _second], _frames.Select(it => it.Card));
    }

    private static TimeSpan Ms(int ms) => TimeSpan.FromMilliseconds(ms);

    /// <summary>2 ms apart from this millisecond of the wire's clock on.</summary>
    private List<StampedEdgeEventArgs> Edges(CardBits card, long at)
    {
        var edges = new List<StampedEdgeEventArgs>();
        for (var bit = card.Length - 1; bit >= 0; bit--, at += 2)
        {
            var line = (card.Value >> bit & 1) == 1 ? D1 : D0;
            var count = _counts[line] = _counts.GetValueOrDefault(line) + 1;
            edges.Add(new(PinEventTypes.Falling, line, at * 1_000_000, count));
        }

        return edges;
    }
}
