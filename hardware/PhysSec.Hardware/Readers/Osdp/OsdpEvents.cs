namespace PhysSec.Hardware;

/// <summary>What a reader, or someone on its line, did that a sound installation does not do. The numbers never change.</summary>
public enum OsdpSecurity
{
    /// <summary>A refusal in clear text inside a session. It ends the session only when nothing better comes twice.</summary>
    UnsecuredNak = 1,

    /// <summary>A reply in clear text inside a session.</summary>
    ClearTextInSession = 2,

    /// <summary>A reply framed as part of the handshake where no handshake was.</summary>
    HandshakeBlockInSession = 3,

    /// <summary>A reply whose authentication code is not the session's next.</summary>
    WrongMac = 4,

    /// <summary>A reply that carries data in clear, or wrongly padded, under a valid code.</summary>
    UnencryptedData = 5,

    /// <summary>The reader does not have this controller's key.</summary>
    KeyMismatch = 6,

    /// <summary>The reader answered with another key than it was asked for.</summary>
    OtherKeyOffered = 7,

    /// <summary>The handshake's last value, or its verdict, is not the right one.</summary>
    HandshakeRefused = 8,

    /// <summary>The reader proved its key and is another device.</summary>
    IdentityChanged = 9,

    /// <summary>The reader proved its key and its identity, and names another unique id in the handshake.</summary>
    ClientIdChanged = 10,

    /// <summary>A command on the line that this controller did not send.</summary>
    ForeignController = 11,

    /// <summary>A reply of an address that this line does not have.</summary>
    ForeignReply = 12,
}

/// <summary>Why a reader is of no use now. The numbers never change.</summary>
public enum OsdpOffline
{
    NoReply = 1,

    /// <summary>It answers, and there is no key for it: it waits to be installed.</summary>
    NoKey = 2,

    /// <summary>It answers, and does not have this controller's key.</summary>
    KeyRefused = 3,

    /// <summary>It has the key and is another device than the one that was pinned; a person must accept it.</summary>
    IdentityChanged = 4,

    /// <summary>It answers, and not with what a session allows.</summary>
    Unusable = 5,
}

/// <summary>Why an order was not carried out. The numbers never change.</summary>
public enum OsdpOrderFault
{
    /// <summary>The reader was not online when it was given.</summary>
    Offline = 1,

    /// <summary>It waited longer than orders live: an old order is never carried out.</summary>
    Expired = 2,

    /// <summary>There were too many; the oldest goes.</summary>
    Crowded = 3,

    /// <summary>The reader refused it.</summary>
    Refused = 4,

    /// <summary>The link was lost before the answer: it may have been carried out.</summary>
    InDoubt = 5,
}

/// <summary>Why a key was not changed. The numbers never change.</summary>
public enum OsdpKeyChangeFault
{
    NotOnline = 1,

    /// <summary>It has this key already.</summary>
    SameKey = 2,

    /// <summary>Another change is on its way.</summary>
    Busy = 3,

    /// <summary>The reader does not take it.</summary>
    Refused = 4,

    /// <summary>The operator's time ran out.</summary>
    WindowClosed = 5,

    /// <summary>Another reader of this line has it.</summary>
    OtherReadersKey = 6,

    /// <summary>It could not be kept, so it was not sent.</summary>
    NotKept = 7,
}

/// <summary>How far a key has come. The numbers never change.</summary>
public enum OsdpKeyStep
{
    /// <summary>A reader on the default key is there.</summary>
    DefaultKeyFound = 1,

    /// <summary>The reader says that it has taken the key; that it has it is proved by the next session.</summary>
    KeyTaken = 2,
}

/// <summary>The device that a reader was when it was commissioned.</summary>
/// <param name="Identity">Vendor, model and serial number count.</param>
/// <param name="ClientId">What it calls itself in the handshake; null for a reader in clear text.</param>
public sealed record OsdpPin(OsdpIdentity Identity, ulong? ClientId);

/// <summary>What happened at a reader. Cards and keys are secrets, and print masked.</summary>
/// <param name="Address">Of the reader; 0xFF for the line itself.</param>
public abstract record OsdpEvent(byte Address)
{
    public const byte Line = 0xFF;

    /// <param name="Address">Of the reader.</param>
    /// <param name="Secure">In a session; a link that is right is never online without one.</param>
    public sealed record Online(byte Address, bool Secure) : OsdpEvent(Address);

