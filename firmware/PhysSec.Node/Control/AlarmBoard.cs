using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;

namespace PhysSec.Node.Control;

/// <summary>Every alarm that is active at this node. An alarm is raised once and cleared once, also across a restart.</summary>
internal sealed class AlarmBoard
{
    /// <summary>An event without an end of its own (a lost card, a button in an empty room) counts as active for this long after the last time.</summary>
    internal static readonly TimeSpan MomentaryFor = TimeSpan.FromSeconds(60);

    // What a person near the room must hear.
    private static readonly string[] _audible =
        [AlarmClasses.Leak, AlarmClasses.DoorForced, AlarmClasses.Tamper, AlarmClasses.TemperatureHigh, AlarmClasses.UpsLowBattery];

    // What nobody near the room may notice.
    private static readonly string[] _silent = [AlarmClasses.Duress];

    private readonly SortedDictionary<string, Active> _active = new(StringComparer.Ordinal);
    private bool? _lamp;
    private bool? _siren;

    internal AlarmBoard(IReadOnlyList<AlarmMemory> memory)
    {
        foreach (var it in memory)
        {
            var cut = it.Alarm.IndexOf(':', StringComparison.Ordinal);
            if (cut < 0) continue;
            _active[it.Alarm] = new(it.Alarm[..cut], it.Alarm[(cut + 1)..], it.Silenced, null);
        }
    }

    internal IReadOnlyList<AlarmMemory> Memory => [.. _active.Select(it => new AlarmMemory(it.Key, it.Value.Silenced))];

    internal bool IsActive(string alarmClass, string source) => _active.ContainsKey(AlarmClasses.Key(alarmClass, source));

    /// <summary>Active alarms of a class, as (class, source).</summary>
    internal IReadOnlyList<(string Class, string Source)> All => [.. _active.Values.Select(it => (it.Class, it.Source))];

    internal void Raise(
        StepContext step, string alarmClass, string source, string? detail = null, double? value = null, double? limit = null, string? unit = null)
    {
        var key = AlarmClasses.Key(alarmClass, source);
        if (_active.ContainsKey(key)) return;
        _active.Add(key, new(alarmClass, source, false, null));
        step.Record(new AlarmRaised(key, alarmClass, source, value, limit, unit, detail), hot: true);
        step.Remember = true;
    }

    /// <summary>Raises an event that has no end of its own; a repetition extends it.</summary>
    internal void RaiseFor(StepContext step, TimeSpan time, string alarmClass, string source, string? detail)
    {
        Raise(step, alarmClass, source, detail);
        var key = AlarmClasses.Key(alarmClass, source);
        _active[key] = _active[key] with { Until = step.Uptime + time };
    }

    internal void Clear(StepContext step, string alarmClass, string source, string? detail = null, double? value = null)
    {
        var key = AlarmClasses.Key(alarmClass, source);
        if (!_active.Remove(key)) return;
        step.Record(new AlarmCleared(key, alarmClass, source, value, detail), hot: true);
        step.Remember = true;
    }

    /// <summary>False: no such alarm is active.</summary>
    internal bool Silence(StepContext step, string key)
    {
        if (!_active.TryGetValue(key, out var alarm)) return false;
        _active[key] = alarm with { Silenced = true };
        step.Remember = true;
        return true;
    }

    internal void Pass(StepContext step)
    {
        foreach (var it in _active.Values.Where(it => step.Uptime >= it.Until).ToList()) Clear(step, it.Class, it.Source);
    }

    /// <summary>Lamp and siren, when they change.</summary>
    internal void Show(StepContext step)
    {
        var lamp = _active.Values.Any(it => !_silent.Contains(it.Class));
        var siren = _active.Values.Any(it => !it.Silenced && _audible.Contains(it.Class));
        if (lamp != _lamp) step.Show(new LampSignal(lamp));
        if (siren != _siren) step.Show(new SirenSignal(siren));
        (_lamp, _siren) = (lamp, siren);
    }

    private sealed record Active(string Class, string Source, bool Silenced, TimeSpan? Until);
}
