using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;
using static PhysSec.Tests.Osdp.ReaderKeys;

namespace PhysSec.Tests.Osdp;

/// <summary>The simulated reader behaves as a real one does: the control side is tried against it.</summary>
public sealed class PeripheralTests
{
    private static readonly CardBits _card = WiegandFrame.Encode26(123, 45_678);
    private static readonly byte[] _challenge = [1, 2, 3, 4, 5, 6, 7, 8];

    private readonly PeripheralBus _bus;
    private readonly OsdpPeripheral _reader;
    private OsdpSecureChannel? _session;
    private byte _sequence = 3;
    private TimeSpan _now = TimeSpan.FromSeconds(100);

    public PeripheralTests() : this(Key(7))
    {
    }

    private PeripheralTests(OsdpKey? key)
    {
        _bus = new PeripheralBus([new PeripheralSettings { Address = 5, Key = key }, new PeripheralSettings { Address = 6, Key = Key(9) }], it => Array.Fill(it, (byte)0x5A));
        _reader = _bus.Readers[0];
    }

    [Fact]
    public void A_fresh_reader_takes_the_default_key_only_and_one_with_a_key_its_own_only()
    {
        var fresh = new PeripheralTests(key: null);
        Assert.True(fresh.Shake(OsdpKey.Default, own: false));
        Assert.Equal(OsdpNak.SecurityBlockUnsupported, new PeripheralTests(key: null).Refusal(OsdpCommand.Challenge, _challenge, OsdpBlock.Challenge, 1));

        Assert.True(Shake(Key(7), own: true));
        Assert.Equal(OsdpNak.SecurityBlockUnsupported, new PeripheralTests().Refusal(OsdpCommand.Challenge, _challenge, OsdpBlock.Challenge, 0));
    }

    [Fact]
    public void A_control_unit_with_another_key_gets_no_session() => Assert.False(Shake(Key(8), own: true));

    [Theory]
    [InlineData(OsdpCommand.Poll, OsdpReply.Ack)]
    [InlineData(OsdpCommand.Id, OsdpReply.Id)]
    [InlineData(OsdpCommand.Capabilities, OsdpReply.Capabilities)]
    [InlineData(OsdpCommand.LocalStatus, OsdpReply.Nak)]
    [InlineData(OsdpCommand.KeySet, OsdpReply.Nak)]
    [InlineData(OsdpCommand.Output, OsdpReply.Nak)]
    public void In_clear_it_says_who_it_is_and_no_more(OsdpCommand command, OsdpReply reply)
    {
        _reader.Present(_card);

        Assert.Equal(reply, Ask(Clear(command)).Reply);
    }

    [Fact]
    public void Within_a_session_it_tells_card_key_and_case_in_their_order_each_once()
    {
        Assert.True(Shake(Key(7), own: true));
        _reader.Present(_card);
        _reader.Press(OsdpKeys.Star);
        _reader.Status = new(Tamper: true, PowerFault: false);

        Assert.Equal(new OsdpLocalStatus(true, false), OsdpLocalStatus.Parse(Say(OsdpCommand.Poll, OsdpReply.LocalStatus)));
        Assert.Equal(_card, OsdpCardRead.Parse(Say(OsdpCommand.Poll, OsdpReply.CardBits))!.Card);
        Assert.Equal([OsdpKeys.Star], OsdpKeys.Parse(Say(OsdpCommand.Poll, OsdpReply.Keypad))!.Keys);
        Say(OsdpCommand.Poll, OsdpReply.Ack);
    }

    [Fact]
    public void A_command_that_comes_again_gets_the_same_bytes_and_does_nothing_twice()
    {
        Assert.True(Shake(Key(7), own: true));
        _reader.Present(_card);
        var poll = _session!.Seal(5, Next(), OsdpCommand.Poll, []);

        var first = _bus.Take(poll, _now);
        var second = _bus.Take(poll, _now);

        Assert.Equal(first, second);
        Assert.Equal(OsdpSealFault.None, _session.Open(Frame(second), out _));
        Say(OsdpCommand.Poll, OsdpReply.Ack); // The card was told once.
    }

    [Fact]
    public void Another_number_than_the_next_is_refused_and_ends_the_session()
    {
        Assert.True(Shake(Key(7), own: true));
        Next();

        Assert.Equal((byte)OsdpNak.Sequence, Frame(_bus.Take(_session!.Seal(5, Next(), OsdpCommand.Poll, []), _now)).Data.Span[0]);
        Assert.False(_bus.IsSecured(_reader));
    }

