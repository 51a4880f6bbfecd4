namespace PhysSec.Hardware;

/// <param name="Send">For the line, mark included; empty: nothing.</param>
/// <param name="Next">When to call again if nothing comes before.</param>
/// <param name="Events">What happened.</param>
public readonly record struct OsdpBusStep(ReadOnlyMemory<byte> Send, TimeSpan Next, IReadOnlyList<OsdpEvent> Events);

/// <summary>
/// Several readers on one half-duplex line, without the line: bytes in, bytes out, and when to come back. One exchange at a time. Readers take turns;
/// those that do not answer share less than a tenth of the time that is left to those that do.
/// </summary>
public sealed class OsdpBus : IDisposable
{
    /// <summary>Of what a try to reach an absent reader costs, so much must pass before the next: less than a tenth is lost.</summary>
    private const int AbsentPauseFactor = 12;

    /// <summary>A serial port hands over its bytes in pieces of up to so many: pauses between pieces are not pauses on the wire.</summary>
    private const int ReadPiece = 32;

    private static readonly TimeSpan _babble = TimeSpan.FromMilliseconds(200);

    private readonly int _baud;
    private readonly OsdpLink[] _links;
    private readonly TimeSpan[] _lastTurn;
    private readonly OsdpReceiver _receiver;
    private readonly OsdpSecurityReports _line = new(OsdpEvent.Line);

    private OsdpLink? _awaited;
    private byte[] _sent = [];
    private TimeSpan _sentAt, _deadline, _free, _quiet, _absentNotBefore;
    private bool _wasUrgent, _hasListened;

