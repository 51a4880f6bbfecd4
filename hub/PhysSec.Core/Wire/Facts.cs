using System.Text.Json.Serialization;
using PhysSec.Core.Access;
using PhysSec.Core.Doors;

namespace PhysSec.Core.Wire;

/// <summary>
/// One journal record. Its exact JSON text is what is chained, signed, sent and stored. <see cref="At"/> is site time with offset, null while the clock is unset;
/// <see cref="Up"/> is monotonic time since boot in microseconds: order within a boot follows it. <see cref="Link"/> says whether the hub was reachable when it happened.
/// </summary>
public sealed record JournalRecord(
    long Epoch, string Stream, long Seq, DateTimeOffset? At, long Up, string Boot, ClockQuality Clock, LinkState Link, Fact Fact);

/// <summary>What happened. The discriminator <c>kind</c> never changes its meaning.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind", UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FallBackToNearestAncestor)]
[JsonDerivedType(typeof(AccessGranted), "access.granted")]
[JsonDerivedType(typeof(AccessDenied), "access.denied")]
[JsonDerivedType(typeof(Passage), "access.passage")]
[JsonDerivedType(typeof(NoPassage), "access.no-passage")]
[JsonDerivedType(typeof(ExitRequested), "door.exit-request")]
[JsonDerivedType(typeof(DoorChanged), "door.changed")]
[JsonDerivedType(typeof(ReaderFaulted), "reader.fault")]
[JsonDerivedType(typeof(AlarmRaised), "alarm.raised")]
[JsonDerivedType(typeof(AlarmCleared), "alarm.cleared")]
[JsonDerivedType(typeof(Measured), "measured")]
[JsonDerivedType(typeof(CommandExecuted), "command")]
[JsonDerivedType(typeof(PolicyApplied), "policy.applied")]
[JsonDerivedType(typeof(PolicyRefused), "policy.refused")]
[JsonDerivedType(typeof(NodeStarted), "node.started")]
[JsonDerivedType(typeof(NodeStopped), "node.stopped")]
[JsonDerivedType(typeof(ClockStepped), "clock.stepped")]
[JsonDerivedType(typeof(JournalRepaired), "journal.repaired")]
[JsonDerivedType(typeof(EpochBegan), "epoch.began")]
[JsonDerivedType(typeof(MeasurementsThinned), "measurements.thinned")]
[JsonDerivedType(typeof(CertificateRenewed), "certificate.renewed")]
[JsonDerivedType(typeof(BoardConfigured), "board.configured")]
[JsonDerivedType(typeof(BoardCommissioned), "board.commissioned")]
[JsonDerivedType(typeof(DoorModeChanged), "door.mode")]
[JsonDerivedType(typeof(EmergencySignalled), "door.emergency")]
[JsonDerivedType(typeof(UnbadgedPassage), "door.unbadged")]
[JsonDerivedType(typeof(GuardContact), "guard.contact")]
[JsonDerivedType(typeof(ReaderCommissioned), "reader.commissioned")]
public abstract record Fact;

/// <summary>Granted is not entered: <see cref="Passage"/> tells that the leaf moved. PolicyAgeSeconds is null when it cannot be known (which only leaving survives). Purpose, Escort and Items describe the visit where the entry declared them. Factors: what was shown; Companion: whose card came with it where two were needed.</summary>
public sealed record AccessGranted(
    DoorId Door, Direction Direction, CredentialToken Credential, PersonId Person, RightId? Right, long PolicyVersion, string PolicyHash, double? PolicyAgeSeconds,
    string Rule, Assurance Assurance, string? Purpose = null, PersonId? Escort = null, IReadOnlyList<string>? Items = null, FactorRule Factors = FactorRule.Card,
    PersonId? Companion = null) : Fact;

/// <summary>Code is the reason's number for ever; WouldAllow says what would have allowed it.</summary>
public sealed record AccessDenied(
    DoorId Door, Direction Direction, CredentialToken? Credential, PersonId? Person, DenialReason Reason, int Code, string? WouldAllow, long PolicyVersion,
    string PolicyHash, double? PolicyAgeSeconds) : Fact;

/// <summary>A person went through. Person is null when the exit button was used.</summary>
public sealed record Passage(DoorId Door, Direction Direction, PersonId? Person, int InsideAfter) : Fact;

/// <summary>A release ran out with the leaf never opened.</summary>
public sealed record NoPassage(DoorId Door, Direction Direction, PersonId? Person) : Fact;

public sealed record ExitRequested(DoorId Door, int InsideBefore) : Fact;

/// <summary>By is <c>credential</c>, <c>exit-badge</c>, <c>exit-button</c>, <c>command</c>, <c>contact</c>, <c>timer</c>, <c>start</c> or <c>tamper</c>.</summary>
public sealed record DoorChanged(DoorId Door, DoorPhase From, DoorPhase To, string By) : Fact;

