using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Notify;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;
using PhysSec.Tests.Uplink;

namespace PhysSec.Tests.Notify;

public sealed class OutboxTests
{
    private const string Nowhere = """{ "repeatSeconds": 60, "webhook": { "url": "http://127.0.0.1:9/", "secretFile": "webhook.key" } }""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Repetitions_that_could_not_be_sent_do_not_pile_up_and_end_with_the_acknowledgement()
    {
        await using var hub = RunningHub.WithoutBroker(Nowhere);
        await hub.Alarms.RaiseAsync(AlarmClasses.NodeLost, "node-a", null, "silent");
        for (var i = 0; i < 3; i++)
        {
            hub.Time.Advance(TimeSpan.FromSeconds(61));
            await hub.Alarms.RepeatDueAsync();
        }

        Assert.Equal(["Raised waiting", "Repeat superseded", "Repeat superseded", "Repeat waiting"], States(hub));
        await hub.Alarms.AcknowledgeAsync(RunningHub.Admin, "node-lost:node-a", "現地を確認中");
        Assert.Equal(["Raised waiting", "Repeat superseded", "Repeat superseded", "Repeat superseded", "Acknowledged waiting"], States(hub));
        Assert.Equal(3, hub.Store.Read(it => it.Number("select count(*) from ledger where kind = 'hub.notification.superseded'")));
    }

    [Fact]
    public async Task A_repetition_that_was_just_tried_in_vain_does_not_come_back_after_a_newer_one()
    {
        await using var hub = RunningHub.WithoutBroker(Nowhere);
        await hub.Alarms.RaiseAsync(AlarmClasses.NodeLost, "node-a", null, "silent");
        await Outbox.StoreAsync(hub.Store, new(Due(hub).Single(), hub.Time.GetUtcNow(), null, null));
        hub.Time.Advance(TimeSpan.FromSeconds(61));
        await hub.Alarms.RepeatDueAsync();
        var trying = Due(hub).Single();
        await hub.Alarms.ClearAsync(AlarmClasses.NodeLost, "node-a");

        await Outbox.StoreAsync(hub.Store, new(trying, hub.Time.GetUtcNow(), "no answer", hub.Time.GetUtcNow()));

        Assert.Equal(["Raised sent", "Repeat superseded", "Cleared waiting"], States(hub));
        Assert.Equal([NotifyKind.Cleared], Due(hub).Select(it => it.Kind));
    }

    [Fact]
    public async Task The_gravest_and_newest_alarm_goes_first_and_of_one_alarm_the_raise_before_the_end()
    {
        await using var hub = RunningHub.WithoutBroker(Nowhere);
        await hub.Alarms.RaiseAsync(AlarmClasses.DeadLetter, "node-a", null, null); // medium
        await hub.Alarms.RaiseAsync(AlarmClasses.NodeLost, "node-a", null, null); // high
        await hub.Alarms.ClearAsync(AlarmClasses.NodeLost, "node-a");
        await hub.Alarms.RaiseAsync(AlarmClasses.NodeLost, "node-b", null, null);
        await hub.Alarms.RaiseAsync(AlarmClasses.RecordDiverged, "node-a", null, null); // critical

        Assert.Equal(["record-diverged:node-a Raised", "node-lost:node-b Raised", "node-lost:node-a Raised", "dead-letter:node-a Raised"], Due(hub).Select(it => $"{it.Alarm.Key} {it.Kind}"));
        await Outbox.StoreAsync(hub.Store, new(Due(hub)[2], hub.Time.GetUtcNow(), null, null));
        Assert.Equal("node-lost:node-a Cleared", Due(hub).Select(it => $"{it.Alarm.Key} {it.Kind}").ElementAt(2));
    }

    [Fact]
    public async Task A_message_whose_sending_could_not_be_stored_is_not_sent_again_and_the_others_go_on()
    {
        using var receiver = new Receiver([.. Enumerable.Repeat(HttpStatusCode.OK, 20)]);
        await using var hub = RunningHub.WithoutBroker($$"""{ "webhook": { "url": "{{receiver.Url}}", "secretFile": "webhook.key" } }""");
        await hub.Store.WriteAsync(it => it.Execute("create trigger refuse before insert on ledger when new.kind = 'hub.notification.sent' begin select raise(abort, 'full'); end"), Cancel);
        using var notifier = new Notifier(hub.Home, hub.Alarms, hub.Time, new Logger<Notifier>(new Lines()));
        await notifier.StartAsync(Cancel);

        await hub.Alarms.RaiseAsync(AlarmClasses.NodeLost, "node-a", null, "silent");
        await AdvanceUntilAsync(hub, () => receiver.Requests.Count == 1);
        await hub.Alarms.RaiseAsync(AlarmClasses.NodeLost, "node-b", null, "silent");
        await AdvanceUntilAsync(hub, () => receiver.Requests.Any(it => Key(it.Body) == "node-lost:node-b"));
        Assert.Equal(["Raised waiting", "Raised waiting"], States(hub));
        await hub.Store.WriteAsync(it => it.Execute("drop trigger refuse"), Cancel);
        await AdvanceUntilAsync(hub, () => States(hub).All(it => it == "Raised sent"));
        await notifier.StopAsync(Cancel);

        Assert.Equal(["node-lost:node-a", "node-lost:node-b"], receiver.Requests.Select(it => Key(it.Body)));
    }

    [Fact]
    public async Task A_fault_that_nobody_thought_of_is_logged_and_does_not_end_the_channel()
    {
        using var receiver = new Receiver(HttpStatusCode.OK);
        await using var hub = RunningHub.WithoutBroker($$"""{ "webhook": { "url": "{{receiver.Url}}", "secretFile": "webhook.key" } }""");
        await hub.Store.WriteAsync(it => it.Execute("insert into notifications (alarm, what, channel, made_at, body, next_at) values ('x', 'Nonsense', 'webhook', 0, '{}', 0)"), Cancel);
        var lines = new Lines();
        using var notifier = new Notifier(hub.Home, hub.Alarms, hub.Time, new Logger<Notifier>(lines));
        await notifier.StartAsync(Cancel);
        await AdvanceUntilAsync(hub, () => lines.Log.Lines.Any(it => it.Contains("trying again", StringComparison.Ordinal)));

        await hub.Store.WriteAsync(it => it.Execute("delete from notifications"), Cancel);
        await hub.Alarms.RaiseAsync(AlarmClasses.NodeLost, "node-a", null, "silent");

        await AdvanceUntilAsync(hub, () => States(hub).Single() == "Raised sent");
        await notifier.StopAsync(Cancel);
    }

    private static IReadOnlyList<Due> Due(RunningHub hub) => Outbox.DueAt(hub.Store, Outbox.Webhook, hub.Time.GetUtcNow(), 50);

    private static IEnumerable<string> States(RunningHub hub) => hub.Get<NotificationLog>().List().Reverse().Select(it => $"{it.What} {it.State}");

    private static string? Key(string body)
    {
        using var json = JsonDocument.Parse(body);
        return json.RootElement.GetProperty("data").GetProperty("key").GetString();
    }

    private static Task AdvanceUntilAsync(RunningHub hub, Func<bool> condition) => Eventually.TrueAsync(() =>
    {
        if (condition()) return true;
        hub.Time.Advance(TimeSpan.FromMilliseconds(200));
        return condition();
    });

    private sealed class Lines : ILoggerFactory
    {
        public LineLog Log { get; } = new();

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public ILogger CreateLogger(string categoryName) => Log;

        public void Dispose()
        {
        }
    }
}