    /// <param name="baud">Bits per second.</param>
    /// <param name="links">One for each address.</param>
    public OsdpBus(int baud, IReadOnlyList<OsdpLink> links)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(baud);
        if (links.Select(it => it.Address).Distinct().Count() != links.Count) throw new ArgumentException("An address is given twice.", nameof(links));
        (_baud, _links, _lastTurn) = (baud, [.. links], new TimeSpan[links.Count]);
        _receiver = new OsdpReceiver(OsdpReceiver.StandardGap + OsdpTiming.WireTime(ReadPiece, baud));
        Array.Fill(_lastTurn, TimeSpan.MinValue);
    }

    public IReadOnlyList<OsdpLink> Links => _links;

    /// <summary>Once around all readers that are there, when nothing happens and when each takes all the time it has.</summary>
    public (TimeSpan Typical, TimeSpan Worst) PollRound => OsdpTiming.PollRound(_links.Count(it => !it.IsAbsent), _baud);

    /// <summary>Takes what the line brought, and says what to send.</summary>
    /// <param name="received">May be empty.</param>
    /// <param name="now">Uptime, never going back.</param>
    public OsdpBusStep Step(ReadOnlySpan<byte> received, TimeSpan now)
    {
        var events = new List<OsdpEvent>();
        if (!_hasListened) _free = now;
        if (received.Length > 0 || !_hasListened) _quiet = now + OsdpTiming.Quiet(_baud);
        _hasListened = true;
        foreach (var it in _receiver.Receive(received, now)) Hear(it, now, events);
        foreach (var it in _receiver.Expire(now)) Hear(it, now, events);
        foreach (var it in _links) if (now >= it.NextTick) Put(it, new OsdpLinkInput.Tick(), now, events);
        if (_awaited is { } awaited && now >= Deadline())
        {
            if (awaited.IsAbsent) _absentNotBefore = now + AbsentPauseFactor * (now - _sentAt);
            Put(awaited, new OsdpLinkInput.Missed(), now, events);
        }

        var send = _awaited is null && now >= QuietFrom() ? Send(now, events) : [];
        return new OsdpBusStep(send, Next(now), events);
    }

    /// <summary>An operator's or the node's word to one reader; call <see cref="Step"/> at once afterwards.</summary>
    /// <returns>What follows from it at once.</returns>
    /// <exception cref="ArgumentException">No reader has this address.</exception>
    public IReadOnlyList<OsdpEvent> Tell(byte address, OsdpLinkInput input, TimeSpan now)
    {
        var link = _links.FirstOrDefault(it => it.Address == address) ?? throw new ArgumentException($"No reader has the address {address}.", nameof(address));
        OsdpKeyChangeFault? fault = input switch
        {
            OsdpLinkInput.OpenInstallation when _links.Any(it => it != link && it.IsBeingInstalled) => OsdpKeyChangeFault.Busy,
            OsdpLinkInput.OpenInstallation open when IsOthersKey(link, open.Key) => OsdpKeyChangeFault.OtherReadersKey,
            OsdpLinkInput.ChangeKey change when IsOthersKey(link, change.Key) => OsdpKeyChangeFault.OtherReadersKey,
            _ => null,
        };
        if (fault is { } known) return [new OsdpEvent.KeyChangeFailed(address, known)];
        if (input is OsdpLinkInput.RetryNow or OsdpLinkInput.AcceptIdentity) _absentNotBefore = TimeSpan.Zero;
        return link.Step(input, now).Events;
    }

    public void Dispose()
    {
        foreach (var it in _links) it.Dispose();
    }

    private bool IsOthersKey(OsdpLink link, OsdpKey key) => _links.Any(it => it != link && (key.Equals(it.Keys.Current) || key.Equals(it.Keys.Pending)));

    private void Hear(OsdpReceived received, TimeSpan now, List<OsdpEvent> events)
    {
        if (received.Frame is not { } frame)
        {
            if (_awaited is not null) Put(_awaited, new OsdpLinkInput.Damaged(), now, events);
        }
        else if (!frame.IsReply)
        {
            // Some adapters hear themselves.
            if (!frame.Bytes.Span.SequenceEqual(_sent)) _line.Add(OsdpSecurity.ForeignController, now, events);
        }
        else if (_links.FirstOrDefault(it => it.Address == frame.Address) is { } link)
        {
            Put(link, new OsdpLinkInput.Received(frame), now, events);
        }
        else
        {
            _line.Add(OsdpSecurity.ForeignReply, now, events);
        }
    }

    private void Put(OsdpLink link, OsdpLinkInput input, TimeSpan now, List<OsdpEvent> events)
    {
        var step = link.Step(input, now);
        events.AddRange(step.Events);
        if (link != _awaited || !step.Settled) return;
        _awaited = null;
        _free = now;
    }

    /// <summary>A reply that is on its way is let finish, if it is not endless.</summary>
    private TimeSpan Deadline()
    {
        var last = _deadline + OsdpTiming.WireTime(OsdpFrame.LengthMax, _baud);
        return _receiver.Due is not { } due || due <= _deadline ? _deadline : due < last ? due : last;
    }

    /// <summary>Two characters of silence, or a line that never gives any.</summary>
    private TimeSpan QuietFrom() => _quiet < _free + _babble ? _quiet : _free + _babble;

    private byte[] Send(TimeSpan now, List<OsdpEvent> events)
    {
        if (Choose(now) is not { } index) return [];

        var link = _links[index];
        _lastTurn[index] = now;
        var step = link.Step(new OsdpLinkInput.Turn(), now);
        events.AddRange(step.Events);
        if (step.Send is not { } command) return [];

        _receiver.Clear(); // What came until now answers nothing that is asked now.
        (_awaited, _sent, _sentAt) = (link, command, now);
        _deadline = now + OsdpTiming.ReplyTime(link.Command, command.Length + 1, _baud);
        _quiet = now + OsdpTiming.WireTime(command.Length + 1, _baud) + OsdpTiming.Quiet(_baud);
        return [OsdpFrame.Mark, .. command];
    }

    /// <summary>An absent reader when its time has come; else who has an order, every second time; else who waits longest.</summary>
    private int? Choose(TimeSpan now)
    {
        var due = Enumerable.Range(0, _links.Length).Where(it => _links[it].Due <= now && MaySend(_links[it], now)).ToArray();
        if (due.Length == 0) return null;

        int[] absent = [.. due.Where(it => _links[it].IsAbsent)], urgent = [.. due.Where(it => _links[it].IsUrgent && !_links[it].IsAbsent)];
        _wasUrgent = absent.Length == 0 && urgent.Length > 0 && !_wasUrgent;
        return (absent.Length > 0 ? absent : _wasUrgent ? urgent : due).MinBy(it => _lastTurn[it]);
    }

    private bool MaySend(OsdpLink link, TimeSpan now) => !link.IsAbsent || now >= _absentNotBefore || _links.All(it => it.IsAbsent);

    private TimeSpan Next(TimeSpan now)
    {
        var next = _receiver.Due ?? TimeSpan.MaxValue;
        foreach (var it in _links) if (it != _awaited) next = Earlier(next, it.NextTick); // It is looked at when its exchange is over.
        if (_awaited is not null) return Earlier(next, Deadline());

        foreach (var it in _links)
        {
            var due = MaySend(it, now) || it.Due > _absentNotBefore ? it.Due : _absentNotBefore;
            next = Earlier(next, due > QuietFrom() ? due : QuietFrom());
        }

        return next;
    }

    private static TimeSpan Earlier(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
