using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Alarms;

namespace PhysSec.Hub.Fleet;

/// <summary>Raises node-lost when a node has been away or silent for too long, program-damaged when a node or the hub runs in a damaged version's place; clears both when that is over.</summary>
public sealed class FleetWatch(Nodes nodes, AlarmBoard alarms, TimeProvider clock, ILogger<FleetWatch> log) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);

    /// <summary>A node that says its state every 15 s has been silent for three of them.</summary>
    public static readonly TimeSpan Silent = TimeSpan.FromSeconds(45);

    /// <summary>After its will; a short cut of the line is not an alarm.</summary>
    public static readonly TimeSpan Away = TimeSpan.FromSeconds(10);

    private const string Hub = "hub";
    private readonly HashSet<(string Class, string Source)> _standing = [];
    private readonly Dictionary<string, long> _awaySince = []; // Monotonic: the machine's time may be stepped.

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var start = clock.GetTimestamp();
        foreach (var it in alarms.List(activeOnly: true).Where(it => it is { Class: AlarmClasses.NodeLost or AlarmClasses.ProgramDamaged, Active: true })) _standing.Add((it.Class, it.Source));
        using var timer = new PeriodicTimer(_period, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await SayAsync(AlarmClasses.ProgramDamaged, Hub, null, Damage(AppContext.BaseDirectory));
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
        await SayAsync(AlarmClasses.NodeLost, node.Id, new NodeId(node.Id), !lost ? null : node.State is "lost" or "offline" ? $"state {node.State}" : "silent");
        await SayAsync(AlarmClasses.ProgramDamaged, node.Id, new NodeId(node.Id), node.Health?.Damage);
    }

    /// <param name="alarmClass">What it is.</param>
    /// <param name="source">Of which node, or the hub.</param>
    /// <param name="node">Null: the hub.</param>
    /// <param name="detail">Null: it is not, or no longer.</param>
    private async Task SayAsync(string alarmClass, string source, NodeId? node, string? detail)
    {
        if (detail is not null == _standing.Contains((alarmClass, source))) return;
        if (detail is null) await alarms.ClearAsync(alarmClass, source);
        else await alarms.RaiseAsync(alarmClass, source, node, detail);
        if (detail is null) _standing.Remove((alarmClass, source));
        else _standing.Add((alarmClass, source)); // Only now: a store that refused is asked again.
    }

    /// <summary>What physsec-install wrote down when it put this version of the hub in a damaged one's place; null: nothing.</summary>
    private static string? Damage(string programFolder)
    {
        var file = Path.Combine(programFolder, "..", "damaged");
        try
        {
            return File.Exists(file) ? File.ReadAllText(file).Trim() : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return failure.Message;
        }
    }
}
