using System.Diagnostics;
using System.Globalization;
using PhysSec.Rig;

namespace PhysSec.Benchmarks;

/// <summary>Figures of one whole room: real hub, real node, simulated chips.</summary>
public static class RoomBenchmarks
{
    private const int AgainAtMost = 5;
    private static readonly TimeSpan _poll = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(30), _patience = TimeSpan.FromSeconds(3);

    /// <summary>
    /// From the end of the last Wiegand pulse to the lock output, as the room sees both: with the reader's silence that ends a frame, the decision and
    /// the journal's commit.
    /// </summary>
    public static async Task DoorAsync(TextWriter output, int rounds, CancellationToken cancel)
    {
        await using var instance = await Instance.StartAsync(new InstanceOptions(), cancel);
        var (times, again) = (new List<double>(), new List<string>());
        for (var i = -3; i < rounds; i++)
        {
            var time = await LetThroughAsync(instance, "in", again, cancel);
            if (i >= 0) times.Add(time.TotalMilliseconds);
            await PassAsync(instance, cancel);
            await LetThroughAsync(instance, "out", again, cancel);
            await PassAsync(instance, cancel);
        }

        await output.WriteLineAsync($"last bit of the card → lock output, with 25 ms of silence and the journal commit: {new Percentiles(times)}");
        if (again.Count > 0) await output.WriteLineAsync($"  cards that had to be shown again, not counted above, and why: {string.Join(", ", again)}");
    }

    /// <summary>A simulated reader on a busy machine may send its bits too late for one frame: the card is shown again, as a person does, when the record says so, and the times are of the showing that counted.</summary>
    private static async Task<TimeSpan> LetThroughAsync(Instance instance, string direction, List<string> again, CancellationToken cancel)
    {
        while (true)
        {
            var shown = TimeProvider.System.GetUtcNow();
            await instance.ActAsync($"badge alice {direction}", cancel);
            var start = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(start) < _patience)
            {
                if ((bool)(await instance.RoomAsync(cancel))["lockOutput"]!) return Stopwatch.GetElapsedTime(start);
                await Task.Delay(_poll, TimeProvider.System, cancel);
            }

            var since = Uri.EscapeDataString(shown.ToString("O", CultureInfo.InvariantCulture));
            var records = HubApi.Items(await instance.Auditor.GetAsync($"records?from={since}&node={Instance.LiveNode}&limit=50", cancel));
            var why = records.FirstOrDefault(it => (string?)it["kind"] is "reader.fault" or "access.denied")
                ?? throw new RigException($"the door was not released to a card shown {direction}, and no record says why; on record are: {string.Join(", ", records.Select(it => (string?)it["kind"]))}");
            again.Add($"{(string?)why["kind"]} {(string?)why["reason"] ?? (string?)HubApi.Fact(why)["fault"]}");
            if (again.Count > AgainAtMost) throw new RigException($"too many cards had to be shown again: {string.Join(", ", again)}");
        }
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