    public sealed record Offline(byte Address, OsdpOffline Reason) : OsdpEvent(Address);

    /// <param name="Address">Of the reader.</param>
    /// <param name="Card">Null when there is a fault.</param>
    /// <param name="Fault">More bits than a card may have.</param>
    public sealed record CardRead(byte Address, CardBits? Card, ReaderFault Fault) : OsdpEvent(Address);

    public sealed record KeysPressed(byte Address, OsdpKeys Keys) : OsdpEvent(Address);

    /// <summary>Cards and keys from before the link was there, which count for nothing.</summary>
    public sealed record OldReadsDiscarded(byte Address, int Count) : OsdpEvent(Address);

    public sealed record LocalStatus(byte Address, OsdpLocalStatus Status) : OsdpEvent(Address);

    public sealed record Inputs(byte Address, IReadOnlyList<OsdpInput> States) : OsdpEvent(Address);

    public sealed record Outputs(byte Address, IReadOnlyList<bool> States) : OsdpEvent(Address);

    public sealed record Heads(byte Address, IReadOnlyList<OsdpReaderHead> States) : OsdpEvent(Address);

    /// <summary>Keep it: it is the pin from now on.</summary>
    public sealed record Pinned(byte Address, OsdpPin Pin) : OsdpEvent(Address);

    public sealed record Capabilities(byte Address, IReadOnlyList<OsdpCapability> All) : OsdpEvent(Address);

    /// <summary>The reader proved its key and is another device than the one that was pinned: a person must accept it.</summary>
    public sealed record OtherDevice(byte Address, OsdpPin Pin) : OsdpEvent(Address);

    /// <summary>Write it to disk, then answer with <see cref="OsdpLinkInput.KeysStored"/>: before that, no key is sent.</summary>
    /// <param name="Address">Of the reader.</param>
    /// <param name="Keys">All of them.</param>
    /// <param name="ForgetsDevice">Which device it was is to be forgotten in the same write.</param>
    public sealed record KeysChanged(byte Address, OsdpKeyState Keys, bool ForgetsDevice = false) : OsdpEvent(Address);

    public sealed record KeyProgress(byte Address, OsdpKeyStep Step) : OsdpEvent(Address);

    /// <summary>The reader has proved its new key.</summary>
    /// <param name="Address">Of the reader.</param>
    /// <param name="Fingerprint">Of the key.</param>
    /// <param name="OverDefaultKey">It travelled under the key that everyone knows: who listened then has it. Change it once the line is closed.</param>
    public sealed record KeyInstalled(byte Address, string Fingerprint, bool OverDefaultKey) : OsdpEvent(Address);

    public sealed record KeyChangeFailed(byte Address, OsdpKeyChangeFault Fault) : OsdpEvent(Address);

    public sealed record OrderDone(byte Address, OsdpOrder Order) : OsdpEvent(Address);

    public sealed record OrderFailed(byte Address, OsdpOrder Order, OsdpOrderFault Fault) : OsdpEvent(Address);

    /// <summary>The reader has gone to another address or speed, by order.</summary>
    public sealed record Moved(byte Address, OsdpCommunication To) : OsdpEvent(Address);

    /// <param name="Address">Of the reader.</param>
    /// <param name="Kind">What it was.</param>
    /// <param name="Count">How often since the last report of this kind; one a minute at most is reported.</param>
    public sealed record Security(byte Address, OsdpSecurity Kind, int Count) : OsdpEvent(Address);
}

/// <summary>Reports what repeats at most once a minute, and how often it was.</summary>
internal sealed class OsdpSecurityReports(byte address)
{
    private static readonly TimeSpan _every = TimeSpan.FromMinutes(1);

    private readonly Dictionary<OsdpSecurity, (TimeSpan NotBefore, int Count)> _kinds = [];

    public void Add(OsdpSecurity kind, TimeSpan now, List<OsdpEvent> events)
    {
        var (notBefore, count) = _kinds.GetValueOrDefault(kind, (TimeSpan.MinValue, 0));
        if (now >= notBefore) events.Add(new OsdpEvent.Security(address, kind, count + 1));
        _kinds[kind] = now >= notBefore ? (now + _every, 0) : (notBefore, count + 1);
    }
}
