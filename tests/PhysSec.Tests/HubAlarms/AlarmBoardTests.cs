using PhysSec.Core;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hub.Notify;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.HubAlarms;

public sealed class AlarmBoardTests
{
    private const string Key = "leak:leak-1";
    private const string HubKey = "node-a/leak:leak-1";
    private static readonly NodeId _node = new("node-a");
    private static readonly NodeId _other = new("node-b");

    [Fact]
    public async Task A_late_clear_older_than_the_standing_raise_goes_into_the_history_and_tells_nobody()
    {
        await using var hub = Hub();
        var now = hub.Time.GetUtcNow();
        await ApplyAsync(hub, new AlarmRaised(Key, AlarmClasses.Leak, "leak-1", null, null, null, "wet"), now, late: false);
        await ApplyAsync(hub, new AlarmCleared(Key, AlarmClasses.Leak, "leak-1", null, null), now.AddMinutes(-5), late: true, seq: 9);

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
        var silenced = new List<(NodeId, string)>();
        hub.Alarms.Acknowledged += (node, alarm) => silenced.Add((node, alarm));

        await hub.Alarms.AcknowledgeAsync(RunningHub.Admin, HubKey, "拭き取り中");
        var again = await Assert.ThrowsAsync<PhysSec.Hub.Access.InputException>(() => hub.Alarms.AcknowledgeAsync(RunningHub.Admin, HubKey, "again"));

        Assert.Equal("key", again.Field);
        Assert.Equal([(_node, Key)], silenced); // The node knows its alarm by its own key.
        Assert.Equal(["Acknowledged", "Raised"], hub.Get<NotificationLog>().List().Select(it => it.What));
    }

    [Fact]
    public async Task Two_nodes_with_an_alarm_of_the_same_name_have_two_alarms()
    {
        await using var hub = Hub();
        var now = hub.Time.GetUtcNow();
        var (wet, dry) = (new AlarmRaised(Key, AlarmClasses.Leak, "leak-1", null, null, null, "wet"), new AlarmCleared(Key, AlarmClasses.Leak, "leak-1", null, null));
        await ApplyAsync(hub, wet, now, late: false);
        await ApplyAsync(hub, wet, now, late: false, _other);
        await hub.Alarms.AcknowledgeAsync(RunningHub.Admin, HubKey, "拭き取り中");
        await ApplyAsync(hub, dry, now, late: false, _other);

        Assert.Equal(
            [("node-a", true, true), ("node-b", false, false)],
            hub.Alarms.List().Select(it => (it.Node!, it.Active, it.Acknowledged)).Order());
        Assert.Equal(2, hub.Get<NotificationLog>().List().Count(it => it.What == "Raised"));
    }

    [Fact]
    public async Task What_a_node_calls_its_alarm_does_not_decide_whose_it_is()
    {
        await using var hub = Hub();
        var now = hub.Time.GetUtcNow();
        await ApplyAsync(hub, new AlarmRaised(Key, AlarmClasses.Leak, "leak-1", null, null, null, null), now, late: false);
        await ApplyAsync(hub, new AlarmCleared(HubKey, AlarmClasses.Leak, "leak-1", null, null), now, late: false, _other);

        Assert.True(hub.Alarms.List().Single(it => it.Key == HubKey).Active);
    }

    [Fact]
    public async Task A_node_neither_raises_nor_clears_an_alarm_of_the_hubs_own()
    {
        await using var hub = Hub();
        var now = hub.Time.GetUtcNow();
        foreach (var it in AlarmClasses.OfHub) await hub.Alarms.RaiseAsync(it, "node-b", _other, null);
        foreach (var it in AlarmClasses.OfHub)
        {
            await ApplyAsync(hub, new AlarmCleared($"{it}:node-b", it, "node-b", null, null), now, late: false);
            await ApplyAsync(hub, new AlarmRaised($"{it}:node-c", it, "node-c", null, null, null, null), now, late: false);
        }

        var said = hub.Alarms.List().Single(it => it is { Class: AlarmClasses.DeadLetter, Source: "node-a" });
        Assert.Contains("the hub's own", said.Detail, StringComparison.Ordinal);
        Assert.Equal(AlarmClasses.OfHub.Count, hub.Alarms.List().Count(it => it is { Source: "node-b", Active: true }));
        Assert.DoesNotContain(hub.Alarms.List(), it => it.Source == "node-c");
    }

