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
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _first = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _longest = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan _giveUp = TimeSpan.FromHours(24);
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(20);

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
        if (configuration.Smtp is { } smtp) loops.Add(LoopAsync(Outbox.Mail, new MailChannel(smtp, folder, configuration.Language, offset).SendAsync, stoppingToken));
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
        using var timer = new PeriodicTimer(_look, clock);
        do
        {
            try
            {
                foreach (var it in Outbox.DueAt(home.Store, channel, clock.GetUtcNow(), 50))
                {
                    failures = await TrySendAsync(it, send, stop) ? 0 : failures + 1;
                    if (failures == Alarming) await alarms.RaiseAsync(AlarmClasses.NotificationFailed, channel, null, $"{failures} sends in a row failed");
                    if (failures == 0) await alarms.ClearAsync(AlarmClasses.NotificationFailed, channel);
                    alarms.Announce();
                    if (failures > 0) break; // Whatever waits behind it would wait for the same server.
                }
            }
            catch (SqliteException fault)
            {
                log.LogError("{Channel}: the store refused: {Fault}; trying again", channel, fault.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stop));
    }

    private async Task<bool> TrySendAsync(Due it, Func<Due, CancellationToken, Task> send, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(_limit);
        try
        {
            await send(it, limit.Token);
        }
        catch (Exception fault) when (!stop.IsCancellationRequested && fault is not OutOfMemoryException) // Whatever went wrong with one message, the others go on.
        {
            var now = clock.GetUtcNow();
            var next = NextTry(it.MadeAt, it.Tries, now);
            var plain = fault is OperationCanceledException ? $"no answer within {_limit.TotalSeconds:0} s" : Plain(fault);
            log.LogWarning("{Channel}: {Alarm} was not sent: {Fault}", it.Channel, it.Alarm.Key, plain);
            await Outbox.FailedAsync(home.Store, it, now, plain, next);
            return false;
        }

        await Outbox.SentAsync(home.Store, it, clock.GetUtcNow());
        return true;
    }
}
