using System.Globalization;
using System.Runtime.Versioning;
using PhysSec.Core.Wire;
using PhysSec.VmGuest;
using PhysSec.VmGuest.Machine;
using PhysSec.VmGuest.Scenarios;

[assembly: SupportedOSPlatform("linux")]

// vm-guest BANK NODE BOARD [--break wiegand|i2c] : plays the room around the node's program inside the virtual machine; tests/vm/README.md.
// vm-guest BANK NODE BOARD --wiegand FRAMES      : nothing but cards, in thousands.
// vm-guest BANK --after-reset                    : what must hold when the watchdog has reset the machine.
const string State = "/tmp/physsec";
const string Log = "/tmp/node.log";

if (args is [var afterBank, "--after-reset"]) return AfterReset(new Lines(afterBank));
if (args is not [var bank, var program, var board, .. var rest]) return 64;

var report = new Report();
var site = new Site(State, board, TimeProvider.System.GetUtcNow());
var room = new Room(bank, rest is ["--break", var broken] ? broken : "");
NodeProcess Start() => new(program, site.Config, Log);

if (rest is ["--wiegand", var frames])
{
    WiegandLoad.Play(report, site, room, Start, int.Parse(frames, CultureInfo.InvariantCulture));
    return report.Failed;
}

using (var node = Start())
{
    report.Play("the node has the doors under control, with every output off and the stored policy in force", it =>
    {
        it.Within(node.AwaitReady(room.Lines), "ready");
        it.Expect(room.AllOff, "an output is on");
        Monotonic.Sleep(Times.Sampled);
        it.Expect(room.AllOff, "an output came on by itself");
    }, (it, facts) =>
    {
        it.One<NodeStarted>(facts, fact => fact is { Previous: "none", Simulated: false, Board: "one-room-pi" }, "started on the shipped board file");
        it.None<JournalRepaired>(facts, "a repair");
        it.None<AlarmRaised>(facts, "an alarm");
        SensorScenarios.Measures(it, facts);
    });
    EdgeLatency.Play(report, room, "on a quiet machine");
    EdgeLatency.PlayOverflow(report, room);
    DoorScenarios.Play(report, room);
    SensorScenarios.Play(report, room);
    report.Play("told to end it ends in order, with every output off", it =>
    {
        it.Expect(node.EndInOrder() == 0, "it did not end, or not with 0");
        it.Expect(room.AllOff, "an output stays on");
    }, (it, facts) => it.One<NodeStopped>(facts, fact => fact.Why == "stopped", "stopped"));
}

report.Judge(site.Journal);
CrashScenarios.PlayKill(report, room, Start);
report.Judge(site.Journal);
if (report.Failed > 0) Tell();
CrashScenarios.PlayHang(report, room, Start);
return 1; // The machine should be gone.

static int AfterReset(Lines lines)
{
    var report = new Report();
    report.Play("a node that hangs with the lock on is ended by the watchdog, and the lock is off", it =>
    {
        it.Expect(File.ReadAllText("/sys/class/watchdog/watchdog0/bootstatus").Trim() == "32", "it was not the watchdog that reset the machine");
        it.Expect(!lines[24], "the lock is on");
    }, (_, _) => { });

    // Last: QEMU carries the bytes over the host, whose time is not the machine's.
    SerialScenario.Play(report);
    report.Judge(() => []);
    return report.Failed;
}

static void Tell()
{
    foreach (var line in File.ReadLines(Log)) Console.WriteLine($"node: {line}");
}
