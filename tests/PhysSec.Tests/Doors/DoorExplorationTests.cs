using PhysSec.Core.Doors;

namespace PhysSec.Tests.Doors;

/// <summary>Every state, every event, every order of the timers; and each law is shown to bite: a machine without its rule is caught.</summary>
public sealed class DoorExplorationTests(ITestOutputHelper output)
{
    private const int StatesMax = 12_000;

    public static TheoryData<LockType> Types { get; } = [.. Enum.GetValues<LockType>()];

    public static TheoryData<string> Broken { get; } = [.. Mutants.Keys];

    private static Dictionary<string, (string Law, LockType Type, DoorEvent[] Events, Machine Machine)> Mutants => new()
    {
        ["a lockdown swallows the exit button"] = (DoorLaws.Egress, LockType.FailSafeStrike, [.. DoorExploration.Leaving, .. DoorExploration.Orders],
            (door, what, times, at) => DoorMachine.Step(door, what is DoorEvent.ExitPressed && door.Lockdown ? new DoorEvent.Tick() : what, times, at)),
        ["what was asked for from inside is taken back"] = (DoorLaws.Egress, LockType.FailSafeStrike, DoorExploration.Passages,
            (door, what, times, at) => DoorMachine.Step(what is DoorEvent.Withdrawn ? door with { Pending = [] } : door, what, times, at)),
        ["the second press moves a jammed bolt no more"] = (DoorLaws.Egress, LockType.Latching, DoorExploration.Passages,
            (door, what, times, at) => DoorMachine.Step(door, what is DoorEvent.ExitPressed && door.LockReleased ? new DoorEvent.Tick() : what, times, at)),
        ["a contact that cannot be read frees"] = (DoorLaws.Released, LockType.FailSafeStrike, DoorExploration.Passages,
            (door, what, times, at) => DoorMachine.Step(door, what is DoorEvent.LeafUnknown ? new DoorEvent.ReleasedByCommand() : what, times, at)),
        ["the end of a lockdown frees what shaking had freed"] = (DoorLaws.Released, LockType.Motor, [.. DoorExploration.Orders, .. DoorExploration.Emergencies],
            (door, what, times, at) => what is DoorEvent.LockdownOrdered { On: false } && door.Unconfirmed != 0
                ? DoorMachine.Step(door with { Lockdown = false }, new DoorEvent.Resumed(door.Unconfirmed, door.Unconfirmed, door.Calling, 0), times, at)
                : DoorMachine.Step(door, what, times, at)),
        ["a badge opens a blocked door"] = (DoorLaws.Held, LockType.Magnet, [.. DoorExploration.Leaving, .. DoorExploration.Orders],
            (door, what, times, at) => what is DoorEvent.Granted && door.EntryHeld
                ? Put(DoorMachine.Step(door with { Lockdown = false, Override = DoorMode.Normal }, what, times, at), it => it with { Lockdown = door.Lockdown, Override = door.Override })
                : DoorMachine.Step(door, what, times, at)),
        ["nobody looks at the time"] = (DoorLaws.Energised, LockType.FailSecureStrike, DoorExploration.Passages,
            (door, what, times, _) => DoorMachine.Step(door, what, times, TimeSpan.Zero)),
        ["a pulse has no end"] = (DoorLaws.Energised, LockType.Motor, DoorExploration.Passages,
            (door, what, times, at) => Put(DoorMachine.Step(door, what, times, at), it => it with { CoilUntil = null })),
        ["an override has no end"] = (DoorLaws.Energised, LockType.Magnet, [.. DoorExploration.Leaving, .. DoorExploration.Orders],
            (door, what, times, at) => Put(DoorMachine.Step(door, what, times, at), it => it with { OverrideUntil = it.OverrideUntil is null ? null : at + DoorExploration.Late + DoorExploration.Unit })),
        ["the panel's reset alone locks"] = (DoorLaws.Confirmed, LockType.FailSafeStrike, DoorExploration.Emergencies,
            (door, what, times, at) => Put(DoorMachine.Step(door, what, times, at), it =>
                what is DoorEvent.Signalled { Active: false } && it.Calling == 0 ? it with { Unconfirmed = 0, Freeing = 0 } : it)),
        ["a confirmation does not wait for the reset"] = (DoorLaws.Confirmed, LockType.FailSafeStrike, DoorExploration.Emergencies,
            (door, what, times, at) => DoorMachine.Step(what is DoorEvent.Confirmed ? door with { Calling = 0 } : door, what, times, at)),
        ["fire frees every type of lock"] = (DoorLaws.ByType, LockType.FailSecureStrike, DoorExploration.Emergencies,
            (door, what, times, at) => Put(DoorMachine.Step(door with { Lock = LockType.Magnet }, what, times, at), it => it with { Lock = door.Lock })),
        ["shaking opens a door in lockdown"] = (DoorLaws.ByType, LockType.FailSafeStrike, [.. DoorExploration.Orders, .. DoorExploration.Emergencies],
            (door, what, times, at) => what is DoorEvent.Signalled
                ? Put(DoorMachine.Step(door with { Lockdown = false }, what, times, at), it => it with { Lockdown = door.Lockdown }) : DoorMachine.Step(door, what, times, at)),
        ["a lockdown ends a fire release"] = (DoorLaws.Confirmed, LockType.FailSafeStrike, [.. DoorExploration.Orders, .. DoorExploration.Emergencies],
            (door, what, times, at) => Put(DoorMachine.Step(door, what, times, at), it => it.Lockdown ? it with { Freeing = 0 } : it)),
        ["a locking is not announced"] = (DoorLaws.Outputs, LockType.Latching, DoorExploration.Passages,
            (door, what, times, at) => Without<DoorNotice.LockNow>(DoorMachine.Step(door, what, times, at))),
        ["openings of a free door are not counted"] = (DoorLaws.Recorded, LockType.FailSafeStrike, [.. DoorExploration.Leaving, .. DoorExploration.Emergencies],
            (door, what, times, at) => Without<DoorNotice.UnbadgedPassage>(DoorMachine.Step(door, what, times, at))),
        ["nobody looks for who is shut in"] = (DoorLaws.Confined, LockType.FailSafeStrike, DoorExploration.Passages,
            (door, what, times, at) => Without<DoorNotice.ConfinementSuspected>(DoorMachine.Step(door, what, times, at))),
        ["nobody looks at the bolt"] = (DoorLaws.Told, LockType.FailSafeStrike, [.. DoorExploration.Leaving, .. DoorExploration.Feedback],
            (door, what, times, at) => Put(DoorMachine.Step(door, what, times, at), it => it with { FeedbackAt = null })),
    };

