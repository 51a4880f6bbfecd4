using CsCheck;
using PhysSec.Hardware;
using static PhysSec.Tests.Osdp.OsdpFrameTests;

namespace PhysSec.Tests.Osdp;

/// <summary>Somebody has the reader's cable. None of it opens a door or ends a session, and what is seen of it is told.</summary>
public sealed class OsdpAttackTests
{
    private static readonly byte[] _cardData = OsdpCardRead.Of(Line.Card).Data();

    public static TheoryData<string, OsdpSecurity?> Forgeries() => new()
    {
        { "a card in clear text", OsdpSecurity.ClearTextInSession },
        { "a card framed as a client cryptogram", OsdpSecurity.HandshakeBlockInSession },
        { "a card framed as an initial reply MAC", OsdpSecurity.HandshakeBlockInSession },
        { "a card with an invented MAC", OsdpSecurity.WrongMac },
        { "a refusal in clear text", OsdpSecurity.UnsecuredNak },
        { "a refusal at sequence number 0", OsdpSecurity.UnsecuredNak },
        { "a reply of another address", OsdpSecurity.ForeignReply },
        { "the reply before", null },
        { "the card reply with a wrong CRC", null },
        { "the card reply with a wrong length", null },
        { "a reply with a checksum", null },
        { "half a reply", null },
        { "noise", null },
    };

    [Theory]
    [MemberData(nameof(Forgeries))]
    public void What_comes_ahead_of_the_true_reply_reads_no_card_and_does_not_keep_the_true_one_out(string forgery, OsdpSecurity? alarm)
    {
        var bus = Line.Online(38_400);
        var sessions = bus.Bus.Links[0].Statistics.Sessions;
        var before = Array.Empty<byte>();
        bus.Tamper = (command, reply) =>
        {
            var forged = Forge(forgery, command, reply!, before);
            before = reply!;
            return [(forged, 0), (reply!, 30)];
        };
        bus.Run(3);
        Assert.Empty(bus.Of<OsdpEvent.CardRead>());
        Assert.Equal(alarm is { } it ? [it] : [], bus.Alarms.Distinct());

        bus.Readers[0].Reader.Present(WiegandFrame.Encode26(1, 1));
        bus.Run(1);
        Assert.Equal(WiegandFrame.Encode26(1, 1), Assert.Single(bus.Of<OsdpEvent.CardRead>()).Card);
        Assert.Equal((sessions, 0L, OsdpLinkState.Online), (bus.Bus.Links[0].Statistics.Sessions, bus.Bus.Links[0].Statistics.Missed, bus.Bus.Links[0].State));
    }

    [Theory]
    [MemberData(nameof(Forgeries))]
    public void What_comes_in_place_of_every_reply_reads_no_card_and_the_reader_is_reported_offline(string forgery, OsdpSecurity? alarm)
    {
        var bus = Line.Online(38_400);
        var before = Array.Empty<byte>();
        bus.Tamper = (_, reply) => [(before = reply!, 0)];
        bus.Run(0.2);
        bus.Tamper = (command, reply) => reply is null ? [] : [(Forge(forgery, command, reply, before), 0)];
        bus.Readers[0].Reader.Present(WiegandFrame.Encode26(1, 1));
        bus.Run(25);
        Assert.Empty(bus.Of<OsdpEvent.CardRead>());
        Assert.Contains(bus.Of<OsdpEvent.Offline>(), _ => true);
        Assert.True(alarm is null || bus.Alarms.Contains(alarm.Value));
        Assert.All(bus.Commands, it => Assert.True(it.Frame.IsSealed || it.Frame.Command is OsdpCommand.Id or OsdpCommand.Challenge or OsdpCommand.ServerCryptogram));
    }

    [Fact]
    public void A_reader_that_sends_its_data_in_clear_under_a_valid_code_is_refused()
    {
        using var handshake = new OsdpHandshake(Line.Key, new byte[8]);
        using var controller = handshake.Session(isController: true, new byte[8]);
        using var reader = new OsdpHandshake(Line.Key, new byte[8]).Session(isController: false, new byte[8]);
        reader.Open(OsdpSecureChannelTests.Parse(controller.Seal(0, 1, OsdpCommand.Poll, [])), out _);
        var clear = OsdpSecureChannelTests.Parse(reader.SealAs(OsdpBlock.ReplyMac, 0, 1, OsdpReply.CardBits, _cardData));
        Assert.Equal(OsdpSealFault.ClearData, controller.Open(clear, out _));
        Assert.Equal(OsdpSealFault.ClearData, controller.Open(clear, out _)); // And again: it has moved nothing.
    }

