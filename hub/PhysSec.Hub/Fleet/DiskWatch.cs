using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Alarms;
using PhysSec.Core.Sensing;
using PhysSec.Hub.Alarms;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Fleet;

/// <summary>A disk as the console shows it. Source is the node's id, or <c>hub</c>; FullAt is null when nobody can say.</summary>
public sealed record DiskView(string Source, DateTimeOffset At, long UsedBytes, long TotalBytes, DateTimeOffset? FullAt, bool Filling);

/// <summary>How full a folder's disk is, in bytes.</summary>
public delegate (long Used, long Total) DiskLook();

/// <summary>Notes each hour how full the hub's and every node's disk is, says when each will be full, and raises disk-filling at 75 % or a month ahead.</summary>
public sealed class DiskWatch(Store store, Nodes nodes, AlarmBoard alarms, DiskLook look, TimeProvider clock, ILogger<DiskWatch> log) : BackgroundService
{
    public const string Hub = "hub";
    private static readonly TimeSpan _period = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _noteEvery = TimeSpan.FromHours(1);
    private static readonly TimeSpan _learnFrom = TimeSpan.FromDays(31);
    private static readonly TimeSpan _keep = TimeSpan.FromDays(90);

    private readonly ConcurrentDictionary<string, DiskView> _disks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (DateTimeOffset NotedAt, DateTimeOffset? FullAt)> _noted = [];
    private readonly HashSet<string> _standing = [];

    /// <summary>The hub's own first.</summary>
    public IReadOnlyList<DiskView> List() => [.. _disks.Values.OrderBy(it => it.Source != Hub).ThenBy(it => it.Source, StringComparer.Ordinal)];

    /// <summary>How full a folder's disk is. What is reserved for root counts as used.</summary>
    public static (long Used, long Total) Of(string folder)
    {
        var disk = new DriveInfo(folder);
        return (disk.TotalSize - disk.AvailableFreeSpace, disk.TotalSize);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var it in alarms.List(activeOnly: true).Where(it => it is { Class: AlarmClasses.DiskFilling, Active: true })) _standing.Add(it.Source);
        using var timer = new PeriodicTimer(_period, clock);
        do
        {
            try
            {
                await LookAsync();
            }
            catch (Exception fault) when (fault is SqliteException or IOException or UnauthorizedAccessException)
            {
                log.LogError("the disks were not looked at: {Fault}; trying again", fault.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task LookAsync()
    {
        var now = clock.GetUtcNow();
        var (used, total) = look();
        var disks = new List<(string Source, NodeId? Node, DiskUse Use)> { (Hub, null, new(now, used, total)) };
        var known = nodes.List();
        foreach (var node in known.Where(it => it.State is "online" or "degraded")) // What a lost node said last is no news.
        {
            if (node.Health is { DiskTotalBytes: { } size and > 0 } it && it.DiskFreeBytes >= 0)
                disks.Add((node.Id, new NodeId(node.Id), new(now, Math.Max(0, size - it.DiskFreeBytes), size)));
        }

        await NoteAsync([.. disks.Where(it => !_noted.TryGetValue(it.Source, out var noted) || now - noted.NotedAt >= _noteEvery || now < noted.NotedAt).Select(it => (it.Source, it.Use))], now);
        foreach (var (source, node, use) in disks) await JudgeAsync(source, node, use);
        foreach (var gone in known.Where(it => it.State == "revoked"))
        {
            _disks.TryRemove(gone.Id, out _);
            if (_standing.Contains(gone.Id)) await alarms.ClearAsync(AlarmClasses.DiskFilling, gone.Id);
            _standing.Remove(gone.Id);
        }
    }

    private async Task NoteAsync(IReadOnlyList<(string Source, DiskUse Use)> due, DateTimeOffset now)
    {
        if (due.Count == 0) return;
        var learned = await store.WriteAsync(it =>
        {
            it.Execute("delete from disk_use where at < $old", ("$old", now - _keep));
            var all = new List<(string, DateTimeOffset?)>();
            foreach (var (source, use) in due)
            {
                var last = it.Number("select max(at) from disk_use where source = $source", ("$source", source));
                if (last == 0 || now - Rows.FromStored(last) >= _noteEvery || now < Rows.FromStored(last)) // A hub that is started often learns no quicker.
                {
                    it.Execute("insert or replace into disk_use values ($source, $at, $used, $total)",
                        ("$source", source), ("$at", use.At), ("$used", use.UsedBytes), ("$total", use.TotalBytes));
                }

                all.Add((source, DiskForecast.FullAt(it.Query(
                    "select at, used, total from disk_use where source = $source and at >= $from and at <= $now", row => new DiskUse(row.Time("at")!.Value, row.GetInt64(1), row.GetInt64(2)),
                    ("$source", source), ("$from", now - _learnFrom), ("$now", now)))));
            }

            return all;
        });
        foreach (var (source, fullAt) in learned) _noted[source] = (now, fullAt);
    }

    private async Task JudgeAsync(string source, NodeId? node, DiskUse use)
    {
        var fullAt = _noted[source].FullAt;
        var filling = DiskForecast.Alarms(_standing.Contains(source), use, fullAt);
        _disks[source] = new(source, use.At, use.UsedBytes, use.TotalBytes, fullAt, filling);
        if (filling == _standing.Contains(source)) return;
        if (filling) await alarms.RaiseAsync(AlarmClasses.DiskFilling, source, node, Detail(use, fullAt));
        else await alarms.ClearAsync(AlarmClasses.DiskFilling, source);
        if (filling) _standing.Add(source);
        else _standing.Remove(source); // Only now: a store that refused is asked again.
    }

    /// <summary>Figures alone, which need no language.</summary>
    private static string Detail(DiskUse use, DateTimeOffset? fullAt) => string.Create(
        CultureInfo.InvariantCulture, $"{use.Share:0 %} ({use.UsedBytes / 1e9:0.0}/{use.TotalBytes / 1e9:0.0} GB){(fullAt is { } day ? $" → 100 %: {day:yyyy-MM-dd}" : "")}");
}
