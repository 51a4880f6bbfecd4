using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Storage;

namespace PhysSec.Tests.HubAccess;

/// <summary>A policy that cannot be made is said aloud, and stops no other.</summary>
public sealed class PolicyFaultTests
{
    // As the API takes it from somebody who sets an upper limit and nothing else.
    private const string OnlyHigh =
        """{"point":"room.temperature","high":30,"alarmClassHigh":"temperature-high","deadBand":1,"tripDelay":10,"clearDelay":10,"rateWindow":60,"silentAfter":60,"stuckAfter":0}""";

    private static readonly NodeId _other = new("node-b");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_rule_with_an_upper_limit_alone_reaches_its_node()
    {
        await using var desk = await Desk.OpenAsync();
        var sent = new List<(NodeId Node, PolicyMessage Message)>();
        using var publisher = desk.Publisher(sent);

        await desk.Sensing.PutAsync(Desk.Admin, "node-a", JsonSerializer.Deserialize<SensingRule>(OnlyHigh, AccessJson.Options)!, cancel: Cancel);
        await publisher.PublishAllAsync(Cancel);

        var rule = JsonSerializer.Deserialize(sent[0].Message.Body!, WireJson.Plain.Policy)!.Sensing.Single();
        Assert.Equal((30, "temperature-high", "", ""), (rule.High!.Value, rule.AlarmClassHigh, rule.AlarmClassLow, rule.AlarmClassRate));
    }

    [Fact]
    public async Task A_rule_that_an_older_release_stored_without_its_other_classes_reaches_its_node()
    {
        await using var desk = await Desk.OpenAsync();
        var sent = new List<(NodeId Node, PolicyMessage Message)>();
        using var publisher = desk.Publisher(sent);

        await StoreAsync(desk, OnlyHigh);
        await publisher.PublishAllAsync(Cancel);

        Assert.Single(JsonSerializer.Deserialize(sent[0].Message.Body!, WireJson.Plain.Policy)!.Sensing);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("""{"point":"room.temperature","high":30,"alarmClassHigh":"no-such-class","silentAfter":60}""")]
    public async Task What_cannot_be_made_for_one_node_keeps_no_revocation_from_another_and_is_an_alarm_until_it_is_mended(string rule)
    {
        await using var desk = await Desk.OpenAsync();
        var sent = new List<(NodeId Node, PolicyMessage Message)>();
        using var publisher = desk.Publisher(sent);
        var card = await desk.Credentials.AddAsync(Desk.Admin, "p-alice", 77, 1001, 26, cancel: Cancel);
        await publisher.PublishAllAsync(Cancel);
        await desk.Store.WriteAsync(it => it.Execute("update nodes set state = 'online'"), Cancel);
        sent.Clear();

        await StoreAsync(desk, rule);
        await desk.Credentials.SetStateAsync(Desk.Admin, card.Token, CredentialState.Revoked, "退職", Cancel);
        await publisher.PublishAllAsync(Cancel);
        var alarm = desk.Alarms.List(activeOnly: true).Single();
        var whole = sent.Single();
        sent.Clear();
        await publisher.ConfirmAllAsync(Cancel);
        await publisher.ResendAsync(Desk.Node, 1, Cancel);

        Assert.Equal((AlarmClasses.PolicyNotMade, "node-a"), (alarm.Class, alarm.Node));
        Assert.Equal((_other, 2L), (whole.Node, whole.Message.Version));
        Assert.Equal(CredentialState.Revoked, JsonSerializer.Deserialize(whole.Message.Body!, WireJson.Plain.Policy)!.Credentials.Single().State);
        Assert.Equal([_other], sent.Select(it => it.Node)); // What does not say what the rules say is not confirmed: it grows old.

        await desk.Store.WriteAsync(it => it.Execute("delete from sensing"), Cancel);
        sent.Clear();
        await publisher.PublishAllAsync(Cancel);

        Assert.Equal((Desk.Node, 2L), (sent.Single().Node, sent.Single().Message.Version));
        Assert.Empty(desk.Alarms.List(activeOnly: true));
    }

    [Fact]
    public async Task A_node_without_a_policy_gets_the_newest_there_is_even_when_no_newer_one_can_be_made()
    {
        await using var desk = await Desk.OpenAsync();
        var sent = new List<(NodeId Node, PolicyMessage Message)>();
        using var publisher = desk.Publisher(sent);
        await publisher.PublishAllAsync(Cancel);
        sent.Clear();
        await StoreAsync(desk, "{");

        await publisher.ResendAsync(Desk.Node, 0, Cancel);

        Assert.NotNull(sent.Single().Message.Body);
    }

    [Fact]
    public async Task A_stored_policy_that_this_release_cannot_read_is_followed_by_one_that_it_can()
    {
        await using var desk = await Desk.OpenAsync();
        var sent = new List<(NodeId Node, PolicyMessage Message)>();
        using var publisher = desk.Publisher(sent);
        await publisher.PublishAllAsync(Cancel);
        await desk.Store.WriteAsync(it => it.Execute("update policies set body = '{}' where node = 'node-a'"), Cancel);
        sent.Clear();

        await publisher.PublishAllAsync(Cancel);

        Assert.Equal((Desk.Node, 2L), (sent.Single().Node, sent.Single().Message.Version));
    }

    [Fact]
    public async Task When_one_of_its_loops_fails_the_service_fails_and_with_it_the_host()
    {
        await using var desk = await Desk.OpenAsync();
        using var publisher = desk.Publisher([], new NoDelays());

        await publisher.StartAsync(Cancel);

        await Assert.ThrowsAsync<NotSupportedException>(() => publisher.ExecuteTask!.WaitAsync(TimeSpan.FromSeconds(30), Cancel));
    }

    private static Task<int> StoreAsync(Desk desk, string rule) => desk.Store.WriteAsync(
        it => it.Execute("insert into sensing (point, node, body) values ('room.temperature', 'node-a', $body)", ("$body", rule)), Cancel);

    /// <summary>A clock on which nobody can wait.</summary>
    private sealed class NoDelays : FakeTimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            period == Timeout.InfiniteTimeSpan ? throw new NotSupportedException() : base.CreateTimer(callback, state, dueTime, period);
    }
}
