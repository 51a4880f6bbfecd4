namespace PhysSec.Hardware;

/// <summary>
/// One output of an OSDP reader, without the reader and without a clock: what happens becomes orders. It is on for a few seconds at a time by the reader's own timer, and renewed while it is to
/// be on; off is ordered at once, and again until the reader says that it is off. A release that the reader has not taken in time is dropped and never given later.
/// Not for two threads.
/// </summary>
/// <param name="number">Of the output, from 0.</param>
/// <param name="start">Uptime.</param>
internal sealed class TimedOutput(byte number, TimeSpan start)
{
    /// <summary>So long after the last word of this program the reader switches off by itself.</summary>
    public static readonly TimeSpan HeldFor = TimeSpan.FromSeconds(6);

    /// <summary>While it is on.</summary>
    public static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(2);

    /// <summary>A release that the line cannot carry within this time is not given.</summary>
    public static readonly TimeSpan GivenWithin = TimeSpan.FromSeconds(1);

    /// <summary>How long the reader's own word may differ from what it was told.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>A reader that has not answered so long after the start is offline.</summary>
    public static readonly TimeSpan FirstWordWithin = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan _again = TimeSpan.FromSeconds(1), _lookEvery = TimeSpan.FromSeconds(5), _unit = TimeSpan.FromMilliseconds(100);

    private bool _online, _given;
    private int _underWay;
    private bool? _reported;
    private TimeSpan _orderedAt, _givenAt, _nextAt;
    private TimeSpan? _differsSince, _droppedAt;

    /// <summary>What is wanted of it now; a release that was dropped is no longer wanted.</summary>
    public bool On { get; private set; }

    /// <summary>The reader has been heard, or should have been.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>It is off as far as orders go: nothing is under way, and nothing more is to be said.</summary>
    public bool IsAtRest => !On && _underWay == 0;

    /// <summary>Why it is not, or may not be, as it was told; null: the reader says that it is.</summary>
    public string? Fault { get; private set; }

    /// <summary>Releases that were dropped or did not last.</summary>
    public long Failures { get; private set; }

    /// <summary>What the last of them was.</summary>
    public string? LastFailure { get; private set; }

    /// <summary>Switches. On of one that is on changes nothing: it is renewed anyway.</summary>
    public IReadOnlyList<OsdpLinkInput.Order> Set(bool on, TimeSpan now)
    {
        if (on && On) return [];
        (On, _orderedAt, _given, _droppedAt) = (on, now, false, null);
        var orders = _online ? Command(now) : on ? Drop("the reader is offline", now) : [];
        Judge(now);
        return orders;
    }

    /// <summary>What happened at the reader.</summary>
    public IReadOnlyList<OsdpLinkInput.Order> Take(OsdpEvent what, TimeSpan now)
    {
        var orders = React(what, now);
        Judge(now);
        return orders;
    }

    /// <summary>Time passes; a few times a second.</summary>
    public IReadOnlyList<OsdpLinkInput.Order> Tick(TimeSpan now)
    {
        if (now - start >= FirstWordWithin) IsKnown = true;
        var orders = Due(now);
        Judge(now);
        return orders;
    }

    private IReadOnlyList<OsdpLinkInput.Order> Due(TimeSpan now)
    {
        if (!_online) return [];
        if (On && !_given && now - _orderedAt >= Patience) return Drop("the reader did not answer in time", now);
        if (On && _given && now - _givenAt >= HeldFor) return Drop("the reader was not reached any more, and its own timer has locked", now);
        if (now < _nextAt || _underWay > 0) return [];
        if (On || _reported is not false) return Command(now);
        _nextAt = now + _lookEvery;
        return [new(OsdpOrder.Status.Outputs)];
    }

    private IReadOnlyList<OsdpLinkInput.Order> React(OsdpEvent what, TimeSpan now)
    {
        switch (what)
        {
            case OsdpEvent.Online:
                (_online, IsKnown) = (true, true);
                return Command(now); // Off, before anything else: a release did not outlive the link.
            case OsdpEvent.Offline:
                (_online, IsKnown, _reported) = (false, true, null);
                return On ? Drop("the reader went offline", now) : [];
            case OsdpEvent.Outputs it:
                _reported = number < it.States.Count ? it.States[number] : null;
                return _reported is { } seen && seen != On && _underWay == 0 ? Command(now) : []; // It comes from a power cut, or somebody else has switched it.
            case OsdpEvent.OrderDone { Order: OsdpOrder.Output done } when done.Number == number:
                _underWay--;
                if (done.Action == OsdpOutputAction.TemporaryOn && On) (_given, _givenAt) = (true, now);
                return [];
            case OsdpEvent.OrderFailed { Order: OsdpOrder.Output lost } failed when lost.Number == number:
                _underWay--;
                _nextAt = now + _again;
                if (On && lost.Action == OsdpOutputAction.TemporaryOn && (!_given || failed.Fault == OsdpOrderFault.Refused)) return Drop(Said(failed.Fault), now);
                return failed.Fault is OsdpOrderFault.Expired or OsdpOrderFault.InDoubt && _underWay == 0 ? Command(now) : []; // The line is back, or about to be.
            default:
                return [];
        }
    }

    private IReadOnlyList<OsdpLinkInput.Order> Command(TimeSpan now)
    {
        _underWay++;
        _nextAt = now + (On ? RenewEvery : _again);
        return
        [
            On ? new(new OsdpOrder.Output(number, OsdpOutputAction.TemporaryOn, (ushort)(HeldFor / _unit)), GivenWithin) : new(new OsdpOrder.Output(number, OsdpOutputAction.PermanentOff, 0)),
            new(OsdpOrder.Status.Outputs), // Some readers answer an order with no word of how it stands.
        ];
    }

    /// <summary>It may have been carried out all the same, so the locking is ordered.</summary>
    private IReadOnlyList<OsdpLinkInput.Order> Drop(string why, TimeSpan now)
    {
        (On, _orderedAt, _droppedAt, Failures, LastFailure) = (false, now, now, Failures + 1, $"it was not released: {why}");
        return _online ? Command(now) : [];
    }

    private void Judge(TimeSpan now)
    {
        _differsSince = _reported == On ? null : _differsSince ?? now;
        Fault = !_online ? IsKnown ? "the reader is offline: nobody can say how it stands" : null
            : _differsSince is { } since && now - since >= Patience ? _reported is { } seen ? $"the reader says that it is {(seen ? "on" : "off")}" : "the reader does not say how it stands"
            : _droppedAt is { } dropped && now - dropped < HeldFor ? LastFailure // Whoever stands there must not see green for as long as they would have been let in.
            : null;
    }

    private static string Said(OsdpOrderFault fault) => fault switch
    {
        OsdpOrderFault.Offline => "the reader is offline",
        OsdpOrderFault.Expired or OsdpOrderFault.InDoubt => "the reader did not answer in time",
        OsdpOrderFault.Crowded => "too much was ordered of the reader",
        OsdpOrderFault.Refused => "the reader refuses",
    };
}
