using PhysSec.Core.Access;

namespace PhysSec.Core.Wire;

/// <summary>How a reader knows the card before it. The numbers never change.</summary>
public enum CardProof
{
    /// <summary>It reads a number that anybody can copy: a UID, a FeliCa IDm, whatever comes over Wiegand.</summary>
    Number = 0,

    /// <summary>The card proves itself with a key that lies in the reader.</summary>
    KeyInReader = 1,

    /// <summary>The card proves itself with a key that lies in the controller.</summary>
    KeyAtController = 2,
}

/// <summary>One reader as its board file describes it. Encrypted: its line is encrypted and authenticated; Card is the cards' technology, null where the file does not say.</summary>
public sealed record ReaderDescription(Direction Side, string Type, CardProof Proof, bool Encrypted, string? Card = null)
{
    /// <summary>A number is low assurance, and so is whatever comes over a wire that can be read and written to.</summary>
    public Assurance Assured() => Proof == CardProof.Number || !Encrypted ? Assurance.Low : Assurance.High;
}

/// <summary>What of a door's wiring can be attacked: its readers, the contacts whose lines are not supervised, and the side on which the lock hangs on a reader's own output (null: on none).</summary>
public sealed record DoorWiring(IReadOnlyList<ReaderDescription> Readers, IReadOnlyList<string> Unsupervised, Direction? LockAtReader = null)
{
    /// <summary>What can be claimed of whoever enters: no more than the weakest reader of the entry proves.</summary>
    public Assurance Assured() =>
        Readers.Any(it => it.Side == Direction.In) && Readers.Where(it => it.Side == Direction.In).All(it => it.Assured() == Assurance.High) ? Assurance.High : Assurance.Low;
}
