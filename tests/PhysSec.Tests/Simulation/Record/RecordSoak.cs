using System.Globalization;
using System.Security.Cryptography;

namespace PhysSec.Tests.Simulation.Record;

/// <summary>The model of the record for as long as a person likes: <c>./deploy.sh soak record</c>.</summary>
internal static class RecordSoak
{
    private const int Usage = 64;
    private const int RoundsMax = 10_000_000;
    private static readonly TimeSpan _sayEvery = TimeSpan.FromSeconds(5);

    public static int Run(string[] arguments)
    {
        var (rounds, seed) = (1_000, RandomNumberGenerator.GetInt32(1_000_000_000));
        var verbose = arguments is [.., "--verbose"];
        if (verbose) arguments = arguments[..^1];
        for (var i = 0; i < arguments.Length; i += 2)
        {
            var given = i + 1 < arguments.Length && int.TryParse(arguments[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
            if (arguments[i] == "--rounds" && given is >= 1 and <= RoundsMax) rounds = given;
            else if (arguments[i] == "--seed" && given >= 0) seed = given;
            else
            {
                Console.Error.WriteLine($"\"{arguments[i]}\" is not understood; use --rounds N (1–{RoundsMax}) and --seed S, a whole number; --verbose last tells what happens");
                return Usage;
            }
        }

        // Twice as many as there are processors: a round often waits for a thread of its store.
        return Play(rounds, seed, verbose ? 1 : 2 * Environment.ProcessorCount, verbose ? Console.WriteLine : null) ? 0 : 1;
    }

    private static bool Play(int rounds, int seed, int workers, Action<string>? say)
    {
        var clock = TimeProvider.System;
        var (started, tally, gate) = (clock.GetTimestamp(), new Tally(), new Lock());
        var (next, done, bad) = (-1, 0, 0);
        using var interrupted = new CancellationTokenSource();
        Console.CancelKeyPress += (_, it) =>
        {
            it.Cancel = true;
            interrupted.Cancel();
        };
        Console.WriteLine($"{rounds} rounds from seed {seed} on {workers} threads");
        using var timer = clock.CreateTimer(_ => Console.WriteLine($"{Elapsed():0} s: {Volatile.Read(ref done)} of {rounds} rounds, {Volatile.Read(ref bad)} with findings"), null, _sayEvery, _sayEvery);
        var threads = Enumerable.Range(0, workers).Select(_ => new Thread(Work)).ToList();
        threads.ForEach(it => it.Start());
        threads.ForEach(it => it.Join());

        var lost = bad > 0 ? $"{bad} ROUNDS WITH FINDINGS" : "0 lost, 0 doubled";
        Console.WriteLine(
            $"{done} rounds, {tally.Records} records in {tally.Taken} messages; {string.Join(", ", tally.Faults.Select(it => $"{it.Value} × {it.Key}"))}, {tally.Dropped} messages dropped, {tally.Doubled} doubled, {tally.Late} connections told late: "
            + $"{lost}, {tally.Destroyed} destroyed, {tally.Destroyed - tally.Unknown} of them declared and {tally.Unknown} of which no word had left the board; {Elapsed():0} s");
        return bad == 0 && done == rounds;

        double Elapsed() => clock.GetElapsedTime(started).TotalSeconds;

        void Work()
        {
            while (!interrupted.IsCancellationRequested && Interlocked.Increment(ref next) is var index && index < rounds)
            {
                var mine = new Tally();
                var findings = Findings(unchecked(seed + index) & int.MaxValue, mine, say);
                lock (gate)
                {
                    tally.Add(mine);
                    done++;
                    if (findings.Count == 0) continue;
                    bad++;
                    Console.WriteLine($"seed {unchecked(seed + index) & int.MaxValue} (again: --rounds 1 --seed {unchecked(seed + index) & int.MaxValue}):");
                    foreach (var it in findings.Take(5)) Console.WriteLine("  " + it);
                    if (findings.Count > 5) Console.WriteLine($"  and {findings.Count - 5} more");
                }
            }
        }
    }

    private static IReadOnlyList<string> Findings(int seed, Tally tally, Action<string>? say)
    {
        try
        {
            return Rounds.Play(seed, tally, say: say);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            return [$"broken: {fault}"];
        }
    }
}
