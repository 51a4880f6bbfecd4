using System.Globalization;
using Microsoft.Data.Sqlite;
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
        var over = store.Read(KeyLoan.Out).Where(it => it.IsOverdue(now)).ToDictionary(it => it.Key);
        var standing = alarms.List(activeOnly: true).Where(it => it is { Class: AlarmClasses.KeyOverdue, Active: true }).Select(it => it.Source).ToHashSet();
        foreach (var key in standing.Where(it => !over.ContainsKey(it))) await alarms.ClearAsync(AlarmClasses.KeyOverdue, key);
        foreach (var it in over.Values.Where(it => !standing.Contains(it.Key))) // No name: it goes into mails.
            await alarms.RaiseAsync(AlarmClasses.KeyOverdue, it.Key, null, string.Create(CultureInfo.InvariantCulture, $"{it.Label} ({it.Door}), due {it.DueAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC"));
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
