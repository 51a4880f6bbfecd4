using PhysSec.Core;
using PhysSec.Hardware;
using PhysSec.Node.Control;

namespace PhysSec.Node;

/// <summary>
/// Whether the lock of one door obeys. A write that failed counts also when the next one succeeded: a release that never reached the lock must be seen.
/// For the control loop alone.
/// </summary>
public sealed class LockWatch(DoorId door, IReadOnlyList<SwitchedOutput> outputs)
{
    private bool? _faulty;
    private long _failures;

    /// <summary>What has changed since the last look. The first one always says how it stands, because an alarm may have outlived a restart.</summary>
    public LockFaultChanged? Look()
    {
        var failures = outputs.Sum(it => it.Failures);
        var faulty = failures != _failures || outputs.Any(it => it.Faulted);
        var changed = faulty != _faulty;
        (_faulty, _failures) = (faulty, failures);
        if (!changed) return null;
        return new(door, faulty ? $"output {string.Join(", ", outputs.Select(it => it.Id))} does not take what is written to it" : null);
    }
}
