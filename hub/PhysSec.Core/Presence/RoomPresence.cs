namespace PhysSec.Core.Presence;

/// <summary>
/// Who is behind a door, as far as badges, the button and the leaf can tell. Persons are those known by a badge; some may have left by the button without saying who, and some may have been let in
/// by a command. The register never invents an exit: persons are forgotten only when the room must be empty.
/// </summary>
public sealed record RoomPresence
{
    public static RoomPresence Empty { get; } = new();

    /// <summary>In the order of the alphabet, so that equal rooms look equal.</summary>
    public IReadOnlyList<PersonId> Persons { get; private init; } = [];

    /// <summary>How many left by the button while several were inside.</summary>
    public int LeftUnidentified { get; private init; }

    /// <summary>How many came in without a badge (released from the console).</summary>
    public int EnteredUnidentified { get; private init; }

    /// <summary>How many must be inside; 0 or more.</summary>
    public int Inside => Math.Max(0, Persons.Count + EnteredUnidentified - LeftUnidentified);

    public bool IsEmpty => Inside == 0;

    /// <summary>What was stored before a restart.</summary>
    public static RoomPresence From(IReadOnlyList<PersonId> persons, int leftUnidentified, int enteredUnidentified) =>
        Settle(persons, Math.Max(0, leftUnidentified), Math.Max(0, enteredUnidentified));

    /// <summary>Somebody came in. One who is inside already is not counted twice: they left unseen before.</summary>
    public RoomPresence Entered(PersonId? person)
    {
        if (person is not { } known) return Settle(Persons, LeftUnidentified, EnteredUnidentified + 1);
        if (!Persons.Contains(known)) return Settle([.. Persons, known], LeftUnidentified, EnteredUnidentified);

        // One of those who left by the button was this one.
        return Settle(Persons, Math.Max(0, LeftUnidentified - 1), EnteredUnidentified);
    }

    /// <summary>Somebody left by badge, or (null) by the button. One who was never seen coming in came in unidentified.</summary>
    public RoomPresence Left(PersonId? person)
    {
        if (person is { } known && Persons.Contains(known))
            return Settle([.. Persons.Where(it => it != known)], LeftUnidentified, EnteredUnidentified);
        if (EnteredUnidentified > 0) return Settle(Persons, LeftUnidentified, EnteredUnidentified - 1);
        return person is null ? Settle(Persons, LeftUnidentified + 1, 0) : this;
    }

    private static RoomPresence Settle(IReadOnlyList<PersonId> persons, int left, int entered) =>
        persons.Count + entered - left <= 0
            ? Empty
            : new()
            {
                Persons = [.. persons.Distinct().OrderBy(it => it.Value, StringComparer.Ordinal)],
                LeftUnidentified = left,
                EnteredUnidentified = entered,
            };
}
