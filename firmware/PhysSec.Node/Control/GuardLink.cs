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

    private readonly bool _wired = setup.Contacts.Any(it => it.Role == ContactRole.GuardArmed);
    private bool? _seen;
    private bool? _alarm;
    private bool? _calling;

    /// <summary>Null where the guard service tells nothing. As it was seen last; armed until it is seen for the first time.</summary>
    internal bool? Armed => _wired ? _seen ?? true : null;

    /// <summary>True when it changed. A contact that cannot be read proves nothing.</summary>
    internal bool Take(StepContext step, bool? armed)
    {
        if (armed is not { } now || now == _seen) return false;
        _seen = now;
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
