using System.Runtime.CompilerServices;
using PhysSec.Core.Access;
using PhysSec.Core.Doors;

namespace PhysSec.Tests.Doors;

/// <summary>What firmware/README.md shows of the door is what the machine does: drawn by walking it.</summary>
public sealed class DoorDiagramTests
{
    private const string Begin = "<!-- drawn from the door machine: PHYSSEC_WRITE_DIAGRAM=1 and DoorDiagramTests write it anew -->";
    private const string End = "<!-- end of what is drawn -->";

    private static readonly EmergencySignal[] _signals = [EmergencySignal.Fire, EmergencySignal.Seismic];

    [Fact]
    public void The_diagrams_and_the_table_of_locks_in_the_readme_are_those_of_the_machine()
    {
        var path = Path.GetFullPath("../../../firmware/README.md", Path.GetDirectoryName(Here())!);
        var text = File.ReadAllText(path);
        var (from, to) = (text.IndexOf(Begin, StringComparison.Ordinal), text.IndexOf(End, StringComparison.Ordinal));
        Assert.True(from >= 0 && to > from, "firmware/README.md has lost the marks of the drawn part");
        var drawn = $"{Begin}\n\n{Locks()}\n{Diagram(it => it.Phase.ToString(), Passing())}\n{Diagram(it => it.Mode.ToString(), Ordering())}\n";
        if (Environment.GetEnvironmentVariable("PHYSSEC_WRITE_DIAGRAM") == "1")
            File.WriteAllText(path, text[..from] + drawn + text[to..]);
        else
            Assert.True(text[from..to] == drawn, $"firmware/README.md is stale; run this test with PHYSSEC_WRITE_DIAGRAM=1, or put there:\n{drawn}");
    }

    private static DoorEvent[] Passing() => [.. DoorExploration.Leaving, new DoorEvent.ReleasedByCommand(), new DoorEvent.Withdrawn(), new DoorEvent.OverrideOrdered(DoorMode.Unlocked, DoorExploration.Unit)];

    private static DoorEvent[] Ordering() => [.. DoorExploration.Orders, .. DoorExploration.Emergencies.Where(it => it is not DoorEvent.Resumed)];

    /// <summary>Every change of what the door shows, each with all that can bring it about; of a lock that every kind of emergency may free.</summary>
    private static string Diagram(Func<DoorStatus, string> shown, DoorEvent[] events)
    {
        var edges = new SortedDictionary<(string From, string To), SortedSet<string>>();
        DoorExploration.Walk(LockType.FailSafeStrike, DoorMachine.Step, events, 60_000, step =>
        {
            var (from, to) = (shown(step.Before), shown(step.State));
            if (from == to || step.After == DoorExploration.Late) return;
            if (!edges.TryGetValue((from, to), out var labels)) edges.Add((from, to), labels = new(StringComparer.Ordinal));
            labels.Add(Label(step.What));
        });
        return $"```mermaid\nstateDiagram-v2\n    [*] --> {shown(DoorStatus.Start)}\n"
            + string.Concat(edges.Select(it => $"    {it.Key.From} --> {it.Key.To}: {string.Join(", ", it.Value)}\n")) + "```\n";
    }

    private static string Locks()
    {
        var rows = Enum.GetValues<LockType>().Select(type =>
        {
            var traits = LockTraits.Of(type);
            var name = type switch
            {
                LockType.FailSafeStrike => "`failSafeStrike` 通電時施錠型",
                LockType.Magnet => "`magnet` 電磁錠",
                LockType.FailSecureStrike => "`failSecureStrike` 通電時解錠型",
                LockType.Latching => "`latching` 瞬時通電型",
                LockType.Motor => "`motor` モーター錠",
            };
            var power = traits.FreeWithoutPower ? "free" : traits.Pulse is null ? "locked" : "stays as it is";
            var release = traits.Pulse is { } pulse
                ? FormattableString.Invariant($"a pulse of {pulse.TotalSeconds} s frees, one on the `relock` output locks; repeated when the button is pressed again")
                : "the output is on for as long as the lock is free";
            var egress = traits.Egress == EgressProof.PowerCut ? "exit button, break glass and fire contact cut its power" : "lever or thumb-turn";
            return $"| {name} | {power} | {release} | {egress} | {Rule(traits.OnFire)} | {Rule(traits.OnShaking)} |\n";
        });
        return "| lock | without power | release | way out, proved at commissioning | fire, break glass | strong shaking |\n|---|---|---|---|---|---|\n" + string.Concat(rows);
    }

    private static string Rule(EmergencyRule rule) => rule switch
    {
        EmergencyRule.Follow => "freed in hardware; the software keeps it free in every mode",
        EmergencyRule.UnlessEntryHeld => "the software frees it; not in lockdown or while blocked: alarm and guard call",
        EmergencyRule.Stay => "not moved: alarm and guard call",
    };

    private static string Label(DoorEvent what) => what switch
    {
        DoorEvent.Granted { Direction: Direction.In } => "entry granted",
        DoorEvent.Granted => "exit badge",
        DoorEvent.ReleasedByCommand => "released by command",
        DoorEvent.ExitPressed => "exit button",
        DoorEvent.LeafOpened => "leaf opens",
        DoorEvent.LeafClosed => "leaf shuts",
        DoorEvent.Withdrawn => "taken back",
        DoorEvent.LockdownOrdered it => it.On ? "lockdown" : "lockdown ends",
        DoorEvent.OverrideOrdered it => it.Mode switch { DoorMode.Unlocked => "override unlocked", DoorMode.Blocked => "override blocked", _ => "override ended" },
        DoorEvent.Signalled it when _signals.Contains(it.Signal) => it.Signal == EmergencySignal.Fire ? "fire" : "shaking",
        DoorEvent.Confirmed => "confirmed after reset",
        DoorEvent.Tick => "time",
        _ => throw new ArgumentOutOfRangeException(nameof(what), what, "an event that changes the picture needs a label"),
    };

    private static string Here([CallerFilePath] string here = "") => here;
}