    [Fact]
    public async Task A_node_whose_clock_was_ahead_and_is_corrected_is_still_heard()
    {
        await using var hub = Hub();
        var now = hub.Time.GetUtcNow();
        var (wet, dry) = (new AlarmRaised(Key, AlarmClasses.Leak, "leak-1", null, null, null, "wet"), new AlarmCleared(Key, AlarmClasses.Leak, "leak-1", null, null));
        await ApplyAsync(hub, wet, now.AddHours(24), late: false, seq: 10);
        Assert.Equal(now, hub.Alarms.List().Single().Since);
        await ApplyAsync(hub, dry, now, late: false, seq: 11);
        await ApplyAsync(hub, wet, now, late: false, seq: 12);

        Assert.Equal(["Raised", "Cleared", "Raised"], hub.Get<NotificationLog>().List().Reverse().Select(it => it.What));
        Assert.True(hub.Alarms.List().Single().Active);
    }

    [Fact]
    public async Task The_hubs_own_alarms_are_raised_and_said_again_whatever_its_clock_was_set_to()
    {
        await using var hub = Hub();
        await hub.Alarms.RaiseAsync(AlarmClasses.NodeLost, "node-a", _node, null);
        hub.Time.AdjustTime(hub.Time.GetUtcNow().AddHours(-1));
        await hub.Alarms.RepeatDueAsync();
        await hub.Alarms.ClearAsync(AlarmClasses.NodeLost, "node-a");
        await hub.Alarms.RaiseAsync(AlarmClasses.NodeLost, "node-a", _node, null);

        Assert.Equal(["Raised", "Repeat", "Cleared", "Raised"], hub.Get<NotificationLog>().List().Reverse().Select(it => it.What));
    }

    [Fact]
    public async Task Alarms_that_are_over_are_not_read_again_every_second()
    {
        await using var hub = Hub();
        await hub.Alarms.RaiseAsync(AlarmClasses.NodeLost, "node-a", _node, null);
        await hub.Alarms.RaiseAsync(AlarmClasses.NodeLost, "node-b", _other, null);
        await hub.Alarms.ClearAsync(AlarmClasses.NodeLost, "node-a");
        await hub.Alarms.RaiseAsync(AlarmClasses.DeadLetter, "node-a", _node, null);
        await hub.Alarms.ClearAsync(AlarmClasses.DeadLetter, "node-a");

        var (plan, rows) = hub.Store.Read(it => (
            it.Query($"explain query plan select body from alarms where {Schema.WatchedAlarms}", row => row.GetString(3)),
            it.Query($"select key from alarms where {Schema.WatchedAlarms} order by key", row => row.GetString(0))));
        Assert.Contains("alarms_watched", Assert.Single(plan), StringComparison.Ordinal);
        Assert.Equal(["dead-letter:node-a", "node-lost:node-b"], rows); // A latched one stays until somebody has seen it.
        Assert.Equal(rows, hub.Alarms.List(activeOnly: true).Select(it => it.Key).Order());
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

    private static Task ApplyAsync(RunningHub hub, Fact fact, DateTimeOffset at, bool late, NodeId? node = null, long seq = 10) =>
        hub.Store.WriteAsync(it => hub.Alarms.Apply(it, node ?? _node, fact, new(1, seq), at, hub.Time.GetUtcNow(), late), TestContext.Current.CancellationToken);
}
