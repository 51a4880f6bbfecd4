using System.Text.Json;
using Microsoft.Extensions.Hosting;
using PhysSec.Core;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hub.Fleet;
using PhysSec.Tests.Ingest;
using PhysSec.Tests.Uplink;

namespace PhysSec.Tests.Fleet;

/// <summary>What the hub says of a node by itself.</summary>
public sealed class FleetWatchTests : IAsyncDisposable
{
    private readonly RunningHub _hub = RunningHub.WithoutBroker();

    [Fact]
    public async Task A_node_that_runs_in_a_damaged_version_s_place_is_alarmed_until_it_is_installed_again()
    {
        var (node, watch) = await StartAsync();
        await SaysAsync(node, "online", damage: null);
        await LookAsync(() => _hub.Nodes.Find(node) is not null);
        Assert.Empty(Standing(AlarmClasses.ProgramDamaged));

        await SaysAsync(node, "degraded", "version 0.1.1-2: physsec-node: FAILED");
        await LookAsync(() => Standing(AlarmClasses.ProgramDamaged) is [("node-a", "version 0.1.1-2: physsec-node: FAILED")]);

        await SaysAsync(node, "online", damage: null);
        await LookAsync(() => Standing(AlarmClasses.ProgramDamaged).Length == 0);
        await watch.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_silent_node_is_alarmed_and_one_that_speaks_again_is_not()
    {
        var (node, watch) = await StartAsync();
        await SaysAsync(node, "online", damage: null);
        await LookAsync(() => Standing(AlarmClasses.NodeLost).Length == 0);

        _hub.Time.Advance(FleetWatch.Silent);
        await LookAsync(() => Standing(AlarmClasses.NodeLost) is [("node-a", "silent")]);

        await SaysAsync(node, "online", damage: null);
        await LookAsync(() => Standing(AlarmClasses.NodeLost).Length == 0);
        await watch.StopAsync(CancellationToken.None);
    }

    public ValueTask DisposeAsync() => _hub.DisposeAsync();

    private async Task<(NodeId, FleetWatch)> StartAsync()
    {
        var node = await _hub.EnrolAsync("node-a");
        var watch = _hub.Get<IEnumerable<IHostedService>>().OfType<FleetWatch>().Single();
        await watch.StartAsync(TestContext.Current.CancellationToken);
        return (node.Id, watch);
    }

    private Task<string> SaysAsync(NodeId node, string state, string? damage)
    {
        var said = new NodeState(state, "boot-1", 1, _hub.Time.GetUtcNow(), [], new NodeHealth(1, 0, 1 << 30, 20, ClockQuality.Synced, 1, 0, 0, null, damage));
        return _hub.Nodes.StateAsync(node, said, JsonSerializer.Serialize(said, WireJson.Plain.NodeState));
    }

    /// <summary>Each try is one more of the watch's seconds.</summary>
    private Task LookAsync(Func<bool> seen) => Eventually.TrueAsync(() =>
    {
        _hub.Time.Advance(TimeSpan.FromSeconds(1));
        return seen();
    });

    private (string Source, string? Detail)[] Standing(string alarmClass) =>
        [.. _hub.Alarms.List(activeOnly: true).Where(it => it.Class == alarmClass && it.Active).Select(it => (it.Source, it.Detail))];
}
