using PhysSec.Hardware;
using static PhysSec.Tests.Osdp.OsdpFrameTests;

namespace PhysSec.Tests.Osdp;

/// <summary>The conversation with one reader, named after the SIA conformance items that it answers.</summary>
public sealed class OsdpLinkTests
{
    [Fact]
    public void A_reader_with_its_key_is_brought_up_in_this_order_and_nothing_but_its_name_is_asked_in_clear()
    {
        var bus = Line.Online();
        Assert.Equal(
            [
                OsdpCommand.Id, OsdpCommand.Challenge, OsdpCommand.ServerCryptogram, OsdpCommand.Id, OsdpCommand.Capabilities, OsdpCommand.LocalStatus,
                OsdpCommand.InputStatus, OsdpCommand.OutputStatus, OsdpCommand.ReaderStatus, OsdpCommand.Poll, OsdpCommand.Poll,
            ],
            bus.Commands.Take(11).Select(it => it.Frame.Command));
        Assert.Equal([0, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1], bus.Commands.Take(11).Select(it => (int)it.Frame.Sequence));
        Assert.All(bus.Commands.Skip(3), it => Assert.True(it.Frame.IsSealed));
        Assert.All(bus.Commands, it => Assert.True(it.Frame.HasCrc));
        Assert.True(Assert.Single(bus.Of<OsdpEvent.Online>()).Secure);
        Assert.Equal(bus.Readers[0].Reader.Settings.Identity, Assert.Single(bus.Of<OsdpEvent.Pinned>()).Pin.Identity);
        Assert.Empty(bus.Alarms);
    }

    [Fact]
    public void Cards_and_keys_come_through_once_each_and_in_order()
    {
        var bus = Line.Online();
        bus.Readers[0].Reader.Present(Line.Card);
        bus.Readers[0].Reader.Press(7);
        bus.Readers[0].Reader.Press(OsdpKeys.Hash);
        bus.Run(1);
        Assert.Equal(Line.Card, Assert.Single(bus.Of<OsdpEvent.CardRead>()).Card);
        Assert.Equal([7, OsdpKeys.Hash], bus.Of<OsdpEvent.KeysPressed>().SelectMany(it => it.Keys.Keys));
    }

    [Fact]
    public void SIA_060_05_to_060_08_tamper_power_inputs_and_outputs_are_told_when_they_change()
    {
        var bus = Line.Online();
        bus.Readers[0].Reader.Status = new OsdpLocalStatus(true, true);
        bus.Readers[0].Reader.SetInput(1, OsdpInput.ShortCircuit);
        bus.Run(1);
        Assert.Equal([default, new OsdpLocalStatus(true, true)], bus.Of<OsdpEvent.LocalStatus>().Select(it => it.Status));
        Assert.Equal([OsdpInput.Inactive, OsdpInput.ShortCircuit], bus.Of<OsdpEvent.Inputs>().Last().States);
        Assert.Equal([OsdpReaderHead.Normal], Assert.Single(bus.Of<OsdpEvent.Heads>()).States);
    }

    [Fact]
    public void SIA_060_09_a_strike_is_released_by_the_readers_own_timer_and_falls_back_without_the_controller()
    {
        var bus = Line.Online();
        bus.Tell(0, new OsdpLinkInput.Order(new OsdpOrder.Output(0, OsdpOutputAction.TemporaryOn, 30)));
        bus.RunUntil(() => bus.Of<OsdpEvent.OrderDone>().Any(), 0.2);
        Assert.True(bus.Readers[0].Reader.Output(0, bus.Now));
        Assert.False(bus.Readers[0].Reader.Output(0, bus.Now + TimeSpan.FromSeconds(3)));
        bus.Run(4);
        Assert.Equal([false, false], bus.Of<OsdpEvent.Outputs>().Last().States);
    }

    [Fact]
    public void SIA_060_10_to_060_12_light_tone_and_text_reach_the_reader()
    {
        var bus = Line.Online();
        bus.Tell(0, new OsdpLinkInput.Order(new OsdpOrder.Led(0, OsdpBlink.Steady(OsdpColour.Green), 30, null)));
        bus.Tell(0, new OsdpLinkInput.Order(new OsdpOrder.Buzzer(OsdpTone.Default, 5, 5, 2)));
        bus.Tell(0, new OsdpLinkInput.Order(new OsdpOrder.Text(OsdpTextAction.Permanent, 0, 1, 1, "PIN?")));
        bus.Run(0.7);
        var reader = bus.Readers[0].Reader;
        Assert.Equal((OsdpColour.Green, true, "PIN?"), (reader.Light(bus.Now), reader.Sounds(bus.Now), reader.Text));
        Assert.Equal(3, bus.Of<OsdpEvent.OrderDone>().Count());
    }

