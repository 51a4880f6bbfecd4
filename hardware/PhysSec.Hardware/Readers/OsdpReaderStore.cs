namespace PhysSec.Hardware;

/// <summary>What must be known of a reader after a power cut.</summary>
/// <param name="Keys">Secrets.</param>
/// <param name="Pin">Which device it is; null: the first that proves the key.</param>
public sealed record OsdpReaderMemory(OsdpKeyState Keys, OsdpPin? Pin)
{
    public static readonly OsdpReaderMemory None = new(OsdpKeyState.None, null);
}

/// <summary>Where readers' keys and identities are kept; the node's, because this assembly keeps nothing.</summary>
public abstract class OsdpReaderStore
{
    /// <summary>Why nothing can be kept now; null: nothing is known to stand in the way.</summary>
    public virtual string? Fault => null;

    /// <param name="reader">Its device's id.</param>
    public abstract OsdpReaderMemory Of(string reader);

    /// <summary>Keeps it: when this returns, a power cut loses nothing of it.</summary>
    /// <exception cref="IOException">It is not kept; what was kept before still is.</exception>
    public abstract void Store(string reader, OsdpReaderMemory memory);
}
