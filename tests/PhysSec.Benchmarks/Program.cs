using PhysSec.Benchmarks;
using PhysSec.Rig;

const string PublishedNode = "node"; // Needs a native toolchain: only when asked for.

using var end = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    end.Cancel();
};

var benchmarks = new Dictionary<string, Func<Task>>
{
    ["decision"] = () =>
    {
        DecisionBenchmark.Run(Console.Out, 10_000);
        DecisionBenchmark.Run(Console.Out, 100_000);
        return Task.CompletedTask;
    },
    ["door"] = () => RoomBenchmarks.DoorAsync(Console.Out, 50, end.Token),
    ["leak"] = () => RoomBenchmarks.LeakAsync(Console.Out, 50, end.Token),
    ["ingest"] = async () =>
    {
        await RoomBenchmarks.IngestAsync(Console.Out, 1, 100_000, end.Token);
        await RoomBenchmarks.IngestAsync(Console.Out, 100, 2_000, end.Token);
    },
    ["start"] = () => RoomBenchmarks.StartAsync(Console.Out, 5, end.Token),
    [PublishedNode] = () => NodeBenchmark.RunAsync(Console.Out, 10, end.Token),
};

if (args.FirstOrDefault(it => !benchmarks.ContainsKey(it)) is { } unknown)
{
    await Console.Error.WriteLineAsync($"bench: there is no benchmark '{unknown}'; choose from {string.Join(", ", benchmarks.Keys)}, or none for all");
    return 64;
}

try
{
    foreach (var name in args.Length == 0 ? [.. benchmarks.Keys.Where(it => it != PublishedNode)] : args) await benchmarks[name]();
    return 0;
}
catch (Exception fault) when (fault is RigException or OperationCanceledException)
{
    await Console.Error.WriteLineAsync($"bench: {fault.Message}");
    return 1;
}
