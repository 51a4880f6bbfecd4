using PhysSec.Hardware;

namespace PhysSec.Tests.Osdp;

/// <summary>Several readers on one line.</summary>
public sealed class OsdpBusTests
{
    [Theory]
    [InlineData(9_600)]
    [InlineData(115_200)]
    public void One_absent_reader_costs_the_others_less_than_a_tenth_of_their_polls(int baud)
    {
        var all = Polls(Line.Many(3, baud), 60);
        var withAbsent = Polls(Line.Many(3, baud, absent: 1), 60);
        Assert.All(all.Zip(withAbsent), it => Assert.True(it.Second > it.First * 0.9, $"{it.Second} polls of {it.First}"));
    }

    [Theory]
    [InlineData(9_600)]
    [InlineData(115_200)]
    public void Six_absent_readers_together_cost_no_more_than_one(int baud)
    {
        var all = Polls(Line.Many(2, baud), 60);
        var withAbsent = Polls(Line.Many(2, baud, absent: 6), 60);
        Assert.All(all.Zip(withAbsent), it => Assert.True(it.Second > it.First * 0.85, $"{it.Second} polls of {it.First}")); // Each is looked for twice at the start.
    }

    [Fact]
    public void A_hundred_unplugs_of_one_reader_end_no_session_of_the_others()
    {
        var bus = Line.Many(4, 38_400);
        bus.RunUntil(() => bus.Bus.Links.All(it => it.State == OsdpLinkState.Online), 5);
        for (var round = 0; round < 100; round++)
        {
            bus.Readers[2].Reader.Silent = true;
            bus.Run(round % 4 == 0 ? 11 : 1.3);
            bus.Readers[2].Reader.Silent = false;
            bus.Readers[2].Restart();
            var sessions = bus.Bus.Links[2].Statistics.Sessions;
            bus.Tell(2, new OsdpLinkInput.RetryNow());
            bus.RunUntil(() => bus.Bus.Links[2].State == OsdpLinkState.Online && bus.Bus.Links[2].Statistics.Sessions > sessions, 15);
            bus.Run(1);
        }

        Assert.All(new[] { 0, 1, 3 }, it => Assert.Equal((1L, 0L), (bus.Bus.Links[it].Statistics.Sessions, bus.Bus.Links[it].Statistics.Missed)));
        Assert.All(bus.Of<OsdpEvent.Offline>(), it => Assert.Equal(2, it.Address));
    }

    [Fact]
    public void Readers_take_turns_and_an_order_does_not_wait_for_the_round()
    {
        var bus = Line.Many(8, 9_600);
        bus.RunUntil(() => bus.Bus.Links.All(it => it.State == OsdpLinkState.Online), 20);
        bus.Run(2);
        var polls = bus.Commands.TakeLast(80).Select(it => (int)it.Frame.Address).ToArray();
        Assert.All(polls.Chunk(8), it => Assert.Equal(8, it.Distinct().Count()));

        bus.Tell(5, new OsdpLinkInput.Order(new OsdpOrder.Output(0, OsdpOutputAction.TemporaryOn, 30)));
        var at = bus.Now;
        bus.RunUntil(() => bus.Of<OsdpEvent.OrderDone>().Any(), 1);
        Assert.True(bus.Now - at < TimeSpan.FromMilliseconds(150), "an order waits for one exchange and not for eight");
    }

    [Fact]
    public void A_reader_with_ever_new_orders_does_not_starve_the_others()
    {
        var bus = Line.Many(3, 9_600);
        bus.RunUntil(() => bus.Bus.Links.All(it => it.State == OsdpLinkState.Online), 10);
        var before = bus.Bus.Links.Select(it => it.Statistics.Polls).ToArray();
        for (var i = 0; i < 200; i++)
        {
            bus.Tell(1, new OsdpLinkInput.Order(new OsdpOrder.Led(0, OsdpBlink.Steady(OsdpColour.Green), 1, null)));
            bus.Run(0.05);
        }

        Assert.All(new[] { 0, 2 }, it => Assert.True(bus.Bus.Links[it].Statistics.Polls - before[it] > 50));
    }

