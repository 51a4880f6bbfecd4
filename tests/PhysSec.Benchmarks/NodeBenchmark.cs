using System.Diagnostics;
using System.Globalization;
using PhysSec.Rig;

namespace PhysSec.Benchmarks;

/// <summary>The node as one native program against the node on the shared runtime: what each weighs, how soon it has its doors, what it takes of the board.</summary>
public static class NodeBenchmark
{
    private const int Badges = 100;
    private static readonly TimeSpan _poll = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _settle = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _idle = TimeSpan.FromSeconds(20);

    /// <exception cref="RigException">A published node is missing, or did not do as it must.</exception>
    public static async Task RunAsync(TextWriter output, int rounds, CancellationToken cancel)
    {
        var (native, framework) = (Published("native"), Published("framework"));
        await OneAsync(output, "native", native, [Path.Combine(native, "physsec-node")], rounds, cancel);
        await OneAsync(output, "framework-dependent", framework, ["dotnet", Path.Combine(framework, "physsec-node.dll")], rounds, cancel);
    }

    private static async Task OneAsync(TextWriter output, string name, string folder, IReadOnlyList<string> program, int rounds, CancellationToken cancel)
    {
        await using var instance = await Instance.StartAsync(new InstanceOptions { NodeProgram = program }, cancel);
        var lines = await LinesHeldAsync(instance, cancel);
        var starts = new List<double>();
        for (var i = -1; i < rounds; i++)
        {
            await instance.KillNodeAsync();
            await UntilAsync("the killed node's lines to be free", async () => await LinesHeldAsync(instance, cancel) == 0, cancel);
            var start = Stopwatch.GetTimestamp();
            instance.StartNode();
            await UntilAsync("the node to hold every line of its board", async () => await LinesHeldAsync(instance, cancel) == lines, cancel);
            if (i >= 0) starts.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            await instance.NodeReadyAsync(cancel);
        }

        var pid = instance.Node.Pid;
        await Task.Delay(_settle, TimeProvider.System, cancel);
        var idleMemory = Kilobytes(pid, "VmRSS:");
        var (cpu, since) = (Cpu(pid), Stopwatch.GetTimestamp());
        await Task.Delay(_idle, TimeProvider.System, cancel);
        var share = (Cpu(pid) - cpu).TotalSeconds / Stopwatch.GetElapsedTime(since).TotalSeconds;
        for (var i = 0; i < Badges; i++) await instance.ActAsync("badge mallory", cancel);
        var text = string.Create(CultureInfo.InvariantCulture,
            $"node, {name}: {Size(folder)} MB installed; process start → every line held: {new Percentiles(starts)}; memory {idleMemory / 1024:0} MB idle, "
            + $"{Kilobytes(pid, "VmRSS:") / 1024:0} MB after {Badges} badges (most {Kilobytes(pid, "VmHWM:") / 1024:0} MB); idle {share:P1} of one processor");
        await output.WriteLineAsync(text);
    }

    private static string Published(string kind)
    {
        var folder = Path.Combine(Programs.Root, ".artefacts", "bench", kind);
        return Directory.Exists(folder) ? folder : throw new RigException($"{folder} is missing; ./deploy.sh bench node publishes it");
    }

    private static async Task<int> LinesHeldAsync(Instance instance, CancellationToken cancel) => (int)(await instance.RoomAsync(cancel))["linesHeld"]!;

    /// <summary>What goes onto a board: no symbols, no documentation.</summary>
    private static string Size(string folder) => (Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Where(it => Path.GetExtension(it) is not (".pdb" or ".dbg" or ".xml")).Sum(it => new FileInfo(it).Length) / 1e6).ToString("0.0", CultureInfo.InvariantCulture);

    private static double Kilobytes(int pid, string what) => double.Parse(
        File.ReadLines($"/proc/{pid}/status").Single(it => it.StartsWith(what, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);

    private static TimeSpan Cpu(int pid)
    {
        using var process = Process.GetProcessById(pid);
        return process.TotalProcessorTime;
    }

    private static async Task UntilAsync(string what, Func<Task<bool>> condition, CancellationToken cancel)
    {
        var start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(start) > _limit) throw new RigException($"waited {_limit.TotalSeconds} s for {what}");
            await Task.Delay(_poll, TimeProvider.System, cancel);
        }
    }
}
