namespace PhysSec.Hardware.Simulation;

/// <summary>
/// One simulated reader on a line: a frame in, its answer out. It keeps the sequence as OSDP wants it (a repeated command gets the same answer and does nothing
/// twice), the reader's side of the Secure Channel, and forgets both when nobody has asked for eight seconds.
/// </summary>
/// <param name="reader">The reader's body.</param>
/// <param name="random">Fills the reader's random number of a handshake.</param>
internal sealed class PeripheralLink(OsdpPeripheral reader, Action<byte[]> random)
{
    /// <summary>Without a control unit for so long, a reader is on its own.</summary>
    public static readonly TimeSpan AloneAfter = TimeSpan.FromSeconds(8);

    private (OsdpHandshake Keys, byte[] Random)? _handshake;
    private OsdpSecureChannel? _session;
    private TimeSpan _heard;
    private int? _sequence;
    private byte[] _lastCommand = [];
    private byte[] _lastAnswer = [];

    public OsdpPeripheral Reader => reader;

    public bool Secured => _session is not null;

    /// <summary>The speed that it was last moved to; null: as it was.</summary>
    public int? Baud { get; private set; }

    /// <summary>Polls of this session.</summary>
    public int Polls { get; private set; }

    /// <summary>So many times from now on it answers that it is busy.</summary>
    public int Busy { get; set; }

    /// <summary>Its next reply to a KEYSET goes out in clear, as some makers do.</summary>
    public bool AnswersKeySetInClear { get; set; }

    /// <summary>Its power was cut and is back.</summary>
    public void Restart()
    {
        Forget();
        reader.Restart();
    }

    /// <summary>The answer, with its mark; null: it has none.</summary>
    public byte[]? Take(OsdpFrame command, TimeSpan now)
    {
        var asAll = command.Address == OsdpFrame.ConfigurationAddress;
        if (command.IsReply || reader.Silent || (command.Address != reader.Address && !asAll)) return null;

        if (now - _heard > AloneAfter) Forget();
        _heard = now;
        var (address, sequence) = (asAll ? OsdpFrame.ConfigurationAddress : reader.Address, command.Sequence);
        if (Busy > 0)
        {
            Busy--;
            return Marked(OsdpFrame.Build(address, 0, OsdpReply.Busy, []));
        }

        if (sequence != 0 && sequence == _sequence && command.Bytes.Span.SequenceEqual(_lastCommand)) return _lastAnswer;

        if (sequence == 0) Forget();
        else if (_sequence is not { } last || sequence != (last % 3) + 1) return Refuse(address, sequence, OsdpNak.Sequence);

        _sequence = sequence;
        _lastCommand = command.Bytes.ToArray();
        _lastAnswer = Marked(Answer(command, address, now));
        return _lastAnswer;
    }

    private static byte[] Marked(byte[] frame) => [OsdpFrame.Mark, .. frame];

    private void Forget()
    {
        EndSession();
        (_sequence, _lastCommand, _lastAnswer) = (null, [], []);
        reader.ForgetEvents();
    }

    private void EndSession()
    {
        _handshake?.Keys.Dispose();
        _session?.Dispose();
        (_handshake, _session, Polls) = (null, null, 0);
    }

    private byte[] Refuse(byte address, byte sequence, OsdpNak reason)
    {
        Forget();
        return Marked(OsdpFrame.Build(address, sequence, OsdpReply.Nak, [(byte)reason]));
    }

    private byte[] Answer(OsdpFrame command, byte address, TimeSpan now)
    {
        switch (command.Command)
        {
            case OsdpCommand.Challenge:
                return Challenge(command, address);
            case OsdpCommand.ServerCryptogram:
                return Prove(command, address);
            default:
                break;
        }

        if (Secured) return Secretly(command, address, now);
        var open = command.Command is OsdpCommand.Poll or OsdpCommand.Id or OsdpCommand.Capabilities && command.Block == OsdpBlock.None;
        var reply = open ? reader.Do(command.Command, command.Data.Span, now, secured: false) : PeripheralReply.Refused(OsdpNak.EncryptionRequired);
        return OsdpFrame.Build(address, command.Sequence, reply.Code, reply.Data);
    }

    private byte[] Challenge(OsdpFrame command, byte address)
    {
        var own = reader.Key is not null;
        if (command.Block != OsdpBlock.Challenge || command.Data.Length != 8 || command.BlockData != (own ? 1 : 0))
            return OsdpFrame.Build(address, command.Sequence, OsdpReply.Nak, [(byte)OsdpNak.SecurityBlockUnsupported]);

        EndSession();
        var number = new byte[OsdpHandshake.ChallengeLength];
        random(number);
        _handshake = (new OsdpHandshake(reader.Key ?? OsdpKey.Default, command.Data.Span), number);
        return OsdpFrame.Build(
            address, command.Sequence, OsdpReply.ClientCryptogram, [.. reader.ClientId(), .. number, .. _handshake.Value.Keys.ClientCryptogram(number)],
            OsdpBlock.ClientCryptogram, command.BlockData);
    }

    private byte[] Prove(OsdpFrame command, byte address)
    {
        if (_handshake is not { } handshake || command.Block != OsdpBlock.ServerCryptogram)
            return OsdpFrame.Build(address, command.Sequence, OsdpReply.Nak, [(byte)OsdpNak.SecurityBlockUnsupported]);

        var accepted = OsdpHandshake.Matches(handshake.Keys.ServerCryptogram(handshake.Random), command.Data.Span);
        var proof = accepted ? handshake.Keys.InitialReplyMac(handshake.Random) : new byte[OsdpHandshake.CryptogramLength];
        if (accepted) _session = handshake.Keys.Session(isController: false, handshake.Random);
        _handshake = null;
        return OsdpFrame.Build(address, command.Sequence, OsdpReply.InitialReplyMac, proof, OsdpBlock.InitialReplyMac, (byte)(accepted ? 1 : 0xFF));
    }

    private byte[] Secretly(OsdpFrame command, byte address, TimeSpan now)
    {
        if (_session!.Open(command, out var data) != OsdpSealFault.None)
        {
            EndSession();
            return OsdpFrame.Build(address, command.Sequence, OsdpReply.Nak, [(byte)OsdpNak.EncryptionRequired]);
        }

        if (command.Command == OsdpCommand.Poll) Polls++;
        var reply = reader.Do(command.Command, data, now, secured: true);
        if (reply.Moved is { } moved) (reader.Address, Baud) = (moved.Address, moved.Baud);
        var answer = reply.NewKey is not null && AnswersKeySetInClear
            ? OsdpFrame.Build(address, command.Sequence, reply.Code, reply.Data)
            : _session.Seal(address, command.Sequence, reply.Code, reply.Data);
        if (reply.NewKey is { } key) reader.Take(key); // The old session goes on until the next handshake.
        return answer;
    }
}
