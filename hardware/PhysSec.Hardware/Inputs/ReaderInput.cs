namespace PhysSec.Hardware;

/// <summary>A contact at an OSDP reader's own terminals, as the reader reports it. Nothing is known of it while the reader is offline.</summary>
public sealed class ReaderInput
{
    private readonly Lock _gate = new();
    private OsdpInput? _state;

    internal ReaderInput(ReaderInputEntry entry, OsdpReader reader)
    {
        Entry = entry;
        reader.Happened += OnEvent;
    }

    public ReaderInputEntry Entry { get; }

    /// <summary>Null: the reader is offline, or has not said.</summary>
    public OsdpInput? State
    {
        get
        {
            lock (_gate) return _state;
        }
    }

    /// <summary>Raised on the line's thread: the subscriber only enqueues.</summary>
    public event Action<ReaderInput, OsdpInput?>? Changed;

    /// <summary>Whether the role's word is true; null: it cannot be said.</summary>
    public bool? ActiveIn(OsdpInput? state) => state switch
    {
        OsdpInput.Active => Entry.Active == ReaderInputState.Active,
        OsdpInput.Inactive => Entry.Active == ReaderInputState.Inactive,
        _ => null,
    };

    private void OnEvent(OsdpReader reader, OsdpEvent what)
    {
        if (what is not (OsdpEvent.Inputs or OsdpEvent.Offline)) return;
        OsdpInput? now = what is OsdpEvent.Inputs it ? Entry.Number < it.States.Count ? it.States[Entry.Number] : OsdpInput.Unknown : null;
        lock (_gate) _state = now;
        Changed?.Invoke(this, now);
    }
}
