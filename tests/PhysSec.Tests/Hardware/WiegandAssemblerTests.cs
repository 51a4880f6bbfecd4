using CsCheck;
using PhysSec.Hardware;

namespace PhysSec.Tests.Hardware;

/// <summary>Edges as the kernel stamps and counts them; a failure prints the seed that repeats it.</summary>
public sealed class WiegandAssemblerTests
{
    private const long Ms = 1_000_000;
    private static readonly CardBits _card = WiegandFrame.Encode26(123, 45_678);

    private static readonly Gen<CardBits> _cards = Gen.Select(Gen.Int[0, 2].Select(it => it == 0 ? 26 : it == 1 ? 34 : 37), Gen.ULong)
        .Select((length, data) => WiegandFrame.WithParity(data & ((1UL << (length - 2)) - 1), length));

    /// <summary>Up to six cards, bits 0.2 to 20 ms apart, frames 60 to 500 ms apart, from any number on.</summary>
    private static readonly Gen<(CardBits[] Cards, LineEdge[] Edges)> _traffic =
        Gen.Select(Gen.Select(_cards, Gen.Long[200_000, 20 * Ms], Gen.Long[60 * Ms, 500 * Ms]).Array[1, 6], Gen.Long[0, 1L << 50]).Select((frames, start) =>
        {
            var edges = new List<LineEdge>();
            foreach (var (card, spacing, pause) in frames)
            {
                start += pause;
                Send(edges, card, ref start, spacing);
            }

            return (frames.Select(it => it.Item1).ToArray(), edges.ToArray());
        });

    [Fact]
    public void Edges_that_come_late_and_in_any_order_give_the_cards_that_were_shown() =>
        Gen.Select(_traffic, Gen.UInt).Sample((traffic, seed) =>
        {
            var assembler = Kernel();
            var frames = new List<AssembledFrame>();
            foreach (var (edge, silentUntil) in Delivered(traffic.Edges, it => it.At, seed))
            {
                assembler.Add(edge);
                frames.AddRange(assembler.SilentUntil(silentUntil));
            }

            return frames.Select(it => it.Card).SequenceEqual(traffic.Cards.Select(it => (CardBits?)it));
        });

    [Fact]
    public void A_frame_with_a_lost_edge_is_named_and_is_never_a_card_and_the_others_are_read() =>
        Gen.Select(_traffic, Gen.UInt, Gen.Int[1, 99]).Sample((traffic, seed, percent) =>
        {
            // The kernel drops the oldest and keeps the newest: what is lost is always followed by an edge that is not.
            var pick = new PCG(1, seed);
            var kept = traffic.Edges.Where((_, i) => i == traffic.Edges.Length - 1 || pick.Next(100) >= (uint)percent).ToArray();
            long FirstLostBefore(LineEdge edge)
            {
                var at = edge.Sequence - 1;
                while (at > 0 && !kept.Contains(traffic.Edges[at - 1])) at--;
                return traffic.Edges[at].At;
            }

            var assembler = Kernel();
            var frames = new List<AssembledFrame>();
            foreach (var (edge, silentUntil) in Delivered(kept, FirstLostBefore, seed))
            {
                assembler.Add(edge);
                frames.AddRange(assembler.SilentUntil(silentUntil));
            }

            var shown = new List<CardBits>(traffic.Cards);
            var right = frames.TrueForAll(it => it.Card is not { } card || shown.Remove(card));
            var lost = kept.Length < traffic.Edges.Length;
            return right && lost == frames.Exists(it => it.Fault == ReaderFault.EdgeLost);
        });

    [Fact]
    public void Any_edge_that_is_lost_before_the_last_makes_a_fault_of_the_frame_around_it()
    {
        for (var lost = 0; lost < 25; lost++)
        {
            var edges = Sent(_card);
            edges.RemoveAt(lost);

            Assert.Equal(ReaderFault.EdgeLost, Assert.Single(Read(Kernel(), edges)).Fault);
        }
    }

    [Fact]
    public void An_overflow_from_one_card_into_the_next_discards_both_and_the_third_is_read()
    {
        var edges = new List<LineEdge>();
        var at = 0L;
        for (var i = 0; i < 3; i++, at += 200 * Ms) Send(edges, _card, ref at, 2 * Ms);
        edges.RemoveRange(20, 12); // The first card's end and the second's beginning.

        var frames = Read(Kernel(), edges);
        Assert.Equal([ReaderFault.EdgeLost, ReaderFault.EdgeLost, ReaderFault.None], frames.Select(it => it.Fault));
        Assert.Equal(_card, frames[^1].Card);
    }

    [Fact]
    public void An_edge_that_is_told_twice_took_another_s_place()
    {
        var edges = Sent(_card);
        edges[10] = edges[11];

        Assert.Equal(ReaderFault.EdgeLost, Assert.Single(Read(Kernel(), edges)).Fault);
    }

    [Fact]
    public void Edges_closer_than_any_reader_sends_them_have_no_certain_order()
    {
        var edges = Sent(_card);
        edges[11] = edges[11] with { At = edges[10].At + 99_999 };
        Assert.Equal(ReaderFault.EdgeLost, Assert.Single(Read(Kernel(), edges)).Fault);

        edges[11] = edges[11] with { At = edges[10].At + 100_000 };
        Assert.Equal(_card, Assert.Single(Read(Kernel(), edges)).Card);
    }

