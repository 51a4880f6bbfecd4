using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting.Systemd;
using PhysSec.Hub.Configuration;

namespace PhysSec.Hub.Fleet;

/// <summary>
/// Feeds systemd's watchdog while the store's one writer answers. A full or faulty disk is an answer (the hub says so and tries again); only a writer that
/// stands still is none.
/// </summary>
internal sealed class Watchdog(HubHome state, TimeProvider clock, ISystemdNotifier? systemd = null) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (systemd is not { IsEnabled: true }) return;
        using var timer = new PeriodicTimer(_period, clock);
        try
        {
            do
            {
                try
                {
                    await state.Store.WriteAsync(_ => { }, stoppingToken);
                }
                catch (SqliteException)
                {
                    // An answer.
                }

                systemd.Notify(new ServiceState("WATCHDOG=1"));
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }
}
