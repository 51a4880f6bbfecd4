using Microsoft.Data.Sqlite;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Alarms;

namespace PhysSec.Hub.Review;

/// <summary>Raises review-overdue for each review that is late, and clears it when it is done: by mail, as every alarm.</summary>
public sealed class ReviewWatch(Reviews reviews, AlarmBoard alarms, TimeProvider clock, ILogger<ReviewWatch> log) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromMinutes(1);

    /// <summary>One round. Public, so that whoever needs one now need not wait for the clock.</summary>
    public async Task RoundAsync(CancellationToken cancel = default)
    {
        await reviews.BeginAsync(cancel);
        var late = reviews.List().Where(it => it.Overdue is not null).ToDictionary(it => $"{it.Task.Id}.{it.Overdue}", it => it);
        foreach (var it in alarms.List(activeOnly: true).Where(it => it is { Class: AlarmClasses.ReviewOverdue, Active: true } && !late.ContainsKey(it.Source)))
            await alarms.ClearAsync(AlarmClasses.ReviewOverdue, it.Source);
        foreach (var (source, it) in late) await alarms.RaiseAsync(AlarmClasses.ReviewOverdue, source, null, Detail(it));
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

    private static string Detail(ReviewView it) => it.Overdue switch
    {
        "sign" => $"{it.Task.Kind.ToString().ToLowerInvariant()} review {it.Task.Id} is not signed",
        "acknowledge" => $"the report of {it.Task.Id} is not acknowledged",
        _ => $"the instruction on {it.Task.Id} is not closed; owner {it.Acknowledged?.Instruction?.Owner}",
    };
}
