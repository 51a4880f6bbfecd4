using PhysSec.Core.Access;

namespace PhysSec.Core.Wire;

/// <summary>What is done to an OSDP reader, as commands and records call it.</summary>
public static class ReaderActs
{
    /// <summary>Opens a window in which a reader on the default key that answers there gets a key of its own. For a reader that has none of this node's yet.</summary>
    public const string Install = "install";

    /// <summary>Another key in the place of the one that the reader has.</summary>
    public const string Rotate = "rotate";

    /// <summary>Another device is to stand there: key and identity of the one before are forgotten at once, and a window is opened.</summary>
    public const string Replace = "replace";

    /// <summary>Another device than the one that was noted has the key; it is the right one from now on.</summary>
    public const string Accept = "accept";

    /// <summary>Closes a window before its time.</summary>
    public const string End = "end";

    /// <summary>Only in records: key or device changed without an order to the running node. It was done at the board, or a restart had broken it off.</summary>
    public const string Unordered = "unordered";

    /// <summary>Only in records: another device than the one that was noted has the key, and is refused.</summary>
    public const string OtherDevice = "other-device";

    /// <summary>Longest window, in minutes; the shortest is 1.</summary>
    public const int MinutesMax = 15;
}

/// <summary>How a node stands to a reader that it speaks with. The numbers never change.</summary>
public enum ReaderLink
{
    /// <summary>Nothing is known since the node's start.</summary>
    Connecting = 0,

    /// <summary>In a session under the reader's own key.</summary>
    Online = 1,
    Offline = 2,
}

/// <summary>Why a reader is of no use now. The numbers never change.</summary>
public enum ReaderOffline
{
    NoReply = 1,

    /// <summary>There is no key for it: it waits to be installed.</summary>
    NoKey = 2,

    /// <summary>It does not have this node's key.</summary>
    KeyRefused = 3,

    /// <summary>It has the key and is another device than the one that was noted.</summary>
    OtherDevice = 4,

    /// <summary>It answers outside the protocol.</summary>
    Unusable = 5,

    /// <summary>The port that it hangs on is not open.</summary>
    PortClosed = 6,
}

/// <summary>How far an act at a reader has come. The numbers never change.</summary>
public enum ReaderStep
{
    Waiting = 0,

    /// <summary>A reader on the default key is there.</summary>
    DefaultKeyFound = 1,

    /// <summary>It says that it has taken the new key.</summary>
    KeyTaken = 2,

    /// <summary>A session under the new key proves it.</summary>
    KeyProved = 3,
    Done = 4,
    Failed = 5,
}

/// <summary>Why an act at a reader came to nothing. The numbers never change; 1 to 7 are those of the reader's link.</summary>
public enum ReaderActFault
{
    NotOnline = 1,
    SameKey = 2,
    Busy = 3,

    /// <summary>The reader does not take the key.</summary>
    Refused = 4,

    /// <summary>The window closed: its time was over, or somebody ended it.</summary>
    WindowClosed = 5,
    OtherReadersKey = 6,

    /// <summary>The key could not be kept on the disk, so it was not sent.</summary>
    NotKept = 7,

    /// <summary>Yet another device stands there now.</summary>
    OtherDevice = 8,

    /// <summary>Nothing came of it in time.</summary>
    TimeOver = 9,

    /// <summary>The node was started anew, which closes a window.</summary>
    Restarted = 10,

    /// <summary>What cannot be recorded is not done.</summary>
    JournalFault = 11,

    /// <summary>The change was broken off before the key was sent.</summary>
    BrokenOff = 12,

    /// <summary>A replacement of the reader was ordered meanwhile.</summary>
    Overtaken = 13,
}

/// <summary>What a reader says it is: its maker (OUI), model, version, serial number (both in hex) and firmware.</summary>
public sealed record ReaderDevice(string Vendor, int Model, int Version, string Serial, string Firmware)
{
    /// <summary>What names this device among all, for <see cref="ReaderActs.Accept"/>; a version and a firmware may change.</summary>
    public string Mark() => $"{Vendor}-{Model}-{Serial}";
}

/// <summary>
/// An act at a reader, from its order until the next one. Until is null while the clock is unset, and where the act has no end of its own. Keys are fingerprints. Before and After: device and key
/// as they were at the order, and as they are since.
/// </summary>
public sealed record ReaderActLive(
    string Act, ReaderStep Step, ReaderActFault? Fault, string Owner, string Reason, DateTimeOffset? Until, string? KeyBefore, string? KeyAfter, ReaderDevice? DeviceBefore, ReaderDevice? DeviceAfter);

/// <summary>
/// A reader that its node speaks with. Key is the fingerprint of the key that it proved; ChangePending: it may have taken another one already. Device is the one that was noted, Other another one that stands
/// there instead and is refused. StoreFault: why its key cannot be kept.
/// </summary>
public sealed record ReaderLive(
    Direction Side, ReaderLink Link, ReaderOffline? Why, DateTimeOffset? Since, string? Key, bool ChangePending, ReaderDevice? Device, ReaderDevice? Other, string? StoreFault = null,
    ReaderActLive? Act = null);
