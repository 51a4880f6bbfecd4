using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;

namespace PhysSec.Node.Control;

/// <summary>What readers deliver that is no card. One bad frame is noise; several in a minute, or a stuck line, is an alarm.</summary>
internal sealed class ReaderBoard
{
    internal static readonly TimeSpan Window = TimeSpan.FromSeconds(60);
    internal static readonly TimeSpan QuietFor = TimeSpan.FromMinutes(10);
    internal const int AlarmAt = 3;

    /// <summary>More than this in a window are counted and not written: noise on a wire must not fill the journal.</summary>
    internal const int RecordedMax = 10;

    private readonly SortedDictionary<string, (TimeSpan Since, int Count)> _faults = new(StringComparer.Ordinal);

    internal static string Source(DoorId door, Direction direction) => $"{door}.{(direction == Direction.In ? "entry" : "exit")}";

    internal void Fault(StepContext step, AlarmBoard alarms, ReaderFaultSeen it)
    {
        var source = Source(it.Door, it.Direction);
        _faults.TryGetValue(source, out var seen);
        if (seen.Count == 0 || step.Uptime - seen.Since >= Window) seen = (step.Uptime, 0);
        seen = (seen.Since, seen.Count < int.MaxValue ? seen.Count + 1 : seen.Count);
        _faults[source] = seen;

        if (seen.Count <= RecordedMax) step.Record(new ReaderFaulted(it.Door, it.Direction, it.Fault, it.Bits));
        var stuck = string.Equals(it.Fault, "lineStuck", StringComparison.OrdinalIgnoreCase);
        if (stuck || seen.Count >= AlarmAt || alarms.IsActive(AlarmClasses.ReaderFault, source))
            alarms.RaiseFor(step, QuietFor, AlarmClasses.ReaderFault, source, it.Fault);
    }

    /// <summary>A reader that reads a card works.</summary>
    internal void Card(StepContext step, AlarmBoard alarms, CardRead it)
    {
        var source = Source(it.Door, it.Direction);
        _faults.Remove(source);
        alarms.Clear(step, AlarmClasses.ReaderFault, source);
    }
}
