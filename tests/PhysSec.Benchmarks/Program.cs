using PhysSec.Benchmarks;
using PhysSec.Benchmarks.Record;
using PhysSec.Rig;

const string PublishedNode = "node"; // Needs a native toolchain: only when asked for.
const string TheRecord = "record"; // Takes a quarter of an hour and 11 GB: only when asked for.

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
        await IngestBenchmark.RunAsync(Console.Out, 1, 100_000, end.Token);
        await IngestBenchmark.RunAsync(Console.Out, 100, 2_000, end.Token);
    },
    ["start"] = () => RoomBenchmarks.StartAsync(Console.Out, 5, end.Token),
    [PublishedNode] = () => NodeBenchmark.RunAsync(Console.Out, 10, end.Token),
};

// What follows "record" is for it alone.
var names = args.TakeWhile((_, i) => i == 0 || args[i - 1] != TheRecord).ToArray();
if (names.FirstOrDefault(it => it != TheRecord && !benchmarks.ContainsKey(it)) is { } unknown)
{
    await Console.Error.WriteLineAsync($"bench: there is no benchmark '{unknown}'; choose from {string.Join(", ", benchmarks.Keys)}, {TheRecord}, or none for all but {PublishedNode} and {TheRecord}");
    return 64;
}

try
{
    var record = names.Contains(TheRecord) ? RecordBenchmark.Read(args[names.Length..]) : null;
    foreach (var name in names.Length == 0 ? [.. benchmarks.Keys.Where(it => it != PublishedNode)] : names.Where(it => it != TheRecord)) await benchmarks[name]();
    if (record is not null) await record.RunAsync(Console.Out, end.Token);
    return 0;
}
catch (Exception fault) when (fault is RigException or OperationCanceledException)
{
    await Console.Error.WriteLineAsync($"bench: {fault.Message}");
    return 1;
}
