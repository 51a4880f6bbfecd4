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

/// <summary>A reader delivered something that is not a card (parity, bit count, overrun, stuck line).</summary>
public sealed record ReaderFaultSeen(DoorId Door, Direction Direction, string Fault, int Bits) : Input;

public enum ContactRole
{
    DoorLeaf, ExitButton, DoorTamper, EnclosureTamper, Mains, Leak,
    FireRelease, BreakGlass, SeismicRelease, LockFeedback, GuardArmed,
}

/// <summary>A contact changed, debounced. Active means: leaf open, button pressed, tampered, mains present, water found, emergency, bolt or bond hold, guard armed. Null: the input cannot be read.</summary>
public sealed record ContactChanged(string Device, ContactRole Role, DoorId? Door, bool? Active) : Input;

/// <summary>The output of a door's lock did not take what was written to it (Fault says which), or takes it again (null). The first word after the start may be null.</summary>
public sealed record LockFaultChanged(DoorId Door, string? Fault) : Input;

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
