using Microsoft.Data.Sqlite;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Alarms;

namespace PhysSec.Hub.Review;

/// <summary>Raises review-overdue while weekly, monthly or event reviews, acknowledgements or instructions are late, and clears it when none is: by mail, as every alarm.</summary>
public sealed class ReviewWatch(Reviews reviews, AlarmBoard alarms, TimeProvider clock, ILogger<ReviewWatch> log) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromMinutes(1);

    /// <summary>One round. Public, so that whoever needs one now need not wait for the clock.</summary>
    public async Task RoundAsync(CancellationToken cancel = default)
    {
        await reviews.BeginAsync(cancel);
        var late = reviews.List().Where(it => it.Overdue is not null).GroupBy(Source).ToDictionary(it => it.Key, it => it.ToList());
        foreach (var it in alarms.List(activeOnly: true).Where(it => it is { Class: AlarmClasses.ReviewOverdue, Active: true } && !late.ContainsKey(it.Source)))
            await alarms.ClearAsync(AlarmClasses.ReviewOverdue, it.Source);
        foreach (var (source, them) in late) await alarms.RaiseAsync(AlarmClasses.ReviewOverdue, source, null, $"{them.Count} overdue, the oldest is {them[0].Task.Id}");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_period, clock);
        do
        {
            try
            {
                await RoundAsync(stoppingToken);
            }
            catch (SqliteException fault)
            {
                log.LogError("the reviews were not looked at: the store refused: {Fault}; trying again", fault.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    // One for all that are late in the same way: a hub that was off for a year does not send fifty mails.
    private static string Source(ReviewView it) => it.Overdue == "sign" ? it.Task.Kind.ToString().ToLowerInvariant() : it.Overdue!;
}