    [Fact]
    public void SIA_060_13_a_reader_that_is_moved_says_where_it_went()
    {
        var bus = Line.Online();
        bus.Tell(0, new OsdpLinkInput.Order(new OsdpOrder.CommunicationSet(5, 115_200)));
        bus.Run(0.3);
        Assert.Equal(new OsdpCommunication(5, 115_200), Assert.Single(bus.Of<OsdpEvent.Moved>()).To);
    }

    [Fact]
    public void SIA_050_04_02_a_reply_that_does_not_come_is_asked_for_again_with_the_same_bytes()
    {
        var bus = Line.Online();
        var lost = 2;
        bus.Readers[0].Reader.Present(Line.Card);
        bus.Tamper = (_, reply) => lost-- > 0 ? [] : [(reply!, 0)];
        var from = bus.Commands.Count;
        bus.Run(4);
        var tries = bus.Commands.Skip(from).Take(4).Select(it => Convert.ToHexString(it.Frame.Bytes.Span)).ToArray();
        Assert.True(tries[0] == tries[1] && tries[1] == tries[2] && tries[2] != tries[3]);
        Assert.Equal(Line.Card, Assert.Single(bus.Of<OsdpEvent.CardRead>()).Card);
        Assert.Equal((2, 1), (bus.Bus.Links[0].Statistics.Missed, bus.Bus.Links[0].Statistics.Sessions));
        Assert.Empty(bus.Of<OsdpEvent.Offline>());
    }

    [Fact]
    public void SIA_050_04_03_a_busy_reader_is_asked_again_with_the_same_bytes_and_is_not_offline()
    {
        var bus = Line.Online();
        bus.Readers[0].Busy = 3;
        var from = bus.Commands.Count;
        bus.Run(1);
        Assert.Single(bus.Commands.Skip(from).Take(4).Select(it => Convert.ToHexString(it.Frame.Bytes.Span)).Distinct());
        Assert.Equal((3, 0, 1), (bus.Bus.Links[0].Statistics.Busy, bus.Bus.Links[0].Statistics.Missed, bus.Bus.Links[0].Statistics.Sessions));
    }

    [Fact]
    public void A_reader_is_offline_after_eight_seconds_without_a_valid_reply_and_not_sooner()
    {
        var bus = Line.Online();
        bus.Readers[0].Reader.Silent = true;
        var cut = bus.Now;
        bus.Run(30);
        var (at, what) = bus.Events.Last(it => it.What is OsdpEvent.Offline);
        Assert.Equal(OsdpOffline.NoReply, ((OsdpEvent.Offline)what).Reason);
        Assert.InRange((at - cut).TotalSeconds, 7.9, 8.6);
        Assert.Single(bus.Of<OsdpEvent.Offline>());
    }

    [Fact]
    public void A_silence_of_seven_seconds_is_missed_replies_and_no_more()
    {
        var bus = Line.Online();
        bus.Readers[0].Reader.Silent = true;
        bus.Run(5);
        bus.Readers[0].Reader.Silent = false;
        bus.Run(10);
        Assert.Empty(bus.Of<OsdpEvent.Offline>());
        Assert.True(bus.Bus.Links[0].Statistics.Missed > 0);
    }

    [Fact]
    public void A_reader_that_lost_its_power_comes_back_without_an_operator_and_in_a_new_session()
    {
        var bus = Line.Online();
        for (var round = 1; round <= 20; round++)
        {
            bus.Readers[0].Restart();
            var wanted = round + 1;
            bus.RunUntil(() => bus.Bus.Links[0].Statistics.Sessions == wanted, 3);
            bus.Run(12);
        }

        Assert.Empty(bus.Of<OsdpEvent.Offline>());
        bus.Readers[0].Reader.Present(Line.Card);
        bus.Run(1);
        Assert.Single(bus.Of<OsdpEvent.CardRead>());
    }

    [Fact]
    public void An_absent_reader_is_looked_for_ever_more_rarely_and_at_once_on_request()
    {
        var bus = new VirtualBus(9_600, [Line.Link(0, new OsdpKeyState(Line.Key, null))]);
        bus.Run(300);
        var pauses = bus.Commands.Zip(bus.Commands.Skip(1), (a, b) => (b.At - a.At).TotalSeconds).ToArray();
        Assert.Equal([1, 2, 4, 8, 16, 30, 30], pauses.Take(7).Select(it => Math.Round(it - 0.24)));
        Assert.All(bus.Commands, it => Assert.Equal((OsdpCommand.Id, 0), (it.Frame.Command, it.Frame.Sequence)));

        var before = bus.Commands.Count;
        bus.Tell(0, new OsdpLinkInput.RetryNow());
        bus.Run(0.1);
        Assert.Equal(before + 1, bus.Commands.Count);
    }

