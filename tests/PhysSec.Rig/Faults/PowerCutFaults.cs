namespace PhysSec.Rig.Faults;

/// <summary>Power cuts, of the node's disk and of the hub's, under load.</summary>
internal static class PowerCutFaults
{
    private const double CalmSeconds = 4;

    public static IReadOnlyList<FaultScenario> All { get; } =
    [
        new("power-cut-node", "the node's power goes under a stream of badges, on a disk that loses what was not flushed", NodeAsync),
        new("power-cut-hub", "the hub's power goes under a stream of badges, on a disk that loses what was not flushed", HubAsync),
    ];

    private static async Task<string> NodeAsync(FaultRun run)
    {
        using var folder = new TrialFolder();
        await using var disk = await ForgetfulDisk.MountAsync(folder.NodeState, run.Cancel);
        await using var trial = await Trial.StartAsync(new InstanceOptions { State = folder.Path }, run);
        await disk.FlushAsync(run.Cancel);
        for (var round = 0; round < run.Rounds; round++)
        {
            await trial.UnderBadgesAsync(async () =>
            {
                await trial.SomeTimeAsync(CalmSeconds);
                await disk.CutAsync(trial.Room.KillNodeAsync, run.Cancel);
            });
            await trial.ReadAsync("after the cut");
            trial.Room.StartNode();
            await trial.CompareAsync();
        }

        return trial.Figures($"{run.Rounds} power cuts of the node");
    }

    private static async Task<string> HubAsync(FaultRun run)
    {
        using var folder = new TrialFolder();
        await using var disk = await ForgetfulDisk.MountAsync(folder.HubState, run.Cancel);
        await using var trial = await Trial.StartAsync(new InstanceOptions { State = folder.Path }, run);
        await disk.FlushAsync(run.Cancel);
        for (var round = 0; round < run.Rounds; round++)
        {
            await trial.UnderBadgesAsync(async () =>
            {
                await trial.SomeTimeAsync(CalmSeconds);
                await disk.CutAsync(trial.Room.KillHubAsync, run.Cancel);
                await trial.SomeTimeAsync(1);
            });
            await trial.Room.StartHubAsync(run.Cancel);
            await trial.JudgeAsync();
        }

        return trial.Figures($"{run.Rounds} power cuts of the hub");
    }
}
