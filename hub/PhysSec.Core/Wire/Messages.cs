using System.Text.Json;
using PhysSec.Core.Doors;

namespace PhysSec.Core.Wire;

/// <summary>How far the node's wall clock can be trusted.</summary>
public enum ClockQuality
{
    /// <summary>No usable time: schedules cannot be decided.</summary>
    Unset = 0,

    /// <summary>Plausible (not before the newest record or the firmware's build) but not confirmed by the hub since the node started.</summary>
    Holdover = 1,

    /// <summary>Within 1 s of the hub's time when last compared.</summary>
    Synced = 2,
}

public enum LinkState { Down = 0, Up = 1 }

/// <summary>
/// Retained: what this node is. Certificate is the SHA-256 of the one that it connected with. Number counts the births of this journal, and each is counted on its disk before it is
/// said: an older copy of the card gives itself away by a number that the hub has heard. Journal is the journal's own mark, made with it: an empty card gives itself away by another. Both are
/// null when the journal could not count. HighestEpoch is the highest that this journal has had, also while it is in none: a hub from a backup may have forgotten that it was issued.
/// </summary>
public sealed record Birth(
    int Schema, string Node, string Firmware, string Board, bool Simulated, long Epoch, string Boot,
    long LastSeqAccess, string HeadAccess, long PolicyVersion, IReadOnlyList<PointDescription> Points,
    IReadOnlyList<DoorDescription> Doors, DateTimeOffset? At, string? Certificate = null, long? Number = null, string? Journal = null, long? HighestEpoch = null);

/// <summary>Hub → node: a certificate with a later end for the key that the node has, in PEM. Its issuer's signature is what makes it good.</summary>
public sealed record NodeCertificate(string Certificate);

public sealed record PointDescription(PointId Point, string Unit, double Min, double Max, string Quantity, double PeriodSeconds);

/// <summary>What hangs on a door. Lock is null where there is none, or an older node did not say; Feedback: a contact of the bolt or the bond; Guarded: the guard service tells when it is armed. Wiring is null where an older node did not say.</summary>
public sealed record DoorDescription(
    DoorId Door, bool EntryReader, bool ExitReader, bool Contact, bool ExitButton,
    LockType? Lock = null, bool Feedback = false, bool FireRelease = false, bool BreakGlass = false, bool SeismicRelease = false, bool Guarded = false,
    DoorWiring? Wiring = null);

/// <summary>Retained. State is <c>online</c>, <c>degraded</c>, <c>updating</c> or <c>offline</c>; the will says <c>lost</c>.</summary>
public sealed record NodeState(string State, string Boot, long Epoch, DateTimeOffset? At, IReadOnlyList<string>? Faults = null, NodeHealth? Health = null);

/// <summary>What the node page shows. Disk in bytes, free and in all; Backlog counts records that the hub has not acknowledged; Damage: how the program was found changed at a start.</summary>
public sealed record NodeHealth(
    double UptimeSeconds, long Backlog, long DiskFreeBytes, double MemoryMegabytes, ClockQuality Clock, long PolicyVersion,
    double? PolicyAgeSeconds, long FramesDiscarded, StorageHealth? Storage = null, string? Damage = null, long? DiskTotalBytes = null);

/// <summary>The memory that the node's state lies on. WrittenBytes since the machine's start; LifeUsedPercent at most, null where it does not tell; NearEnd: replace it.</summary>
public sealed record StorageHealth(string Device, long WrittenBytes, int? LifeUsedPercent, bool NearEnd);

/// <summary>A live value, QoS 0. Quality is <c>good</c>, <c>stale</c>, <c>fault</c> or <c>unknown</c>.</summary>
public sealed record LiveValue(JsonElement V, string Quality, DateTimeOffset? At, string Unit);

/// <summary>
/// The live state of a door, published as the value of point <c>{door}.door</c>. Mode is one of <see cref="DoorModes"/>; Override is there while a timed one is in force; Emergency lists the signals
/// that are active, and AwaitsConfirmation says that all have reset and a person must confirm before the door locks. Unbadged counts openings without a badge since the door is free.
/// Secured: what bolt or bond say (null: no such contact, or it cannot be read). GuardArmed is null where the guard service tells nothing.
/// Readers: those that the node speaks with (OSDP); null where it has none, or an older node did not say.
/// </summary>
public sealed record DoorLive(
    string State, bool LockReleased, bool? LeafOpen, bool Tampered, string Mode, int Inside, int LeftUnidentified,
    LastDecision? Last, IReadOnlyList<PersonId> Persons,
    LiveOverride? Override = null, IReadOnlyList<EmergencySignal>? Emergency = null, bool AwaitsConfirmation = false, int Unbadged = 0, bool? Secured = null, bool? GuardArmed = null,
    IReadOnlyList<ReaderLive>? Readers = null);

