namespace PhysSec.Hardware;

/// <summary>What of a reply is believed, and what it says.</summary>
public sealed partial class OsdpLink
{
    private OsdpPin? _pin;
    private bool _relearns;
    private int _discarded;
    private IReadOnlyList<OsdpCapability> _capabilities = [];
    private OsdpLocalStatus? _local;
    private IReadOnlyList<OsdpInput>? _inputs;
    private IReadOnlyList<bool>? _outputs;
    private IReadOnlyList<OsdpReaderHead>? _heads;

    private void Receive(OsdpFrame frame, TimeSpan now)
    {
        if (!_waiting || !frame.IsReply || frame.Address != Address)
        {
            Statistics = Statistics with { Stale = Statistics.Stale + 1 };
        }
        else if (!frame.HasCrc)
        {
            Refuse(null, now); // Commands go out with a CRC, and a reader answers in kind.
        }
        else if (frame is { Block: OsdpBlock.None, Reply: OsdpReply.Busy })
        {
            Statistics = Statistics with { Busy = Statistics.Busy + 1 };
            (_waiting, _silent, _due) = (false, 0, now + _settings.PollInterval);
        }
        else if (_session is not null)
        {
            ReceiveInSession(_session, frame, now);
        }
        else if (frame is { Block: OsdpBlock.None, Reply: OsdpReply.Nak })
        {
            RefusedOutsideSession(frame, now);
        }
        else if (frame.Sequence != _sequence)
        {
            Statistics = Statistics with { Stale = Statistics.Stale + 1 };
        }
        else if (_stage == Stage.Challenge && frame is { Block: OsdpBlock.ClientCryptogram, Reply: OsdpReply.ClientCryptogram })
        {
            Settle(now);
            ReadClientCryptogram(frame, now);
        }
        else if (_stage == Stage.Cryptogram && frame is { Block: OsdpBlock.InitialReplyMac, Reply: OsdpReply.InitialReplyMac })
        {
            Settle(now);
            ReadInitialReplyMac(frame, now);
        }
        else if (frame.Block == OsdpBlock.None && _stage == Stage.Probe && frame.Reply == OsdpReply.Id)
        {
            Settle(now);
            Present(now);
        }
        else
        {
            Refuse(null, now);
        }
    }

    private void ReceiveInSession(OsdpSecureChannel session, OsdpFrame frame, TimeSpan now)
    {
        if (frame.Block == OsdpBlock.None)
        {
            if (frame.Reply == OsdpReply.Nak)
            {
                CountNak(frame.Data.Span);
                _spoiled++; // It may be forged: the answer can still come.
                Refuse(OsdpSecurity.UnsecuredNak, now);
            }
            else if (_stage == Stage.KeySet && frame.Reply == OsdpReply.Ack && frame.Sequence == _sequence)
            {
                Settle(now); // Some readers acknowledge a key in clear. It proves nothing; the handshake will.
                _triesOwnKey = true;
                Restart(now, planned: true);
            }
            else
            {
                Refuse(OsdpSecurity.ClearTextInSession, now);
            }
        }
        else if (frame.Block is OsdpBlock.ClientCryptogram or OsdpBlock.InitialReplyMac)
        {
            Refuse(OsdpSecurity.HandshakeBlockInSession, now);
        }
        else if (frame.Sequence != _sequence)
        {
            Statistics = Statistics with { Stale = Statistics.Stale + 1 };
        }
        else if (session.Open(frame, out var data) is var fault and not OsdpSealFault.None)
        {
            _spoiled++;
            Refuse(fault is OsdpSealFault.ClearData or OsdpSealFault.Padding ? OsdpSecurity.UnencryptedData : OsdpSecurity.WrongMac, now);
        }
        else
        {
            if (now - _begun > _cutFor) _draining = true; // A line that was cut for a moment: whose card it was may be gone, and another may stand there.
            Settle(now);
            Believe(frame.Reply, data, now);
        }
    }

    /// <summary>Not the answer. The link goes on waiting for it.</summary>
    private void Refuse(OsdpSecurity? kind, TimeSpan now)
    {
        Statistics = Statistics with { Refused = Statistics.Refused + 1 };
        _silent = 0;
        if (kind is { } known) _security.Add(known, now, _events);
    }

    private void Settle(TimeSpan now)
    {
        Statistics = Statistics.WithReply(now - _asked);
        (_waiting, _sent, _misses, _silent, _spoiled) = (false, null, 0, 0, 0);
        _sequence = (byte)(_sequence == 3 ? 1 : _sequence + 1);
        if (_stage != Stage.Ready) _due = now;
    }

    private void CountNak(ReadOnlySpan<byte> data) => Statistics = Statistics.WithNak(data.Length > 0 ? data[0] : (byte)0);

    private void RefusedOutsideSession(OsdpFrame frame, TimeSpan now)
    {
        CountNak(frame.Data.Span);
        var probe = _stage == Stage.Probe;
        Settle(now);
        if (probe) Present(now); // Who refuses to say its name in clear is there.
        else Fail(now, OsdpOffline.KeyRefused);
    }

    /// <summary>Somebody answers at this address, and nothing more is known of it.</summary>
    private void Present(TimeSpan now)
    {
        if (CanChallenge) _stage = Stage.Challenge;
        else Fail(now, OsdpOffline.NoKey);
    }

    private void Fail(TimeSpan now, OsdpOffline why)
    {
        _why = why;
        Fail(now);
    }

