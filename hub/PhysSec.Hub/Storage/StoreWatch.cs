using Microsoft.Data.Sqlite;

namespace PhysSec.Hub.Storage;

/// <summary>After a write that the disk refused, tries until one succeeds: nobody else may have anything to write, and the state shown would stay wrong.</summary>
public sealed class StoreWatch(Store store, TimeProvider clock, ILogger<StoreWatch> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(5), clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (store.Writes) continue;
            try
            {
                await store.WriteAsync(
                    it => it.Execute("insert into meta values ('written', $now) on conflict do update set value = $now", ("$now", clock.GetUtcNow().ToString("O"))), stoppingToken);
                log.LogWarning("the store writes again");
            }
            catch (SqliteException fault)
            {
                log.LogError("the store does not write: {Fault}", fault.Message);
            }
        }
    }
}
