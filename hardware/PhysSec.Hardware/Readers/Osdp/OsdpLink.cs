namespace PhysSec.Hardware;

/// <summary>Fills with random bytes: a cryptographic generator, or a seed in a test.</summary>
public delegate void OsdpRandom(Span<byte> fill);

/// <summary>How one reader is treated.</summary>
/// <param name="Address">0 to 126.</param>
public sealed record OsdpLinkSettings(byte Address)
{
    /// <summary>Lets a reader without a key work in clear text: low assurance. A reader that ever had a key never does.</summary>
    public bool AllowClearText { get; init; }

    /// <summary>Null: the first device that proves the key is pinned.</summary>
    public OsdpPin? Pin { get; init; }

    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Without a valid reply for so long, and not sooner, a reader is offline.</summary>
    public TimeSpan OfflineAfter { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>The longest pause between two tries to reach a reader that is not there.</summary>
    public TimeSpan ProbeIntervalMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>After so many exchanges the session's keys are made anew.</summary>
    public int SessionExchangesMax { get; init; } = 65_536;

    /// <summary>After so long the session's keys are made anew.</summary>
    public TimeSpan SessionTimeMax { get; init; } = TimeSpan.FromHours(12);

    /// <summary>An order that could not be given within this time is not given at all.</summary>
    public TimeSpan OrderLife { get; init; } = TimeSpan.FromSeconds(5);

    public int OrdersMax { get; init; } = 16;
}

/// <summary>What can happen to a link.</summary>
public abstract record OsdpLinkInput
{
    private OsdpLinkInput()
    {
    }

    /// <summary>The line is free for this reader's next command.</summary>
    internal sealed record Turn : OsdpLinkInput;

    internal sealed record Received(OsdpFrame Frame) : OsdpLinkInput;

    /// <summary>Something came that was no frame.</summary>
    internal sealed record Damaged : OsdpLinkInput;

    /// <summary>The time for a reply is over.</summary>
    internal sealed record Missed : OsdpLinkInput;

    internal sealed record Tick : OsdpLinkInput;

    public sealed record Order(OsdpOrder What) : OsdpLinkInput;

    /// <summary>An operator allows a reader on the default key to be given this one, until this uptime.</summary>
    public sealed record OpenInstallation(OsdpKey Key, TimeSpan Until) : OsdpLinkInput;

    public sealed record CloseInstallation : OsdpLinkInput;

    /// <summary>Changes the key of a reader that is online.</summary>
    public sealed record ChangeKey(OsdpKey Key) : OsdpLinkInput;

    /// <summary>What <see cref="OsdpEvent.KeysChanged"/> asked for is on disk.</summary>
    public sealed record KeysStored(OsdpKeyState Keys) : OsdpLinkInput;

    /// <summary>An operator takes the device that is there now for the right one.</summary>
    public sealed record AcceptIdentity : OsdpLinkInput;

    /// <summary>Does not wait for the next try.</summary>
    public sealed record RetryNow : OsdpLinkInput;
}

public enum OsdpLinkState
{
    Connecting = 0,
    Online = 1,
    Offline = 2,
}

/// <param name="Send">The command, if it was a turn; without a mark.</param>
/// <param name="Settled">The exchange is over: another reader may have the line.</param>
/// <param name="Events">What happened.</param>
public readonly record struct OsdpLinkStep(byte[]? Send, bool Settled, IReadOnlyList<OsdpEvent> Events);

/// <summary>
/// One reader as its controller sees it: a state machine without a wire and without a clock. Each command is built and sealed once; what is repeated is
/// repeated as the same bytes. With a key there is no clear text: outside a session nothing is asked but who is there, and nothing of that is believed.
/// </summary>
public sealed partial class OsdpLink : IDisposable
{
    private enum Stage
    {
        Probe,
        Challenge,
        Cryptogram,
        KeySet,
        Identify,
        Capabilities,
        LocalStatus,
        Inputs,
        Outputs,
        Heads,
        Ready,
    }

    private static readonly TimeSpan _settled = TimeSpan.FromSeconds(10), _oldAfter = TimeSpan.FromSeconds(1);

