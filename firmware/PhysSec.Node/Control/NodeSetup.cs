using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;

namespace PhysSec.Node.Control;

/// <summary>What this node is made of, and what it kept from before the restart. Fixed for the life of the process.</summary>
/// <param name="Firmware">Version of this program.</param>
/// <param name="Board">Name of the board file.</param>
/// <param name="Simulated">The board file says so itself.</param>
/// <param name="Previous">How the run before this one ended: <c>clean</c>, <c>crash</c>, <c>first</c> …</param>
/// <param name="Doors">Every door with what hangs on it.</param>
/// <param name="Contacts">Every contact of the board, so that one that never answers is noticed.</param>
/// <param name="Points">Every measured point; a value outside Min–Max is a fault.</param>
/// <param name="Clock">How far the wall clock can be trusted at the start.</param>
/// <param name="Policy">The last good policy, verified again by the shell; null when there is none. It comes into force without a new record.</param>
/// <param name="PinKey">Checks codes.</param>
/// <param name="Readers">Every reader that can be supervised.</param>
public sealed record NodeSetup(
    string Firmware, string Board, bool Simulated, string Previous, IReadOnlyList<DoorDescription> Doors, IReadOnlyList<ContactSetup> Contacts,
    IReadOnlyList<PointDescription> Points, ClockQuality Clock, PolicyArrived? Policy, PinKey PinKey,
    IReadOnlyList<ReaderSetup>? Readers = null);

/// <summary>One reader that tells by itself that it is there.</summary>
public sealed record ReaderSetup(DoorId Door, Direction Direction);

/// <summary>One contact of the board; Door is null for contacts of the room.</summary>
public sealed record ContactSetup(string Device, ContactRole Role, DoorId? Door);
