using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;

namespace PhysSec.Node.Control;

/// <summary>
/// What one step asks of the world, carried out by the shell in this order: Secure (locking waits for nothing), Records with Memory in one transaction,
/// Release (only after the commit), Signals, Live, Replies. If the commit fails within 250 ms, nothing of Release is done unless
/// <see cref="LockRelease.EvenUnrecorded"/>, a reply of <c>done</c> to a release becomes <c>refused</c>, and the shell feeds <see cref="JournalHealthChanged"/> back.
/// </summary>
public sealed record Effects(
    IReadOnlyList<DoorId> Secure,
    IReadOnlyList<Entry> Records,
    NodeMemory? Memory,
    IReadOnlyList<LockRelease> Release,
    IReadOnlyList<Signal> Signals,
    IReadOnlyList<Live> Live,
    IReadOnlyList<CommandReply> Replies)
{
    public static Effects None { get; } = new([], [], null, [], [], [], []);
}

/// <summary>Hot entries are alarms: they overtake a backlog on the wire.</summary>
public sealed record Entry(string Stream, Fact Fact, bool Hot = false);

public sealed record LockRelease(DoorId Door, bool EvenUnrecorded);

/// <summary>More: something else is awaited (a PIN, a second card), whichever.</summary>
public enum Indication { Idle, Granted, Denied, PreAlarm, Fault, More }

/// <summary>A lamp, siren or reader signal. At the door a refusal is one light and one tone, whatever its reason.</summary>
public abstract record Signal;

public sealed record ReaderSignal(DoorId Door, Direction Direction, Indication Indication) : Signal;

public sealed record LampSignal(bool On) : Signal;

public sealed record SirenSignal(bool On) : Signal;

/// <summary>A live value; Value is a number, a boolean or a <see cref="DoorLive"/>.</summary>
public sealed record Live(PointId Point, object? Value, string Quality, string Unit);

/// <summary>What must survive a restart, stored with the records that changed it.</summary>
public sealed record NodeMemory(
    IReadOnlyList<DoorMemory> Doors, IReadOnlyList<AlarmMemory> Alarms, IReadOnlyList<GuessMemory>? Guesses = null, IReadOnlyList<CodeMemory>? Codes = null);

public sealed record DoorMemory(
    DoorId Door, bool Lockdown, IReadOnlyList<PersonId> Inside, int LeftUnidentified, int EnteredUnidentified = 0);

public sealed record AlarmMemory(string Alarm, bool Silenced);

/// <summary>Wrong codes not yet forgiven: Seconds until the budget of Key (a person, a reader, the node) is whole again, were nobody to guess on.</summary>
public sealed record GuessMemory(string Key, double Seconds);

/// <summary>A person's code was taken in the step before. Code is 1 for the right one and 2 for the one under duress, whose alarm is due: what is written is as long for the one as for the other.</summary>
public sealed record CodeMemory(DoorId Door, PersonId Person, int Code);
