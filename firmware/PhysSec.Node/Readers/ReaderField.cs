using System.Globalization;
using System.Security.Cryptography;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
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
    private readonly Lock _gate = new();
    private readonly Dictionary<string, CaseSeen> _cases = new(StringComparer.Ordinal);

    /// <summary>Readers that say that they have one.</summary>
    private readonly HashSet<string> _displays = new(StringComparer.Ordinal);

    /// <summary>What was last said of each reader, by its id and what it is about.</summary>
    private readonly SortedDictionary<(string Reader, string About), Input> _said = [];

    /// <param name="readers">Not started yet.</param>
    /// <param name="siteKey">32 bytes.</param>
    /// <param name="post">Called on the lines' threads; never blocks.</param>
    public ReaderField(IReadOnlyList<OsdpReader> readers, byte[] siteKey, Action<Input> post)
    {
        (_readers, _siteKey, _post) = (readers, siteKey, post);
        foreach (var it in readers)
        {
            it.Happened += OnEvent;
            _said[(it.Entry.Id, nameof(ReaderKeptSeen))] = Kept(it);
        }
    }

    /// <summary>Ports that cannot be opened, in words.</summary>
    public IEnumerable<string> Faults => _readers.Select(it => it.PortFault).OfType<string>().Distinct().Select(it => $"readers: {it}");

    public void Show(ReaderSignal signal)
    {
        foreach (var it in _readers.Where(it => it.Entry.Door == signal.Door.Value && DirectionOf(it) == signal.Direction))
        {
            foreach (var order in Orders(signal.Indication)) it.Order(order);
            if (HasDisplay(it)) it.Order(Words(signal.Indication));
        }
    }

    /// <summary>Says again how every reader stands.</summary>
    public void PostAll()
    {
        lock (_gate)
            foreach (var it in _said.Values) _post(it);
    }

    /// <summary>Keys are made here, of the system's own randomness, and go no further than the reader's link and its store.</summary>
    public void Carry(ReaderTask task)
    {
        if (_readers.FirstOrDefault(it => it.Entry.Door == task.Door.Value && DirectionOf(it) == task.Direction) is not { } reader) return;
        switch (task.Act)
        {
            case ReaderActs.Install or ReaderActs.Replace:
                reader.Install(task.Until, task.Act == ReaderActs.Replace, RandomNumberGenerator.Fill);
                break;
            case ReaderActs.Rotate:
                reader.ChangeKey(RandomNumberGenerator.Fill);
                break;
            case ReaderActs.Accept when reader.Link.Found is { } found && DeviceOf(found).Mark() == task.Device:
                reader.Accept(found);
                break;
            case ReaderActs.End:
                reader.EndInstallation();
                break;
            default:
                break; // Another device stands there now: it is told of.
        }
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

    /// <summary>What a display says, in the ASCII that OSDP knows: what to do, never the rule. It ends by the reader's own clock, too.</summary>
    private static OsdpOrder.Text Words(Indication indication)
    {
        var (text, seconds) = indication switch
        {
            Indication.Idle => (" ", 0),
            Indication.Granted => ("OK", ShownFor / 10),
            Indication.Denied => ("NO ENTRY", 3),
            Indication.PreAlarm => ("CLOSE THE DOOR", ShownFor / 10),
            Indication.More => ("PIN OR CARD", ShownFor / 10),
            Indication.Fault => ("OUT OF ORDER", ShownFor / 10),
        };
        return new(seconds == 0 ? OsdpTextAction.Permanent : OsdpTextAction.Temporary, (byte)seconds, 1, 1, text);
    }

    private bool HasDisplay(OsdpReader reader)
    {
        lock (_gate) return _displays.Contains(reader.Entry.Id);
    }

    /// <summary>For a time in units of 100 ms; 0: from now on, and whatever was shown for a time ends.</summary>
    private static OsdpOrder.Led Light(OsdpColour colour, ushort time) =>
        time > 0 ? new(0, OsdpBlink.Steady(colour), time, null) : new(0, null, 0, OsdpBlink.Steady(colour), CancelTemporary: true);

    private static string Said(OsdpReader reader, OsdpOffline why) => why switch
    {
        OsdpOffline.NoReply => reader.PortFault ?? "it does not answer",
        OsdpOffline.NoKey => "it has no key of ours: install it",
        OsdpOffline.KeyRefused => "it does not have our key",
        OsdpOffline.IdentityChanged => "another device has taken its place",
        OsdpOffline.Unusable => "it answers outside the protocol",
    };

    private static ReaderOffline Why(OsdpReader reader, OsdpOffline why) => why switch
    {
        OsdpOffline.NoReply => reader.PortFault is null ? ReaderOffline.NoReply : ReaderOffline.PortClosed,
        OsdpOffline.NoKey => ReaderOffline.NoKey,
        OsdpOffline.KeyRefused => ReaderOffline.KeyRefused,
        OsdpOffline.IdentityChanged => ReaderOffline.OtherDevice,
        OsdpOffline.Unusable => ReaderOffline.Unusable,
    };

    /// <summary>On the line's thread, or before it runs.</summary>
    private static ReaderKeptSeen Kept(OsdpReader reader) => new(
        new(reader.Entry.Door!), DirectionOf(reader), reader.Link.Keys.Current?.Fingerprint, reader.Link.Keys.Pending is not null,
        reader.Link.Pin is { } pin ? DeviceOf(pin) : null, reader.Link.Found is { } found ? DeviceOf(found) : null, reader.StoreFault);

    private static ReaderDevice DeviceOf(OsdpPin pin) => new(
        pin.Identity.Vendor.ToString("X6", CultureInfo.InvariantCulture), pin.Identity.Model, pin.Identity.Version, pin.Identity.Serial.ToString("X8", CultureInfo.InvariantCulture),
        pin.Identity.FirmwareText);

    private void OnEvent(OsdpReader reader, OsdpEvent what)
    {
        var (door, direction) = (new DoorId(reader.Entry.Door!), DirectionOf(reader));
        switch (what)
        {
            case OsdpEvent.Online:
                Say(reader, new ReaderLinkChanged(door, direction, null));
                Say(reader, Kept(reader));
                reader.Order(Light(OsdpColour.Red, 0)); // It may come from a power cut.
                break;
            case OsdpEvent.Offline it:
                Say(reader, new ReaderLinkChanged(door, direction, Said(reader, it.Reason), Why(reader, it.Reason)));
                Say(reader, Kept(reader));
                break;
            case OsdpEvent.Capabilities it:
                lock (_gate)
                {
                    if (it.All.Any(can => can is { Function: OsdpFunction.Text, Level: > 0 })) _displays.Add(reader.Entry.Id);
                    else _displays.Remove(reader.Entry.Id);
                }

                break;
            case OsdpEvent.KeysChanged or OsdpEvent.Pinned or OsdpEvent.OtherDevice:
                Say(reader, Kept(reader));
                break;
            case OsdpEvent.KeyProgress it:
                _post(new ReaderKeyMoved(door, direction, it.Step == OsdpKeyStep.DefaultKeyFound ? ReaderStep.DefaultKeyFound : ReaderStep.KeyTaken));
                break;
            case OsdpEvent.KeyChangeFailed it:
                Say(reader, Kept(reader));
                _post(new ReaderKeyFailed(door, direction, (ReaderActFault)it.Fault)); // The numbers are the same ones.
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
                Case(reader, before => before with { Case = it.Status.Tamper, PowerFault = it.Status.PowerFault });
                break;
            case OsdpEvent.Heads it:
                Case(reader, before => before with { Heads = it.States.Contains(OsdpReaderHead.Tamper) });
                break;
            case OsdpEvent.Security { Kind: not OsdpSecurity.UnsecuredNak } it: // A reader that lost its power refuses in clear, too.
                _post(new ReaderAttackSeen(door, direction, it.Kind.ToString()));
                break;
            default:
                break; // What only an installer asks for.
        }
    }

    private void Case(OsdpReader reader, Func<CaseSeen, CaseSeen> change)
    {
        CaseSeen now;
        lock (_gate) now = _cases[reader.Entry.Id] = change(_cases.GetValueOrDefault(reader.Entry.Id));
        Say(reader, new ReaderCaseChanged(new(reader.Entry.Door!), DirectionOf(reader), now.Case || now.Heads, now.PowerFault));
    }

    /// <summary>What stands until it changes.</summary>
    private void Say(OsdpReader reader, Input input)
    {
        lock (_gate)
        {
            _said[(reader.Entry.Id, input.GetType().Name)] = input;
            _post(input);
        }
    }

    private readonly record struct CaseSeen(bool Case, bool Heads, bool PowerFault);
}
