namespace PhysSec.Hardware;

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

    private static readonly TimeSpan _settled = TimeSpan.FromSeconds(10), _retryPause = TimeSpan.FromSeconds(1), _oldAfter = TimeSpan.FromSeconds(1), _cutFor = TimeSpan.FromSeconds(2);

    private readonly OsdpLinkSettings _settings;
    private readonly OsdpRandom _random;
    private readonly OsdpSecurityReports _security;
    private readonly Queue<(OsdpOrder Order, TimeSpan NotAfter)> _orders = [];

    private Stage _stage = Stage.Probe;
    private TimeSpan? _lastValid;
    private TimeSpan _due, _begun, _asked, _sessionSince;
    private OsdpOffline _why = OsdpOffline.NoReply, _told;
    private byte _sequence;
    private int _misses, _silent, _failures, _spoiled, _exchanges;
    private bool _waiting, _draining = true;
    private List<OsdpEvent> _events = [];

    /// <summary>The command that has no answer yet.</summary>
    private byte[]? _sent;
    private OsdpCommand _command;
    private OsdpOrder? _order;
    private TimeSpan _orderNotAfter;

    /// <param name="settings">How this reader is treated.</param>
    /// <param name="keys">As they were last stored.</param>
    /// <param name="random">For the handshakes.</param>
    public OsdpLink(OsdpLinkSettings settings, OsdpKeyState keys, OsdpRandom random)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(settings.Address, OsdpFrame.ConfigurationAddress, nameof(settings));

        (_settings, Keys, _random, _pin) = (settings, keys, random, settings.Pin);
        _security = new OsdpSecurityReports(settings.Address);
    }

    public byte Address => _settings.Address;

    public OsdpLinkState State { get; private set; }

    /// <summary>As they are in force; stored or about to be.</summary>
    public OsdpKeyState Keys { get; private set; }

    /// <summary>The device that belongs there; null: the first that proves the key.</summary>
    public OsdpPin? Pin => _pin;

    /// <summary>Another device that has the key, while it stands there and nobody has accepted it.</summary>
    public OsdpPin? Found { get; private set; }

    public OsdpStatistics Statistics { get; private set; } = new();

    /// <summary>What it asked last.</summary>
    internal OsdpCommand Command => _command;

    /// <summary>An operator's window is open.</summary>
    public bool IsBeingInstalled => _installUntil is not null;

    /// <summary>When it wants the line next.</summary>
    internal TimeSpan Due => _stage == Stage.Ready && _sent is null && _orders.Count > 0 ? TimeSpan.Zero : _due;

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
            case OsdpLinkInput.Order order: Enqueue(order.What, now + (order.Life ?? _settings.OrderLife) - order.Waited, now); break;
            case OsdpLinkInput.OpenInstallation open: OpenInstallation(open, now); break;
            case OsdpLinkInput.CloseInstallation: CloseInstallation(now); break;
            case OsdpLinkInput.ChangeKey change: ChangeKey(change.Key); break;
            case OsdpLinkInput.KeysStored stored: Stored(stored.Keys, now); break;
            case OsdpLinkInput.KeysNotStored failed: NotStored(failed.Keys); break;
            case OsdpLinkInput.AcceptIdentity accept: Accept(accept.Pin, now); break;
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
        if (_waiting) return null;
        if (_forgotten || (_session is null && _stage >= Stage.KeySet)) Restart(now, planned: false); // No clear text, by whatever way one came here.
        if (_order is not null && now > _orderNotAfter) Restart(now, planned: false); // What was sent may have been heard; it is not said again, for it could be heard late.
        _forgotten = false;
        if (_stage == Stage.Ready && _sent is null) ChooseAtReady(now);
        if (_sent is null)
        {
            Compose();
            _begun = now;
        }

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
                    (_order, _orderNotAfter) = next;
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

    /// <summary>No reply, or none that counts: the same bytes again, once at once and then every second.</summary>
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
        else _due = _misses == 1 ? now : now + _retryPause;
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
        if (_order is { } order) _events.Add(new OsdpEvent.OrderFailed(Address, order, OsdpOrderFault.InDoubt));
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

    private void Enqueue(OsdpOrder order, TimeSpan notAfter, TimeSpan now)
    {
        if (State != OsdpLinkState.Online)
        {
            _events.Add(new OsdpEvent.OrderFailed(Address, order, OsdpOrderFault.Offline));
            return;
        }

        if (_orders.Count >= _settings.OrdersMax) _events.Add(new OsdpEvent.OrderFailed(Address, _orders.Dequeue().Order, OsdpOrderFault.Crowded));
        _orders.Enqueue((order, notAfter));
    }
}
