namespace PhysSec.Rig.Faults;

/// <summary>A disk that refuses, dawdles or takes half: under the node's journal, and under the hub's store.</summary>
internal static class RefusingDiskFaults
{
    public static IReadOnlyList<FaultScenario> All { get; } =
    [
        new("fsync-fails-node", "every fsync of the node's journal answers EIO for a while", run => NodeRefusesAsync(run, "fsync EIO")),
        new("fsync-fails-hub", "every fsync of the hub's store answers EIO for a while", run => HubRefusesAsync(run, "fsync EIO")),
        new("fsync-slow-node", "every fsync of the node's journal takes 300 ms; the zone's rule decides, both of them", SlowAsync),
        new("enospc-node", "every write of the node's journal answers ENOSPC for a while", run => NodeRefusesAsync(run, "write ENOSPC")),
        new("enospc-hub", "every write of the hub's store answers ENOSPC for a while", run => HubRefusesAsync(run, "write ENOSPC")),
        new("short-writes", "every write of node and hub takes half of what it was given", ShortAsync),
    ];

    private static async Task<string> NodeRefusesAsync(FaultRun run, string order)
    {
        using var folder = new TrialFolder();
        using var disk = await FailingDisk.MakeAsync(folder.NodeState, run.Cancel);
        await using var trial = await Trial.StartAsync(new InstanceOptions { State = folder.Path, NodeEnvironment = disk.Environment }, run);
        await trial.DoorWorksAsync();
        for (var round = 0; round < run.Rounds; round++)
        {
            disk.Order(order);
            if (await trial.LetsAliceInAsync()) throw new RigException("the lock let go although the entry could not be recorded");
            await trial.SaysAsync("journal");
            if (await trial.LetsAliceInAsync()) throw new RigException("the lock let go although the journal was known to be broken");
            disk.Heal();
            await trial.DoorWorksAsync();
        }

        var released = await trial.ReleasesAsync();
        await trial.JudgeAsync(() => trial.AllOnRecord(released));
        return trial.Figures($"{run.Rounds} times {order}");
    }

    private static async Task<string> HubRefusesAsync(FaultRun run, string order)
    {
        using var folder = new TrialFolder();
        using var disk = await FailingDisk.MakeAsync(folder.HubState, run.Cancel);
        await using var trial = await Trial.StartAsync(new InstanceOptions { State = folder.Path, HubEnvironment = disk.Environment }, run);
        for (var round = 0; round < run.Rounds; round++)
        {
            await trial.UnderBadgesAsync(async () =>
            {
                await trial.SomeTimeAsync(1);
                disk.Order(order);
                await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System, run.Cancel);
            });
            await trial.HubTakesNothingAsync();
            disk.Heal();
            await trial.JudgeAsync();
        }

        return trial.Figures($"{run.Rounds} times {order}");
    }

    private static async Task<string> SlowAsync(FaultRun run)
    {
        const string Slow = "fsync SLOW 300";
        using var folder = new TrialFolder();
        using var disk = await FailingDisk.MakeAsync(folder.NodeState, run.Cancel);
        await using var trial = await Trial.StartAsync(new InstanceOptions { State = folder.Path, NodeEnvironment = disk.Environment }, run);
        await trial.DoorWorksAsync();
        for (var round = 0; round < run.Rounds; round++)
        {
            disk.Order(Slow);
            if (await trial.LetsAliceInAsync()) throw new RigException("the lock let go although the entry was not recorded within 250 ms");
            await trial.SaysAsync("journal");
            disk.Heal();
            await trial.DoorWorksAsync();
        }

        await SetRuleAsync(trial, "releaseWithLocalAlarm", run.Cancel);
        for (var round = 0; round < run.Rounds; round++)
        {
            disk.Order(Slow);
            if (!await trial.LetsAliceInAsync()) throw new RigException("the zone lets people in with a local alarm when the journal is slow, and the lock did not let go");
            await trial.SaysAsync("journal");
            disk.Heal();
            await trial.DoorWorksAsync();
        }

        var released = await trial.ReleasesAsync();
        await trial.JudgeAsync(() => trial.AllOnRecord(released));
        return trial.Figures($"{2 * run.Rounds} times 300 ms under both rules");
    }

    private static async Task SetRuleAsync(Trial trial, string rule, CancellationToken cancel)
    {
        var before = await trial.PolicyInForceAsync();
        var zone = HubApi.Items(await trial.Room.Administrator.GetAsync("zones", cancel))[0].DeepClone();
        zone["onJournalFault"] = rule;
        await trial.Room.Administrator.PutAsync("zones/server-room", zone, cancel);
        await Wait.UntilAsync("the zone's new rule at the node", async () => await trial.PolicyInForceAsync() > before, Trial.Limit, cancel);
    }

    private static async Task<string> ShortAsync(FaultRun run)
    {
        using var folder = new TrialFolder();
        using var ofNode = await FailingDisk.MakeAsync(folder.NodeState, run.Cancel);
        using var ofHub = await FailingDisk.MakeAsync(folder.HubState, run.Cancel);
        await using var trial = await Trial.StartAsync(
            new InstanceOptions { State = folder.Path, NodeEnvironment = ofNode.Environment, HubEnvironment = ofHub.Environment }, run);
        for (var round = 0; round < run.Rounds; round++)
        {
            foreach (var it in new[] { ofNode, ofHub }) it.Order("write SHORT");
            await trial.UnderBadgesAsync(() => trial.SomeTimeAsync(4));
            if (round % 2 == 1) foreach (var it in new[] { ofNode, ofHub }) it.Heal(); // Every other time the node starts on such a disk as well.
            await trial.JudgeAsync();
        }

        return trial.Figures($"{run.Rounds} times short writes of both");
    }
}