    [Theory]
    [MemberData(nameof(Types))]
    public void In_every_state_that_passages_lead_to_every_law_holds(LockType type) => Explore("passages", type, DoorExploration.Passages);

    [Theory]
    [MemberData(nameof(Types))]
    public void In_every_state_that_orders_and_emergencies_lead_to_every_law_holds(LockType type) =>
        Explore("orders and emergencies", type, [.. DoorExploration.Leaving, .. DoorExploration.Orders, .. DoorExploration.Emergencies]);

    [Theory]
    [MemberData(nameof(Types))]
    public void In_every_state_that_bolt_and_bond_lead_to_every_law_holds(LockType type) =>
        Explore("feedback", type, [.. DoorExploration.Leaving, .. DoorExploration.Feedback, new DoorEvent.OverrideOrdered(DoorMode.Unlocked, DoorExploration.Unit)]);

    [Theory]
    [MemberData(nameof(Types))]
    public void In_every_state_within_some_events_of_any_kind_every_law_holds(LockType type) => Explore("everything", type, DoorExploration.Everything);

    [Theory]
    [MemberData(nameof(Broken))]
    public void A_machine_without_a_rule_is_caught(string rule)
    {
        var (law, type, events, machine) = Mutants[rule];
        Assert.Contains(law, Faults(type, machine, events, 5_000, out _).Keys);
    }

    private void Explore(string name, LockType type, DoorEvent[] events)
    {
        var faults = Faults(type, DoorMachine.Step, events, StatesMax, out var walk);
        output.WriteLine(
            $"{name}, {type}: {walk.States} states, {walk.Transitions} transitions, {(walk.Complete ? "all of them" : "every one")} within {walk.Depth} steps of {events.Length + 2} kinds");
        Assert.True(faults.Count == 0, string.Join('\n', faults.Select(it => $"{it.Key}: {it.Value}")));
        Assert.True(walk.Complete || walk.States >= StatesMax);
    }

    private static Dictionary<string, string> Faults(LockType type, Machine machine, DoorEvent[] events, int statesMax, out DoorExploration walk)
    {
        var faults = new Dictionary<string, string>();
        walk = DoorExploration.Walk(type, machine, events, statesMax, step =>
        {
            foreach (var (name, ofState, holds) in DoorLaws.All)
                if ((step.New || !ofState) && !faults.ContainsKey(name) && !holds(step)) faults.Add(name, $"{step.What} in {step.Before} led to {step.State} with {string.Join(", ", step.Step.Notices)}");
        });
        return faults;
    }

    private static DoorStep Put(DoorStep step, Func<DoorStatus, DoorStatus> change) => step with { Status = change(step.Status) };

    private static DoorStep Without<T>(DoorStep step) => step with { Notices = [.. step.Notices.Where(it => it is not T)] };
}
