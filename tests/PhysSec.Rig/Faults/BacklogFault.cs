using System.Globalization;
using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Wire;

namespace PhysSec.Rig.Faults;

/// <summary>A node that was away for long sends a million records on; an alarm of now does not wait behind them.</summary>
internal static class BacklogFault
{
    private const int Records = 1_000_000;
    private const int AlarmsMin = 30;
    private const int AlarmsMax = 200;
    private const double BudgetMs = 500; // Emergency input → recorded and on the hub's screen, p99.
    private static readonly TimeSpan _poll = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(20);

    public static IReadOnlyList<FaultScenario> All { get; } =
        [new("backlog", "1,000,000 records at a node are sent on while live alarms arrive", PlayAsync)];

    private static async Task<string> PlayAsync(FaultRun run)
    {
        await using var trial = await Trial.StartAsync(new InstanceOptions(), run);
        await trial.Room.KillNodeAsync();
        var begin = TimeProvider.System.GetTimestamp();
        var piled = Pile.Up(trial.Room, Records, Streams.Access, new ExitRequested(new DoorId(Instance.Door), 1), run.Cancel);
        run.Progress(Text($"{Records:N0} records written into the journal in {Seconds(begin):F0} s"));

        begin = TimeProvider.System.GetTimestamp();
        trial.Room.StartNode();
        await Wait.UntilAsync("the node to take its lines", async () => (int)(await trial.Room.RoomAsync(run.Cancel))["linesHeld"]! > 0, Trial.Limit, run.Cancel);
        var started = Seconds(begin);
        await trial.Room.NodeReadyAsync(run.Cancel);
        begin = TimeProvider.System.GetTimestamp();
        var times = new List<double>();
        while (times.Count < AlarmsMax && trial.Ledger.AtHub() < piled.Seq - (Records / 20)) times.Add(await AlarmAsync(trial, run.Cancel));
        if (times.Count < AlarmsMin) throw new RigException($"the backlog was gone after {times.Count} alarms: nothing was measured");
        times.Sort();
        var p99 = times[(int)Math.Ceiling(0.99 * times.Count) - 1];
        run.Progress(Text($"{times.Count} alarms while the backlog was sent: p50 {times[times.Count / 2]:F0} ms, p99 {p99:F0} ms, max {times[^1]:F0} ms"));

        await Wait.UntilAsync("the whole backlog at the hub", () => Task.FromResult(trial.Ledger.AtHub() >= piled.Seq), _limit, run.Cancel);
        var seconds = Seconds(begin);
        await trial.Room.KillNodeAsync();
        Verify(trial, piled.Seq, piled.Hash);
        var figures = Text($"{Records:N0} records in {seconds:F0} s ({Records / seconds:N0}/s), each once and in order by its chain; {times.Count} alarms meanwhile p50 {times[times.Count / 2]:F0} ms, p99 {p99:F0} ms, max {times[^1]:F0} ms; node at its lines {started:F1} s after its start");
        return p99 <= BudgetMs ? figures : throw new RigException($"{figures}: above the budget of {BudgetMs} ms p99");
    }

    private static async Task<double> AlarmAsync(Trial trial, CancellationToken cancel)
    {
        var start = TimeProvider.System.GetTimestamp();
        await trial.Room.ActAsync("leak on", cancel);
        await UntilLeakAsync(trial, active: true, cancel);
        var time = TimeProvider.System.GetElapsedTime(start).TotalMilliseconds;
        await trial.Room.ActAsync("leak off", cancel);
        await UntilLeakAsync(trial, active: false, cancel);
        return time;
    }

    private static async Task UntilLeakAsync(Trial trial, bool active, CancellationToken cancel)
    {
        for (var begin = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(begin) < Trial.Limit; await Task.Delay(_poll, TimeProvider.System, cancel))
        {
            var alarms = HubApi.Items(await trial.Room.Operator.GetAsync("alarms?state=active", cancel));
            if (alarms.Any(it => (string?)it["class"] == "leak" && (bool)it["active"]!) == active) return;
        }

        throw new RigException($"the leak alarm did not {(active ? "come" : "go")} within {Trial.Limit.TotalSeconds} s");
    }

    /// <summary>The hub's records, one after the other without a hole, lead to the head that the node's journal had.</summary>
    private static void Verify(Trial trial, long last, string head)
    {
        using var db = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(trial.Room.HubFolder, "hub.db"), Pooling = false, Mode = SqliteOpenMode.ReadOnly }.ToString());
        db.Open();
        using var query = db.CreateCommand();
        query.CommandText = $"select seq, hash, body from ledger where source = '{Instance.LiveNode}' and stream = 'a' order by epoch, seq";
        using var rows = query.ExecuteReader();
        var (seq, hash) = (0L, Chain.Genesis);
        while (seq < last && rows.Read())
        {
            if (rows.GetInt64(0) != seq + 1) throw new RigException($"the hub has record {rows.GetInt64(0)} after {seq}");
            hash = Chain.Next(hash, rows.GetString(2));
            if (hash != rows.GetString(1)) throw new RigException($"record {seq + 1} at the hub does not fit the chain");
            seq++;
        }

        if (seq != last || hash != head) throw new RigException($"the hub's chain ends at {seq}, the node's journal had {last} with another head");
    }

    private static double Seconds(long since) => TimeProvider.System.GetElapsedTime(since).TotalSeconds;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
