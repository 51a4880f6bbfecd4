using System.Globalization;
using System.Security.Cryptography;

namespace PhysSec.Tests.Simulation.Readers;

/// <summary>Random and mutated frames through every parser that faces a reader or a line: <c>./deploy.sh soak readers</c>.</summary>
internal static class ReaderSoak
{
    private const int Usage = 64;
    private const long FramesMax = 10_000_000_000;
    private const int Chunk = 6_000;

    private static readonly (string Name, Func<Random, long, string?> Play)[] _kinds =
    [
        ("Wiegand frames", (random, frames) => new WiegandTrial(random).Play(frames)),
        ("OSDP frames", (random, frames) => new OsdpTrial(random).Play(frames)),
        ("answers on a hostile OSDP line", (random, frames) => new OsdpLinkTrial(random).Play(frames)),
        ("samples of supervised lines", (random, frames) => new LineTrial(random).Play(frames)),
    ];

    public static int Run(string[] arguments)
    {
        var (frames, seed) = (10_000_000L, RandomNumberGenerator.GetInt32(1_000_000_000));
        for (var i = 0; i < arguments.Length; i += 2)
        {
            var given = i + 1 < arguments.Length && long.TryParse(arguments[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
            if (arguments[i] == "--frames" && given is >= 1 and <= FramesMax) frames = given;
            else if (arguments[i] == "--seed" && given is >= 0 and <= int.MaxValue) seed = (int)given;
            else
            {
                Console.Error.WriteLine($"\"{arguments[i]}\" is not understood; use --frames N (1–{FramesMax}) and --seed S, a whole number");
                return Usage;
            }
        }

        Console.WriteLine($"{frames} frames from seed {seed} on {Environment.ProcessorCount} threads");
        return Play(frames, seed, Environment.ProcessorCount, TimeProvider.System, Console.Out) is null ? 0 : 1;
    }

    /// <summary>Every chunk has a seed of its own, so that a finding can be played again alone. Null: nothing is wrong; else the first finding.</summary>
    /// <param name="frames">At least so many, a quarter of each kind.</param>
    /// <param name="seed">Of the first chunk.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="clock">For the rates.</param>
    /// <param name="said">Where the rates are written.</param>
    public static string? Play(long frames, int seed, int workers, TimeProvider clock, TextWriter said)
    {
        var perKind = (frames + _kinds.Length - 1) / _kinds.Length;
        var size = (int)Math.Min(perKind, Chunk);
        foreach (var (name, play) in _kinds)
        {
            var (started, next, done, gate) = (clock.GetTimestamp(), -1L, 0L, new Lock());
            string? finding = null;
            var threads = Enumerable.Range(0, workers).Select(_ => new Thread(Work)).ToList();
            threads.ForEach(it => it.Start());
            threads.ForEach(it => it.Join());
            if (finding is not null)
            {
                said.WriteLine($"✗ {name}: {finding}");
                return finding;
            }

            var seconds = clock.GetElapsedTime(started).TotalSeconds;
            said.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{done} {name} in {seconds:0.0} s, {done / Math.Max(seconds, 0.001):0} a second: no exception, nothing that was not sent"));

            void Work()
            {
                while (Volatile.Read(ref finding) is null && Interlocked.Increment(ref next) is var index && index * size < perKind)
                {
                    var own = unchecked((int)(seed + index)) & int.MaxValue;
                    var wrong = Findings(play, own, size);
                    lock (gate)
                    {
                        done += size;
                        if (wrong is not null) finding ??= $"{wrong} (again: --frames {size * _kinds.Length} --seed {own})";
                    }
                }
            }
        }

        return null;
    }

    private static string? Findings(Func<Random, long, string?> play, int seed, int frames)
    {
        try
        {
            return play(new Random(seed), frames);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            return $"broken: {fault}";
        }
    }
}
