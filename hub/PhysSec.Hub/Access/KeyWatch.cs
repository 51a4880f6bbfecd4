using System.Globalization;
using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Alarms;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>Looks for the loans that explain openings, and raises key-overdue for each key that is not back in time; the alarm ends with the loan. It touches no alarm about a door.</summary>
public sealed class KeyWatch(Store store, AlarmBoard alarms, TimeProvider clock, ILogger<KeyWatch> log) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(2);

    /// <summary>One round. Public, so that whoever needs one now need not wait for the clock.</summary>
    public async Task RoundAsync()
    {
        if (await KeyOpenings.SettleAsync(store, clock)) alarms.Announce();
        var now = clock.GetUtcNow();
        await alarms.FollowAsync(AlarmClasses.KeyOverdue, store.Read(KeyLoan.Out).Where(it => it.IsOverdue(now)).ToDictionary(
            it => it.Key, it => ((NodeId?)null, string.Create(CultureInfo.InvariantCulture, $"{it.Label} ({it.Door}), due {it.DueAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC")))); // No name: it goes into mails.
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_period, clock);
        do
        {
            try
            {
                await RoundAsync();
            }
            catch (SqliteException fault)
            {
                log.LogError("the keys were not looked at: the store refused: {Fault}; trying again", fault.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