    [Fact]
    public void Orders_for_a_reader_that_is_away_fail_at_once_and_none_is_carried_out_late()
    {
        var bus = Line.Online();
        bus.Readers[0].Reader.Silent = true;
        bus.Run(0.5);
        bus.Tell(0, new OsdpLinkInput.Order(new OsdpOrder.Output(0, OsdpOutputAction.TemporaryOn, 30)));
        bus.Run(6);
        bus.Readers[0].Reader.Silent = false;
        bus.Run(5);
        Assert.Equal(OsdpOrderFault.Expired, Assert.Single(bus.Of<OsdpEvent.OrderFailed>()).Fault);

        bus.Readers[0].Reader.Silent = true;
        bus.Run(20);
        bus.Tell(0, new OsdpLinkInput.Order(new OsdpOrder.Output(0, OsdpOutputAction.TemporaryOn, 30)));
        Assert.Equal(OsdpOrderFault.Offline, bus.Of<OsdpEvent.OrderFailed>().Last().Fault);
        bus.Readers[0].Reader.Silent = false;
        bus.Run(60);
        Assert.DoesNotContain(bus.Commands, it => it.Frame.Command == OsdpCommand.Output);
    }

    [Fact]
    public void Too_many_orders_drop_the_oldest_and_say_so()
    {
        var bus = Line.Online();
        for (var i = 0; i < 20; i++) bus.Tell(0, new OsdpLinkInput.Order(new OsdpOrder.Buzzer(OsdpTone.Default, (byte)i, 0, 1)));
        var dropped = bus.Of<OsdpEvent.OrderFailed>().ToArray();
        Assert.Equal([0, 1, 2, 3], dropped.Select(it => (int)((OsdpOrder.Buzzer)it.Order).OnTime));
        Assert.All(dropped, it => Assert.Equal(OsdpOrderFault.Crowded, it.Fault));
    }

    [Fact]
    public void SIA_070_03_a_refused_order_is_told_counted_and_does_not_end_the_session()
    {
        var bus = Line.Online();
        bus.Tell(0, new OsdpLinkInput.Order(new OsdpOrder.Output(9, OsdpOutputAction.TemporaryOn, 30)));
        bus.Run(1);
        Assert.Equal(OsdpOrderFault.Refused, Assert.Single(bus.Of<OsdpEvent.OrderFailed>()).Fault);
        Assert.Equal((1L, 1L), (bus.Bus.Links[0].Statistics.Naks[OsdpNak.UnableToProcess], bus.Bus.Links[0].Statistics.Sessions));
    }

    [Fact]
    public void A_session_is_renewed_after_its_number_of_exchanges_and_after_its_time_without_a_word_to_anybody()
    {
        var bus = Line.Online(115_200, new OsdpLinkSettings(0) { SessionExchangesMax = 100 });
        bus.Run(20);
        Assert.InRange(bus.Bus.Links[0].Statistics.Sessions, 3, 5);
        Assert.Equal((1, 0), (bus.Of<OsdpEvent.Online>().Count(), bus.Of<OsdpEvent.Offline>().Count()));

        bus = Line.Online(115_200, new OsdpLinkSettings(0) { SessionTimeMax = TimeSpan.FromSeconds(10) });
        bus.Run(25);
        Assert.Equal((3L, 0L), (bus.Bus.Links[0].Statistics.Sessions, bus.Bus.Links[0].Statistics.SessionsLost));
    }

    [Theory]
    [InlineData(true)] // The reader never heard the question,
    [InlineData(false)] // or its answer, the card, was lost and is said again.
    public void A_card_that_was_read_before_or_while_the_line_was_cut_for_some_seconds_opens_nothing_when_it_is_joined(bool commandLost)
    {
        var bus = Line.Online();
        bus.Readers[0].Reader.Present(Line.Card);
        (bus.Passes, bus.Tamper) = (_ => !commandLost, (_, _) => []);
        bus.Run(4);
        (bus.Passes, bus.Tamper) = (null, null);
        bus.Run(3);
        Assert.Empty(bus.Of<OsdpEvent.Offline>()); // It is too short for that.
        Assert.Empty(bus.Of<OsdpEvent.CardRead>());
        Assert.Equal(1, Assert.Single(bus.Of<OsdpEvent.OldReadsDiscarded>()).Count);

        bus.Readers[0].Reader.Present(Line.Card);
        bus.Run(1);
        Assert.Single(bus.Of<OsdpEvent.CardRead>());
    }

