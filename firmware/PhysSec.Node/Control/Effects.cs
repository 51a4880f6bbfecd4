using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Doors;
using PhysSec.Core.Wire;

namespace PhysSec.Node.Control;

/// <summary>
/// What one step asks of the world, carried out by the shell in this order: Rest (pulses that have had their time), Secure (locking waits for nothing), Records with Memory in one transaction,
/// Release and Readers (only after the commit), Signals, Live, Replies. If the commit fails within 250 ms, nothing of Release is done unless
/// <see cref="LockRelease.EvenUnrecorded"/>, nothing of Readers but closing a window, a reply of <c>done</c> to either becomes <c>refused</c>, and the shell feeds <see cref="JournalHealthChanged"/> back.
/// </summary>
public sealed record Effects(
    IReadOnlyList<DoorId> Rest,
    IReadOnlyList<DoorId> Secure,
    IReadOnlyList<Entry> Records,
    NodeMemory? Memory,
    IReadOnlyList<LockRelease> Release,
    IReadOnlyList<Signal> Signals,
    IReadOnlyList<Live> Live,
    IReadOnlyList<CommandReply> Replies,
    IReadOnlyList<ReaderTask> Readers)
{
    public static Effects None { get; } = new([], [], [], null, [], [], [], [], []);
}

/// <summary>Hot entries are alarms: they overtake a backlog on the wire.</summary>
public sealed record Entry(string Stream, Fact Fact, bool Hot = false);

public sealed record LockRelease(DoorId Door, bool EvenUnrecorded);

/// <summary>Act is one of <see cref="ReaderActs"/>; Until (uptime) is a window's end; Device is the <see cref="ReaderDevice.Mark"/> of the one to accept. Keys are made by the shell and never come here.</summary>
public sealed record ReaderTask(DoorId Door, Direction Direction, string Act, TimeSpan Until, string? Device);

/// <summary>More: something else is awaited (a PIN, a second card), whichever.</summary>
public enum Indication { Idle, Granted, Denied, PreAlarm, Fault, More }

/// <summary>A lamp, siren or reader signal. At the door a refusal is one light and one tone, whatever its reason.</summary>
public abstract record Signal;

public sealed record ReaderSignal(DoorId Door, Direction Direction, Indication Indication) : Signal;

public sealed record LampSignal(bool On) : Signal;

public sealed record SirenSignal(bool On) : Signal;

/// <summary>A contact that is given to the guard service: the alarm, or the call for somebody to come.</summary>
public sealed record GuardSignal(bool Call, bool On) : Signal;

/// <summary>A live value; Value is a number, a boolean or a <see cref="DoorLive"/>.</summary>
public sealed record Live(PointId Point, object? Value, string Quality, string Unit);

/// <summary>What must survive a restart, stored with the records that changed it.</summary>
public sealed record NodeMemory(
    IReadOnlyList<DoorMemory> Doors, IReadOnlyList<AlarmMemory> Alarms, IReadOnlyList<GuessMemory>? Guesses = null, IReadOnlyList<CodeMemory>? Codes = null,
    IReadOnlyList<ReaderMemory>? Readers = null);

/// <summary>Key (a fingerprint) and device of a reader as they were last put on record, and what was ordered and has not ended.</summary>
public sealed record ReaderMemory(DoorId Door, Direction Direction, string? Key, ReaderDevice? Device, ReaderOrderMemory? Order);

public sealed record ReaderOrderMemory(string Act, string Owner, string Reason, string? KeyBefore, ReaderDevice? DeviceBefore, string? Wanted);

public sealed record DoorMemory(
    DoorId Door, bool Lockdown, IReadOnlyList<PersonId> Inside, int LeftUnidentified, int EnteredUnidentified = 0,
    OverrideMemory? Override = null, EmergencyMemory? Emergency = null);

/// <summary>An override in force. Until is uptime in seconds of the machine's boot named Boot: within it the time left can be proved. Seconds: how long it was ordered for. Waits: a restart has
/// interrupted it, and it is not resumed yet.</summary>
public sealed record OverrideMemory(DoorMode Mode, string Owner, string Reason, string? Boot, double Until, double Seconds, bool Waits = false);

/// <summary>What has called and is not confirmed, what of it frees the door, and how often the door was opened without a badge since.</summary>
public sealed record EmergencyMemory(EmergencySignals Unconfirmed, EmergencySignals Freeing, int Unbadged);

public sealed record AlarmMemory(string Alarm, bool Silenced);

/// <summary>Wrong codes not yet forgiven: Seconds until the budget of Key (a person, a reader, the node) is whole again, were nobody to guess on.</summary>
public sealed record GuessMemory(string Key, double Seconds);

/// <summary>A person's code was taken in the step before. Code is 1 for the right one and 2 for the one under duress, whose alarm is due: what is written is as long for the one as for the other.</summary>
public sealed record CodeMemory(DoorId Door, PersonId Person, int Code);
