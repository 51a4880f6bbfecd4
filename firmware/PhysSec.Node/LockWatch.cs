using PhysSec.Core;
using PhysSec.Hardware;
using PhysSec.Node.Control;

namespace PhysSec.Node;

/// <summary>
/// Whether the lock of one door obeys. A write that failed counts also when the next one succeeded: a release that never reached the lock must be seen. Of an output that nobody can see
/// (its reader is offline) nothing good is known: that is a fault as well.
/// For the control loop alone.
/// </summary>
public sealed class LockWatch(DoorId door, IReadOnlyList<BoardOutput> outputs)
{
    private readonly long[] _failures = new long[outputs.Count];
    private bool? _faulty;

    /// <summary>What has changed since the last look. The first one always says how it stands, as soon as that is known, because an alarm may have outlived a restart.</summary>
    public LockFaultChanged? Look()
    {
        var faults = outputs.Select((it, i) => it.Fault ?? (it.Failures != _failures[i] ? it.LastFailure : null)).OfType<string>().ToList();
        for (var i = 0; i < _failures.Length; i++) _failures[i] = outputs[i].Failures;
        var faulty = faults.Count > 0;
        if (faulty == _faulty || (!faulty && outputs.Any(it => !it.IsKnown))) return null;
        _faulty = faulty;
        return new(door, faulty ? string.Join("; ", faults) : null, outputs.Any(it => it.Role == DeviceRole.Lock && it.On));
    }
}
