using CsCheck;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Doors;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using PhysSec.Tests.Access;
using static PhysSec.Tests.Access.TestPolicy;
using static PhysSec.Tests.Control.NodeProbe;

namespace PhysSec.Tests.Control;

/// <summary>Modes, emergencies, the guard service and interlocks of a node: who ordered what on record, what outlives a restart, and who is told.</summary>
public sealed class NodeDoorModeTests
{
    private static readonly DoorId _other = new("door-b");

    [Fact]
    public void An_override_is_on_record_with_owner_reason_and_end_shown_and_ends_by_itself()
    {
        var node = Node();
        var ordered = Mode(node, "unlocked", 600);
        Assert.Equal("mode Normal>Unlocked command sato: test, Locked>Released command, command mode done", Say(ordered));
        var change = ordered.Records.Select(it => it.Fact).OfType<DoorModeChanged>().Single();
        Assert.Equal((600.0, Tuesday.AddSeconds(600)), (change.Seconds, change.Until));
        Assert.Equal([new LockRelease(NodeProbe.Door, false)], ordered.Release); // RECORDED: it waits for its record.
        var live = Assert.IsType<DoorLive>(ordered.Live.Single(it => it.Point.Value == "door-a.door").Value);
        Assert.Equal(("unlocked", new LiveOverride("unlocked", "sato", "test", Tuesday.AddSeconds(600))), (live.Mode, live.Override));

        Assert.Equal("Released>Open contact, unbadged 1 Unlocked", Say(node.Contact("door-a.contact", true)));
        node.Contact("door-a.contact", false);
        var ended = node.After(600, new Tick());
        Assert.Equal("mode Unlocked>Normal timer sato: test unbadged 1, Released>Locked timer", Say(ended));
        Assert.Equal([NodeProbe.Door], ended.Secure);
    }

    [Theory]
    [InlineData("unlocked", null, "seconds")]
    [InlineData("unlocked", "9", "seconds")]
    [InlineData("unlocked", "86401", "seconds")]
    [InlineData("unlocked", "-60", "seconds")]
    [InlineData("ajar", "60", "mode")]
    [InlineData("lockdown", "60", "mode")]
    public void An_override_without_a_mode_or_an_end_is_refused(string mode, string? seconds, string named)
    {
        var node = Node();
        var refused = node.Command(Verbs.Mode, [("door", "door-a"), ("mode", mode), .. seconds is null ? [] : new[] { ("seconds", seconds) }]);
        Assert.Equal("command mode refused", Say(refused));
        Assert.StartsWith(named, Assert.Single(refused.Replies).Fault, StringComparison.Ordinal);
        Assert.False(node.Free);
    }

    [Fact]
    public void A_blocked_door_refuses_with_its_reason_and_never_holds_who_leaves()
    {
        var node = Node();
        Mode(node, "blocked", 600);
        Assert.Equal("denied In DoorBlocked 21", Say(node.Card(AnaCard)));
        Assert.Contains("blocked", Assert.Single(node.Command(Verbs.Release, ("door", "door-a")).Replies).Fault, StringComparison.Ordinal);
        node.Card(AnaCard, Direction.Out);
        Assert.True(node.Free);
        Assert.Equal("mode Blocked>Normal command sato: test, command mode done", Say(Mode(node, "normal", null)));
    }

    [Fact]
    public void An_unlocked_override_that_cannot_be_recorded_ends()
    {
        var node = Node();
        Mode(node, "unlocked", 600);
        var failed = node.After(0.3, new JournalHealthChanged(false, "disk full"));
        Assert.Equal([NodeProbe.Door], failed.Secure);
        Assert.StartsWith("mode Unlocked>Normal journal sato: test", Say(failed), StringComparison.Ordinal);
        Assert.Contains("journal", Assert.Single(Mode(node, "unlocked", 600).Replies).Fault, StringComparison.Ordinal);
    }

