using System.Text.Json.Nodes;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Alarms;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;

namespace PhysSec.Hub.Retention;

/// <summary>
/// Once a day: brings the periods of hub.json into force, looks at the clock, and deletes the texts whose time has come. Nobody can call for a deletion; a round that comes
/// early finds nothing more than time has brought.
/// </summary>
public sealed class RetentionKeeper(HubHome home, RetentionClock time, AlarmBoard alarms, TimeProvider clock, ILogger<RetentionKeeper> log) : BackgroundService
{
    private const string CopiesVerb = "retention.copies-deleted";
    private static readonly TimeSpan _every = TimeSpan.FromDays(1);

    /// <summary>One round.</summary>
    /// <returns>How many records lost their texts.</returns>
    public async Task<long> RoundAsync(CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var (doubt, waiting) = await home.Store.WriteAsync(store =>
        {
            var doubted = time.Begin(store, now);
            return (doubted, doubted is null ? RetentionPeriods.Apply(store, home.Configuration.Retention, now) : null);
        }, cancel);
        await SayAsync(doubt, waiting);
        if (doubt is not null) return 0;

        var count = 0L;
        foreach (var name in RecordClasses.All)
        {
            for (var more = true; more && !cancel.IsCancellationRequested;)
            {
                var due = home.Store.Read(store => RetentionPeriods.All(store).Find(it => it.Class == name) is { Years: not null } period ? Deletion.Find(store, period, now) : null);
                if (due is null) break;
                if (await home.Store.WriteAsync(store => Deletion.Delete(store, due, now), cancel)) (more, count) = (due.More, count + due.Ids.Count);
            }
        }

        await CopiesAsync(now, cancel);
        return count;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_every, clock);
        do
        {
            try
            {
                if (await RoundAsync(stoppingToken) is var count and > 0) log.LogInformation("{Count} records have lost their texts at the end of their retention", count);
            }
            catch (Exception fault) when (!stoppingToken.IsCancellationRequested && fault is not OutOfMemoryException) // Whatever it was: retention must not end in silence.
            {
                log.LogError("the round of retention failed: {Fault}", fault.ToString()); // The next one tries again; each piece stands by itself.
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task SayAsync(ClockDoubt? doubt, List<RetentionPeriod>? waiting)
    {
        if (doubt is ClockDoubt.Ahead or ClockDoubt.Back) await alarms.RaiseAsync(AlarmClasses.RetentionStopped, "retention", null, doubt == ClockDoubt.Ahead
            ? "the hub's clock is ahead of what it should be, or nobody has seen it for a month" : "the hub's clock stands before its newest record");
        else if (doubt is null) await alarms.ClearAsync(AlarmClasses.RetentionStopped, "retention");
        if (waiting is null) return;
        if (waiting.Count == 0) await alarms.ClearAsync(AlarmClasses.RetentionShortened, "retention");
        else await alarms.RaiseAsync(AlarmClasses.RetentionShortened, "retention", null, string.Join("; ", waiting.Select(it => $"{it.Class}: {it.Years} → {it.Next} years from {it.NextAt:yyyy-MM-dd HH:mm} UTC")));
    }

    private async Task CopiesAsync(DateTimeOffset now, CancellationToken cancel)
    {
        for (var more = true; more && !cancel.IsCancellationRequested;)
        {
            more = await home.Store.WriteAsync(store =>
            {
                var gone = Copies.Delete(store, RetentionPeriods.All(store), now);
                if (gone.Count == 0) return false;
                var counts = new JsonObject([.. gone.Select(it => KeyValuePair.Create(it.Key, (JsonNode?)it.Value))]);
                Records.Act(store, new Act(Actor.System, CopiesVerb, null, null, null, counts), now);
                return true;
            }, cancel);
        }
    }
}
