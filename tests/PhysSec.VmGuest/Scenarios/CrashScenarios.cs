using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.VmGuest.Machine;
using static PhysSec.VmGuest.Scenarios.Times;

namespace PhysSec.VmGuest.Scenarios;

/// <summary>What holds when the program ends, dies or hangs.</summary>
internal static class CrashScenarios
{
    /// <summary>Longer than the 10 s that the watchdog waits (init).</summary>
    private static readonly TimeSpan _watchdogMax = TimeSpan.FromSeconds(15);

    /// <summary>Plays with a node of its own, killed in the middle of a release.</summary>
    public static void PlayKill(Report report, Room room, Func<NodeProcess> start)
    {
        report.Play("killed in the middle of a release the lock is off at once, and what was granted is on record", it =>
        {
            using var node = start();
            it.Expect(node.AwaitReady(room.Lines) is not null, "the node did not start");
            room.Badge(Site.Card);
            it.Within(Monotonic.Until(() => room.LockOn, Soon), "lock on");
            node.KillAtOnce();
            it.Expect(room.AllOff, "an output stays on");
        }, (it, facts) => it.One<AccessGranted>(facts, fact => fact.Person == Site.Sato, "granted to p-sato"));

        report.Play("started again it finds its journal whole, knows that it was interrupted, and opens for nobody by itself", it =>
        {
            using var node = start();
            var released = false;
            it.Expect(node.AwaitReady(room.Lines) is not null, "the node did not start");
            released |= Monotonic.Until(() => room.LockOn, Release) is not null;
            it.Expect(!released, "the lock came on");
            room.Badge(Site.Card);
            it.Within(Monotonic.Until(() => room.LockOn, Soon), "lock on for the card");
            it.Expect(node.EndInOrder() == 0, "the node did not end in order");
            it.Expect(room.AllOff, "an output stays on");
        }, (it, facts) =>
        {
            it.One<NodeStarted>(facts, fact => fact is { Previous: "interrupted", Simulated: false }, "started after an interruption");
            it.One<AccessGranted>(facts, fact => fact.Direction == Direction.In, "granted to p-sato");
            it.None<JournalRepaired>(facts, "a repair");
            it.One<NodeStopped>(facts, fact => fact.Why == "stopped", "stopped");
        });
    }

    /// <summary>The machine does not survive this one: what is printed then comes from its next start.</summary>
    public static void PlayHang(Report report, Room room, Func<NodeProcess> start)
    {
        using var node = start();
        report.Play("the watchdog is fed while the node's loop ticks, and the lock comes on for a card", it =>
        {
            it.Expect(node.AwaitReady(room.Lines) is not null, "the node did not start");
            node.ArmWatchdog();
            var before = node.Beats;
            Monotonic.Sleep(_watchdogMax);
            it.Expect(node.Beats - before >= 14, $"{node.Beats - before} beats in 15 s");
            room.Badge(Site.Card);
            it.Within(Monotonic.Until(() => room.LockOn, Soon), "lock on");
        }, (_, _) => { });
        report.Judge(() => []);

        report.Play("a node that hangs resets the machine", it =>
        {
            node.Freeze();
            Monotonic.Sleep(_watchdogMax);
            it.Expect(false, "the machine was not reset");
        }, (_, _) => { });
        report.Judge(() => []);
    }
}
