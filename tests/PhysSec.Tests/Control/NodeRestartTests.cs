using PhysSec.Core.Doors;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using static PhysSec.Tests.Access.TestPolicy;
using static PhysSec.Tests.Control.NodeProbe;

namespace PhysSec.Tests.Control;

/// <summary>A node that is killed in each state of a door, with each type of lock, and starts again from its journal: within the same boot of the machine, and after a power cut.</summary>
public sealed class NodeRestartTests
{
    /// <summary>How a door comes into a state, and what of it is still so after a restart. Null: nothing but a locked door.</summary>
    private static readonly Dictionary<string, (Action<NodeProbe> Bring, DoorMode Mode, string? Alarm)> _states = new()
    {
        ["locked"] = (_ => { }, DoorMode.Normal, null),
        ["released for a card"] = (it => it.Card(AnaCard), DoorMode.Normal, null),
        ["released for longer"] = (it => it.Card(ChieCard), DoorMode.Normal, null),
        ["released by command"] = (it => it.Command(Verbs.Release, ("door", "door-a")), DoorMode.Normal, null),
        ["released by the exit button"] = (it => it.Contact("door-a.button", true), DoorMode.Normal, null),
        ["open"] = (it => Open(it, 0), DoorMode.Normal, null),
        ["warning before the alarm"] = (it => Open(it, 25), DoorMode.Normal, null),
        ["held open"] = (it => Open(it, 30), DoorMode.Normal, "door-held:door-a"),
        ["forced"] = (it => it.Contact("door-a.contact", true), DoorMode.Normal, "door-forced:door-a"),
        ["unlocked by an override"] = (it => Override(it, "unlocked"), DoorMode.Unlocked, null),
        ["blocked"] = (it => Override(it, "blocked"), DoorMode.Blocked, null),
        ["in lockdown"] = (it => it.Command(Verbs.Lockdown, ("door", "door-a"), ("on", "true")), DoorMode.Lockdown, null),
        ["in a fire"] = (it => it.Contact("door-a.fire", true), DoorMode.FireRelease, "fire-release:door-a"),
        ["in a fire that has reset and nobody has confirmed"] = (Reset, DoorMode.FireRelease, "fire-release:door-a"),
    };

