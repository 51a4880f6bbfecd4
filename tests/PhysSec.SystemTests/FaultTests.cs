using PhysSec.Rig.Faults;

namespace PhysSec.SystemTests;

/// <summary>The short form of <c>./deploy.sh soak faults</c>: each kind of fault once, with real processes.</summary>
public sealed class FaultTests(ITestOutputHelper output)
{
    [Theory(Timeout = 180_000)]
    [InlineData("kill-hub")]
    [InlineData("kill-broker")]
    [InlineData("fsync-fails-node")]
    [InlineData("fsync-fails-hub")]
    [InlineData("enospc-node")]
    public async Task The_record_stays_whole_when_this_breaks(string scenario)
    {
        var figures = await FaultSoak.Named(scenario).PlayAsync(new(Rounds: 1, new Random(20_261_128), Say: null, output.WriteLine, TestContext.Current.CancellationToken));

        output.WriteLine(figures);
    }
}