    private readonly OsdpLinkSettings _settings;
    private readonly OsdpRandom _random;
    private readonly OsdpSecurityReports _security;
    private readonly Queue<(OsdpOrder Order, TimeSpan NotAfter)> _orders = [];

    private Stage _stage = Stage.Probe;
    private TimeSpan? _lastValid;
    private TimeSpan _due, _asked, _sessionSince;
    private OsdpOffline _why = OsdpOffline.NoReply, _told;
    private byte _sequence;
    private int _misses, _silent, _failures, _spoiled, _exchanges;
    private bool _waiting, _draining = true, _held;
    private List<OsdpEvent> _events = [];

    /// <summary>The command that has no answer yet.</summary>
    private byte[]? _sent;
    private OsdpCommand _command;
    private OsdpOrder? _order;

    /// <param name="settings">How this reader is treated.</param>
    /// <param name="keys">As they were last stored.</param>
    /// <param name="random">For the handshakes.</param>
    public OsdpLink(OsdpLinkSettings settings, OsdpKeyState keys, OsdpRandom random)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(settings.Address, OsdpFrame.ConfigurationAddress, nameof(settings));
        if (settings.AllowClearText && keys != OsdpKeyState.None) throw new ArgumentException("A reader with a key has no clear text.", nameof(settings));

        (_settings, Keys, _random, _pin) = (settings, keys, random, settings.Pin);
        _security = new OsdpSecurityReports(settings.Address);
        _inClear = settings.AllowClearText;
    }

    public byte Address => _settings.Address;

    public OsdpLinkState State { get; private set; }

    /// <summary>As they are in force; stored or about to be.</summary>
    public OsdpKeyState Keys { get; private set; }

    public OsdpStatistics Statistics { get; private set; } = new();

    /// <summary>What it asked last.</summary>
    internal OsdpCommand Command => _command;

    /// <summary>An operator's window is open.</summary>
    public bool IsBeingInstalled => _installUntil is not null;

    /// <summary>When it wants the line next.</summary>
    internal TimeSpan Due => _held ? TimeSpan.MaxValue : _stage == Stage.Ready && _sent is null && _orders.Count > 0 ? TimeSpan.Zero : _due;

    /// <summary>When <see cref="OsdpLinkInput.Tick"/> has something to do.</summary>
    internal TimeSpan NextTick
    {
        get
        {
            var offline = State == OsdpLinkState.Offline ? TimeSpan.MaxValue : (_lastValid ?? TimeSpan.Zero) + _settings.OfflineAfter;
            return _installUntil is { } until && until < offline ? until : offline;
        }
    }

    /// <summary>Somebody waits for an order to be carried out.</summary>
    internal bool IsUrgent => _order is not null || (_stage == Stage.Ready && _orders.Count > 0);

    /// <summary>It did not answer twice running: each further try costs the others.</summary>
    internal bool IsAbsent => _silent >= 2;

    public OsdpLinkStep Step(OsdpLinkInput input, TimeSpan now)
    {
        _events = [];
        _lastValid ??= now;
        byte[]? send = null;
        switch (input)
        {
            case OsdpLinkInput.Turn: send = TakeTurn(now); break;
            case OsdpLinkInput.Received received: Receive(received.Frame, now); break;
            case OsdpLinkInput.Damaged: Statistics = Statistics with { Damaged = Statistics.Damaged + 1 }; break;
            case OsdpLinkInput.Missed: Miss(now); break;
            case OsdpLinkInput.Order order: Enqueue(order.What, now); break;
            case OsdpLinkInput.OpenInstallation open: OpenInstallation(open, now); break;
            case OsdpLinkInput.CloseInstallation: CloseInstallation(now); break;
            case OsdpLinkInput.ChangeKey change: ChangeKey(change.Key); break;
            case OsdpLinkInput.KeysStored stored: Stored(stored.Keys, now); break;
            case OsdpLinkInput.AcceptIdentity: (_pin, _held) = (null, false); RetryNow(now); break;
            case OsdpLinkInput.RetryNow: RetryNow(now); break;
            default: break; // A tick: what follows is all it is for.
        }

        if (!_waiting) Watch(now);
        return new OsdpLinkStep(send, !_waiting, _events);
    }