    [Fact]
    public void Security_events_are_told_once_a_minute_with_their_number()
    {
        var bus = Line.Online(38_400);
        bus.Tamper = (command, reply) => [(OsdpFrame.Build(0, 0, OsdpReply.Nak, [6]), 0), (reply!, 10)];
        bus.Run(121);
        var told = bus.Of<OsdpEvent.Security>().ToArray();
        Assert.Equal(3, told.Length);
        Assert.Equal(1, told[0].Count);
        Assert.All(told.Skip(1), it => Assert.InRange(it.Count, 300, 1_300));
        Assert.Equal(1, bus.Bus.Links[0].Statistics.Sessions);
    }

    [Fact]
    public void A_second_controller_on_the_line_is_told_and_its_commands_change_nothing_here()
    {
        var bus = Line.Online();
        bus.Inject(OsdpFrame.Build(0, 1, OsdpCommand.Output, [0, 2, 0, 0]));
        bus.Run(2);
        Assert.Equal([OsdpSecurity.ForeignController], bus.Alarms);
        Assert.Equal(OsdpEvent.Line, bus.Of<OsdpEvent.Security>().Single().Address);
        Assert.Equal(1, bus.Bus.Links[0].Statistics.Sessions);
    }

    [Fact]
    public void An_adapter_that_hears_itself_is_no_second_controller()
    {
        var bus = Line.Online();
        bus.Tamper = (command, reply) => [(command.Bytes.ToArray(), 0), (reply!, 20)];
        bus.Run(2);
        Assert.Empty(bus.Alarms);
        Assert.Equal(0, bus.Bus.Links[0].Statistics.Missed);
    }

    [Fact]
    public void A_late_reply_to_the_try_before_does_not_put_the_conversation_out_of_step()
    {
        var bus = Line.Online();
        var each = 0;
        bus.Tamper = (_, reply) => [(reply!, each++ % 7 == 0 ? 330 : 0)]; // Just behind the time-out, into the repeated command's exchange.
        bus.Readers[0].Reader.Present(Line.Card);
        bus.Run(20);
        Assert.Single(bus.Of<OsdpEvent.CardRead>());
        Assert.True(bus.Bus.Links[0].Statistics.Missed > 5);
        Assert.Equal((1, 0), (bus.Bus.Links[0].Statistics.Sessions, bus.Alarms.Count()));
    }

    [Fact]
    public void Attack_1_altered_capabilities_do_not_turn_security_off()
    {
        var bus = new VirtualBus(9_600, [Line.Link(0, new OsdpKeyState(Line.Key, null))], Line.Reader(0, Line.Key));
        byte[] none = OsdpCapability.Data([new(OsdpFunction.CardFormat, 1, 0), new(OsdpFunction.CommunicationSecurity, 0, 0), new(OsdpFunction.CheckCharacter, 0, 0)]);
        bus.Tamper = (command, reply) => command.Command switch
        {
            OsdpCommand.Capabilities or OsdpCommand.Id when !command.IsSealed => [(OsdpFrame.Build(0, command.Sequence, OsdpReply.Capabilities, none), 0), (reply!, 30)],
            OsdpCommand.Capabilities => [(OsdpFrame.Build(0, command.Sequence, OsdpReply.Capabilities, none), 0)],
            OsdpCommand.Challenge => [(OsdpFrame.Build(0, command.Sequence, OsdpReply.Nak, [(byte)OsdpNak.SecurityBlockUnsupported]), 0)],
            OsdpCommand.Poll => [(OsdpFrame.Build(0, command.Sequence, OsdpReply.CardBits, _cardData), 0)],
            _ => reply is null ? [] : [(reply, 0)],
        };
        bus.Run(60);
        Assert.All(bus.Commands, it => Assert.True(it.Frame.Command is OsdpCommand.Id or OsdpCommand.Challenge));
        Assert.All(bus.Commands, it => Assert.True(it.Frame.HasCrc));
        Assert.Empty(bus.Of<OsdpEvent.CardRead>());
        Assert.Equal(OsdpOffline.KeyRefused, bus.Of<OsdpEvent.Offline>().Last().Reason);
    }

    [Fact]
    public void Attack_2_an_installation_that_was_left_open_closes_itself()
    {
        var bus = new VirtualBus(9_600, [Line.Link(0, OsdpKeyState.None)]); // Nobody there yet: the attacker comes later, with a fresh reader.
        bus.Tell(0, new OsdpLinkInput.OpenInstallation(Line.Key, bus.Now + TimeSpan.FromHours(9)));
        bus.Run(OsdpLink.InstallationMax.TotalSeconds + 1);
        Assert.False(bus.Bus.Links[0].IsBeingInstalled);
        Assert.Equal(OsdpKeyChangeFault.WindowClosed, Assert.Single(bus.Of<OsdpEvent.KeyChangeFailed>()).Fault);
        Assert.Equal(OsdpKeyState.None, bus.Disk[0]);

        var from = bus.Commands.Count;
        var attacker = Line.Reader(0, null);
        bus.Tamper = (command, _) => attacker.Take(command, bus.Now) is { } reply ? [(reply, 0)] : [];
        bus.Run(120);
        Assert.True(bus.Commands.Count > from);
        Assert.All(bus.Commands.Skip(from), it => Assert.Equal(OsdpCommand.Id, it.Frame.Command));
    }