    [Fact]
    public void Two_frames_are_cut_by_the_time_of_their_edges_even_when_both_come_at_once()
    {
        var edges = Sent(_card);
        var at = edges[^1].At + (26 * Ms);
        Send(edges, WiegandFrame.Encode26(1, 1), ref at, 2 * Ms);

        Assert.Equal([_card, WiegandFrame.Encode26(1, 1)], Read(Kernel(), edges).Select(it => it.Card));
    }

    [Fact]
    public void The_numbers_wrap_around_without_a_fault()
    {
        var assembler = Kernel();
        assembler.Add(new(false, 0, uint.MaxValue - 10));
        Assert.Equal(ReaderFault.EdgeLost, Assert.Single(assembler.SilentUntil(1_000 * Ms)).Fault);

        var edges = Sent(_card).ConvertAll(it => it with { At = it.At + (2_000 * Ms), Sequence = unchecked(uint.MaxValue - 10 + it.Sequence) });
        Assert.Equal(_card, Assert.Single(Read(assembler, edges)).Card);
    }

    [Fact]
    public void A_source_that_floods_is_named_and_fills_no_memory()
    {
        var assembler = Kernel();
        for (var i = 0; i <= WiegandAssembler.EdgesMax; i++) assembler.Add(new(false, i * 110_000L, (uint)(i + 1)));

        var frames = assembler.SilentUntil(WiegandAssembler.EdgesMax * 110_000L + (25 * Ms));

        Assert.Equal([ReaderFault.Overrun, ReaderFault.EdgeLost], frames.Select(it => it.Fault));
        Assert.Null(assembler.Due(frames[^1].At + (25 * Ms)));
    }

    [Fact]
    public void Pulses_without_a_pause_are_an_overrun_once_a_second()
    {
        var assembler = Kernel();
        var frames = new List<AssembledFrame>();
        for (var i = 0; i < 2_500; i++)
        {
            assembler.Add(new(false, i * 2 * Ms, (uint)(i + 1)));
            frames.AddRange(assembler.SilentUntil(i * 2 * Ms));
        }

        Assert.Equal(4, frames.Count);
        Assert.All(frames, it => Assert.Equal(ReaderFault.Overrun, it.Fault));
    }

    [Fact]
    public void A_good_card_waits_for_one_gap_and_anything_else_as_long_as_an_edge_may_be_late()
    {
        foreach (var (edges, wait) in (ValueTuple<List<LineEdge>, long>[])[(Sent(_card), 25), (Sent(_card)[..^1], 100)])
        {
            var assembler = new WiegandAssembler(CardFormat.Parity, keypad: false, EdgeTiming.OfWire(TimeSpan.FromMilliseconds(25)));
            edges.ForEach(assembler.Add);
            var last = edges[^1].At;

            Assert.Equal(last + (25 * Ms), assembler.Due(last));
            Assert.Empty(assembler.SilentUntil(last + (wait * Ms) - 1));
            Assert.Equal(last + (wait * Ms), assembler.Due(last + (wait * Ms) - 1));
            Assert.Single(assembler.SilentUntil(last + (wait * Ms)));
        }
    }

    private static WiegandAssembler Kernel() => new(CardFormat.Parity, keypad: false, EdgeTiming.OfKernel(TimeSpan.FromMilliseconds(25)));

    private static List<LineEdge> Sent(CardBits card)
    {
        var edges = new List<LineEdge>();
        var at = 0L;
        Send(edges, card, ref at, 2 * Ms);
        return edges;
    }

    private static void Send(List<LineEdge> edges, CardBits card, ref long at, long spacing)
    {
        for (var bit = card.Length - 1; bit >= 0; bit--, at += spacing) edges.Add(new((card.Value >> bit & 1) == 1, at, (uint)edges.Count + 1));
    }

    private static IReadOnlyList<AssembledFrame> Read(WiegandAssembler assembler, List<LineEdge> edges)
    {
        edges.ForEach(assembler.Add);
        return assembler.SilentUntil(edges[^1].At + (25 * Ms));
    }

    /// <summary>
    /// What a source may do: any edge may come after any number of later ones, as long as no silence is told that is not so. That holds for lost edges
    /// too: a full buffer is read to its end first, and an interrupt that came for two edges has told the later one.
    /// </summary>
    private static IEnumerable<(LineEdge Edge, long SilentUntil)> Delivered(LineEdge[] edges, Func<LineEdge, long> since, uint seed)
    {
        var pick = new PCG(2, seed);
        var latest = 1 + pick.Next(100);
        var order = edges.Index().OrderBy(it => it.Index + pick.Next(latest)).ToArray();
        var missing = new SortedSet<int>(Enumerable.Range(0, edges.Length));
        foreach (var (index, edge) in order)
        {
            missing.Remove(index);
            yield return (edge, missing.Count == 0 ? edges[^1].At + (25 * Ms) : since(edges[missing.Min]) - 1);
        }
    }
}
