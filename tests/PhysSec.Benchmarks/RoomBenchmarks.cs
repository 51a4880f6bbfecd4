using System.Diagnostics;
using System.Globalization;
using PhysSec.Rig;

namespace PhysSec.Benchmarks;

/// <summary>Figures of one whole room: real hub, real node, simulated chips.</summary>
public static class RoomBenchmarks
{
    private static readonly TimeSpan _poll = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(30);

    /// <summary>
    /// From the end of the last Wiegand pulse to the lock output, as the room sees both: with the reader's silence that ends a frame, the decision and
    /// the journal's commit.
    /// </summary>
    public static async Task DoorAsync(TextWriter output, int rounds, CancellationToken cancel)
    {
        await using var instance = await Instance.StartAsync(new InstanceOptions(), cancel);
        var times = new List<double>();
        for (var i = -3; i < rounds; i++)
        {
            await instance.ActAsync("badge alice", cancel);
            var start = Stopwatch.GetTimestamp();
            await UntilAsync("the lock output to come on", async () => (bool)(await instance.RoomAsync(cancel))["lockOutput"]!, cancel);
            if (i >= 0) times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            await PassAsync(instance, cancel);
            await instance.ActAsync("badge alice out", cancel);
            await UntilAsync("the exit badge to release the door", async () => (bool)(await instance.RoomAsync(cancel))["lockOutput"]!, cancel);
            await PassAsync(instance, cancel);
        }

        await output.WriteLineAsync($"last bit of the card → lock output, with 25 ms of silence and the journal commit: {new Percentiles(times)}");
    }

    /// <summary>From water at the contact to the alarm's row in the hub's store, as an operator's program reads it.</summary>
    public static async Task LeakAsync(TextWriter output, int rounds, CancellationToken cancel)
    {
        await using var instance = await Instance.StartAsync(new InstanceOptions(), cancel);
        var times = new List<double>();
        for (var i = -1; i < rounds; i++)
        {
            var start = Stopwatch.GetTimestamp();
            await instance.ActAsync("leak on", cancel);
            await UntilAsync("the leak alarm", () => ActiveAsync(instance, "leak", cancel), cancel);
            if (i >= 0) times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            await instance.ActAsync("leak off", cancel);
            await UntilAsync("the leak alarm to clear", async () => !await ActiveAsync(instance, "leak", cancel), cancel);
        }

        await output.WriteLineAsync($"leak input → alarm readable at the hub, with the contact's debounce: {new Percentiles(times)}");
    }

    /// <summary>Start of the process to its purpose, and its memory afterwards.</summary>
    public static async Task StartAsync(TextWriter output, int rounds, CancellationToken cancel)
    {
        await using var instance = await Instance.StartAsync(new InstanceOptions(), cancel);
        var (hub, node) = (new List<double>(), new List<double>());
        for (var i = 0; i < rounds; i++)
        {
            await instance.KillNodeAsync();
            await instance.KillHubAsync();
            var start = Stopwatch.GetTimestamp();
            await instance.StartHubAsync(cancel);
            hub.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            start = Stopwatch.GetTimestamp();
            instance.StartNode();
            await UntilAsync("the node to hold its output lines", async () => (int)(await instance.RoomAsync(cancel))["linesHeld"]! > 0, cancel);
            node.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            await instance.NodeReadyAsync(cancel);
        }

        await output.WriteLineAsync($"hub: process start → store, broker and console ready: {new Percentiles(hub)}; memory {Memory(instance.Hub.Pid)}");
        await output.WriteLineAsync($"node: process start → outputs driven safe: {new Percentiles(node)}; memory {Memory(instance.Node.Pid)}");
    }

    /// <summary>The lock goes back when the node has seen the leaf open; nobody is quicker than the contact.</summary>
    private static async Task PassAsync(Instance instance, CancellationToken cancel)
    {
        await instance.ActAsync("open", cancel);
        await UntilAsync("the door to lock again", async () => !(bool)(await instance.RoomAsync(cancel))["lockOutput"]!, cancel);
        await instance.ActAsync("close", cancel);
        await UntilAsync("the node to see the leaf closed", async () =>
            (string?)(await instance.Operator.GetAsync("doors", cancel)).AsArray()[0]?["live"]?["state"]?["state"] == "Locked", cancel);
    }

    private static async Task<bool> ActiveAsync(Instance instance, string alarmClass, CancellationToken cancel) =>
        (await instance.Operator.GetAsync("alarms?state=active", cancel)).AsArray().Any(it => (string?)it!["class"] == alarmClass && (bool)it["active"]!);

    private static async Task UntilAsync(string what, Func<Task<bool>> condition, CancellationToken cancel)
    {
        var start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(start) > _limit) throw new RigException($"waited {_limit.TotalSeconds} s for {what}");
            await Task.Delay(_poll, TimeProvider.System, cancel);
        }
    }

    private static string Memory(int pid)
    {
        var line = File.ReadLines($"/proc/{pid}/status").Single(it => it.StartsWith("VmRSS:", StringComparison.Ordinal));
        var kilobytes = double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        return string.Create(CultureInfo.InvariantCulture, $"{kilobytes / 1024:0} MB resident");
    }
}
