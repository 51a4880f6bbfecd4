using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;

namespace PhysSec.Node.Control;

/// <summary>Everything that can reach the control loop. One bounded channel carries these; nothing else changes the node's state.</summary>
public abstract record Input;

/// <summary>Deadlines are looked at here; every 50 ms.</summary>
public sealed record Tick : Input;

/// <summary>A card was read at a door. The number has already become a token.</summary>
public sealed record CardRead(DoorId Door, Direction Direction, CredentialToken Credential) : Input;

/// <summary>A key of a keypad: 0–9, 10 is *, 11 is #. A secret: it prints masked.</summary>
public sealed record KeyPressed(DoorId Door, Direction Direction, int Key) : Input
{
    public const int Star = 10;
    public const int Hash = 11;

    public override string ToString() => $"KeyPressed {{ {Door}, {Direction} }}";
}

/// <summary>A reader delivered something that is not a card (parity, bit count, overrun, stuck line).</summary>
public sealed record ReaderFaultSeen(DoorId Door, Direction Direction, string Fault, int Bits) : Input;

/// <summary>A supervised reader can be spoken to (null), or why not.</summary>
public sealed record ReaderLinkChanged(DoorId Door, Direction Direction, string? Fault, ReaderOffline? Why = null) : Input;

/// <summary>All that is kept of an OSDP reader, told at the start and whenever it changes. Keys are fingerprints.</summary>
public sealed record ReaderKeptSeen(DoorId Door, Direction Direction, string? Key, bool ChangePending, ReaderDevice? Device, ReaderDevice? Other, string? StoreFault) : Input;

/// <summary>How far the new key of a reader has come.</summary>
public sealed record ReaderKeyMoved(DoorId Door, Direction Direction, ReaderStep Step) : Input;

/// <summary>A reader has got no other key.</summary>
public sealed record ReaderKeyFailed(DoorId Door, Direction Direction, ReaderActFault Fault) : Input;

/// <summary>What a supervised reader says of its own case and supply.</summary>
public sealed record ReaderCaseChanged(DoorId Door, Direction Direction, bool Tampered, bool PowerFault) : Input;

/// <summary>On a reader's line came what no honest reader sends.</summary>
public sealed record ReaderAttackSeen(DoorId Door, Direction Direction, string Incident) : Input;

public enum ContactRole
{
    DoorLeaf, ExitButton, DoorTamper, EnclosureTamper, Mains, Leak,
    FireRelease, BreakGlass, SeismicRelease, LockFeedback, GuardArmed,
}

/// <summary>Why a supervised line says nothing of its contact. The first four are what an attack on its wires looks like.</summary>
public enum LineFault { Cut = 1, Shorted = 2, Ground = 3, ForeignVoltage = 4, OutOfBand = 5, Unreadable = 6 }

/// <summary>
/// A contact changed, debounced. Active means: leaf open, button pressed, tampered, mains present, water found, emergency, bolt or bond hold, guard armed. Null: the input cannot be read, or its line is not as it should be.
/// </summary>
public sealed record ContactChanged(string Device, ContactRole Role, DoorId? Door, bool? Active, LineFault? Line = null) : Input;

/// <summary>The output of a door's lock did not take what was written to it (Fault says which), or takes it again (null). The first word after the start may be null. On: the output that releases is on.</summary>
public sealed record LockFaultChanged(DoorId Door, string? Fault, bool On = false) : Input;

/// <summary>A sensor was sampled. Quality is good or fault; Fault names it.</summary>
public sealed record Sampled(IReadOnlyList<Sample> Samples) : Input;

public sealed record Sample(PointId Point, double? Value, string Unit, string? Fault);

/// <summary>A command whose signature, nonce and deadline the shell has already checked against the hub's key and the node's clock.</summary>
public sealed record CommandArrived(Command Command) : Input;

/// <summary>A verified policy, newer than the one in force.</summary>
public sealed record PolicyArrived(Policy Policy, string Hash, DateTimeOffset ConfirmedAt) : Input;

/// <summary>The hub signed that the policy of this version and hash is still in force.</summary>
public sealed record PolicyConfirmed(long Version, string Hash, DateTimeOffset At) : Input;

/// <summary>A policy message was refused (signature, age, shape); for the record only.</summary>
public sealed record PolicyRejected(long Version, string Fault) : Input;

public sealed record LinkChanged(bool Up) : Input;

/// <summary>Another journal is open: what must survive a restart is to be written into it.</summary>
public sealed record MemoryWanted : Input;

public sealed record ClockChanged(ClockQuality Quality, double StepSeconds) : Input;

/// <summary>The records of the last step could not be committed in time, or can be again.</summary>
public sealed record JournalHealthChanged(bool Healthy, string? Fault) : Input;
