using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Doors;

namespace PhysSec.Node.Control;

/// <summary>The doors of this node that the policy ties into interlocks.</summary>
internal sealed class Mantraps
{
    private readonly HashSet<string> _broken = [];

    internal IReadOnlyList<DoorControl> Doors { get; set; } = [];

    /// <summary>Must entry at this door wait for the others of its mantrap?</summary>
    internal bool HoldEntry(StepContext step, DoorControl door) =>
        Rule(step, door) is { Interlock: { } name } rule && Interlock.HoldsEntry(rule.InterlockRule, Of(step, name).Where(it => it != door).Select(it => it.Status));

    /// <summary>Are the others of its mantrap seen shut? Without a policy nobody knows which these are.</summary>
    internal bool IsQuiet(StepContext step, DoorControl door) =>
        Rule(step, door) is { } rule && (rule.Interlock is not { } name || Interlock.IsQuiet(rule.InterlockRule, Of(step, name).Where(it => it != door).Select(it => it.Status)));

    /// <summary>After every step: who wanted to enter gives way to who leaves; and two doors that stand free at once are an alarm.</summary>
    internal void Pass(StepContext step, AlarmBoard alarms)
    {
        var names = Doors.Select(it => Rule(step, it)?.Interlock).OfType<string>().Distinct().ToList();
        foreach (var name in names)
        {
            var doors = Of(step, name);
            var rule = Rule(step, doors[0])!.InterlockRule;
            foreach (var it in doors.Where(it => it.Status.ReleaseUntil is not null && HoldEntry(step, it))) it.GiveWay(step, alarms);
            var broken = Interlock.IsBroken(rule, doors.Select(it => it.Status));
            alarms.Hold(step, broken, AlarmClasses.InterlockBroken, name);
            if (broken) _broken.Add(name);
        }

        foreach (var gone in _broken.Except(names).ToList())
        {
            alarms.Clear(step, AlarmClasses.InterlockBroken, gone, "the interlock is no longer in the policy");
            _broken.Remove(gone);
        }
    }

    private List<DoorControl> Of(StepContext step, string name) => [.. Doors.Where(it => Rule(step, it)?.Interlock == name)];

    private static DoorPolicy? Rule(StepContext step, DoorControl door) => step.Policy?.Doors.GetValueOrDefault(door.Id);
}