/// <summary>
/// A timed override: its mode (one of <see cref="DoorModes"/>), who ordered it, why, and when it ends by itself (null while the clock is unset). Waits: a restart has interrupted it, and it is not in force
/// until the guard service is seen disarmed and the other doors of an interlock shut.
/// </summary>
public sealed record LiveOverride(string Mode, string Owner, string Reason, DateTimeOffset? Until, bool Waits = false);

public sealed record LastDecision(string Outcome, string? Reason, PersonId? Person, string Direction, DateTimeOffset? At);

/// <summary>
/// Records <see cref="First"/>…<see cref="Last"/> of one stream. <see cref="Prev"/> is the chain value before the first record, <see cref="Head"/> the one after the last; the chain is
/// h = SHA-256(previous ‖ the record's exact bytes). The signature is the device key's over <see cref="Signing.BatchText"/>.
/// </summary>
public sealed record JournalBatch(
    long Epoch, string Stream, long First, long Last, string Prev, string Head, IReadOnlyList<JsonElement> Records, string Signature);

/// <summary>One alarm record ahead of the backlog. It has the same key as in the journal, so it is stored once.</summary>
public sealed record HotRecord(string Prev, JsonElement Record, string Signature);

/// <summary>Hub → node, after the commit: everything of the stream up to Through is stored. Resend names holes as [first, last].</summary>
public sealed record Ack(long HubEpoch, long Epoch, string Stream, long Through, IReadOnlyList<SeqRange> Resend, DateTimeOffset HubTime, string Signature);

public sealed record SeqRange(long First, long Last);

/// <summary>Hub → node. Works once, before NotAfter, when signed by the hub. Arguments depend on the verb (see <see cref="Verbs"/>).</summary>
public sealed record Command(
    string Verb, string Nonce, DateTimeOffset NotAfter, string Actor, string Reason, IReadOnlyDictionary<string, string> Arguments, string Signature);

/// <summary>Node → hub. Outcome is <c>done</c> or <c>refused</c>; Fault is a plain English sentence for the record.</summary>
public sealed record CommandReply(string Nonce, string Outcome, string? Fault);

public static class Verbs
{
    /// <summary>Release a door once for its release time. Arguments: door.</summary>
    public const string Release = "release";

    /// <summary>Entry refused to everybody, exit free. Arguments: door, on = true|false.</summary>
    public const string Lockdown = "lockdown";

    /// <summary>Stop the siren of this alarm until it is raised anew; the lamp shows the alarm as long as it lasts. Arguments: alarm (its key).</summary>
    public const string Silence = "silence";

    /// <summary>
    /// Begin a new epoch and issue again what the hub has not. Arguments: epoch; and of, the epoch of which the hub holds stream s through.s, a record whose chain value is head.s.
    /// </summary>
    public const string Epoch = "epoch";

    /// <summary>Correct presence. Arguments: door.</summary>
    public const string ResetPresence = "reset-presence";

    /// <summary>
    /// A timed override, or its end before its time. Arguments: door, mode = unlocked|blocked|normal; and, but for normal, seconds = 10 to 86400. Actor and reason of the command are its owner and reason.
    /// </summary>
    public const string Mode = "mode";

    /// <summary>A person has looked: a door that a fire, break-glass or seismic contact freed may lock again. Refused while any such contact is still active. Arguments: door.</summary>
    public const string ConfirmRelease = "confirm-release";

    /// <summary>
    /// Something is done to an OSDP reader. Arguments: door, side = entry|exit, act (one of <see cref="ReaderActs"/>); minutes = 1 to 15 to install or replace; device, the other device's
    /// <see cref="ReaderDevice.Mark"/>, to accept.
    /// </summary>
    public const string Reader = "reader";
}

/// <summary>
/// Hub → node. A snapshot carries the policy whole (Body is its exact JSON text, Hash its SHA-256 in hex); a confirmation has no body and says
/// that the version of that hash is still in force at <see cref="At"/>. Base is null for a snapshot.
/// </summary>
public sealed record PolicyMessage(long Version, long? Base, string Hash, DateTimeOffset At, string? Body, string Signature);

/// <summary>Retained by the hub.</summary>
public sealed record HubState(string State, long HubEpoch, IReadOnlyList<int> Schemas, DateTimeOffset At);