    [Fact]
    public void Attack_3_a_reader_on_the_default_key_is_refused_and_told_and_never_read()
    {
        var thief = Line.Reader(0, null);
        var bus = new VirtualBus(9_600, [Line.Link(0, new OsdpKeyState(Line.Key, null))]);
        bus.Tamper = (command, _) =>
        {
            // It takes the challenge for its default key and says so, or pretends not to.
            var asked = command.Command == OsdpCommand.Challenge ? OsdpFrame.Build(0, command.Sequence, OsdpCommand.Challenge, command.Data.Span, OsdpBlock.Challenge, 0) : command.Bytes.ToArray();
            return thief.Take(OsdpSecureChannelTests.Parse(asked), bus.Now) is { } reply ? [(reply, 0)] : [];
        };
        thief.Reader.Present(Line.Card);
        bus.Run(60);
        Assert.Contains(OsdpSecurity.OtherKeyOffered, bus.Alarms);
        Assert.Empty(bus.Of<OsdpEvent.Online>());
        Assert.Empty(bus.Of<OsdpEvent.CardRead>());
        Assert.DoesNotContain(bus.Commands, it => it.Frame.Command is OsdpCommand.KeySet or OsdpCommand.ServerCryptogram);
    }

    [Fact]
    public void Attack_4_who_records_the_line_and_knows_the_default_key_learns_a_key_at_the_installation_only_and_it_is_said()
    {
        var bus = new VirtualBus(9_600, [Line.Link(0, OsdpKeyState.None)], Line.Reader(0, null));
        var tape = new List<byte[]>();
        bus.Tamper = (command, reply) =>
        {
            tape.Add(command.Bytes.ToArray());
            if (reply is not null) tape.Add(reply[1..]);
            return reply is null ? [] : [(reply, 0)];
        };
        bus.Tell(0, new OsdpLinkInput.OpenInstallation(Line.Key, TimeSpan.FromSeconds(60)));
        bus.RunUntil(() => bus.Of<OsdpEvent.Online>().Any(), 10);
        Assert.Contains(Line.Key, Overheard(tape, [OsdpKey.Default])); // So the installation's key is no secret of the line it was sent on,
        Assert.True(Assert.Single(bus.Of<OsdpEvent.KeyInstalled>()).OverDefaultKey); // and that is told.

        tape.Clear();
        bus.Run(1);
        bus.Tell(0, new OsdpLinkInput.ChangeKey(Line.OtherKey));
        bus.RunUntil(() => bus.Of<OsdpEvent.KeyInstalled>().Count() == 2, 5);
        Assert.Empty(Overheard(tape, [OsdpKey.Default]));
        Assert.DoesNotContain(tape, it => it.AsSpan().IndexOf(Line.OtherKey.Export()) >= 0);
    }

    [Fact]
    public void Attack_5_a_recorded_card_opens_nothing_in_the_same_session_in_the_next_or_at_another_reader()
    {
        var bus = Line.Online();
        byte[]? taped = null;
        bus.Tamper = (command, reply) =>
        {
            if (reply is { Length: > 20 }) taped ??= reply; // The one reply with data.
            return reply is null ? [] : [(reply, 0)];
        };
        bus.Readers[0].Reader.Present(Line.Card);
        bus.Run(1);
        Assert.Single(bus.Of<OsdpEvent.CardRead>());
        Assert.NotNull(taped);

        bus.Tamper = (_, reply) => [(taped, 0), (reply!, 40)];
        bus.Run(3);
        bus.Readers[0].Restart();
        bus.Run(20);
        Assert.Single(bus.Of<OsdpEvent.CardRead>());
        Assert.Equal([OsdpSecurity.WrongMac], bus.Alarms.Where(it => it != OsdpSecurity.UnsecuredNak).Distinct());
    }

    [Fact]
    public void No_mutation_of_what_comes_in_throws_or_reads_a_card_that_no_reader_sent() =>
        Gen.Select(Gen.Int, Gen.Int[1, 6]).Sample((seed, rate) =>
        {
            var random = new Random(seed);
            var bus = Line.Online(115_200);
            bus.Tamper = (command, reply) => random.Next(rate) == 0 ? Mutated(random, command, reply) : reply is null ? [] : [(reply, 0)];
            bus.Readers[0].Reader.Present(Line.Card);
            bus.Run(3);
            Assert.All(bus.Of<OsdpEvent.CardRead>(), it => Assert.Equal(Line.Card, it.Card));
            Assert.True(bus.Of<OsdpEvent.CardRead>().Count() <= 1);
            Assert.Empty(bus.Of<OsdpEvent.KeysPressed>());
            Assert.DoesNotContain(bus.Of<OsdpEvent.LocalStatus>(), it => it.Status.Tamper);

            bus.Tamper = null;
            bus.RunUntil(() => bus.Bus.Links[0].State == OsdpLinkState.Online, 60);
        }, iter: 300);