public sealed record ReaderFaulted(DoorId Door, Direction Direction, string Fault, int Bits) : Fact;

/// <summary>Alarm is the node's own key that pairs raise and clear: <c>{class}:{source}</c>. Limit and Value are in Unit.</summary>
public sealed record AlarmRaised(string Alarm, string Class, string Source, double? Value, double? Limit, string? Unit, string? Detail) : Fact;

public sealed record AlarmCleared(string Alarm, string Class, string Source, double? Value, string? Detail) : Fact;

public sealed record Measured(IReadOnlyList<PointValue> Values) : Fact;

public sealed record PointValue(PointId Point, double? Value, string Quality);

public sealed record CommandExecuted(string Verb, string Nonce, string Actor, string Reason, string Outcome, string? Fault) : Fact;

public sealed record PolicyApplied(long Version, string Hash) : Fact;

public sealed record PolicyRefused(long Version, string Fault) : Fact;

public sealed record NodeStarted(string Firmware, string Board, bool Simulated, string Previous) : Fact;

public sealed record NodeStopped(string Why) : Fact;

/// <summary>The wall clock moved against the monotonic one by this many seconds (over 1 s).</summary>
public sealed record ClockStepped(double Seconds, ClockQuality Before, ClockQuality After) : Fact;

/// <summary>The journal could not be read as it was: what was kept, what was set aside.</summary>
public sealed record JournalRepaired(string Fault, string SetAside) : Fact;

/// <summary>First record of a new epoch: where the old one ended.</summary>
public sealed record EpochBegan(long PreviousEpoch, long PreviousSeq, string PreviousHead) : Fact;

/// <summary>Epoch: whose numbers First and Last are, however often the record is issued again; null: an older node wrote it, and its own is meant.</summary>
public sealed record MeasurementsThinned(long First, long Last, string Why, long? Epoch = null) : Fact;

/// <summary>The node goes on with this certificate of its hub, for the same key. Thumbprint is its SHA-256.</summary>
public sealed record CertificateRenewed(string Thumbprint, DateTimeOffset NotAfter) : Fact;

/// <summary>The board file in force, sealed for the hub (<see cref="BoardSeal"/>): what a spare board needs. Hash is its text's SHA-256.</summary>
public sealed record BoardConfigured(string Board, string Hash, string Sealed) : Fact;

/// <summary>
/// An installer has proved the wiring and the ways out of a board file. Open names the checks that did not pass; Ended is by the board's clock of that moment; Hash is the SHA-256 of the signed
/// result, which stays on the board and in the installer's file.
/// </summary>
public sealed record BoardCommissioned(
    string Board, string BoardHash, bool Simulated, string Installer, DateTimeOffset Ended, bool Complete, IReadOnlyList<string> Open, string Hash) : Fact;

/// <summary>
/// A door has another mode. By is <c>command</c>, <c>policy</c>, <c>timer</c>, <c>restart</c>, <c>fire</c>, <c>break-glass</c>, <c>seismic</c> or <c>confirmed</c>. Owner and Reason are those of the
/// override or of the confirmation; Seconds and Until say when an override ends by itself (Until is null while the clock is unset). Unbadged: how many passed without a badge while the
/// door was free, at the end of that.
/// </summary>
public sealed record DoorModeChanged(
    DoorId Door, DoorMode From, DoorMode To, string By, string? Owner = null, string? Reason = null, DateTimeOffset? Until = null, double? Seconds = null, int? Unbadged = null) : Fact;

/// <summary>A fire, break-glass or seismic contact of this door was seen active or reset. Free: whether the door is free after it; where it is not, the alarm says why.</summary>
public sealed record EmergencySignalled(DoorId Door, EmergencySignal Signal, bool Active, bool Free) : Fact;

/// <summary>The leaf of a door that stands free was opened without a badge; the direction is not known. Count: how many times since it is free.</summary>
public sealed record UnbadgedPassage(DoorId Door, DoorMode Mode, int Count) : Fact;

/// <summary>A contact between the node and the guard service (機械警備). Contact is <c>armed</c> (seen), <c>alarm</c> or <c>call</c> (given). Because: the alarm behind it.</summary>
public sealed record GuardContact(string Contact, bool On, string? Because) : Fact;

/// <summary>
/// An act at an OSDP reader or what came of it. Act is one of <see cref="ReaderActs"/>; Outcome is <c>begun</c>, <c>done</c>, <c>failed</c> or <c>refused</c>. Keys are fingerprints; Seconds is the window's
/// time. Owner and Reason are null for what nobody ordered of the running node.
/// </summary>
public sealed record ReaderCommissioned(
    DoorId Door, Direction Direction, string Act, string Outcome, ReaderActFault? Fault, string? KeyBefore, string? KeyAfter, ReaderDevice? DeviceBefore, ReaderDevice? DeviceAfter,
    string? Owner, string? Reason, double? Seconds) : Fact;