    /// <summary>A reply that is proved, or that the settings take without a proof.</summary>
    private void Believe(OsdpReply reply, ReadOnlySpan<byte> data, TimeSpan now)
    {
        _lastValid = now;
        if (_session is not null && reply == OsdpReply.Nak) CountNak(data);
        switch (_stage)
        {
            case Stage.KeySet: KeySetAnswered(reply, now); break;
            case Stage.Probe: Present(now); break;
            case Stage.Identify: Identify(data, reply, now); break;
            case Stage.Capabilities: KnowCapabilities(data, reply); break;
            case Stage.Ready: ReadReport(reply, data); break;
            default:
                ReadStatus(reply, data);
                _stage = Next(_stage);
                break;
        }
    }

    private Stage Next(Stage stage)
    {
        if (stage == Stage.LocalStatus) return Has(OsdpFunction.ContactStatus) ? Stage.Inputs : Next(Stage.Inputs);
        if (stage == Stage.Inputs) return Has(OsdpFunction.OutputControl) ? Stage.Outputs : Stage.Heads;
        return stage + 1;
    }

    private bool Has(OsdpFunction function) => _capabilities.Any(it => it.Function == function && it.Count > 0);

    private void Identify(ReadOnlySpan<byte> data, OsdpReply reply, TimeSpan now)
    {
        if (reply != OsdpReply.Id || OsdpIdentity.Parse(data) is not { } identity)
        {
            Fail(now, OsdpOffline.Unusable);
            return;
        }

        var pin = new OsdpPin(identity, _session is null ? null : _clientId);
        if (_relearns) (_pin, _relearns) = (null, false);
        if (_pin is { } known && !identity.IsSameDevice(known.Identity))
        {
            _security.Add(OsdpSecurity.IdentityChanged, now, _events);
            Fail(now, OsdpOffline.IdentityChanged);
            _held = true;
            if (State != OsdpLinkState.Offline) GoOffline();
            return;
        }

        if (_pin is { ClientId: { } before } && before != pin.ClientId) _security.Add(OsdpSecurity.ClientIdChanged, now, _events);
        if (_pin is null) _events.Add(new OsdpEvent.Pinned(Address, _pin = pin));
        _stage = Stage.Capabilities;
    }

    /// <summary>What it can do; never whether it must be secure.</summary>
    private void KnowCapabilities(ReadOnlySpan<byte> data, OsdpReply reply)
    {
        _capabilities = reply == OsdpReply.Capabilities && OsdpCapability.Parse(data) is { } all ? all : [];
        _events.Add(new OsdpEvent.Capabilities(Address, _capabilities));
        if (State != OsdpLinkState.Online) _events.Add(new OsdpEvent.Online(Address, _session is not null));
        State = OsdpLinkState.Online;
        _stage = Stage.LocalStatus;
    }

    private void ReadReport(OsdpReply reply, ReadOnlySpan<byte> data)
    {
        var polled = _command == OsdpCommand.Poll;
        if (_order is { } order)
        {
            _order = null;
            _events.Add(reply == OsdpReply.Nak ? new OsdpEvent.OrderFailed(Address, order, OsdpOrderFault.Refused) : new OsdpEvent.OrderDone(Address, order));
            if (reply == OsdpReply.Communication && OsdpCommunication.Parse(data) is { } moved) _events.Add(new OsdpEvent.Moved(Address, moved));
        }

        if (reply is not (OsdpReply.CardBits or OsdpReply.Keypad or OsdpReply.CardText))
        {
            ReadStatus(reply, data);
            if (polled) StopDraining();
        }
        else if (!polled)
        {
            Statistics = Statistics with { Refused = Statistics.Refused + 1 }; // A card answers nothing but a poll.
        }
        else if (_draining)
        {
            _discarded++; // It was read before the link was there, and its owner has long gone.
        }
        else if (reply == OsdpReply.CardBits)
        {
            var card = OsdpCardRead.Parse(data)?.Card;
            _events.Add(new OsdpEvent.CardRead(Address, card, card is null ? ReaderFault.Overrun : ReaderFault.None));
        }
        else if (reply == OsdpReply.Keypad && OsdpKeys.Parse(data) is { } keys)
        {
            _events.Add(new OsdpEvent.KeysPressed(Address, keys));
        }
    }

    private void StopDraining()
    {
        if (_discarded > 0) _events.Add(new OsdpEvent.OldReadsDiscarded(Address, _discarded));
        Statistics = Statistics with { ReadsDiscarded = Statistics.ReadsDiscarded + _discarded };
        (_draining, _discarded) = (false, 0);
    }

    /// <summary>Only what is new is told.</summary>
    private void ReadStatus(OsdpReply reply, ReadOnlySpan<byte> data)
    {
        if (reply == OsdpReply.LocalStatus && OsdpLocalStatus.Parse(data) is { } local && local != _local)
            _events.Add(new OsdpEvent.LocalStatus(Address, (_local = local).Value));
        else if (reply == OsdpReply.InputStatus && OsdpStatus.Inputs(data) is var inputs && !IsSame(_inputs, inputs))
            _events.Add(new OsdpEvent.Inputs(Address, _inputs = inputs));
        else if (reply == OsdpReply.OutputStatus && OsdpStatus.Outputs(data) is var outputs && !IsSame(_outputs, outputs))
            _events.Add(new OsdpEvent.Outputs(Address, _outputs = outputs));
        else if (reply == OsdpReply.ReaderStatus && OsdpStatus.Heads(data) is var heads && !IsSame(_heads, heads))
            _events.Add(new OsdpEvent.Heads(Address, _heads = heads));
    }

    private void ForgetReports() => (_local, _inputs, _outputs, _heads) = (null, null, null, null);

    private static bool IsSame<T>(IReadOnlyList<T>? before, IReadOnlyList<T> after) => before is not null && before.SequenceEqual(after);
}