    [Fact]
    public void One_lost_reply_costs_no_card()
    {
        var bus = Line.Online();
        bus.Readers[0].Reader.Present(Line.Card);
        var lost = false;
        bus.Tamper = (_, reply) =>
        {
            (var before, lost) = (lost, true);
            return before && reply is not null ? [(reply, 0)] : [];
        };
        bus.Run(2);
        Assert.Single(bus.Of<OsdpEvent.CardRead>());
    }

    [Fact]
    public void Cards_that_a_reader_kept_while_the_link_was_down_are_counted_and_count_for_nothing()
    {
        var bus = Line.Online();
        bus.Passes = _ => false;
        bus.Run(9);
        bus.Passes = null;
        bus.Tamper = (command, reply) =>
        {
            // A reader that keeps what it read: it is presented as soon as there is a session again.
            if (command.Command == OsdpCommand.ServerCryptogram) bus.Readers[0].Reader.Present(Line.Card);
            return reply is null ? [] : [(reply, 0)];
        };
        bus.Run(40);
        Assert.Empty(bus.Of<OsdpEvent.CardRead>());
        Assert.Equal(1, Assert.Single(bus.Of<OsdpEvent.OldReadsDiscarded>()).Count);

        bus.Readers[0].Reader.Present(Line.Card);
        bus.Run(1);
        Assert.Single(bus.Of<OsdpEvent.CardRead>());
    }

    [Fact]
    public void A_reader_in_clear_text_is_asked_for_its_name_and_never_believed()
    {
        var bus = new VirtualBus(9_600, [Line.Link(0, OsdpKeyState.None)]) { Tamper = Plain };
        bus.Run(20);
        Assert.Empty(bus.Of<OsdpEvent.Online>());
        Assert.Empty(bus.Of<OsdpEvent.CardRead>());
        Assert.Equal(OsdpOffline.NoKey, bus.Of<OsdpEvent.Offline>().Last().Reason);
        Assert.All(bus.Commands, it => Assert.Equal(OsdpCommand.Id, it.Frame.Command));
    }

    [Fact]
    public void SIA_070_17_a_reader_that_proves_its_key_wrongly_is_never_online()
    {
        var bus = new VirtualBus(9_600, [Line.Link(0, new OsdpKeyState(Line.Key, null))], Line.Reader(0, Line.Key));
        bus.Tamper = (command, reply) =>
        {
            if (reply is null) return [];
            if (command.Command != OsdpCommand.ServerCryptogram) return [(reply, 0)];
            reply[^4] ^= 1; // Within the proof.
            return [([OsdpFrame.Mark, .. OsdpAttackTests.WithCrc(reply[1..^2])], 0)];
        };
        bus.Run(20);
        Assert.Empty(bus.Of<OsdpEvent.Online>());
        Assert.Contains(OsdpSecurity.HandshakeRefused, bus.Alarms);
    }

    [Fact]
    public void Statistics_count_what_happened()
    {
        var bus = Line.Online();
        bus.Run(10);
        var counts = bus.Bus.Links[0].Statistics;
        Assert.Equal(bus.Commands.Count(it => it.Frame.Command == OsdpCommand.Poll), counts.Polls);
        Assert.InRange(counts.Replies, counts.Polls, counts.Polls + 9);
        Assert.InRange(counts.RoundTripLast.TotalMilliseconds, 30, 36); // A sealed poll and its answer at 9,600 baud, and 3 ms.
    }

    /// <summary>A reader without any security: a card at every third poll.</summary>
    private static IEnumerable<(byte[], int)> Plain(OsdpFrame command, byte[]? reply) => command.Command switch
    {
        OsdpCommand.Id => [(OsdpFrame.Build(0, command.Sequence, OsdpReply.Id, Hex("A1A2A3B1C1D1D2D3D4E1E2E3")), 0)],
        OsdpCommand.Capabilities => [(OsdpFrame.Build(0, command.Sequence, OsdpReply.Capabilities, [4, 4, 1]), 0)],
        OsdpCommand.Poll when command.Sequence == 3 => [(OsdpFrame.Build(0, 3, OsdpReply.CardBits, OsdpCardRead.Of(Line.Card).Data()), 0)],
        _ => [(OsdpFrame.Build(0, command.Sequence, OsdpReply.Ack, []), 0)],
    };
}