    public static TheoryData<string, LockType, bool> Rows
    {
        get
        {
            var rows = new TheoryData<string, LockType, bool>();
            foreach (var state in _states.Keys)
                foreach (var type in Enum.GetValues<LockType>())
                    foreach (var sameBoot in (bool[])[true, false]) rows.Add(state, type, sameBoot);
            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_restart_locks_first_and_remembers_what_holds_or_frees_the_door(string state, LockType type, bool sameBoot)
    {
        var (bring, mode, alarm) = _states[state];
        var before = new NodeProbe(board: Board(type));
        before.After(3, new Tick());
        bring(before);
        if (state.StartsWith("released", StringComparison.Ordinal)) Assert.True(before.Free);
        var follows = LockTraits.Of(type).OnFire == EmergencyRule.Follow;
        if (mode == DoorMode.FireRelease && !follows) (mode, alarm) = (DoorMode.Normal, "release-withheld:door-a"); // Its way out is the lever.
        if (mode == DoorMode.Unlocked && !sameBoot) mode = DoorMode.Normal; // Nobody knows how much of its time is left.

        var after = new NodeProbe(memory: before.Memory, at: sameBoot ? before.Now + 2 : 5, start: false, board: Board(type) with { Boot = sameBoot ? "boot-1" : "boot-2" });
        var started = after.Do(new Tick());

        Assert.Equal(NodeProbe.Door, started.Secure[0]); // Its pulse, or its output off, comes before everything else.
        var free = mode is DoorMode.FireRelease or DoorMode.Unlocked;
        Assert.Equal(free, after.Free);
        Assert.Equal(free ? [NodeProbe.Door] : [], started.Release.Select(it => it.Door));
        Assert.Equal(DoorModes.Word(mode), Live(started).Mode);
        Assert.Equal(alarm is null ? [] : [alarm], after.Memory!.Alarms.Select(it => it.Alarm));
        if (LockTraits.Of(type).Pulse is { } pulse && !free) Assert.Equal([NodeProbe.Door], after.After(pulse.TotalSeconds, new Tick()).Rest);

        // The leaf is seen shut and every contact reset: what a sensor alone had raised ends, what a person must end does not.
        after.Contacts();
        Assert.Equal(alarm is "fire-release:door-a" or "release-withheld:door-a" ? [alarm] : [], after.Memory!.Alarms.Select(it => it.Alarm));
        Assert.Equal(free, after.Free);
        var entered = Say(after.Card(AnaCard));
        Assert.StartsWith(mode switch { DoorMode.Blocked => "denied In DoorBlocked", DoorMode.Lockdown => "denied In Lockdown", _ => "granted In" }, entered, StringComparison.Ordinal);
        after.Contact("door-a.button", true);
        Assert.True(after.Free); // EGRESS
    }

    /// <summary>A standing override goes on for the rest of its time, a block for all of it where the rest is not known, and neither for longer.</summary>
    [Theory]
    [InlineData("unlocked", true, 598, true)]
    [InlineData("blocked", true, 598, false)]
    [InlineData("blocked", false, 600, false)]
    public void What_goes_on_ends_by_itself(string mode, bool sameBoot, double left, bool free)
    {
        var before = new NodeProbe(board: Board(LockType.FailSecureStrike));
        Override(before, mode);
        var after = new NodeProbe(memory: before.Memory, at: sameBoot ? before.Now + 2 : 5, start: false, board: Board(LockType.FailSecureStrike) with { Boot = sameBoot ? "boot-1" : "boot-2" });
        after.Do(new Tick());
        after.Contacts();

        after.After(left - 0.1, new Tick());
        Assert.Equal((mode, free), (DoorModes.Word(after.Memory!.Doors[0].Override!.Mode), after.Free));
        Assert.Contains(">Normal timer", Say(after.After(0.1, new Tick())), StringComparison.Ordinal);
        Assert.False(after.Free);
    }

    /// <summary>The reader that has the lock comes back: what was released for one passage is over, what stands free is freed again, at most once a minute where it is in vain.</summary>
    [Fact]
    public void A_lock_that_obeys_again_is_freed_only_where_the_door_stands_free()
    {
        var node = new NodeProbe(board: Board(LockType.FailSecureStrike));
        node.Card(AnaCard);
        node.LockFault("output 0 of door-a.exit: the reader went offline");
        Assert.Empty(node.LockFault(null).Release);

        node.After(10, new Tick());
        Override(node, "unlocked");
        node.LockFault("output 0 of door-a.exit: the reader went offline");
        Assert.Single(node.LockFault(null).Release);
        node.LockFault("output 0 of door-a.exit: it was not released: the reader refuses");
        var vain = node.LockFault(null);
        Assert.Equal(("", 0), (Say(vain), vain.Release.Count));
        Assert.Contains(node.Memory!.Alarms, it => it.Alarm == "lock-fault:door-a");
        var again = node.After(60, new Tick());
        Assert.Equal(("-lock-fault:door-a", 1), (Say(again), again.Release.Count));
    }

    [Fact]
    public void Before_a_lock_that_does_not_obey_nobody_is_shown_that_it_is_free()
    {
        var node = new NodeProbe(board: Board(LockType.FailSecureStrike));
        node.LockFault("output 0 of door-a.exit: the reader is offline");
        Assert.Contains("In Fault", Signals(node.Card(AnaCard)), StringComparison.Ordinal);
        Assert.DoesNotContain("Granted", Signals(node.After(2, new Tick())), StringComparison.Ordinal);
    }

    [Fact]
    public void A_passage_that_the_lock_did_not_take_is_shown_as_free_by_nobody_until_it_is_released_anew()
    {
        var node = new NodeProbe(board: Board(LockType.FailSecureStrike));
        node.Card(ChieCard); // For 15 s.
        node.LockFault("output 0 of door-a.exit: it was not released: the reader did not answer in time");
        node.After(3, new Tick());
        Assert.DoesNotContain("Granted", Signals(node.After(5, new LockFaultChanged(NodeProbe.Door, null))) + Signals(node.After(1, new Tick())), StringComparison.Ordinal);
        Assert.Contains("In Granted", Signals(node.Contact("door-a.button", true)), StringComparison.Ordinal); // It is given again.
    }

    /// <summary>Whatever asks for it: nobody stands before a lock that a door takes for released.</summary>
    [Theory]
    [InlineData("card")]
    [InlineData("exit badge")]
    [InlineData("exit button")]
    [InlineData("command")]
    [InlineData("unlocked")]
    [InlineData("fire")]
    public void A_passage_that_the_lock_did_not_take_is_released_anew_by_whatever_releases(string what)
    {
        var node = new NodeProbe(board: Board(LockType.FailSafeStrike));
        node.Card(ChieCard);
        node.LockFault("output door-a.lock does not take what is written to it");
        node.LockFault(null);
        var again = what switch
        {
            "card" => node.Card(AnaCard),
            "exit badge" => node.Card(AnaCard, Core.Access.Direction.Out),
            "exit button" => node.Contact("door-a.button", true),
            "command" => node.Command(Verbs.Release, ("door", "door-a")),
            "unlocked" => Override(node, "unlocked"),
            _ => node.Contact("door-a.fire", true),
        };
        Assert.Equal([NodeProbe.Door], again.Release.Select(it => it.Door));
        Assert.Contains("In Granted", Signals(again) + Signals(node.After(2.5, new Tick())), StringComparison.Ordinal);
    }

    [Fact]
    public void A_lock_that_stands_released_when_its_fault_ends_is_shown_as_free()
    {
        var node = new NodeProbe(board: Board(LockType.FailSecureStrike));
        node.Card(ChieCard);
        node.LockFault("output 0 of door-a.exit: it was not released: the reader did not answer in time");
        node.Contact("door-a.button", true);
        Assert.Contains("Granted", Signals(node.After(3, new LockFaultChanged(NodeProbe.Door, null, On: true))), StringComparison.Ordinal);
    }

    private static void Open(NodeProbe node, double seconds)
    {
        node.Card(AnaCard);
        node.Contact("door-a.contact", true);
        node.After(seconds, new Tick());
    }

    private static void Reset(NodeProbe node)
    {
        node.Contact("door-a.fire", true);
        node.Contact("door-a.fire", false);
    }

    private static Effects Override(NodeProbe node, string mode) => node.Command(Verbs.Mode, ("door", "door-a"), ("mode", mode), ("seconds", "600"));

    private static DoorLive Live(Effects effects) => Assert.IsType<DoorLive>(effects.Live.Last(it => it.Point.Value == "door-a.door").Value);

    private static NodeSetup Board(LockType type) => NodeProbe.Setup(Policy(), ClockQuality.Synced) with
    {
        Doors = [new(NodeProbe.Door, true, true, true, true, type, false, true)],
        Contacts =
        [
            new("door-a.contact", ContactRole.DoorLeaf, NodeProbe.Door), new("door-a.button", ContactRole.ExitButton, NodeProbe.Door),
            new("door-a.fire", ContactRole.FireRelease, NodeProbe.Door),
        ],
        Points = [],
        Boot = "boot-1",
    };
}