    [Fact]
    public void Eight_seconds_alone_end_the_session()
    {
        Assert.True(Shake(Key(7), own: true));
        _now += PeripheralLink.AloneAfter;
        Say(OsdpCommand.Poll, OsdpReply.Ack);

        _now += PeripheralLink.AloneAfter + TimeSpan.FromMilliseconds(1);

        Assert.Equal(OsdpReply.Nak, Frame(_bus.Take(_session!.Seal(5, Next(), OsdpCommand.Poll, []), _now)).Reply);
        Assert.False(_bus.IsSecured(_reader));
    }

    [Fact]
    public void A_changed_key_counts_from_the_next_handshake_on()
    {
        Assert.True(Shake(Key(7), own: true));

        Say(OsdpCommand.KeySet, OsdpReply.Ack, [1, 16, .. Key(8).Export()]);
        Say(OsdpCommand.Poll, OsdpReply.Ack);

        Assert.False(Shake(Key(7), own: true));
        Assert.True(Shake(Key(8), own: true));
    }

    [Fact]
    public void An_output_for_a_time_goes_off_by_the_reader_s_own_clock_and_is_told()
    {
        Assert.True(Shake(Key(7), own: true));

        Assert.Equal([true, false], OsdpStatus.Outputs(Say(OsdpCommand.Output, OsdpReply.OutputStatus, new OsdpOrder.Output(0, OsdpOutputAction.TemporaryOn, 30).Data())));

        _now += TimeSpan.FromSeconds(3) - TimeSpan.FromMilliseconds(1);
        Assert.True(_reader.Output(0, _now));
        Say(OsdpCommand.Poll, OsdpReply.Ack);
        _now += TimeSpan.FromMilliseconds(1);
        Assert.False(_reader.Output(0, _now));
        Assert.Equal([false, false], OsdpStatus.Outputs(Say(OsdpCommand.Poll, OsdpReply.OutputStatus)));
    }

    [Fact]
    public void Its_light_shows_what_is_ordered_for_a_time_and_then_what_was_before()
    {
        Assert.True(Shake(Key(7), own: true));

        Say(OsdpCommand.Led, OsdpReply.Ack, new OsdpOrder.Led(0, OsdpBlink.Steady(OsdpColour.Green), 20, OsdpBlink.Steady(OsdpColour.Blue)).Data());
        Say(OsdpCommand.Buzzer, OsdpReply.Ack, new OsdpOrder.Buzzer(OsdpTone.Default, 2, 1, 3).Data());

        Assert.Equal((OsdpColour.Green, true), (_reader.Light(_now), _reader.Sounds(_now)));
        _now += TimeSpan.FromSeconds(2);
        Assert.Equal((OsdpColour.Blue, false), (_reader.Light(_now), _reader.Sounds(_now)));
    }

    [Fact]
    public void Without_power_it_answers_nothing_and_afterwards_it_has_its_key_and_no_session()
    {
        Assert.True(Shake(Key(7), own: true));
        _reader.Silent = true;
        Assert.Empty(_bus.Take(_session!.Seal(5, Next(), OsdpCommand.Poll, []), _now));

        _reader.Silent = false;
        _bus.Restart(_reader);

        Assert.False(_bus.IsSecured(_reader));
        Assert.True(Shake(Key(7), own: true));
    }

    [Fact]
    public void A_busy_reader_says_so_without_a_number_and_has_done_nothing()
    {
        Assert.True(Shake(Key(7), own: true));
        _reader.Present(_card);
        _bus.Links[0].Busy = 1;
        var poll = _session!.Seal(5, Next(), OsdpCommand.Poll, []);

        var busy = Frame(_bus.Take(poll, _now));
        Assert.Equal((OsdpReply.Busy, 0), (busy.Reply, busy.Sequence));
        Assert.Equal(OsdpReply.CardBits, Frame(_bus.Take(poll, _now)).Reply);
    }

    [Fact]
    public void SIA_050_04_04_after_busy_another_command_may_come_under_the_same_number()
    {
        Assert.True(Shake(Key(7), own: true));
        _bus.Links[0].Busy = 1;
        var number = Next();
        Assert.Equal(OsdpReply.Busy, Ask(OsdpFrame.Build(5, number, OsdpCommand.Poll, [])).Reply);

        var answer = Ask(_session!.Seal(5, number, OsdpCommand.LocalStatus, []));
        Assert.Equal((OsdpReply.LocalStatus, number), (answer.Reply, answer.Sequence));
    }