    public void Dispose()
    {
        ForgetHandshake();
        _session?.Dispose();
    }

    private byte[]? TakeTurn(TimeSpan now)
    {
        if (_held || _waiting) return null;
        if (_session is null && !_inClear && _stage >= Stage.KeySet) Restart(now, planned: false); // No clear text, by whatever way one came here.
        if (_stage == Stage.Ready && _sent is null) ChooseAtReady(now);
        if (_sent is null) Compose();
        if (_command == OsdpCommand.Poll) Statistics = Statistics with { Polls = Statistics.Polls + 1 };
        (_waiting, _asked, _due) = (true, now, now + _settings.PollInterval);
        return _sent;
    }

    private void ChooseAtReady(TimeSpan now)
    {
        if (now - _sessionSince >= _settled) _failures = 0;
        if (_session is not null && (_exchanges >= _settings.SessionExchangesMax || now - _sessionSince >= _settings.SessionTimeMax)) Restart(now, planned: true);
        else if (_keyIsStored && Keys.Pending is not null) _stage = Stage.KeySet;
        else
        {
            while (_orders.TryDequeue(out var next))
            {
                if (now <= next.NotAfter)
                {
                    _order = next.Order;
                    return;
                }

                _events.Add(new OsdpEvent.OrderFailed(Address, next.Order, OsdpOrderFault.Expired));
            }
        }
    }

    private void Compose()
    {
        switch (_stage)
        {
            case Stage.Probe: Ask(OsdpCommand.Id, [0]); break;
            case Stage.Challenge: ComposeChallenge(); break;
            case Stage.Cryptogram: ComposeCryptogram(); break;
            case Stage.KeySet: ComposeKeySet(); break;
            case Stage.Identify: Ask(OsdpCommand.Id, [0]); break;
            case Stage.Capabilities: Ask(OsdpCommand.Capabilities, [0]); break;
            case Stage.LocalStatus: Ask(OsdpCommand.LocalStatus, []); break;
            case Stage.Inputs: Ask(OsdpCommand.InputStatus, []); break;
            case Stage.Outputs: Ask(OsdpCommand.OutputStatus, []); break;
            case Stage.Heads: Ask(OsdpCommand.ReaderStatus, []); break;
            case Stage.Ready when _order is { } order: Ask(order.Command, order.Data()); break;
            case Stage.Ready: Ask(OsdpCommand.Poll, []); break;
        }
    }

    /// <summary>Within a session sealed, once.</summary>
    private void Ask(OsdpCommand command, ReadOnlySpan<byte> data)
    {
        _command = command;
        _sent = _session is { } session ? session.Seal(Address, _sequence, command, data) : OsdpFrame.Build(Address, _sequence, command, data);
        _exchanges++;
    }

    /// <summary>No reply, or none that counts: the same bytes again, at once and then at growing distances.</summary>
    private void Miss(TimeSpan now)
    {
        _waiting = false;
        Statistics = Statistics with { Missed = Statistics.Missed + 1 };
        _misses++;
        if (_spoiled == 0) _silent++;
        if (_stage == Stage.Probe)
        {
            _why = OsdpOffline.NoReply;
            Fail(now);
        }
        else if (_stage is Stage.Challenge or Stage.Cryptogram or Stage.KeySet && _misses >= 3) Fail(now);
        else if (_spoiled >= 2) EndSession(now);
        else _due = _misses == 1 ? now : now + TimeSpan.FromSeconds(Math.Min(_misses - 1, 2));
    }

    private void Watch(TimeSpan now)
    {
        if (_installUntil is { } until && now >= until) CloseInstallation(now);
        if (State == OsdpLinkState.Offline && _told != _why && _stage == Stage.Probe) TellOffline(); // It is another reason now.
        if (State == OsdpLinkState.Offline || now - _lastValid < _settings.OfflineAfter) return;

        GoOffline();
        if (_stage != Stage.Probe) Restart(now, planned: false);
    }

