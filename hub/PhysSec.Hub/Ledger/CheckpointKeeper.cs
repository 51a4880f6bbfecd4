using Microsoft.Data.Sqlite;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Alarms;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Notify;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Ledger;

/// <summary>
/// Makes a checkpoint every few minutes and sees to it that copies leave this machine: into the drop folder each time, by mail once a day. What fails is tried again at the
/// next round; when no copy has left for two days that is an alarm of its own.
/// </summary>
public sealed class CheckpointKeeper(HubHome home, Checkpoints checkpoints, AlarmBoard alarms, TimeProvider clock, ILogger<CheckpointKeeper> log) : BackgroundService
{
    private const string Mail = "mail";
    private const string Drop = "file";
    private static readonly TimeSpan _unwitnessedLimit = TimeSpan.FromHours(48);
    private static readonly TimeSpan _mailLimit = TimeSpan.FromSeconds(30);

    private DateTimeOffset? _since;
    private bool _damaged;

    /// <summary>One round. Public, so that whoever needs one now need not wait for the clock.</summary>
    public async Task RoundAsync(CancellationToken cancel)
    {
        SignedCheckpoint made;
        try
        {
            made = await checkpoints.MakeAsync(cancel);
        }
        catch (DamagedTreeException)
        {
            await WatchAsync(); // It is what it watches for.
            throw;
        }

        if (home.Configuration.Ledger.DropFolder is { } folder) await TryAsync(Drop, made, () => DropAsync(folder, made, cancel), cancel);
        if (home.Configuration.Notify.Smtp is { } smtp && MailIsDue(clock.GetUtcNow())) await TryAsync(Mail, made, () => MailAsync(smtp, made, cancel), cancel);
        await WatchAsync();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(home.Configuration.Ledger.CheckpointMinutes), clock);
        do
        {
            try
            {
                await RoundAsync(stoppingToken);
            }
            catch (Exception fault) when (!stoppingToken.IsCancellationRequested && fault is not OutOfMemoryException)
            {
                log.LogError("no checkpoint was made: {Fault}", fault.ToString()); // The next round tries again.
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task TryAsync(string channel, SignedCheckpoint made, Func<Task<string>> hand, CancellationToken cancel)
    {
        try
        {
            await checkpoints.LeftAsync(Actor.System, made, channel, await hand(), cancel);
        }
        catch (Exception fault) when (!cancel.IsCancellationRequested && fault is not (SqliteException or OutOfMemoryException))
        {
            log.LogWarning("the checkpoint did not leave by {Channel}: {Fault}", channel, fault.Message);
        }
    }

    private static async Task<string> DropAsync(string folder, SignedCheckpoint made, CancellationToken cancel)
    {
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"{folder} is not there (ledger.dropFolder)");
        var (target, partial) = (Path.Combine(folder, CheckpointLetter.FileName(made)), Path.Combine(folder, ".checkpoint.partial"));
        await File.WriteAllTextAsync(partial, made.Note, cancel);
        File.Move(partial, target, overwrite: true);
        return target;
    }

    private async Task<string> MailAsync(SmtpConfiguration smtp, SignedCheckpoint made, CancellationToken cancel)
    {
        var mailer = new Mailer(smtp, home.ConfigurationFolder);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(_mailLimit);
        var to = home.Configuration.Ledger.Auditors.Count > 0 ? home.Configuration.Ledger.Auditors : mailer.Usual;
        using var message = CheckpointLetter.Of(made, home.Site.Value, checkpoints.Key.ToString(), Offset, mailer.Domain);
        message.Date = clock.GetUtcNow().ToOffset(Offset);
        await mailer.SendAsync(message, to, limit.Token);
        return string.Join(", ", to);
    }

    // Once for each day of the site, from the hour on.
    private bool MailIsDue(DateTimeOffset now)
    {
        var local = now.ToOffset(Offset);
        var due = new DateTimeOffset(local.Date, Offset).AddHours(home.Configuration.Ledger.MailHour);
        if (local < due) due = due.AddDays(-1);
        return home.Store.Read(store => store.Number("select count(*) from witnesses where channel = $mail and at >= $due", ("$mail", Mail), ("$due", due))) == 0;
    }

    private async Task WatchAsync()
    {
        var now = clock.GetUtcNow();
        _since ??= now; // A hub that was just set up, or was off for a week, has two days from its start.
        var held = checkpoints.Unwitnessed();
        if (held.Since is { } since && now - (since > _since ? since : _since.Value) > _unwitnessedLimit)
            await alarms.RaiseAsync(AlarmClasses.RecordUnwitnessed, "ledger", null, $"{held.Records} records are in no copy outside the hub");
        else await alarms.ClearAsync(AlarmClasses.RecordUnwitnessed, "ledger");

        if (_damaged || checkpoints.FirstBroken() is not { } broken) return;
        _damaged = true;
        await alarms.RaiseAsync(AlarmClasses.RecordDamaged, "ledger", null, $"the ledger no longer leads to the checkpoint over {broken.Value.Size} records");
    }

    private TimeSpan Offset => home.Configuration.TimeZone == "Asia/Tokyo" ? TimeSpan.FromHours(9) : clock.LocalTimeZone.BaseUtcOffset;
}
