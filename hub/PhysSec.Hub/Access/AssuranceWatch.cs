using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Alarms;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>Raises assurance-overclaimed while a door's settings claim more than its board's readers prove. The policy counts the lower one meanwhile.</summary>
public sealed class AssuranceWatch(Store store, AlarmBoard alarms, TimeProvider clock, ILogger<AssuranceWatch> log) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(15);

    /// <summary>One round. Public, so that whoever needs one now need not wait for the clock.</summary>
    public Task RoundAsync() => alarms.FollowAsync(AlarmClasses.AssuranceOverclaimed, store.Read(DoorAssurance.All).Where(it => it.Overclaimed).ToDictionary(
        it => it.Door.Id, it => ((NodeId?)new NodeId(it.Door.Node), $"set to {it.Door.ReaderAssurance}, the board's readers prove {it.Proved}")));

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
                log.LogError("the doors' assurance was not looked at: the store refused: {Fault}; trying again", fault.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
