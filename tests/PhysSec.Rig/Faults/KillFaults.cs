namespace PhysSec.Rig.Faults;

/// <summary>kill -9 of each program in turn, behind an external broker, while people come and go.</summary>
internal static class KillFaults
{
    private const double CalmSeconds = 1.5;
    private const double AwaySeconds = 2;

    public static IReadOnlyList<FaultScenario> All { get; } =
    [
        new("kill-node", "kill -9 of the node under a stream of badges", run => PlayAsync(run, "kills of the node", NodeAsync)),
        new("kill-hub", "kill -9 of the hub under a stream of badges", run => PlayAsync(run, "kills of the hub", HubAsync)),
        new("kill-broker", "kill -9 of Mosquitto under a stream of badges", run => PlayAsync(run, "kills of Mosquitto", BrokerAsync)),
        new("kill-each", "kill -9 of one of the three at random, in an order that the seed gives", run =>
            PlayAsync(run, "kills of node, hub or Mosquitto", (trial, it) => it.Random.Next(3) switch
            {
                0 => NodeAsync(trial, it),
                1 => HubAsync(trial, it),
                _ => BrokerAsync(trial, it),
            })),
    ];

    private static async Task<string> PlayAsync(FaultRun run, string what, Func<Trial, FaultRun, Task> kill)
    {
        await using var trial = await Trial.StartAsync(new InstanceOptions { Broker = BrokerKind.Mosquitto }, run);
        for (var round = 0; round < run.Rounds; round++)
        {
            await trial.UnderBadgesAsync(async () =>
            {
                await trial.SomeTimeAsync(CalmSeconds);
                await kill(trial, run);
                await trial.SomeTimeAsync(CalmSeconds);
            });
            await trial.JudgeAsync();
        }

        return trial.Figures($"{run.Rounds} {what}");
    }

    private static async Task NodeAsync(Trial trial, FaultRun run)
    {
        await trial.Room.KillNodeAsync();
        await trial.ReadAsync("after the kill");
        trial.Room.StartNode();
        await trial.Room.NodeReadyAsync(run.Cancel);
    }

    private static async Task HubAsync(Trial trial, FaultRun run)
    {
        await trial.Room.KillHubAsync();
        await trial.SomeTimeAsync(AwaySeconds);
        await trial.Room.StartHubAsync(run.Cancel);
    }

    private static async Task BrokerAsync(Trial trial, FaultRun run)
    {
        await trial.Room.KillBrokerAsync();
        await trial.SomeTimeAsync(AwaySeconds);
        await trial.Room.StartBrokerAsync(run.Cancel);
        await trial.Room.NodeReadyAsync(run.Cancel);
    }
}
