namespace PhysSec.Hardware;

/// <summary>An output of the board, however it is wired. Off is the safe state. For a lock, on = released.</summary>
public abstract class BoardOutput : IDisposable
{
    private readonly BoardOutputEntry _entry;

    private protected BoardOutput(BoardOutputEntry entry) => _entry = entry;

    public string Id => _entry.Id;

    public DeviceRole Role => _entry.Role;

    public string? Door => _entry.Door;

    /// <summary>What was asked for last; a lock that could not be released says off.</summary>
    public abstract bool On { get; }

    /// <summary>Why it is not, or may not be, as it was told, in words; null: it is.</summary>
    public abstract string? Fault { get; }

    /// <summary>What did not reach it since the start; also of a release that was dropped, after which it took the locking.</summary>
    public abstract long Failures { get; }

    /// <summary>What the last of <see cref="Failures"/> was, in words; null: there was none.</summary>
    public abstract string? LastFailure { get; }

    /// <summary>False in the first moments, while nobody can say whether it obeys.</summary>
    public virtual bool IsKnown => true;

    /// <summary>Switches. Never throws for a device fault: see <see cref="Fault"/>. A release that fails is dropped, never made up for later; a locking that fails is repeated.</summary>
    /// <param name="on">For a lock: released.</param>
    public abstract void Set(bool on);

    /// <summary>Switches off, for good.</summary>
    public abstract void Dispose();

    /// <summary>The last act of a dying process; nothing may stop it from reaching the next output.</summary>
    internal abstract void MakeSafe();
}