    [Theory]
    [InlineData(9_600, 307)]
    [InlineData(19_200, 166)]
    [InlineData(38_400, 95)]
    [InlineData(57_600, 71)]
    [InlineData(115_200, 48)]
    [InlineData(230_400, 36)]
    public void The_poll_round_of_eight_readers_is_that_of_the_wire(int baud, int milliseconds)
    {
        Assert.Equal(milliseconds, Math.Round(OsdpTiming.PollRound(8, baud).Typical.TotalMilliseconds));
        Assert.True(OsdpTiming.PollRound(8, baud).Worst > TimeSpan.FromSeconds(1.6));
    }

    [Theory]
    [InlineData(9_600, 1)]
    [InlineData(38_400, 4)]
    [InlineData(115_200, 8)]
    public void SIA_050_02_readers_are_polled_every_fifty_milliseconds_as_far_as_the_wire_allows(int baud, int readers)
    {
        var bus = Line.Many(readers, baud);
        bus.RunUntil(() => bus.Bus.Links.All(it => it.State == OsdpLinkState.Online), 10);
        var before = bus.Bus.Links.Select(it => it.Statistics.Polls).ToArray();
        bus.Run(10);
        Assert.All(bus.Bus.Links.Zip(before), it => Assert.InRange(it.First.Statistics.Polls - it.Second, 185, 201));
    }

    [Fact]
    public void A_time_out_includes_what_the_wire_takes()
    {
        Assert.InRange(OsdpTiming.ReplyTime(OsdpCommand.Poll, 15, 9_600).TotalMilliseconds, 280, 290);
        Assert.InRange(OsdpTiming.ReplyTime(OsdpCommand.Poll, 15, 115_200).TotalMilliseconds, 205, 210);

        var bus = Line.Online();
        bus.Tamper = (_, reply) => [(reply!, 190)]; // Slow, and within its right.
        bus.Run(5);
        Assert.Equal(0, bus.Bus.Links[0].Statistics.Missed);
    }

    [Fact]
    public void A_line_that_babbles_without_end_stops_nobody_from_asking_and_a_dead_line_asks_in_bounded_time()
    {
        var bus = new OsdpBus(9_600, [Line.Link(0, new OsdpKeyState(Line.Key, null))]);
        var sent = 0;
        var noise = new byte[] { 0x53, 0x80, 0x40, 0x01, 0x00 };
        for (var now = TimeSpan.Zero; now < TimeSpan.FromSeconds(60); now += TimeSpan.FromMilliseconds(1)) sent += bus.Step(noise, now).Send.Length > 0 ? 1 : 0;
        Assert.InRange(sent, 3, 20);
    }

    [Fact]
    public void The_next_call_is_never_in_the_past_and_never_needless_for_long() =>
        Assert.All(new[] { Line.Many(2, 9_600), Line.Many(1, 115_200, absent: 2) }, bus =>
        {
            bus.Run(30);
            var step = bus.Bus.Step([], bus.Now);
            Assert.InRange(step.Next - bus.Now, TimeSpan.Zero, TimeSpan.FromMilliseconds(300));
        });

    [Fact]
    public void An_address_is_given_once() =>
        Assert.Throws<ArgumentException>(() => new OsdpBus(9_600, [Line.Link(1, OsdpKeyState.None), Line.Link(1, OsdpKeyState.None)]));

    private static long[] Polls(VirtualBus bus, int seconds)
    {
        var present = bus.Readers.Count;
        bus.RunUntil(() => bus.Bus.Links.Take(present).All(it => it.State == OsdpLinkState.Online), 10);
        var before = bus.Bus.Links.Take(present).Select(it => it.Statistics.Polls).ToArray();
        bus.Run(seconds);
        return [.. bus.Bus.Links.Take(present).Select((it, i) => it.Statistics.Polls - before[i])];
    }
}
