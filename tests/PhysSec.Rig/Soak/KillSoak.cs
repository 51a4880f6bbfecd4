using System.Globalization;

namespace PhysSec.Rig.Soak;

/// <summary>
/// kill -9 of the node at random moments under a stream of badges. After each restart the lock output is off, the
/// journal opens as it was, and the hub has every record exactly once.
/// </summary>
public static class KillSoak
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(30);

    /// <returns>0 when every round held; 1 at the first that did not (the sentence is printed).</returns>
    public static async Task<int> RunAsync(int rounds, int seed, TextWriter output, Action<string>? say, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(output);
        await output.WriteLineAsync(Say($"soak kill: {rounds} rounds, seed {seed} (repeat with --seed {seed})"));
        var random = new Random(seed);
        var begin = TimeProvider.System.GetTimestamp();
        await using var instance = await Instance.StartAsync(new InstanceOptions { Say = say }, cancel);
        var ledger = new Ledger(instance);
        var shown = 0;
        for (var round = 1; round <= rounds; round++)
        {
            try
            {
                shown += await RoundAsync(instance, ledger, random, cancel);
            }
            catch (RigException failure)
            {
                await output.WriteLineAsync(Say($"✗ round {round} of {rounds}, seed {seed}: {failure.Message}"));
                return 1;
            }

            if (round % 10 == 0 || round == rounds)
            {
                await output.WriteLineAsync(Say(
                    $"round {round}: {shown} badges shown, {ledger.Compared} records in the node's journal, each once in the hub"));
            }
        }

        if (ledger.Compared < rounds)
        {
            await output.WriteLineAsync(Say($"✗ only {ledger.Compared} records in {rounds} rounds: nothing was tried"));
            return 1;
        }

        await output.WriteLineAsync(Say(
            $"✓ {rounds} kills, {ledger.Compared} records, 0 lost, 0 doubled, the lock off after each, in {TimeProvider.System.GetElapsedTime(begin).TotalSeconds:F0} s"));
        return 0;
    }

    private static async Task<int> RoundAsync(Instance instance, Ledger ledger, Random random, CancellationToken cancel)
    {
        var moment = TimeSpan.FromMilliseconds(random.Next(20, 1_500));
        await using var visitors = new Visitors(instance, new Random(random.Next()), cancel);
        await Task.Delay(moment, TimeProvider.System, cancel);
        await instance.KillNodeAsync();
        var shown = await visitors.StopAsync();

        await LockIsOffAsync(instance, "after the kill", cancel);
        ledger.ReadJournal();
        instance.StartNode();
        await instance.NodeReadyAsync(cancel);
        await LockIsOffAsync(instance, "after the restart", cancel);
        await ledger.CompareAsync(_limit, cancel);
        return shown;
    }

    private static Task LockIsOffAsync(Instance instance, string when, CancellationToken cancel) => Wait.UntilAsync(
        $"the lock output to be off {when}", async () => !(bool)(await instance.RoomAsync(cancel))["lockOutput"]!, TimeSpan.FromSeconds(2), cancel);

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
