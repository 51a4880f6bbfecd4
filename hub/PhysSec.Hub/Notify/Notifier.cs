using MailKit;
using MailKit.Security;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Alarms;
using PhysSec.Hub.Configuration;

namespace PhysSec.Hub.Notify;

/// <summary>Empties the outbox, each channel by itself so that a dead mail server does not hold up the webhook. What fails is shown and tried again for a day.</summary>
public sealed class Notifier(HubHome home, AlarmBoard alarms, TimeProvider clock, ILogger<Notifier> log) : BackgroundService
{
    private const int Alarming = 3;
    private const int Together = 50;
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _first = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _longest = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan _giveUp = TimeSpan.FromHours(24);
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _afterFault = TimeSpan.FromSeconds(5);

    /// <summary>When a failed message is tried again: 2 s, doubling to 5 min; null after a day.</summary>
    public static DateTimeOffset? NextTry(DateTimeOffset madeAt, int tries, DateTimeOffset now)
    {
        if (now - madeAt > _giveUp) return null;
        var wait = TimeSpan.FromTicks(Math.Min(_longest.Ticks, _first.Ticks << Math.Min(tries, 20)));
        return now + wait;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var (configuration, folder) = (home.Configuration.Notify, home.ConfigurationFolder);
        var offset = clock.LocalTimeZone.BaseUtcOffset is var local && home.Configuration.TimeZone == "Asia/Tokyo" ? TimeSpan.FromHours(9) : local;
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        var loops = new List<Task>();
        if (configuration.Smtp is { } smtp) loops.Add(LoopAsync(Outbox.Mail, new MailChannel(new Mailer(smtp, folder), configuration.Language, offset).SendAsync, stoppingToken));
        if (configuration.Webhook is { } hook) loops.Add(LoopAsync(Outbox.Webhook, new WebhookChannel(hook, folder, clock, http).SendAsync, stoppingToken));
        if (loops.Count == 0) log.LogWarning("no channel is configured: alarms are shown on the console only (notify.smtp, notify.webhook in hub.json)");
        await Task.WhenAll(loops);
    }

    private static string Plain(Exception fault) => fault switch
    {
        AuthenticationException => "the server did not accept user and password",
        SslHandshakeException => "no trusted TLS connection: the server's certificate was not accepted",
        ServiceNotConnectedException => "the connection was lost",
        _ => fault.Message.ReplaceLineEndings(" "),
    };

    private async Task LoopAsync(string channel, Func<Due, CancellationToken, Task> send, CancellationToken stop)
    {
        var failures = 0;
        var outcomes = new Outcomes(home.Store, clock, log);
        using var timer = new PeriodicTimer(_look, clock);
        do
        {
            try
            {
                await outcomes.StoreAsync();
                failures = await SendDueAsync(channel, send, outcomes, failures, stop);
            }
            catch (Exception fault) when (!stop.IsCancellationRequested && fault is not OutOfMemoryException) // A channel must not end in silence.
            {
                log.LogError("{Channel}: {Fault}; trying again", channel, fault is SqliteException ? fault.Message : fault.ToString());
                await Task.Delay(_afterFault, clock, stop);
            }
        }
        while (await timer.WaitForNextTickAsync(stop));
    }

    private async Task<int> SendDueAsync(string channel, Func<Due, CancellationToken, Task> send, Outcomes outcomes, int failures, CancellationToken stop)
    {
        var tried = false;
        foreach (var due in Outbox.DueAt(home.Store, channel, clock.GetUtcNow(), Together + outcomes.Count))
        {
            if (outcomes.Judge(due) is not { } it) continue;
            tried = true;
            var outcome = await TrySendAsync(it, send, stop);
            failures = outcome.Fault is null ? 0 : failures + 1;
            await outcomes.KeepAsync(outcome);
            if (failures > 0) break; // Whatever waits behind it would wait for the same server.
        }

        if (tried) alarms.Announce();
        if (tried) await TellAsync(channel, failures);
        return failures;
    }

    // A store that refuses holds up this word and no message: with the next try it is said again.
    private async Task TellAsync(string channel, int failures)
    {
        try
        {
            if (failures >= Alarming) await alarms.RaiseAsync(AlarmClasses.NotificationFailed, channel, null, $"{failures} sends in a row failed");
            if (failures == 0) await alarms.ClearAsync(AlarmClasses.NotificationFailed, channel);
        }
        catch (SqliteException fault)
        {
            log.LogError("{Channel}: its state is not stored: {Fault}", channel, fault.Message);
        }
    }

    private async Task<Outcome> TrySendAsync(Due it, Func<Due, CancellationToken, Task> send, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(_limit);
        try
        {
            await send(it, limit.Token);
            return new Outcome(it, clock.GetUtcNow(), null, null);
        }
        catch (Exception fault) when (!stop.IsCancellationRequested && fault is not OutOfMemoryException) // Whatever went wrong with one message, the others go on.
        {
            var now = clock.GetUtcNow();
            var plain = fault is OperationCanceledException ? $"no answer within {_limit.TotalSeconds:0} s" : Plain(fault);
            log.LogWarning("{Channel}: {Alarm} was not sent: {Fault}", it.Channel, it.Alarm.Key, plain);
            return new Outcome(it, now, plain, NextTry(it.MadeAt, it.Tries, now));
        }
    }
}
