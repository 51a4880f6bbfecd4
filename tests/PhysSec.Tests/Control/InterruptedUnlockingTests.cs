using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using static PhysSec.Tests.Access.TestPolicy;
using static PhysSec.Tests.Control.NodeDoorModeTests;
using static PhysSec.Tests.Control.NodeProbe;

namespace PhysSec.Tests.Control;

/// <summary>An unlocking that a restart of the node interrupts: it goes on once everything that could stand against it was seen, or never.</summary>
public sealed class InterruptedUnlockingTests
{
    /// <summary>SECURE-BY-DEFAULT: what stood unlocked stays locked until nothing that is not seen yet could stand against it.</summary>
    [Theory]
    [InlineData("armed", false)]
    [InlineData("time over", false)]
    [InlineData("ended", false)]
    [InlineData("blocked", false)]
    [InlineData("lockdown", false)]
    [InlineData("lockdown of the policy", false)]
    [InlineData("journal", false)]
    [InlineData("fire", false)]
    [InlineData("another boot", false)]
    [InlineData("restarted again", true)]
    [InlineData("disarmed", true)]
    public void An_unlocking_that_a_restart_interrupts_waits_for_the_guard_service(string what, bool free)
    {
        var before = NodeDoorModeTests.Node();
        Mode(before, "unlocked", 600);
        var after = new NodeProbe(memory: before.Memory, at: 10, start: false, board: Board());
        var started = after.Do(new Tick());
        Assert.Contains("mode Unlocked>Normal restart sato: test", Say(started), StringComparison.Ordinal);
        var shown = Assert.IsType<DoorLive>(started.Live.Single(it => it.Point.Value == "door-a.door").Value);
        Assert.Equal(("normal", new LiveOverride("unlocked", "sato", "test", Tuesday.AddSeconds(600), Waits: true)), (shown.Mode, shown.Override));
        Assert.DoesNotContain("mode", Say(after.Contact("guard", null)), StringComparison.Ordinal);
        switch (what)
        {
            case "armed": after.Contact("guard", true); break;
            case "time over": after.After(590, new Tick()); break;
            case "ended": Mode(after, "normal", null); break;
            case "blocked": Mode(after, "blocked", 60); break;
            case "lockdown":
                after.Command(Verbs.Lockdown, ("door", "door-a"), ("on", "true"));
                after.Command(Verbs.Lockdown, ("door", "door-a"), ("on", "false"));
                break;
            case "lockdown of the policy":
                after.Do(new PolicyArrived(NodeDoorModeTests.Doors(it => it with { Lockdown = true }) with { Version = 8 }, "of-8", Tuesday));
                after.Do(new PolicyArrived(NodeDoorModeTests.Doors(it => it) with { Version = 9 }, "of-9", Tuesday));
                break;
            case "journal":
                after.Do(new JournalHealthChanged(false, "disk full"));
                after.Do(new JournalHealthChanged(true, null));
                break;
            case "fire":
                after.Contact("fire", true);
                foreach (var it in new[] { "fire", "door-a.fire" }) after.Contact(it, false);
                Assert.Null(Confirm(after, "door-a"));
                break;
            case "another boot" or "restarted again":
                after = new NodeProbe(memory: after.Memory, at: 20, start: false, board: Board() with { Boot = what == "another boot" ? "boot-2" : "boot-1" });
                Assert.DoesNotContain("mode", Say(after.Do(new Tick())), StringComparison.Ordinal); // That it ended is on record.
                break;
            default: break;
        }

        Assert.False(after.Free);
        var seen = after.Contact("guard", false);
        Assert.Equal(free, after.Free);
        Assert.Equal(free, Say(seen).Contains("mode Normal>Unlocked restart sato: test", StringComparison.Ordinal));
        Assert.False(FreeAfter(after, 601));
    }

    [Fact]
    public void While_the_journal_cannot_record_it_nothing_that_a_restart_interrupted_goes_on()
    {
        var before = NodeDoorModeTests.Node();
        Mode(before, "unlocked", 600);
        var after = new NodeProbe(memory: before.Memory, at: 10, start: false, board: Board());
        after.Do(new JournalHealthChanged(false, "disk full"));
        after.Contact("guard", false);
        Assert.False(after.Free);
    }

    [Fact]
    public void An_unlocking_that_a_restart_interrupts_waits_for_the_other_door_of_the_mantrap()
    {
        var policy = NodeDoorModeTests.Doors(it => it with { Interlock = "lobby" });
        var before = NodeDoorModeTests.Node(policy);
        before.Contact("door-b.contact", false);
        Assert.Equal("done", Assert.Single(Mode(before, "unlocked", 600).Replies).Outcome);
        var after = new NodeProbe(memory: before.Memory, at: 10, start: false, board: Board(policy));
        after.Do(new Tick());
        after.Contact("guard", false);
        after.Contact("door-b.contact", true);
        Assert.False(after.Free);
        after.Contact("door-b.contact", false);
        after.After(5, new Tick());
        Assert.True(after.Free);
    }

    [Fact]
    public void An_unlocking_that_a_restart_interrupts_in_an_emergency_is_over()
    {
        var before = NodeDoorModeTests.Node();
        Mode(before, "unlocked", 600);
        before.Contact("fire", true);
        var after = new NodeProbe(memory: before.Memory, at: 10, start: false, board: Board());
        after.Do(new Tick());
        foreach (var it in new[] { "guard", "fire", "door-a.fire" }) after.Contact(it, false);
        Assert.True(after.Free);
        Assert.Null(Confirm(after, "door-a"));
        Assert.False(after.Free);
    }

    [Fact]
    public void Without_a_policy_nothing_that_a_restart_interrupted_goes_on()
    {
        var board = Board();
        NodeSetup Unwired(Policy? policy) => NodeProbe.Setup(policy, ClockQuality.Synced) with
        {
            Doors = board.Doors,
            Contacts = [.. board.Contacts.Where(it => it.Role != ContactRole.GuardArmed)],
            Points = [],
            Boot = "boot-1",
        };
        var before = new NodeProbe(board: Unwired(NodeDoorModeTests.Doors(it => it)));
        Mode(before, "unlocked", 600);
        Assert.True(before.Free);
        var after = new NodeProbe(memory: before.Memory, at: 10, board: Unwired(null));
        after.After(1, new Tick());
        Assert.False(after.Free);
    }
}
