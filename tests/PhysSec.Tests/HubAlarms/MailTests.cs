using Microsoft.Extensions.Hosting;
using MimeKit;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Notify;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;
using PhysSec.Tests.Uplink;

namespace PhysSec.Tests.HubAlarms;

public sealed class MailTests
{
    private const string Password = "a-secret-of-at-least-32-characters";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_mail_that_the_server_first_refuses_reaches_every_recipient_with_the_second_try()
    {
        using var post = new PostOffice(asksWho: false, "451 try later", "250 taken");
        await using var hub = Hub(post, "");
        await hub.Alarms.RaiseAsync(AlarmClasses.NodeLost, "node-a", null, "応答なし");

        await SendUntilAsync(hub, it => it.State == "sent");

        var message = hub.Get<NotificationLog>().List().Single();
        Assert.Equal((2, "mail"), (message.Tries, message.Channel));
        Assert.Equal(2, post.Mails.Count);
        Assert.Single(post.Mails.Select(it => it.Message.MessageId).Distinct()); // By which a mail box knows that it is the same message.
        var (to, mail) = post.Mails.Last();
        var alarm = hub.Alarms.List().Single();
        Assert.Equal(["duty@example.jp", "kanri@example.jp"], to);
        Assert.Equal(Letter.Subject(alarm, NotifyKind.Raised), mail.Subject);
        Assert.Equal("utf-8", ((TextPart)mail.Body!).ContentType.Charset);
        foreach (var text in new[] { alarm.Response.Ja, alarm.Response.En, "応答なし", "node-a" }) Assert.Contains(text, mail.TextBody, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_password_is_shown_as_such_and_is_itself_written_nowhere()
    {
        using var post = new PostOffice(asksWho: true, "535 5.7.8 no");
        await using var hub = Hub(post, """, "user": "physsec", "passwordFile": "webhook.key" """);
        await hub.Alarms.RaiseAsync(AlarmClasses.NodeLost, "node-a", null, null);

        await SendUntilAsync(hub, it => it.State == "failing");

        Assert.Equal("the server did not accept user and password", hub.Get<NotificationLog>().List().Single().Fault);
        Assert.Empty(post.Mails);
        Assert.Equal(0, hub.Store.Read(it => it.Number(
            "select (select count(*) from ledger where instr(body, $secret) > 0) + (select count(*) from notifications where instr(body || fault, $secret) > 0)", ("$secret", Password))));
    }

    private static RunningHub Hub(PostOffice post, string login) => RunningHub.WithoutBroker(
        $$"""{ "smtp": { "host": "127.0.0.1", "port": {{post.Port}}, "from": "physsec@example.jp", "to": ["duty@example.jp", "kanri@example.jp"], "security": "none"{{login}} } }""");

    private static async Task SendUntilAsync(RunningHub hub, Func<NotificationView, bool> done)
    {
        var notifier = hub.Get<IEnumerable<IHostedService>>().OfType<Notifier>().Single();
        await notifier.StartAsync(Cancel);
        await Eventually.TrueAsync(() =>
        {
            if (done(hub.Get<NotificationLog>().List().Single())) return true;
            hub.Time.Advance(TimeSpan.FromMilliseconds(200));
            return false;
        });
        await notifier.StopAsync(Cancel);
    }
}