    [Fact]
    public void SIA_050_09_13_at_the_configuration_address_every_reader_answers_as_nobody()
    {
        var answer = Frame(new PeripheralBus([new PeripheralSettings { Address = 5, Key = Key(7) }], Array.Clear).Take(OsdpFrame.Build(OsdpFrame.ConfigurationAddress, 0, OsdpCommand.Id, [0]), _now));
        Assert.Equal((OsdpFrame.ConfigurationAddress, OsdpReply.Id), (answer.Address, answer.Reply));
    }

    [Fact]
    public void SIA_050_09_14_a_sealed_poll_of_no_session_or_of_another_is_refused_and_hears_no_card()
    {
        Assert.True(Shake(Key(7), own: true));
        _reader.Present(_card);
        var rogue = new PeripheralTests();
        Assert.True(rogue.Shake(Key(7), own: true));
        rogue._now += TimeSpan.FromSeconds(30); // Its reader has forgotten it.
        Assert.Equal(OsdpReply.Nak, rogue.Ask(rogue._session!.Seal(5, 1, OsdpCommand.Poll, [])).Reply);

        using var guessed = new OsdpHandshake(Key(8), _challenge).Session(isController: true, new byte[8]);
        Assert.Equal(OsdpReply.Nak, Ask(guessed.Seal(5, Next(), OsdpCommand.Poll, [])).Reply);
    }

    [Theory]
    [InlineData(OsdpCommand.Manufacturer)] // 060-18
    [InlineData(OsdpCommand.PivData)] // 060-23
    [InlineData(OsdpCommand.FileTransfer)] // 060-26
    public void SIA_060_18_060_23_060_26_what_a_reader_does_not_know_is_refused_and_the_session_goes_on(OsdpCommand command)
    {
        Assert.True(Shake(Key(7), own: true));
        Assert.Equal((byte)OsdpNak.UnknownCommand, Say(command, OsdpReply.Nak, [1, 2, 3])[0]);
        Say(OsdpCommand.Poll, OsdpReply.Ack);
    }

    [Fact]
    public void Readers_of_one_line_answer_at_their_own_address_only()
    {
        Assert.Equal(6, Ask(OsdpFrame.Build(6, 0, OsdpCommand.Id, [0])).Address);
        Assert.Empty(_bus.Take(OsdpFrame.Build(7, 0, OsdpCommand.Id, [0]), _now));
    }

    private static OsdpFrame Frame(byte[] answer)
    {
        Assert.Equal(OsdpFrame.Mark, answer[0]);
        Assert.Equal(OsdpFrameFault.None, OsdpFrame.Parse(answer.AsSpan(1), out var frame));
        return frame!;
    }

    private bool Shake(OsdpKey key, bool own)
    {
        using var handshake = new OsdpHandshake(key, _challenge);
        var about = (byte)(own ? 1 : 0);
        _sequence = 3;
        var answer = Ask(OsdpFrame.Build(5, 0, OsdpCommand.Challenge, _challenge, OsdpBlock.Challenge, about)).Data.ToArray();
        _sequence = 0;
        var random = answer[8..16];
        if (!OsdpHandshake.Matches(handshake.ClientCryptogram(random), answer.AsSpan(16))) return false;
        var proof = Ask(OsdpFrame.Build(5, Next(), OsdpCommand.ServerCryptogram, handshake.ServerCryptogram(random), OsdpBlock.ServerCryptogram, about));
        Assert.Equal(1, proof.BlockData);
        Assert.Equal(handshake.InitialReplyMac(random), proof.Data.ToArray());
        _session = handshake.Session(isController: true, random);
        return true;
    }

    private OsdpNak Refusal(OsdpCommand command, byte[] data, OsdpBlock block, byte about) => (OsdpNak)Ask(OsdpFrame.Build(5, 0, command, data, block, about)).Data.Span[0];

    private byte[] Say(OsdpCommand command, OsdpReply expected, byte[]? data = null)
    {
        var answer = Ask(_session!.Seal(5, Next(), command, data ?? []));
        Assert.Equal(expected, answer.Reply);
        Assert.Equal(OsdpSealFault.None, _session.Open(answer, out var clear));
        return clear;
    }

    private static byte[] Clear(OsdpCommand command) => OsdpFrame.Build(5, 0, command, []);

    private byte Next() => _sequence = (byte)((_sequence % 3) + 1);

    private OsdpFrame Ask(byte[] command) => Frame(_bus.Take(command, _now));
}
