using Microsoft.Data.Sqlite;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Alarms;

namespace PhysSec.Hub.Review;

/// <summary>
/// Raises review-overdue when a review, an acknowledgement or an instruction becomes late, each by itself, so that an alarm which somebody has acknowledged hides none that comes after
/// it; and clears it when none of those that it is about is late any more. Weeks or months that are found late all at once are one alarm: a hub that was off for a year does not send
/// fifty mails.
/// </summary>
public sealed class ReviewWatch(Reviews reviews, AlarmBoard alarms, TimeProvider clock, ILogger<ReviewWatch> log) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromMinutes(1);

    // These become late one after the other; of the others one may yet fall between two that are late.
    private static readonly string[] _inOrder = ["weekly", "monthly"];

    /// <summary>One round. Public, so that whoever needs one now need not wait for the clock.</summary>
    public async Task RoundAsync(CancellationToken cancel = default)
    {
        await reviews.BeginAsync(cancel);
        var late = reviews.List().Where(it => it.Overdue is not null).ToLookup(Way, it => it.Task.Id);
        var standing = alarms.List(activeOnly: true).Where(it => it is { Class: AlarmClasses.ReviewOverdue, Active: true }).Select(it => it.Source).ToList();
        foreach (var over in standing.Where(it => !late.Any(way => way.Any(id => Tells(it, way.Key, id))))) await alarms.ClearAsync(AlarmClasses.ReviewOverdue, over);
        foreach (var way in late)
        {
            var untold = way.Where(id => !standing.Exists(it => Tells(it, way.Key, id))).Order(StringComparer.Ordinal).ToList();
            if (untold.Count == 0) continue;
            if (_inOrder.Contains(way.Key)) await alarms.RaiseAsync(AlarmClasses.ReviewOverdue, Source(way.Key, untold[0], untold[^1]), null, $"{untold.Count} overdue");
            else foreach (var id in untold) await alarms.RaiseAsync(AlarmClasses.ReviewOverdue, Source(way.Key, id, id), null, "1 overdue");
        }
    }

    /// <summary>The alarm's source: <c>weekly 2026-W45</c>, or <c>weekly 2026-W01..2026-W45</c> for all that are late between them.</summary>
    private static string Source(string way, string first, string last) => first == last ? $"{way} {first}" : $"{way} {first}..{last}";

    // Ids of one kind are in the order of time as they are in that of letters.
    private static bool Tells(string source, string way, string id)
    {
        if (!source.StartsWith(way + " ", StringComparison.Ordinal)) return false;
        var range = source[(way.Length + 1)..].Split("..");
        return string.CompareOrdinal(range[0], id) <= 0 && string.CompareOrdinal(id, range[^1]) <= 0;
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

    private static string Way(ReviewView it) => it.Overdue == "sign" ? it.Task.Kind.ToString().ToLowerInvariant() : it.Overdue!;
}