    /// <summary>SECURE-BY-DEFAULT.</summary>
    [Theory]
    [InlineData("unlocked", "boot-1", 100, "mode Normal>Unlocked restart sato: test", true)] // The same boot of the machine: the time left is known.
    [InlineData("unlocked", "boot-1", 700, "mode Unlocked>Normal timer sato: test", false)]
    [InlineData("unlocked", "boot-2", 0, "mode Unlocked>Normal restart sato: test", false)]
    [InlineData("unlocked", null, 100, "mode Unlocked>Normal restart sato: test", false)]
    [InlineData("blocked", "boot-1", 100, "mode Normal>Blocked restart sato: test", false)]
    [InlineData("blocked", "boot-2", 0, "mode Normal>Blocked restart sato: test", false)]
    public void A_restart_during_an_override_says_so_and_leaves_a_door_free_only_for_a_time_that_is_known(string mode, string? boot, int at, string said, bool free)
    {
        var before = Node();
        Mode(before, mode, 600);
        var after = new NodeProbe(memory: before.Memory, at: at, start: false, board: Board() with { Boot = boot });
        var started = after.Do(new Tick());
        Assert.Equal([NodeProbe.Door], started.Secure.Where(it => it == NodeProbe.Door));
        Assert.False(after.Free); // Nobody knows yet whether the guard service was armed meanwhile.
        Assert.Contains(said, Say(started) + Say(after.Contact("guard", false)), StringComparison.Ordinal);
        Assert.Equal(free, after.Free);
        Assert.False(FreeAfter(after, 601));
    }

    [Fact]
    public void Of_two_contacts_of_the_guard_service_one_that_is_armed_is_enough()
    {
        var board = Board();
        var node = new NodeProbe(start: false, board: board with { Contacts = [.. board.Contacts, new("guard-2", ContactRole.GuardArmed, null)] });
        node.Do(new Tick());
        Assert.Equal("", Say(node.Contact("guard", false))); // The other was not seen yet.
        Assert.StartsWith("denied", Say(node.Card(AnaCard)), StringComparison.Ordinal);
        Assert.Equal("guard armed on", Say(node.Contact("guard-2", true)));
        Assert.Equal("", Say(node.Contact("guard", true)));
        Assert.Equal("", Say(node.Contact("guard-2", false)));
        Assert.Equal("guard armed off", Say(node.Contact("guard", false)));
        Assert.StartsWith("granted In", Say(node.Card(AnaCard)), StringComparison.Ordinal);
    }

    [Fact]
    public void Fire_of_the_room_frees_its_doors_is_an_alarm_of_intrusion_and_ends_by_a_person()
    {
        var node = Node();
        var fire = node.Contact("fire", true);
        Assert.Equal(
            "mode Normal>FireRelease fire, Locked>Released fire, +fire-release:door-a!, door-a Fire calls free, +release-withheld:door-b!, door-b Fire calls, guard alarm on fire-release:door-a, guard call on release-withheld:door-b",
            Say(fire));
        Assert.Equal([new LockRelease(NodeProbe.Door, true)], fire.Release); // The motor lock of the other door stays: its way out is the thumb-turn.
        Assert.Equal("guard alarm on, guard call on, In Granted, lamp on, siren on", Signals(fire));
        Assert.Equal("Released>Open contact, unbadged 1 FireRelease", Say(node.Contact("door-a.contact", true)));

        Assert.Contains("reset", Confirm(node, "door-a"), StringComparison.Ordinal);
        Assert.Equal("door-a Fire reset free, door-b Fire reset", Say(node.Contact("fire", false)));
        Assert.Null(Confirm(node, "door-a"));
        Assert.False(node.Free);
        Assert.Contains("nothing waits", Confirm(node, "door-a"), StringComparison.Ordinal);
        Assert.Null(Confirm(node, "door-b"));
    }

    [Fact]
    public void A_restart_in_a_fire_leaves_the_door_free_and_still_asks_for_a_person()
    {
        var before = Node();
        before.Contact("door-a.glass", true);
        before.Contact("door-a.contact", true);
        var after = new NodeProbe(memory: before.Memory, start: false, board: Board());
        var started = after.Do(new Tick());
        Assert.Contains("mode Normal>FireRelease restart", Say(started), StringComparison.Ordinal);
        Assert.DoesNotContain("-break-glass", Say(started), StringComparison.Ordinal);
        Assert.True(after.Free);
        Assert.Contains("reset", Confirm(after, "door-a"), StringComparison.Ordinal); // Nobody has seen the contact yet.
        after.Contact("door-a.glass", false);
        var confirmed = after.Command(Verbs.ConfirmRelease, ("door", "door-a"));
        Assert.Equal("mode FireRelease>Normal confirmed sato: test unbadged 1, Released>Locked confirmed, -break-glass:door-a, command confirm-release done, guard alarm off", Say(confirmed));
    }