    private static IEnumerable<(byte[], int)> Mutated(Random random, OsdpFrame command, byte[]? reply)
    {
        var bytes = random.Next(6) switch
        {
            0 => OsdpFrame.Build(0, (byte)random.Next(4), (OsdpReply)random.Next(0x40, 0x92), Noise(random)),
            1 => OsdpFrame.Build(0, command.Sequence, OsdpReply.CardBits, _cardData, (OsdpBlock)random.Next(0x11, 0x15), (byte)random.Next(2)),
            2 => Noise(random),
            3 => [.. command.Bytes.Span[..^2], 0, 0],
            _ => reply is null ? [] : [.. reply],
        };
        if (bytes.Length > 0 && random.Next(2) == 0) bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
        return random.Next(2) == 0 || reply is null ? [(bytes, 0)] : [(bytes, 0), (reply, random.Next(20, 60))];
    }

    private static byte[] Noise(Random random)
    {
        var noise = new byte[random.Next(40)];
        random.NextBytes(noise);
        return noise;
    }

    private static byte[] Forge(string forgery, OsdpFrame command, byte[] reply, byte[] before) => forgery switch
    {
        "a card in clear text" => OsdpFrame.Build(0, command.Sequence, OsdpReply.CardBits, _cardData),
        "a card framed as a client cryptogram" => OsdpFrame.Build(0, command.Sequence, OsdpReply.CardBits, _cardData, OsdpBlock.ClientCryptogram, 1),
        "a card framed as an initial reply MAC" => OsdpFrame.Build(0, command.Sequence, OsdpReply.CardBits, _cardData, OsdpBlock.InitialReplyMac, 1),
        "a card with an invented MAC" => WithCrc([0x53, 0x80, 0x1E, 0, (byte)(0x0C | command.Sequence), 2, 0x18, 0x50, .. new byte[20]]),
        "a refusal in clear text" => OsdpFrame.Build(0, command.Sequence, OsdpReply.Nak, [(byte)OsdpNak.EncryptionRequired]),
        "a refusal at sequence number 0" => OsdpFrame.Build(0, 0, OsdpReply.Nak, [(byte)OsdpNak.Sequence]),
        "a reply of another address" => OsdpFrame.Build(9, command.Sequence, OsdpReply.CardBits, _cardData),
        "the reply before" => before,
        "the card reply with a wrong CRC" => [.. reply[..^1], (byte)(reply[^1] ^ 1)],
        "the card reply with a wrong length" => [.. reply[..3], (byte)(reply[3] - 1), .. reply[4..]],
        "a reply with a checksum" => OsdpFrame.Build(0, command.Sequence, OsdpReply.Ack, [], crc: false),
        "half a reply" => reply[..(reply.Length / 2)],
        _ => Hex("00 53 FF 53 80 13 37"),
    };

    internal static byte[] WithCrc(byte[] bytes)
    {
        var crc = OsdpFrame.Crc16(bytes);
        return [.. bytes, (byte)(crc & 0xFF), (byte)(crc >> 8)];
    }

    /// <summary>Every key that a recording gives away to somebody who knows these.</summary>
    private static List<OsdpKey> Overheard(IEnumerable<byte[]> tape, IReadOnlyList<OsdpKey> known)
    {
        var found = new List<OsdpKey>();
        byte[]? challenge = null;
        List<OsdpSecureChannel> readers = [], controllers = [];
        foreach (var frame in tape.Select(OsdpSecureChannelTests.Parse))
        {
            if (frame.Block == OsdpBlock.Challenge) challenge = frame.Data.ToArray();
            if (frame.Block == OsdpBlock.ClientCryptogram && challenge is not null)
            {
                var random = frame.Data[8..16].ToArray();
                readers = [.. known.Select(it => new OsdpHandshake(it, challenge).Session(isController: false, random))];
                controllers = [.. known.Select(it => new OsdpHandshake(it, challenge).Session(isController: true, random))];
            }

            foreach (var reader in readers)
            {
                if (!frame.IsReply && frame.IsSealed && reader.Open(frame, out var data) == OsdpSealFault.None && frame.Command == OsdpCommand.KeySet &&
                    OsdpKey.Create(data.AsSpan(2), out var key) == OsdpKeyFault.None) found.Add(key!);
            }
        }

        return found;
    }
}
