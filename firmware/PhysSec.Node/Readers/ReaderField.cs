using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Hardware;
using PhysSec.Node.Control;

namespace PhysSec.Node.Readers;

/// <summary>
/// The board's OSDP readers as the control loop sees them: what happens at one becomes an input, what is to be shown an order. Card numbers become tokens here, on the line's thread,
/// and go no further. What a reader shows ends by the reader's own clock, so that a node that dies leaves no green light behind.
/// </summary>
internal sealed class ReaderField
{
    /// <summary>Longer than any release; the end of one is shown at once.</summary>
    private const ushort ShownFor = 600;

    private readonly IReadOnlyList<OsdpReader> _readers;
    private readonly byte[] _siteKey;
    private readonly Action<Input> _post;
    private readonly Dictionary<string, (bool Case, bool Heads)> _tampered = new(StringComparer.Ordinal);

    /// <param name="readers">Not started yet.</param>
    /// <param name="siteKey">32 bytes.</param>
    /// <param name="post">Called on the lines' threads; never blocks.</param>
    public ReaderField(IReadOnlyList<OsdpReader> readers, byte[] siteKey, Action<Input> post)
    {
        (_readers, _siteKey, _post) = (readers, siteKey, post);
        foreach (var it in readers) it.Happened += OnEvent;
    }

    /// <summary>Ports that cannot be opened, in words.</summary>
    public IEnumerable<string> Faults => _readers.Select(it => it.PortFault).OfType<string>().Distinct().Select(it => $"readers: {it}");

    public void Show(ReaderSignal signal)
    {
        foreach (var it in _readers.Where(it => it.Entry.Door == signal.Door.Value && DirectionOf(it) == signal.Direction))
            foreach (var order in Orders(signal.Indication)) it.Order(order);
    }

    private static Direction DirectionOf(OsdpReader reader) => reader.Entry.Role == DeviceRole.ExitReader ? Direction.Out : Direction.In;

    private static OsdpOrder[] Orders(Indication indication) => indication switch
    {
        Indication.Idle => [Light(OsdpColour.Red, 0), new OsdpOrder.Buzzer(OsdpTone.Off, 0, 0, 0)],
        Indication.Granted => [Light(OsdpColour.Green, ShownFor), new OsdpOrder.Buzzer(OsdpTone.Default, 2, 1, 1)],
        Indication.Denied => [new OsdpOrder.Led(0, new(2, 2, OsdpColour.Red, OsdpColour.Off), 20, null), new OsdpOrder.Buzzer(OsdpTone.Default, 1, 1, 3)],
        Indication.PreAlarm => [new OsdpOrder.Led(0, new(2, 2, OsdpColour.Amber, OsdpColour.Off), ShownFor, null), new OsdpOrder.Buzzer(OsdpTone.Default, 2, 3, 120)],
        Indication.More => [Light(OsdpColour.Blue, ShownFor), new OsdpOrder.Buzzer(OsdpTone.Default, 1, 1, 1)],
        Indication.Fault => [Light(OsdpColour.Amber, ShownFor)],
    };

    /// <summary>For a time in units of 100 ms; 0: from now on, and whatever was shown for a time ends.</summary>
    private static OsdpOrder.Led Light(OsdpColour colour, ushort time) =>
        time > 0 ? new(0, OsdpBlink.Steady(colour), time, null) : new(0, null, 0, OsdpBlink.Steady(colour), CancelTemporary: true);

    private static string Said(OsdpReader reader, OsdpOffline why) => why switch
    {
        OsdpOffline.NoReply => reader.PortFault ?? "it does not answer",
        OsdpOffline.NoKey => "it has no key of ours: install it (physsec-node readers)",
        OsdpOffline.KeyRefused => "it does not have our key",
        OsdpOffline.IdentityChanged => "another device has taken its place",
        OsdpOffline.Unusable => "it answers outside the protocol",
    };

    private void OnEvent(OsdpReader reader, OsdpEvent what)
    {
        var (door, direction) = (new DoorId(reader.Entry.Door!), DirectionOf(reader));
        switch (what)
        {
            case OsdpEvent.Online:
                _post(new ReaderLinkChanged(door, direction, null));
                reader.Order(Light(OsdpColour.Red, 0)); // It may come from a power cut.
                break;
            case OsdpEvent.Offline it:
                _post(new ReaderLinkChanged(door, direction, Said(reader, it.Reason)));
                break;
            case OsdpEvent.CardRead { Card: { } card }:
                _post(new CardRead(door, direction, CredentialTokens.Of(_siteKey, card.Length, card.Value)));
                break;
            case OsdpEvent.CardRead it:
                _post(new ReaderFaultSeen(door, direction, it.Fault.ToString(), 0));
                break;
            case OsdpEvent.KeysPressed it when reader.Entry.Keypad:
                foreach (var key in it.Keys.Keys) _post(new KeyPressed(door, direction, key));
                break;
            case OsdpEvent.LocalStatus it:
                Case(reader, before => before with { Case = it.Status.Tamper }, it.Status.PowerFault);
                break;
            case OsdpEvent.Heads it:
                Case(reader, before => before with { Heads = it.States.Contains(OsdpReaderHead.Tamper) }, powerFault: false);
                break;
            case OsdpEvent.Security { Kind: not OsdpSecurity.UnsecuredNak } it: // A reader that lost its power refuses in clear, too.
                _post(new ReaderAttackSeen(door, direction, it.Kind.ToString()));
                break;
            default:
                break; // What only an installer asks for.
        }
    }

    private void Case(OsdpReader reader, Func<(bool Case, bool Heads), (bool Case, bool Heads)> change, bool powerFault)
    {
        (bool Case, bool Heads) now;
        lock (_tampered) now = _tampered[reader.Entry.Id] = change(_tampered.GetValueOrDefault(reader.Entry.Id));
        _post(new ReaderCaseChanged(new(reader.Entry.Door!), DirectionOf(reader), now.Case || now.Heads, powerFault));
    }
}
