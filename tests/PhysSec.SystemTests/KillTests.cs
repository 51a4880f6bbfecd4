using PhysSec.Rig;
using PhysSec.Rig.Soak;

namespace PhysSec.SystemTests;

public sealed class KillTests(ITestOutputHelper output)
{
    [Fact(Timeout = 300_000)]
    public async Task A_node_killed_at_random_moments_loses_and_doubles_no_record()
    {
        using var said = new StringWriter();

        var code = await KillSoak.RunAsync(rounds: 5, seed: 20_261_123, said, say: null, TestContext.Current.CancellationToken);

        output.WriteLine(said.ToString());
        Assert.True(code == 0, said.ToString());
    }

    [Fact(Timeout = 120_000)]
    public async Task The_end_of_a_demo_leaves_no_process_and_no_temporary_file()
    {
        var cancel = TestContext.Current.CancellationToken;
        var instance = await Instance.StartAsync(new InstanceOptions(), cancel);
        var (pids, state) = (instance.Pids, instance.State);

        await instance.DisposeAsync();

        Assert.All(pids, it => Assert.False(Child.IsAlive(it), $"process {it} still runs"));
        Assert.False(Directory.Exists(state));
    }
}
