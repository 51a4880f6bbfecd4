using System.Globalization;

namespace PhysSec.Rig.Faults;

/// <summary>What one scenario is given.</summary>
/// <param name="Rounds">How often what can be repeated is repeated.</param>
/// <param name="Random">Its own, from the run's seed.</param>
/// <param name="Say">Takes what the children say; null: nobody listens.</param>
/// <param name="Progress">Takes one line for a person who waits.</param>
/// <param name="Cancel">Breaks it off.</param>
public sealed record FaultRun(int Rounds, Random Random, Action<string>? Say, Action<string> Progress, CancellationToken Cancel);

/// <summary>One way of breaking things.</summary>
/// <param name="Name">For <c>--only</c>.</param>
/// <param name="What">What is done, in a few words.</param>
/// <param name="PlayAsync">Does it; its figures. Throws <see cref="RigException"/> when the record did not hold, <see cref="FaultSkippedException"/> where this machine cannot do it.</param>
public sealed record FaultScenario(string Name, string What, Func<FaultRun, Task<string>> PlayAsync);

/// <summary>This machine cannot break things in that way; the message says why.</summary>
public sealed class FaultSkippedException(string why) : Exception(why);

/// <summary>
/// Real processes under real faults. Every scenario is judged by the same: each record of the node's journal is in the hub exactly once, in order, with the
/// same text; nothing that was acknowledged is lost; no lock moved without its record; the lock is off after a crash.
/// </summary>
public static class FaultSoak
{
    /// <summary>A scenario that did not run is not a passed one.</summary>
    public const int Skipped = 3;

    private const string SkipAllowed = "PHYSSEC_FAULTS_MAY_SKIP";

    public static IReadOnlyList<FaultScenario> All { get; } =
        [.. KillFaults.All, .. RefusingDiskFaults.All, .. FullDiskFaults.All, .. PowerCutFaults.All, .. TornJournalFault.All, .. BacklogFault.All];

    public static FaultScenario Named(string name) => All.FirstOrDefault(it => it.Name == name)
        ?? throw new RigException($"there is no scenario \"{name}\"; choose from {string.Join(", ", All.Select(it => it.Name))}");

    /// <returns>0 when all held, 1 at the first that did not (the sentence is printed), 3 when one could not run here.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<FaultScenario> scenarios, int rounds, int seed, TextWriter output, Action<string>? say, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(scenarios);
        ArgumentNullException.ThrowIfNull(output);
        await output.WriteLineAsync(Text($"soak faults: {scenarios.Count} scenarios, {rounds} rounds each, seed {seed} (repeat with --seed {seed})"));
        var (begin, skipped) = (TimeProvider.System.GetTimestamp(), 0);
        foreach (var it in scenarios)
        {
            var start = TimeProvider.System.GetTimestamp();
            var random = new Random(HashCode(seed, it.Name));
            try
            {
                await output.WriteLineAsync(Text($"  {it.Name}: {it.What} …"));
                var figures = await it.PlayAsync(new(rounds, random, say, line => output.WriteLine($"    {line}"), cancel));
                await output.WriteLineAsync(Text($"✓ {it.Name}: {figures} ({Seconds(start):F0} s)"));
            }
            catch (FaultSkippedException why)
            {
                skipped++;
                await output.WriteLineAsync(Text($"SKIPPED {it.Name}: {why.Message}"));
            }
            catch (RigException failure)
            {
                await output.WriteLineAsync(Text($"✗ {it.Name}, seed {seed}: {failure.Message} ({Seconds(start):F0} s)"));
                return 1;
            }
        }

        await output.WriteLineAsync(Text($"{scenarios.Count - skipped} scenarios held, {skipped} skipped, in {Seconds(begin):F0} s"));
        return skipped == 0 || Environment.GetEnvironmentVariable(SkipAllowed) == "1" ? 0 : Skipped;
    }

    /// <summary>The same in every run, which the framework's own hash of a text is not: one scenario alone repeats what it did among the others.</summary>
    private static int HashCode(int seed, string name) => name.Aggregate(seed, (hash, it) => unchecked((hash * 31) + it)) & int.MaxValue;

    private static double Seconds(long since) => TimeProvider.System.GetElapsedTime(since).TotalSeconds;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
