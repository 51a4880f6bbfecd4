using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;

namespace PhysSec.Node.Control;

/// <summary>The contacts between the node and the guard service (機械警備): armed comes in, alarm and call go out. Each change is on record.</summary>
internal sealed class GuardLink(NodeSetup setup)
{
    // What the guard service comes for as for a burglar.
    private static readonly string[] _intrusion =
        [AlarmClasses.DoorForced, AlarmClasses.Tamper, AlarmClasses.FireRelease, AlarmClasses.BreakGlass, AlarmClasses.ExitInEmptyRoom, AlarmClasses.ReaderAttack];

    // Where somebody must go although no burglar is suspected.
    private static readonly string[] _call = [AlarmClasses.ConfinementSuspected, AlarmClasses.ReleaseWithheld, AlarmClasses.Duress];

    private readonly int _contacts = setup.Contacts.Count(it => it.Role == ContactRole.GuardArmed);
    private readonly Dictionary<string, bool> _seen = [];
    private bool? _told;
    private bool? _alarm;
    private bool? _calling;

    /// <summary>Null where the guard service tells nothing. As it was seen last: armed by any of its contacts, and until each was seen for the first time.</summary>
    internal bool? Armed => _contacts > 0 ? Seen ?? true : null;

    private bool? Seen => _seen.ContainsValue(true) ? true : _seen.Count == _contacts ? false : null;

    /// <summary>True when it changed. A contact that cannot be read proves nothing.</summary>
    internal bool Take(StepContext step, string device, bool? armed)
    {
        if (armed is not { } said) return false;
        _seen[device] = said;
        if (Seen is not { } now || now == _told) return false;
        _told = now;
        step.Record(new GuardContact("armed", now, null));
        return true;
    }

    internal void Show(StepContext step, AlarmBoard alarms)
    {
        if (setup.GuardAlarm) Give(step, ref _alarm, "alarm", false, alarms.First(_intrusion));
        if (setup.GuardCall) Give(step, ref _calling, "call", true, alarms.First(_call));
    }

    private static void Give(StepContext step, ref bool? before, string contact, bool call, string? because)
    {
        var on = because is not null;
        if (before == on) return;
        if (on || before is not null) step.Record(new GuardContact(contact, on, because));
        step.Show(new GuardSignal(call, on));
        before = on;
    }
}
