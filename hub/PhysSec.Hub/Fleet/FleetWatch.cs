using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Alarms;

namespace PhysSec.Hub.Fleet;

/// <summary>Raises node-lost when a node has been away or silent for too long, and clears it when the node is back.</summary>
public sealed class FleetWatch(Nodes nodes, AlarmBoard alarms, TimeProvider clock, ILogger<FleetWatch> log) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);

    /// <summary>A node that says its state every 15 s has been silent for three of them.</summary>
    public static readonly TimeSpan Silent = TimeSpan.FromSeconds(45);

    /// <summary>After its will; a short cut of the line is not an alarm.</summary>
    public static readonly TimeSpan Away = TimeSpan.FromSeconds(10);

    private readonly HashSet<string> _lost = [];
    private readonly Dictionary<string, long> _awaySince = []; // Monotonic: the machine's time may be stepped.

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var start = clock.GetTimestamp();
        foreach (var it in alarms.List(activeOnly: true).Where(it => it is { Class: AlarmClasses.NodeLost, Active: true })) _lost.Add(it.Source);
        using var timer = new PeriodicTimer(_period, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                foreach (var node in nodes.List()) await LookAsync(node, start);
            }
            catch (SqliteException fault)
            {
                log.LogError("the nodes were not looked at: the store refused: {Fault}; trying again", fault.Message);
            }
        }
    }

    private async Task LookAsync(NodeView node, long start)
    {
        if (node.State is not ("lost" or "offline")) _awaySince.Remove(node.Id);
        else _awaySince.TryAdd(node.Id, clock.GetTimestamp());
        var lost = node.State switch
        {
            "revoked" or "never-seen" or "updating" => false,
            "lost" or "offline" => clock.GetElapsedTime(_awaySince[node.Id]) > Away,
            _ => (nodes.SilentFor(new NodeId(node.Id)) ?? clock.GetElapsedTime(start)) > Silent, // A hub that was away itself gives everybody time to come back.
        };
        if (lost && !_lost.Contains(node.Id))
        {
            await alarms.RaiseAsync(AlarmClasses.NodeLost, node.Id, new NodeId(node.Id), node.State is "lost" or "offline" ? $"state {node.State}" : "silent");
            _lost.Add(node.Id);
        }
        else if (!lost && _lost.Contains(node.Id))
        {
            await alarms.ClearAsync(AlarmClasses.NodeLost, node.Id);
            _lost.Remove(node.Id);
        }
    }
}
