using System.Globalization;
using PhysSec.Rig.Soak;

namespace PhysSec.Rig.Faults;

/// <summary>One running PhysSec to be broken, and the judgement of its record.</summary>
internal sealed class Trial : IAsyncDisposable
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(50);

    private readonly FaultRun _run;
    private int _shown;

    private Trial(Instance instance, FaultRun run) => (Room, Ledger, _run) = (instance, new Ledger(instance), run);

    public Instance Room { get; }

    public Ledger Ledger { get; }

    private CancellationToken Cancel => _run.Cancel;

    public static async Task<Trial> StartAsync(InstanceOptions options, FaultRun run) =>
        new(await Instance.StartAsync(options with { Say = run.Say }, run.Cancel), run);

    /// <summary>People come and go while something happens.</summary>
    public async Task UnderBadgesAsync(Func<Task> what)
    {
        await using var visitors = new Visitors(Room, new Random(_run.Random.Next()), Cancel);
        await what();
        _shown += await visitors.StopAsync();
    }

    /// <summary>A random time from 20 ms to this many seconds.</summary>
    public Task SomeTimeAsync(double secondsMax) => Task.Delay(TimeSpan.FromMilliseconds(_run.Random.Next(20, (int)(secondsMax * 1_000))), TimeProvider.System, Cancel);

    /// <summary>Alice shows her badge; whether the lock let go within a second.</summary>
    public async Task<bool> LetsAliceInAsync()
    {
        var before = await ReleasesAsync();
        await Room.ActAsync("badge alice", Cancel);
        _shown++;
        for (var begin = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(1);)
        {
            if (await ReleasesAsync() > before)
            {
                await PassAsync();
                return true;
            }

            await Task.Delay(_look, TimeProvider.System, Cancel);
        }

        return false;
    }

    /// <summary>Until somebody who may enter is let in; a hub that is away is not asked.</summary>
    public async Task OpensAsync()
    {
        await Wait.UntilAsync("the last release to end", async () => !(bool)(await Room.RoomAsync(Cancel))["lockOutput"]!, Limit, Cancel);
        var before = await ReleasesAsync();
        await Room.ActAsync("badge alice", Cancel);
        await Wait.UntilAsync("the lock to let go", async () => await ReleasesAsync() > before, Limit, Cancel);
        await Room.ActAsync("open", Cancel);
        await Room.ActAsync("close", Cancel);
    }

    /// <summary>A hub that cannot write stores nothing for two seconds, although the door goes on.</summary>
    public async Task HubTakesNothingAsync()
    {
        var before = Ledger.AtHub();
        await OpensAsync();
        for (var begin = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(2);)
        {
            if (Ledger.AtHub() is var now && now != before) throw new RigException($"the hub stored {now - before} records on a disk that refuses");
            await Task.Delay(_look, TimeProvider.System, Cancel);
        }
    }

    /// <summary>Of trials in which only Alice came, one badge at a time: each badge is on record, and each entry that was granted too late to be given was then refused.</summary>
    /// <exception cref="RigException">Something was dropped silently.</exception>
    public void AllOnRecord(int released)
    {
        var (granted, denied) = (Ledger.Count("access.granted"), Ledger.Count("access.denied"));
        if (granted + denied < _shown) throw new RigException($"{_shown} badges were shown and the journal has {granted} granted and {denied} refused: some were dropped silently");
        var unrecorded = Ledger.Facts.Count(it => (string?)it["kind"] == "access.denied" && (string?)it["reason"] == "JournalFault");
        if (granted > released + unrecorded)
            throw new RigException($"the journal has {granted} entries granted, the lock let go {released} times and {unrecorded} were refused for the journal's sake: a grant on record was never given");
    }

    public async Task<int> ReleasesAsync() => (int)(await Room.RoomAsync(Cancel))["lockReleases"]!;

    public async Task<long> PolicyInForceAsync() =>
        (long?)HubApi.Items(await Room.Operator.GetAsync("nodes", Cancel)).Single(it => (string?)it["id"] == Instance.LiveNode)["policyInForce"] ?? 0;

    public Task LockIsOffAsync(string when) => Wait.UntilAsync(
        $"the lock output to be off {when}", async () => !(bool)(await Room.RoomAsync(Cancel))["lockOutput"]!, TimeSpan.FromSeconds(2), Cancel);

    /// <summary>Until the hub shows the node degraded with this word in one of its faults.</summary>
    public Task SaysAsync(string word) => Wait.UntilAsync($"the node to say that its {word} is at fault", () => IsSayingAsync(word), Limit, Cancel);

    /// <summary>Whether the node says now that this is at fault.</summary>
    public async Task<bool> IsSayingAsync(string word) =>
        HubApi.Items(await Room.Operator.GetAsync("nodes", Cancel)).Any(it => (string?)it["id"] == Instance.LiveNode && (string?)it["state"] == "degraded"
            && it["faults"]!.AsArray().Any(fault => ((string)fault!).Contains(word, StringComparison.Ordinal)));

    /// <summary>Until a door that stayed shut for a fault lets Alice in again.</summary>
    public Task DoorWorksAsync() => Wait.UntilAsync("the door to let Alice in again", LetsAliceInAsync, Limit, Cancel);

    /// <summary>Kills the node, looks at what it leaves, starts it again and compares with the hub.</summary>
    /// <param name="journal">Looked at while the node is down.</param>
    /// <exception cref="RigException">Something of the record does not hold.</exception>
    public async Task JudgeAsync(Action? journal = null)
    {
        await Room.KillNodeAsync();
        await ReadAsync("after the kill");
        journal?.Invoke();
        Room.StartNode();
        await CompareAsync();
    }

    /// <summary>Of a node that is down: its lock, and that no lock moved without a record and nothing acknowledged is lost.</summary>
    public async Task ReadAsync(string when)
    {
        await LockIsOffAsync(when);
        Ledger.ReadJournal();
        await Ledger.NothingIsLostAsync(Cancel);
        if (Ledger.Count("access.granted", "door.exit-request", "command") is var recorded && await ReleasesAsync() is var moved && moved > recorded)
            throw new RigException($"the lock let go {moved} times and the journal has {recorded} records that could have let it");
    }

    public async Task CompareAsync()
    {
        await Room.NodeReadyAsync(Cancel);
        await LockIsOffAsync("after the restart");
        await Ledger.CompareAsync(Limit, Cancel);
    }

    public string Figures(string what) => Ledger.Compared == 0 ? throw new RigException("not one record was compared: nothing was tried")
        : string.Create(CultureInfo.InvariantCulture, $"{what}, {_shown} badges shown, {Ledger.Compared} records, 0 lost, 0 doubled");

    public ValueTask DisposeAsync() => Room.DisposeAsync();

    private async Task PassAsync()
    {
        await Room.ActAsync("open", Cancel);
        await Wait.UntilAsync("the door to lock behind Alice", async () => !(bool)(await Room.RoomAsync(Cancel))["lockOutput"]!, Limit, Cancel);
        await Room.ActAsync("close", Cancel);
        await Wait.UntilAsync("the node to see the leaf closed", async () =>
            (string?)HubApi.Items(await Room.Operator.GetAsync("doors", Cancel))[0]["live"]?["state"]?["state"] == "Locked", Limit, Cancel);
    }
}