    [Fact]
    public void Two_contacts_of_a_kind_call_together()
    {
        var node = Node();
        node.Contact("fire", true);
        node.Contact("door-a.fire", true);
        Assert.DoesNotContain("door-a", Say(node.Contact("fire", false)), StringComparison.Ordinal);
        Assert.Contains("reset", Confirm(node, "door-a"), StringComparison.Ordinal);
        Assert.Equal("door-a Fire reset free", Say(node.Contact("door-a.fire", false)));
    }

    [Theory]
    [InlineData(GuardRule.Refuse, "denied In GuardArmed 25", "denied In GuardArmed 25")]
    [InlineData(GuardRule.AskToDisarm, "denied In GuardArmed 25", "denied In UnknownCredential 30")]
    public void While_the_guard_service_is_armed_nobody_enters_and_who_leaves_is_not_asked(GuardRule rule, string ana, string stranger)
    {
        var node = Node(Doors(it => it with { Guard = rule }));
        Assert.Equal("guard armed on", Say(node.Contact("guard", true)));
        Assert.Equal(ana, Say(node.Card(AnaCard)));
        Assert.Equal(stranger, Say(node.Card(StrangerCard)));
        Assert.Contains("armed", Assert.Single(Mode(node, "unlocked", 60).Replies).Fault, StringComparison.Ordinal);
        Assert.Equal("+sensor-silent:guard!", Say(node.Contact("guard", null))); // It counts as it was seen last.
        Assert.StartsWith("denied", Say(node.Card(AnaCard)), StringComparison.Ordinal);
        Assert.StartsWith("granted Out", Say(node.Card(AnaCard, Direction.Out)), StringComparison.Ordinal);
        Assert.Equal("-sensor-silent:guard, guard armed off", Say(node.Contact("guard", false)));
        Assert.StartsWith("granted In", Say(node.Card(AnaCard)), StringComparison.Ordinal);
    }

    [Fact]
    public void Arming_the_guard_service_ends_an_override_that_left_the_door_free()
    {
        var node = Node();
        node.Contact("guard", false);
        Mode(node, "unlocked", 600);
        Assert.True(node.Free);
        Assert.Contains("guard armed on", Say(node.Contact("guard", true)), StringComparison.Ordinal);
        Assert.False(node.Free);
    }

