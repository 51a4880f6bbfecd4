using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CsCheck;
using Microsoft.Extensions.Hosting;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Notify;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;
using PhysSec.Tests.Uplink;

namespace PhysSec.Tests.Notify;

public sealed class NotifyTests
{
    private static readonly DateTimeOffset _now = new(2026, 11, 2, 9, 0, 0, TimeSpan.FromHours(9));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void A_failed_message_is_tried_again_ever_later_at_most_five_minutes_apart_for_a_day() => Gen.Int[0, 10_000].Sample(tries =>
    {
        var next = Notifier.NextTry(_now, tries, _now)!.Value - _now;
        Assert.InRange(next, TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(5));
        Assert.True(next <= Notifier.NextTry(_now, tries + 1, _now)!.Value - _now);
        Assert.NotNull(Notifier.NextTry(_now.AddHours(-24), tries, _now));
        Assert.Null(Notifier.NextTry(_now.AddHours(-24).AddSeconds(-1), tries, _now));
    });

    [Fact]
    public async Task A_webhook_is_signed_so_that_its_receiver_can_prove_who_said_it_and_when()
    {
        await using var hub = RunningHub.WithoutBroker("""{ "webhook": { "url": "http://127.0.0.1:9/", "secretFile": "webhook.key" } }""");
        using var receiver = new Receiver(HttpStatusCode.NoContent);
        using var http = new HttpClient();
        var due = await DueAsync(hub);
        var channel = new WebhookChannel(new WebhookConfiguration { Url = receiver.Url, SecretFile = "webhook.key" }, hub.Home.ConfigurationFolder, hub.Time, http);

        await channel.SendAsync(due, Cancel);

        var (headers, body) = receiver.Requests.Single();
        var (id, timestamp) = (headers["webhook-id"], headers["webhook-timestamp"]);
        var mac = HMACSHA256.HashData("a-secret-of-at-least-32-characters"u8, Encoding.UTF8.GetBytes($"{id}.{timestamp}.{body}"));
        Assert.Equal("v1," + Convert.ToBase64String(mac), headers["webhook-signature"]);
        Assert.Equal(hub.Time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), timestamp);
        using var json = JsonDocument.Parse(body);
        Assert.Equal(("alarm.raised", "node-a/leak:leak-1"), (json.RootElement.GetProperty("type").GetString(), json.RootElement.GetProperty("data").GetProperty("key").GetString()));
    }

    [Fact]
    public async Task A_receiver_that_answers_with_an_error_has_not_been_told()
    {
        await using var hub = RunningHub.WithoutBroker("""{ "webhook": { "url": "http://127.0.0.1:9/", "secretFile": "webhook.key" } }""");
        using var receiver = new Receiver(HttpStatusCode.ServiceUnavailable);
        using var http = new HttpClient();
        var due = await DueAsync(hub);
        var channel = new WebhookChannel(new WebhookConfiguration { Url = receiver.Url, SecretFile = "webhook.key" }, hub.Home.ConfigurationFolder, hub.Time, http);

        await Assert.ThrowsAsync<HttpRequestException>(() => channel.SendAsync(due, Cancel));
        Assert.Single(receiver.Requests);
    }

    [Fact]
    public async Task A_channel_that_fails_is_shown_tried_again_and_after_three_failures_an_alarm_that_ends_with_the_first_success()
    {
        using var receiver = new Receiver(HttpStatusCode.InternalServerError, HttpStatusCode.InternalServerError, HttpStatusCode.InternalServerError, HttpStatusCode.OK);
        await using var hub = RunningHub.WithoutBroker($$"""{ "webhook": { "url": "{{receiver.Url}}", "secretFile": "webhook.key" } }""");
        await hub.Alarms.RaiseAsync(AlarmClasses.NodeLost, "node-a", null, "silent");
        var notifier = hub.Get<IEnumerable<IHostedService>>().OfType<Notifier>().Single();
        bool Failed() => hub.Alarms.List().Any(it => it is { Class: "notification-failed", Source: "webhook", Active: true });

        await notifier.StartAsync(Cancel);
        await AdvanceUntilAsync(hub, () => Message(hub).Tries == 1);
        Assert.False(Failed());
        await AdvanceUntilAsync(hub, () => Message(hub).Tries == 3 && Failed());
        Assert.Equal("failing", Message(hub).State);
        await AdvanceUntilAsync(hub, () => Message(hub).State == "sent" && !Failed());
        await notifier.StopAsync(Cancel);

        Assert.Equal(4, Message(hub).Tries);
        Assert.Single(receiver.Requests.Select(it => it.Headers["webhook-id"]).Distinct()); // By which a receiver knows that it is the same message.
        Assert.Equal(
            ["hub.notification.made", "hub.notification.failed", "hub.notification.failed", "hub.notification.failed", "hub.notification.sent"],
            hub.Store.Read(it => it.Query("select kind from ledger where kind like 'hub.notification%' order by seq", row => row.GetString(0))));
    }

    [Theory]
    [InlineData("ja", "警報: ")]
    [InlineData("en", "Alarm: ")]
    public async Task A_letter_says_in_both_languages_what_where_since_when_and_what_to_do(string language, string first)
    {
        await using var hub = RunningHub.WithoutBroker();
        await hub.Alarms.RaiseAsync(AlarmClasses.NodeLost, "node-a", null, "silent");
        var alarm = hub.Alarms.List().Single() with { Value = 31.25, Limit = 30, Unit = "°C" };

        var body = Letter.Body(alarm, NotifyKind.Raised, language, TimeSpan.FromHours(9));

        Assert.StartsWith(first, body, StringComparison.Ordinal);
        foreach (var text in new[]
        {
            alarm.Title.Ja, alarm.Title.En, alarm.Cause.Ja, alarm.Cause.En, alarm.Consequence.Ja, alarm.Consequence.En, alarm.Response.Ja, alarm.Response.En, "node-a",
            "2026-11-02 09:00:00 +09:00", "31.25 °C", "30 °C",
        }) Assert.Contains(text, body, StringComparison.Ordinal);
        Assert.Contains(alarm.Title.Ja, Letter.Subject(alarm, NotifyKind.Raised), StringComparison.Ordinal);
        Assert.Contains(alarm.Title.En, Letter.Subject(alarm, NotifyKind.Raised), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_alarm_is_said_again_until_somebody_acknowledges_it_with_a_reason()
    {
        await using var hub = RunningHub.WithoutBroker("""{ "repeatSeconds": 60, "webhook": { "url": "http://127.0.0.1:9/", "secretFile": "webhook.key" } }""");
        await hub.Alarms.RaiseAsync(AlarmClasses.NodeLost, "node-a", null, "silent");
        for (var i = 0; i < 3; i++)
        {
            hub.Time.Advance(TimeSpan.FromSeconds(61));
            await hub.Alarms.RepeatDueAsync();
            await hub.Alarms.RepeatDueAsync();
        }

        Assert.Equal("reason", (await Assert.ThrowsAsync<InputException>(() => hub.Alarms.AcknowledgeAsync(RunningHub.Admin, "node-lost:node-a", " "))).Field);
        Assert.Equal("role", (await Assert.ThrowsAsync<InputException>(() => hub.Alarms.AcknowledgeAsync(new Actor("kansa", "auditor", "test"), "node-lost:node-a", "x"))).Field);
        await hub.Alarms.AcknowledgeAsync(RunningHub.Admin, "node-lost:node-a", "現地を確認中");
        hub.Time.Advance(TimeSpan.FromHours(1));
        await hub.Alarms.RepeatDueAsync();

        Assert.Equal(["Raised", "Repeat", "Repeat", "Repeat", "Acknowledged"], hub.Get<NotificationLog>().List().Reverse().Select(it => it.What));
        var alarm = hub.Alarms.List(activeOnly: true).Single();
        Assert.Equal(("tanaka", "現地を確認中", true), (alarm.AckBy, alarm.AckReason, alarm.Active));
    }

    [Fact]
    public async Task An_alarm_about_single_events_ends_when_none_has_come_for_ten_minutes()
    {
        await using var hub = RunningHub.WithoutBroker();
        await hub.Alarms.RaiseAsync(AlarmClasses.StrangerAtBroker, "broker", null, "no certificate");
        await hub.Alarms.RaiseAsync(AlarmClasses.NodeLost, "node-a", null, "silent");
        hub.Time.Advance(TimeSpan.FromMinutes(9));
        await hub.Alarms.RaiseAsync(AlarmClasses.StrangerAtBroker, "broker", null, "again");
        hub.Time.Advance(TimeSpan.FromMinutes(9));
        await hub.Alarms.ClearQuietAsync();
        Assert.Equal(2, hub.Alarms.List().Count(it => it.Active));

        hub.Time.Advance(TimeSpan.FromMinutes(1));
        await hub.Alarms.ClearQuietAsync();

        Assert.Equal(["node-lost"], hub.Alarms.List().Where(it => it.Active).Select(it => it.Class));
        Assert.Contains(hub.Alarms.List(activeOnly: true), it => it.Class == "stranger-at-broker"); // Latched: it stays until somebody has seen it.
    }

    private static async Task<Due> DueAsync(RunningHub hub)
    {
        using var node = (await hub.EnrolAsync("node-a")).Write(new Core.Wire.AlarmRaised("leak:leak-1", AlarmClasses.Leak, "leak-1", null, null, null, null), hub.Time.GetUtcNow());
        await hub.TakeBatchAsync(node, 1, 1);
        return Outbox.DueAt(hub.Store, Outbox.Webhook, hub.Time.GetUtcNow(), 10).Single();
    }

    private static NotificationView Message(RunningHub hub) => hub.Get<NotificationLog>().List().Single();

    private static Task AdvanceUntilAsync(RunningHub hub, Func<bool> condition) => Eventually.TrueAsync(() =>
    {
        if (condition()) return true;
        hub.Time.Advance(TimeSpan.FromMilliseconds(200));
        return condition();
    });
}