    private void TellOffline()
    {
        _told = _why;
        _events.Add(new OsdpEvent.Offline(Address, _why));
    }

    private void GoOffline()
    {
        State = OsdpLinkState.Offline;
        TellOffline();
        ForgetReports();
        while (_orders.TryDequeue(out var next)) _events.Add(new OsdpEvent.OrderFailed(Address, next.Order, OsdpOrderFault.Offline));
    }

    /// <summary>Begins again at sequence number 0, which makes the reader forget the session too.</summary>
    private void Restart(TimeSpan now, bool planned)
    {
        if (_order is { } order && _sent is not null) _events.Add(new OsdpEvent.OrderFailed(Address, order, OsdpOrderFault.InDoubt));
        if (_session is not null && !planned) Statistics = Statistics with { SessionsLost = Statistics.SessionsLost + 1 };
        ForgetHandshake();
        _session?.Dispose();
        (_session, _order, _sent, _stage, _sequence) = (null, null, null, Stage.Probe, 0);
        (_misses, _spoiled, _due, _draining) = (0, 0, now, _draining || !planned);
    }

    /// <summary>A session that ends by itself is made again at once, unless it was a young one.</summary>
    private void EndSession(TimeSpan now)
    {
        _why = OsdpOffline.Unusable;
        if (now - _sessionSince >= _settled) Restart(now, planned: false);
        else Fail(now);
    }

    private void Fail(TimeSpan now)
    {
        Restart(now, planned: false);
        var seconds = _installUntil is not null ? 1 : Math.Min(Math.Pow(2, _failures), _settings.ProbeIntervalMax.TotalSeconds);
        _due = now + TimeSpan.FromSeconds(seconds);
        _failures = Math.Min(_failures + 1, 30);
        _triesOwnKey = !_triesOwnKey;
    }

    private void RetryNow(TimeSpan now)
    {
        (_failures, _silent) = (0, 0);
        if (!_waiting) _due = now;
    }

    private void Enqueue(OsdpOrder order, TimeSpan now)
    {
        if (State != OsdpLinkState.Online)
        {
            _events.Add(new OsdpEvent.OrderFailed(Address, order, OsdpOrderFault.Offline));
            return;
        }

        if (_orders.Count >= _settings.OrdersMax) _events.Add(new OsdpEvent.OrderFailed(Address, _orders.Dequeue().Order, OsdpOrderFault.Crowded));
        _orders.Enqueue((order, now + _settings.OrderLife));
    }
}

/// <summary>One reader's counts since the start.</summary>
public sealed record OsdpStatistics
{
    public long Polls { get; init; }

    public long Replies { get; init; }

    public long Missed { get; init; }

    /// <summary>Bytes that were no frame while this reader was to answer: wrong check character, wrong length, cut off.</summary>
    public long Damaged { get; init; }

    /// <summary>Replies to what was asked before, or out of turn.</summary>
    public long Stale { get; init; }

    /// <summary>Whole replies that were not believed.</summary>
    public long Refused { get; init; }

    public long Busy { get; init; }

    public long Sessions { get; init; }

    public long SessionsLost { get; init; }

    public long ReadsDiscarded { get; init; }

    /// <summary>By code.</summary>
    public IReadOnlyDictionary<OsdpNak, long> Naks { get; init; } = new Dictionary<OsdpNak, long>();

    /// <summary>From a command's first byte to the end of its reply.</summary>
    public TimeSpan RoundTripLast { get; init; }

    public TimeSpan RoundTripMax { get; init; }

    internal OsdpStatistics WithNak(byte code)
    {
        var known = Enum.IsDefined((OsdpNak)code) ? (OsdpNak)code : OsdpNak.None;
        return this with { Naks = new Dictionary<OsdpNak, long>(Naks) { [known] = Naks.GetValueOrDefault(known) + 1 } };
    }

    internal OsdpStatistics WithReply(TimeSpan roundTrip) =>
        this with { Replies = Replies + 1, RoundTripLast = roundTrip, RoundTripMax = roundTrip > RoundTripMax ? roundTrip : RoundTripMax };
}