    [Fact]
    public void Who_leaves_after_an_override_let_people_in_without_a_badge_is_no_intruder()
    {
        var node = Node();
        Mode(node, "unlocked", 60);
        node.Contact("door-a.contact", true);
        node.Contact("door-a.contact", false);
        Assert.DoesNotContain("exit-in-empty-room", Say(node.Contact("door-a.button", true)), StringComparison.Ordinal);
        node.Contact("door-a.button", false);
        node.After(120, new Tick());
        Assert.DoesNotContain("exit-in-empty-room", Say(node.Contact("door-a.button", true)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_locking_pulse_whose_output_failed_is_given_again_when_it_obeys()
    {
        var node = Node();
        node.After(3, new Tick()); // The locking pulse of the start is over.
        node.Do(new LockFaultChanged(_other, "output door-b.relock does not answer"));
        Assert.Contains(_other, node.Do(new LockFaultChanged(_other, null)).Secure);
        Assert.Equal([_other], node.After(2, new Tick()).Rest);
    }

    [Fact]
    public void Until_the_guard_service_was_seen_disarmed_nobody_enters()
    {
        var node = new NodeProbe(start: false, board: Board());
        node.Do(new Tick());
        Assert.Equal("denied In GuardArmed 25", Say(node.Card(AnaCard)));
    }

    [Fact]
    public void Who_may_be_shut_in_is_the_top_alarm_and_calls_the_guard_service_until_the_leaf_opens_also_over_a_restart()
    {
        var node = Node();
        node.Card(AnaCard);
        node.Contact("door-a.contact", true);
        node.Contact("door-a.contact", false);
        node.Contact("door-a.bolt", true);
        node.Contact("door-a.button", true);
        var suspected = node.After(10, new Tick());
        Assert.Contains("+confinement-suspected:door-a!", Say(suspected), StringComparison.Ordinal);
        Assert.Contains("guard call on confinement-suspected:door-a", Say(suspected), StringComparison.Ordinal);
        Assert.Contains("siren on", Signals(suspected), StringComparison.Ordinal);

        var after = new NodeProbe(memory: node.Memory, start: false, board: Board());
        Assert.DoesNotContain("-confinement", Say(after.Do(new Tick())), StringComparison.Ordinal);
        Assert.Contains("-confinement-suspected:door-a", Say(after.Contact("door-a.contact", true)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_bolt_that_does_not_come_is_ajar_and_one_that_does_not_obey_is_a_lock_fault_beside_the_output_s_own()
    {
        var node = Node();
        node.Card(AnaCard);
        Assert.Equal("+lock-fault:door-a!", Say(node.After(3, new Tick())));
        Assert.Equal("", Say(node.LockFault(null))); // The output obeys; the bolt does not.
        Assert.Equal("-lock-fault:door-a", Say(node.Contact("door-a.bolt", false)));
        node.Contact("door-a.contact", true);
        node.Contact("door-a.contact", false);
        Assert.Equal("+door-ajar:door-a!", Say(node.After(3, new Tick())));
        Assert.Equal("-door-ajar:door-a", Say(node.Contact("door-a.bolt", true)));
    }

    [Fact]
    public void Of_two_bolts_the_one_that_does_not_obey_counts_whichever_spoke_last()
    {
        var board = Board();
        var node = new NodeProbe(board: board with { Contacts = [.. board.Contacts, new("door-a.bolt-2", ContactRole.LockFeedback, NodeProbe.Door)] });
        node.Card(AnaCard);
        node.Contact("door-a.bolt-2", false);
        Assert.Equal("+lock-fault:door-a!", Say(node.After(3, new Tick()))); // The first stays.
        Assert.Equal("-lock-fault:door-a", Say(node.Contact("door-a.bolt", false)));
        node.Contact("door-a.contact", true);
        node.Contact("door-a.contact", false);
        node.Contact("door-a.bolt-2", true);
        Assert.Equal("+door-ajar:door-a!", Say(node.After(3, new Tick()))); // The first does not come.
        Assert.Equal("-door-ajar:door-a", Say(node.Contact("door-a.bolt", true)));
    }

    [Fact]
    public void In_a_mantrap_entry_waits_for_the_other_door_and_leaving_breaks_it_with_an_alarm()
    {
        var node = Node(Doors(it => it with { Interlock = "lobby" }));
        node.Do(new CardRead(_other, Direction.In, AnaCard));
        Assert.Equal("denied In Interlocked 22", Say(node.Card(AnaCard)));
        Assert.Contains("interlock", Assert.Single(node.Command(Verbs.Release, ("door", "door-a")).Replies).Fault, StringComparison.Ordinal);

        // Somebody leaves: whoever has not opened yet gives way.
        var leaving = node.Contact("door-a.button", true);
        Assert.Contains(_other, leaving.Secure);
        Assert.Contains(new LockRelease(NodeProbe.Door, true), leaving.Release);
        node.Contact("door-b.contact", true); // Too late for the lock: within the grace.
        var broken = node.Do(new Tick());
        Assert.Contains("interlock-broken:lobby", string.Join(' ', node.Memory!.Alarms), StringComparison.Ordinal);
        Assert.Empty(broken.Records);
        Assert.Contains("-interlock-broken:lobby", Say(node.Contact("fire", true)), StringComparison.Ordinal); // Fire drops it.
    }

    [Fact]
    public void A_pulse_ends_in_its_time_and_a_taken_back_release_is_never_carried_out_after_the_locking()
    {
        var node = Node();
        Assert.Equal([_other], node.After(3, new Tick()).Rest); // The locking pulse of the start.
        Assert.Equal(_other, Assert.Single(node.Do(new CardRead(_other, Direction.In, AnaCard)).Release).Door);
        Assert.Empty(node.After(1.75, new Tick()).Rest);
        Assert.Equal([_other], node.After(0.25, new Tick()).Rest);
    }

    /// <summary>Power may go at any moment: whatever was in force, the next start locks first, and leaves free only what memory proves.</summary>
    [Fact]
    public void After_a_crash_at_any_point_of_any_day_a_door_is_free_only_for_an_emergency_or_a_known_rest_of_an_override() =>
        Gen.Select(Gen.Select(Gen.Int[0, 13], Gen.Int[0, 40]).Array[1, 25], Gen.Bool).Sample((day, sameBoot) =>
        {
            var node = Node();
            foreach (var (what, seconds) in day)
            {
                node.Now += seconds;
                Act(node, what);
            }

            var kept = node.Memory!.Doors.Single(it => it.Door == NodeProbe.Door);
            var after = new NodeProbe(memory: node.Memory, at: sameBoot ? node.Now : 0, start: false, board: Board() with { Boot = sameBoot ? "boot-1" : "boot-2" });
            var started = after.Do(new Tick());
            Assert.Contains(NodeProbe.Door, started.Secure);
            var emergency = kept.Emergency is { } calls && calls.Freeing != EmergencySignals.None;
            var rest = sameBoot && kept.Emergency is null && kept.Override is { Mode: DoorMode.Unlocked } left && left.Until > node.Now;
            Assert.Equal(emergency, after.Free);
            after.Contact("guard", false);
            Assert.True(after.Free == (emergency || rest), $"free: {after.Free}, emergency: {emergency}, override: {kept.Override}");
            Assert.Equal(emergency, FreeAfter(after, 1_000));
            after.Contact("door-a.button", true);
            Assert.True(after.Free);
        }, iter: 150);

    private static void Act(NodeProbe node, int what)
    {
        switch (what)
        {
            case 0: node.Card(AnaCard); break;
            case 1: node.Card(AnaCard, Direction.Out); break;
            case 2: node.Contact("door-a.contact", true); break;
            case 3: node.Contact("door-a.contact", false); break;
            case 4: node.Contact("door-a.button", true); break;
            case 5: node.Contact("door-a.button", false); break;
            case 6: node.Contact("fire", true); break;
            case 7: node.Contact("fire", false); break;
            case 8: node.Contact("shaking", true); break;
            case 9: node.Contact("shaking", false); break;
            case 10: Mode(node, "unlocked", 60); break;
            case 11: Mode(node, "blocked", 60); break;
            case 12: Confirm(node, "door-a"); break;
            default: node.Command(Verbs.Release, ("door", "door-a")); break;
        }
    }

    /// <summary>Whether the door is free after so long; every contact that might call has reset.</summary>
    internal static bool FreeAfter(NodeProbe node, double seconds)
    {
        node.After(seconds, new Tick());
        return node.Free;
    }

    internal static Effects Mode(NodeProbe node, string mode, int? seconds) => node.Command(
        Verbs.Mode, [("door", "door-a"), ("mode", mode), .. seconds is { } it ? [("seconds", it.ToString(System.Globalization.CultureInfo.InvariantCulture))] : Array.Empty<(string, string)>()]);

    internal static string? Confirm(NodeProbe node, string door) => Assert.Single(node.Command(Verbs.ConfirmRelease, ("door", door)).Replies).Fault;

    internal static Policy Doors(Func<DoorPolicy, DoorPolicy> change) => TestPolicy.Policy() with
    {
        Doors = [change(TestPolicy.Policy().Doors[0]), change(TestPolicy.Policy().Doors[0] with { Id = _other })],
    };

    internal static NodeProbe Node(Policy? policy = null) => new(board: Board(policy));

    /// <summary>Two doors: a strike that frees without power, and a motor lock; one fire panel, one guard service.</summary>
    internal static NodeSetup Board(Policy? policy = null) => NodeProbe.Setup(policy ?? Doors(it => it), ClockQuality.Synced) with
    {
        Doors =
        [
            new(NodeProbe.Door, true, false, true, true, LockType.FailSafeStrike, true, true, true, true, true),
            new(_other, false, false, true, false, LockType.Motor, false, true, false, true, true),
        ],
        Contacts =
        [
            new("door-a.contact", ContactRole.DoorLeaf, NodeProbe.Door), new("door-a.button", ContactRole.ExitButton, NodeProbe.Door),
            new("door-a.glass", ContactRole.BreakGlass, NodeProbe.Door), new("door-a.fire", ContactRole.FireRelease, NodeProbe.Door),
            new("door-a.bolt", ContactRole.LockFeedback, NodeProbe.Door), new("door-b.contact", ContactRole.DoorLeaf, _other),
            new("fire", ContactRole.FireRelease, null), new("shaking", ContactRole.SeismicRelease, null), new("guard", ContactRole.GuardArmed, null),
        ],
        Points = [],
        Boot = "boot-1",
        GuardAlarm = true,
        GuardCall = true,
    };
}
