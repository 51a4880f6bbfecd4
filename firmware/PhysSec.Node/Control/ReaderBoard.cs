using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;

namespace PhysSec.Node.Control;

/// <summary>What readers deliver that is no card. One bad frame is noise; several in a minute, or a stuck line, is an alarm.</summary>
/// <remarks>A reader that is supervised (OSDP) also tells that it is there, and how its case is; one that cannot be spoken to says so within ten seconds.</remarks>
internal sealed class ReaderBoard(IReadOnlyList<ReaderSetup> supervised)
{
    /// <summary>A supervised reader that cannot be spoken to for so long after the start is offline; later ones are told of by its driver.</summary>
    internal static readonly TimeSpan FirstWordWithin = TimeSpan.FromSeconds(10);

    /// <summary>So long after the last one an attack counts as active.</summary>
    internal static readonly TimeSpan AttackFor = TimeSpan.FromMinutes(10);

    internal static readonly TimeSpan Window = TimeSpan.FromSeconds(60);
    internal static readonly TimeSpan QuietFor = TimeSpan.FromMinutes(10);
    internal const int AlarmAt = 3;

    /// <summary>More than this in a window are counted and not written: noise on a wire must not fill the journal.</summary>
    internal const int RecordedMax = 10;

    private readonly SortedDictionary<string, (TimeSpan Since, int Count)> _faults = new(StringComparer.Ordinal);

    private readonly HashSet<string> _silent = [.. supervised.Select(it => Source(it.Door, it.Direction))];
    private TimeSpan _startedAt;

    internal void Start(StepContext step) => _startedAt = step.Uptime;

    internal bool Owns(string alarmClass, string source) =>
        alarmClass is AlarmClasses.ReaderOffline or AlarmClasses.Tamper or AlarmClasses.ReaderPower or AlarmClasses.ReaderKeys && supervised.Any(it => Source(it.Door, it.Direction) == source);

    internal void Pass(StepContext step, AlarmBoard alarms)
    {
        if (_silent.Count == 0 || step.Uptime - _startedAt < FirstWordWithin) return;
        foreach (var it in _silent.Order(StringComparer.Ordinal)) alarms.Raise(step, AlarmClasses.ReaderOffline, it, "it has not answered since the start");
        _silent.Clear();
    }

    internal void Link(StepContext step, AlarmBoard alarms, ReaderLinkChanged it)
    {
        var source = Source(it.Door, it.Direction);
        _silent.Remove(source);
        if (it.Fault is null) alarms.Clear(step, AlarmClasses.ReaderOffline, source);
        else alarms.Raise(step, AlarmClasses.ReaderOffline, source, it.Fault);
    }

    /// <summary>A case that was open, or a supply that was bad, when the link was lost stays so until the reader says otherwise.</summary>
    internal static void Case(StepContext step, AlarmBoard alarms, ReaderCaseChanged it)
    {
        var source = Source(it.Door, it.Direction);
        alarms.Hold(step, it.Tampered, AlarmClasses.Tamper, source);
        alarms.Hold(step, it.PowerFault, AlarmClasses.ReaderPower, source);
    }

    internal static void Attack(StepContext step, AlarmBoard alarms, ReaderAttackSeen it) =>
        alarms.RaiseFor(step, AttackFor, AlarmClasses.ReaderAttack, Source(it.Door, it.Direction), it.Incident);

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
