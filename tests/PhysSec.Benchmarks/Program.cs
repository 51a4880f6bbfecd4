using PhysSec.Benchmarks;
using PhysSec.Benchmarks.Door;
using PhysSec.Benchmarks.Record;
using PhysSec.Rig;

using var end = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    end.Cancel();
};

var benchmarks = new Dictionary<string, Func<IReadOnlyList<string>, Task>>
{
    ["decision"] = Plain(() =>
    {
        DecisionBenchmark.Run(Console.Out, 10_000);
        DecisionBenchmark.Run(Console.Out, 100_000);
        return Task.CompletedTask;
    }),
    ["door"] = options => DoorBenchmark.Read(options).RunAsync(Console.Out, end.Token),
    ["leak"] = Plain(() => RoomBenchmarks.LeakAsync(Console.Out, 50, end.Token)),
    ["ingest"] = Plain(async () =>
    {
        await IngestBenchmark.RunAsync(Console.Out, 1, 100_000, end.Token);
        await IngestBenchmark.RunAsync(Console.Out, 100, 2_000, end.Token);
    }),
    ["start"] = Plain(() => RoomBenchmarks.StartAsync(Console.Out, 5, end.Token)),
    ["node"] = Plain(() => NodeBenchmark.RunAsync(Console.Out, 10, end.Token)),
    ["record"] = options => RecordBenchmark.Read(options).RunAsync(Console.Out, end.Token),
};
string[] onlyWhenAsked = ["node", "record"]; // Needs a native toolchain; takes a quarter of an hour and 11 GB.

try
{
    var asked = Asked(args);
    foreach (var (name, options) in asked.Count > 0 ? asked : [.. benchmarks.Keys.Except(onlyWhenAsked).Select(it => (it, new List<string>()))]) await benchmarks[name](options);
    return 0;
}
catch (UsageException wrong)
{
    await Console.Error.WriteLineAsync($"bench: {wrong.Message}");
    return 64;
}
catch (Exception fault) when (fault is RigException or OperationCanceledException)
{
    await Console.Error.WriteLineAsync($"bench: {fault.Message}");
    return 1;
}

static Func<IReadOnlyList<string>, Task> Plain(Func<Task> run) => options => options.Count == 0 ? run() : throw new UsageException($"this benchmark has no option {options[0]}");

// Names, each with the options that follow it.
List<(string Name, List<string> Options)> Asked(string[] words)
{
    var asked = new List<(string Name, List<string> Options)>();
    for (var i = 0; i < words.Length; i++)
    {
        if (words[i].StartsWith("--", StringComparison.Ordinal) && asked.Count > 0)
        {
            asked[^1].Options.AddRange(words.Skip(i).Take(2));
            i++;
        }
        else if (benchmarks.ContainsKey(words[i])) asked.Add((words[i], []));
        else throw new UsageException($"there is no benchmark '{words[i]}'; choose from {string.Join(", ", benchmarks.Keys)}, or none for all but {string.Join(" and ", onlyWhenAsked)}");
    }

    return asked;
}

/// <summary>What was asked for does not exist.</summary>
internal sealed class UsageException(string message) : Exception(message);
