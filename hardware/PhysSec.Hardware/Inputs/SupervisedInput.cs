namespace PhysSec.Hardware;

/// <summary>A contact on a supervised line: its state, and what it says of the contact. Only a line that is closed or open says anything.</summary>
public sealed class SupervisedInput
{
    private readonly Lock _gate = new();
    private readonly LineSupervision _line;

    internal SupervisedInput(SupervisedEntry entry, LineCalibration? calibration)
    {
        Entry = entry;
        var bands = entry.Bands();
        _line = new(calibration is null ? bands : bands.Around(calibration));
    }

    public SupervisedEntry Entry { get; }

    /// <summary>Null until the first samples have settled.</summary>
    public LineState? State
    {
        get
        {
            lock (_gate) return _line.State;
        }
    }

    /// <summary>What the role calls active; null while the line is not closed or open.</summary>
    public bool? Active => ActiveIn(State);

    /// <summary>The settled state changed, or became known. Raised on the scanner's thread: the subscriber only enqueues.</summary>
    public event Action<SupervisedInput, LineState>? Changed;

    /// <summary>Every sample: share of the excitation, null where it could not be measured. Raised on the scanner's thread.</summary>
    public event Action<double?>? Sampled;

    /// <summary>What a state says of the contact; null where it says nothing.</summary>
    public bool? ActiveIn(LineState? state) => state switch
    {
        LineState.Closed => Entry.Active == LineContact.Closed,
        LineState.Open => Entry.Active == LineContact.Open,
        _ => null,
    };

    internal void Take(double? ratio, TimeSpan at)
    {
        Sampled?.Invoke(ratio);
        bool changed;
        lock (_gate) changed = _line.Take(ratio, at);
        if (changed) Changed?.Invoke(this, State!.Value);
    }

    internal void Lost()
    {
        bool changed;
        lock (_gate) changed = _line.Lost();
        if (changed) Changed?.Invoke(this, LineState.Unreadable);
    }
}
