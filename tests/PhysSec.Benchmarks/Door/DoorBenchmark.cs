using System.Diagnostics;
using System.Globalization;
using PhysSec.Hardware;
using PhysSec.Rig;

namespace PhysSec.Benchmarks.Door;

/// <summary>How long somebody stands before a door: from the card to the lock, over Wiegand and OSDP; what polling costs; the decision alone.</summary>
/// <param name="Cards">So many cards at each speed and number of readers.</param>
/// <param name="Parts">Which of the parts; empty: all.</param>
internal sealed record DoorBenchmark(int Cards, IReadOnlyList<string> Parts)
{
    private const int Standard = 200, WiegandCards = 50, WarmUp = 3;
    private const int Budget = 100; // Milliseconds, p99, with the journal's commit.
    private const int SealedPoll = 15, SealedCard = 31; // Bytes with their mark; a card has 26 bits.
    private const int LoadReaders = 8, LoadBaud = 115_200;

    private static readonly string[] _parts = ["wiegand", "osdp", "load", "decision"];
    private static readonly TimeSpan _pollInterval = new OsdpLinkSettings(0).PollInterval;
    private static readonly TimeSpan _turnRound = TimeSpan.FromMilliseconds(3), _idle = TimeSpan.FromSeconds(10), _load = TimeSpan.FromSeconds(30);

    /// <summary>Reads <c>--cards N --only PART,…</c>.</summary>
    /// <exception cref="RigException">Says what is wrong.</exception>
    public static DoorBenchmark Read(IReadOnlyList<string> arguments)
    {
        var it = new DoorBenchmark(Standard, []);
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var value = i + 1 < arguments.Count ? arguments[i + 1] : throw new RigException($"door: {arguments[i]} has no value");
            it = arguments[i] switch
            {
                "--cards" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= 1 and <= 100_000 => it with { Cards = count },
                "--cards" => throw new RigException($"door: --cards {value}: give a number from 1 to 100000"),
                "--only" when value.Split(',').All(_parts.Contains) => it with { Parts = value.Split(',') },
                "--only" => throw new RigException($"door: --only {value}: choose from {string.Join(", ", _parts)}"),
                var other => throw new RigException($"door: there is no option {other}; --cards N, --only {string.Join(',', _parts)}"),
            };
        }

        return it;
    }

    public async Task RunAsync(TextWriter output, CancellationToken cancel)
    {
        if (Has("decision")) DecisionBenchmark.Run(output, 100_000);
        if (Has("wiegand")) await RoomBenchmarks.DoorAsync(output, WiegandCards, cancel);
        if (!Has("osdp") && !Has("load")) return;

        await using var instance = await Instance.StartAsync(new InstanceOptions(), cancel);
        if (Has("osdp")) await CardsAsync(output, instance, cancel);
        if (Has("load")) await LoadAsync(output, instance, cancel);
    }

    private async Task CardsAsync(TextWriter output, Instance instance, CancellationToken cancel)
    {
        await output.WriteLineAsync(Say($"""
            OSDP in Secure Channel over a pseudo-terminal at wire speed; n = {Cards} cards each, load of the machine before {Load()}; milliseconds
               baud readers | cycle:   wire     p50     p99     max | card → last byte:    wire     p50     p99 | last byte → lock:  p50    p99    max | card → lock:  p50     p99
            """));
        foreach (var baud in (int[])[9_600, 38_400, 115_200])
        {
            await CardsAsync(output, instance, baud, 1, cancel);
            await CardsAsync(output, instance, baud, 4, cancel);
        }
    }

    private async Task CardsAsync(TextWriter output, Instance instance, int baud, int readers, CancellationToken cancel)
    {
        await using var room = await ReaderRoom.StartAsync(instance, baud, readers, cancel);
        var name = Say($"{baud:N0} baud, {readers} reader{(readers == 1 ? "" : "s")}");
        await ProgressAsync(Say($"{name}: looking on for {_idle.TotalSeconds} s"));
        var polls = await room.PollsAsync(_idle, cancel);
        var (cycle, card) = Wire(baud, readers);
        var random = new Random(baud + readers);
        var (toReply, toLock, whole) = (new List<double>(), new List<double>(), new List<double>());
        for (var i = -WarmUp; i < Cards; i++)
        {
            await Task.Delay(cycle * random.NextDouble(), TimeProvider.System, cancel); // Nobody comes in step with the polls.
            var (reply, after) = await room.BadgeAsync(cancel);
            await room.PassAsync(cancel);
            if (i < 0) continue;
            toReply.Add(reply.TotalMilliseconds);
            toLock.Add(after.TotalMilliseconds);
            whole.Add((reply + after).TotalMilliseconds);
            if ((i + 1) % 50 == 0) await ProgressAsync(Say($"{name}: {i + 1} of {Cards} cards"));
        }

        var (byByte, byLock, all) = (new Percentiles(toReply), new Percentiles(toLock), new Percentiles(whole));
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{baud,7:N0} {readers,7} | {cycle.TotalMilliseconds,13:0.0} {polls.At(0.5),7:0.0} {polls.At(0.99),7:0.0} {polls.At(1),7:0.0} | {card.TotalMilliseconds,24:0.0} {byByte.At(0.5),7:0.0} {byByte.At(0.99),7:0.0} "
            + $"| {byLock.At(0.5),22:0.0} {byLock.At(0.99),6:0.0} {byLock.At(1),6:0.0} | {all.At(0.5),17:0.0} {all.At(0.99),7:0.0}{(byLock.At(0.99) <= Budget ? "" : Say($"  MISSED: {Budget} ms"))}"));
    }

    private static async Task LoadAsync(TextWriter output, Instance instance, CancellationToken cancel)
    {
        var (with, polls) = await ShareAsync(LoadReaders);
        var (without, _) = await ShareAsync(0);
        await output.WriteLineAsync(Say(
            $"node with {LoadReaders} readers in Secure Channel, polled every {_pollInterval.TotalMilliseconds:0} ms on one line at {LoadBaud:N0} baud: {with:P1} of one processor, without readers {without:P1}; from poll to poll of a reader {polls}"));

        async Task<(double Share, Percentiles Polls)> ShareAsync(int readers)
        {
            await using var room = await ReaderRoom.StartAsync(instance, LoadBaud, readers, cancel);
            await ProgressAsync(Say($"the node's processor with {readers} readers, {(_idle + _load).TotalSeconds:0} s"));
            await Task.Delay(_idle, TimeProvider.System, cancel); // What is slow at the start is compiled by then.
            var (before, since) = (room.Cpu, Stopwatch.GetTimestamp());
            var seen = await room.PollsAsync(_load, cancel);
            return ((room.Cpu - before) / Stopwatch.GetElapsedTime(since), seen);
        }
    }

    /// <summary>What the wire allows: once around all readers, and the mean from a card that is held up at any moment to the last byte of its reply.</summary>
    private static (TimeSpan Cycle, TimeSpan Card) Wire(int baud, int readers)
    {
        var round = OsdpTiming.PollRound(readers, baud).Typical;
        var cycle = round > _pollInterval ? round : _pollInterval;
        return (cycle, (cycle / 2) + OsdpTiming.WireTime(SealedPoll + SealedCard, baud) + _turnRound);
    }

    private static string Load() => File.ReadAllText("/proc/loadavg").Split(' ')[0];

    private static Task ProgressAsync(string text) => Console.Error.WriteLineAsync($"bench: {text}");

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private bool Has(string part) => Parts.Count == 0 || Parts.Contains(part);
}
