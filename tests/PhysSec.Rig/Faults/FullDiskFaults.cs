using PhysSec.Core.Wire;

namespace PhysSec.Rig.Faults;

/// <summary>A disk that is really full: under the node's journal, and under the hub's store.</summary>
internal static class FullDiskFaults
{
    private const int NodeMegabytes = 96;
    private const int HubMegabytes = 64;
    private const long NearlyFull = 40 << 20; // A node thins below 64 MiB.
    private const int Measurements = 2_500;
    private static readonly TimeSpan _thinning = TimeSpan.FromSeconds(6); // A thousand of them a second, after what the hub holds.
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(6); // Room inside the file is used up at the pace of the badges.

    public static IReadOnlyList<FaultScenario> All { get; } =
    [
        new("full-disk-node", "the node's disk fills: measurements are thinned first, then the zone's rule refuses", NodeAsync),
        new("full-disk-hub", "the hub's disk fills: it takes nothing, nodes keep everything until there is space", HubAsync),
    ];

    private static async Task<string> NodeAsync(FaultRun run)
    {
        using var folder = new TrialFolder();
        await using var disk = await SmallDisk.MountAsync(folder.NodeState, NodeMegabytes, run.Cancel);
        await using var trial = await Trial.StartAsync(new InstanceOptions { State = folder.Path }, run);
        await trial.DoorWorksAsync();
        for (var round = 0; round < run.Rounds; round++)
        {
            // Measurements that no hub has seen, and little space: they go first, and a record says which.
            await trial.Room.KillHubAsync();
            await trial.Room.KillNodeAsync();
            var piled = Pile.Up(trial.Room, Measurements, Streams.Measurements, new Measured([new(new("room.temperature"), 21.5, "good")]), run.Cancel);
            trial.Room.StartNode();
            disk.FillTo(NearlyFull);
            await trial.Room.Node.LineAsync(it => it.Contains("the disk is nearly full", StringComparison.Ordinal), "that it makes room", Trial.Limit, run.Cancel);
            await Task.Delay(_thinning, TimeProvider.System, run.Cancel);
            await trial.Room.StartHubAsync(run.Cancel);
            await trial.Room.NodeReadyAsync(run.Cancel);
            await Wait.UntilAsync("the measurements that are left, and word of those that are not, at the hub", async () =>
                HubApi.Items(await trial.Room.Operator.GetAsync("nodes", run.Cancel)).Any(it => (long)it["throughMeasurements"]! >= piled.Seq), Trial.Limit, run.Cancel);
            await trial.DoorWorksAsync(); // There is still room for what is never dropped.

            disk.FillTo(0);
            // What was freed inside the file is written first, and a journal that is opened again finds room once more: each time it lets somebody in it must have the record.
            var before = round;
            await Wait.UntilAsync(
                "a full disk to keep the door shut and the node to say why",
                async () => !await trial.LetsAliceInAsync() && await trial.IsSayingAsync("journal") && !await trial.LetsAliceInAsync(), _patience, run.Cancel);
            disk.Empty();
            await trial.DoorWorksAsync();
            await trial.JudgeAsync(() =>
            {
                if (trial.Ledger.Count("measurements.thinned") <= before) throw new RigException("measurements were removed and no record says so");
            });
        }

        var released = await trial.ReleasesAsync();
        await trial.JudgeAsync(() => trial.AllOnRecord(released));
        return trial.Figures($"{run.Rounds} times full, {trial.Ledger.Count("measurements.thinned")} records of thinned measurements");
    }

    private static async Task<string> HubAsync(FaultRun run)
    {
        using var folder = new TrialFolder();
        await using var disk = await SmallDisk.MountAsync(folder.HubState, HubMegabytes, run.Cancel);
        await using var trial = await Trial.StartAsync(new InstanceOptions { State = folder.Path }, run);
        for (var round = 0; round < run.Rounds; round++)
        {
            disk.FillTo(0);
            await Wait.UntilAsync("a full disk to stop the hub from storing", async () =>
            {
                var before = trial.Ledger.AtHub();
                await trial.OpensAsync();
                await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, run.Cancel);
                return trial.Ledger.AtHub() == before;
            }, _patience, run.Cancel);
            await trial.UnderBadgesAsync(() => trial.SomeTimeAsync(3));
            await trial.HubTakesNothingAsync();
            disk.Empty();
            await trial.JudgeAsync();
        }

        return trial.Figures($"{run.Rounds} times full");
    }
}
