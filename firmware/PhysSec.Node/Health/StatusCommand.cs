using System.Globalization;
using System.Text.Json;

namespace PhysSec.Node.Health;

/// <summary><c>physsec-node status</c>: asks the running node by its health.json.</summary>
internal static class StatusCommand
{
    private const int Usage = 64;
    private const int NoNode = 3;

    public const string Help = """
        physsec-node status [--json] [--linked] [--idle] [--in DIR]
                                           how the running node is; exit 0: well, 1: not well, 3: none runs. --linked: the hub must have
                                           acknowledged too. --idle: exit 0 only while no door is open or released.
        """;

    public static async Task<int> RunAsync(string[] args, TimeProvider clock)
    {
        var (folder, json, linked, idle) = (HealthFile.Usual, false, false, false);
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--json":
                    json = true;
                    break;
                case "--linked":
                    linked = true;
                    break;
                case "--idle":
                    idle = true;
                    break;
                case "--in" when i + 1 < args.Length:
                    folder = args[++i];
                    break;
                default:
                    await Console.Error.WriteLineAsync($"physsec-node: \"{args[i]}\" is not expected here\n{Help}");
                    return Usage;
            }
        }

        HealthReport? report;
        try
        {
            report = HealthFile.Read(folder);
        }
        catch (UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"physsec-node: {folder} may be read by root and the service's own user");
            return 1;
        }

        var up = clock.GetElapsedTime(0);
        var boot = (await File.ReadAllTextAsync("/proc/sys/kernel/random/boot_id")).Trim();
        if (report is null || report.Gone(up, boot))
        {
            await Console.Error.WriteLineAsync("no node runs here (制御装置は動作していません)");
            return NoNode;
        }

        var wrong = idle ? report.Busy() : report.Wrong(up, boot, linked);
        Console.WriteLine(json ? JsonSerializer.Serialize(report, HealthJson.Default.HealthReport) : Text(report));
        foreach (var it in wrong) await Console.Error.WriteLineAsync(it);
        return wrong.Count == 0 ? 0 : 1;
    }

    private static string Text(HealthReport it) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        node {it.Node} of site {it.Site}, version {it.Version}, board {it.Board}{(it.Simulated ? " (SIMULATED 模擬)" : "")}
        journal (記録) {(it.JournalOpen ? "open" : "NOT OPEN")}, epoch {it.Epoch}; policy (方針) {it.PolicyVersion}; hub (ハブ) {(it.HubAcknowledged ? "acknowledges" : "away")}
        """) + string.Concat(it.Doors.Select(door => $"\ndoor (扉) {door.Id}: {door.Phase}{(door.Released ? ", lock released" : "")}{(door.LeafOpen is true ? ", leaf open" : "")}"))
        + string.Concat(it.Faults.Select(fault => $"\nfault (異常): {fault}"));
}
