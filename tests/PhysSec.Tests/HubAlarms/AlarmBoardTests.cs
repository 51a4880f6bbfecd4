using PhysSec.Core;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hub.Notify;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.HubAlarms;

public sealed class AlarmBoardTests
{
    private const string Key = "leak:leak-1";
    private static readonly NodeId _node = new("node-a");

    [Fact]
    public async Task A_late_clear_older_than_the_standing_raise_goes_into_the_history_and_tells_nobody()
    {
        await using var hub = Hub();
        var now = hub.Time.GetUtcNow();
        await ApplyAsync(hub, new AlarmRaised(Key, AlarmClasses.Leak, "leak-1", null, null, null, "wet"), now, late: false);
        await ApplyAsync(hub, new AlarmCleared(Key, AlarmClasses.Leak, "leak-1", null, null), now.AddMinutes(-5), late: true);

        var alarm = hub.Alarms.List(activeOnly: true).Single();
        Assert.Equal((true, "node-a", "wet"), (alarm.Active, alarm.Node, alarm.Detail));
        Assert.Equal([("cleared", true), ("raised", false)], hub.Alarms.History(10).Select(it => (it.What, it.Late)));
        Assert.Equal(["Raised"], hub.Get<NotificationLog>().List().Select(it => it.What));
    }

    [Fact]
    public async Task An_acknowledgement_names_the_node_whose_siren_may_stop_and_counts_once()
    {
        await using var hub = Hub();
        await ApplyAsync(hub, new AlarmRaised(Key, AlarmClasses.Leak, "leak-1", null, null, null, null), hub.Time.GetUtcNow(), late: false);
        var silenced = new List<(string, NodeId?)>();
        hub.Alarms.Acknowledged += (key, node) => silenced.Add((key, node));

        await hub.Alarms.AcknowledgeAsync(RunningHub.Admin, Key, "拭き取り中");
        var again = await Assert.ThrowsAsync<PhysSec.Hub.Access.InputException>(() => hub.Alarms.AcknowledgeAsync(RunningHub.Admin, Key, "again"));

        Assert.Equal("key", again.Field);
        Assert.Equal([(Key, (NodeId?)_node)], silenced);
        Assert.Equal(["Acknowledged", "Raised"], hub.Get<NotificationLog>().List().Select(it => it.What));
    }

    [Fact]
    public async Task An_alarm_about_a_channel_does_not_travel_by_that_channel()
    {
        await using var hub = Hub();
        await hub.Alarms.RaiseAsync(AlarmClasses.NotificationFailed, Outbox.Webhook, null, null);
        Assert.Empty(hub.Get<NotificationLog>().List());

        await hub.Alarms.RaiseAsync(AlarmClasses.NotificationFailed, Outbox.Mail, null, null);
        Assert.Equal(Outbox.Webhook, hub.Get<NotificationLog>().List().Single().Channel);
    }

    private static RunningHub Hub() => RunningHub.WithoutBroker("""{ "webhook": { "url": "http://127.0.0.1:9/", "secretFile": "webhook.key" } }""");

    private static Task ApplyAsync(RunningHub hub, Fact fact, DateTimeOffset at, bool late) =>
        hub.Store.WriteAsync(it => hub.Alarms.Apply(it, _node, fact, at, hub.Time.GetUtcNow(), late), TestContext.Current.CancellationToken);
}
