using System.Text.Json;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Storage;

namespace PhysSec.Tests.HubAccess;

public sealed class PolicyTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nobody_approves_their_own_application()
    {
        await using var desk = await Desk.OpenAsync();
        var right = Desk.Right("p-alice", "room-a") with { Approver = " 主査 小川 " };

        var fault = await Assert.ThrowsAsync<InputException>(() => desk.Rights.AddAsync(Desk.Admin, right, Cancel));

        Assert.Equal("approver", fault.Field);
        Assert.Empty(desk.Rights.List());
    }

    [Fact]
    public async Task A_right_needs_a_person_a_zone_a_schedule_and_a_validity()
    {
        await using var desk = await Desk.OpenAsync();
        var good = Desk.Right("p-alice", "room-a");
        (RightRow Right, string Field)[] bad =
        [
            (good with { Person = "p-nobody" }, "person"), (good with { Zone = "nowhere" }, "zone"), (good with { Schedule = "never" }, "schedule"),
            (good with { ValidTo = good.ValidFrom }, "validTo"),
        ];

        foreach (var (right, field) in bad)
            Assert.Equal(field, (await Assert.ThrowsAsync<InputException>(() => desk.Rights.AddAsync(Desk.Admin, right, Cancel))).Field);
        var added = await desk.Rights.AddAsync(Desk.Admin, good, Cancel);
        await desk.Rights.RemoveAsync(Desk.Admin, added.Id, "異動", Cancel);

        Assert.Empty(desk.Rights.List());
        Assert.Single(desk.Rights.List(removed: true));
        Assert.Equal(["hub.right.removed", "hub.right.added"], desk.Log.Search(new(Kind: "hub.right")).Items.Select(it => it.Kind));
    }

    [Fact]
    public async Task A_card_belongs_to_one_person_and_the_fault_names_them()
    {
        await using var desk = await Desk.OpenAsync();
        var card = await desk.Credentials.AddAsync(Desk.Admin, "p-alice", 77, 1001, 26, cancel: Cancel);

        var again = await desk.Credentials.AddAsync(Desk.Admin, "p-alice", 77, 1001, 26, cancel: Cancel);
        var fault = await Assert.ThrowsAsync<InputException>(() => desk.Credentials.AddAsync(Desk.Admin, "p-bob", 77, 1001, 26, cancel: Cancel));

        Assert.Equal(card, again);
        Assert.Contains("青木 里奈", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(card.Token, string.Concat(desk.Log.Search(new()).Items.Select(it => it.Body)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_policy_holds_its_nodes_doors_and_rights_and_every_card()
    {
        await using var desk = await Desk.OpenAsync();
        await desk.Rights.AddAsync(Desk.Admin, Desk.Right("p-alice", "room-a"), Cancel);
        await desk.Rights.AddAsync(Desk.Admin, Desk.Right("p-bob", "room-b"), Cancel);
        var alice = await desk.Credentials.AddAsync(Desk.Admin, "p-alice", 77, 1001, 26, cancel: Cancel);
        var bob = await desk.Credentials.AddAsync(Desk.Admin, "p-bob", 77, 1002, 26, cancel: Cancel);
        await desk.Credentials.SetStateAsync(Desk.Admin, bob.Token, CredentialState.Lost, "紛失", Cancel);

        var policy = desk.Store.Read(it => PolicyCompiler.Compile(it, Desk.Node, 7, Desk.Start, new("fukaya"), "Asia/Tokyo"));
        var index = PolicyIndex.Build(policy, "hash");
        AccessDecision Decide(string token) => AccessRules.Decide(
            new(new("door-a"), Direction.In, new(token)), index, TimeSpan.Zero, Desk.Start, lockdown: false, journalHealthy: true);

        Assert.Equal(["door-a"], policy.Doors.Select(it => it.Id.Value));
        Assert.Equal(["p-alice"], policy.Rights.Select(it => it.Person.Value));
        Assert.Contains(new DateOnly(2028, 1, 1), policy.Closed);
        Assert.IsType<AccessDecision.Granted>(Decide(alice.Token));
        Assert.Equal(DenialReason.CredentialLost, Assert.IsType<AccessDecision.Denied>(Decide(bob.Token)).Reason);
        Assert.True(index.Credentials[new(bob.Token)].Extended);
    }

    [Fact]
    public async Task A_mantrap_is_set_up_door_by_door_and_holds_from_the_second_on()
    {
        await using var desk = await Desk.OpenAsync();
        var first = desk.Doors.Get("door-a")! with { Interlock = "mantrap", InterlockRule = InterlockRule.OneOpen, Guard = GuardRule.AskToDisarm };
        await desk.Doors.PutAsync(Desk.Admin, first, cancel: Cancel);
        Assert.Equal(("mantrap", GuardRule.AskToDisarm), (Compiled()[0].Interlock, Compiled()[0].Guard)); // Alone it locks against nothing.

        var second = first with { Id = "door-a2" };
        var fault = await Assert.ThrowsAsync<InputException>(() => desk.Doors.PutAsync(Desk.Admin, second with { InterlockRule = InterlockRule.OneUnlocked }, cancel: Cancel));
        Assert.EndsWith(".interlockRule", fault.Field, StringComparison.Ordinal);

        await desk.Doors.PutAsync(Desk.Admin, second, cancel: Cancel);
        Assert.All(Compiled(), it => Assert.Equal(("mantrap", InterlockRule.OneOpen), (it.Interlock, it.InterlockRule)));

        IReadOnlyList<DoorPolicy> Compiled() => desk.Store.Read(it => PolicyCompiler.Compile(it, Desk.Node, 1, Desk.Start, new("fukaya"), "Asia/Tokyo")).Doors;
    }

    [Theory]
    [InlineData("mantrap", "door-a")] // No node knows another one's doors.
    [InlineData("Man trap", "no name")]
    public async Task An_interlock_that_no_node_can_hold_is_refused_with_its_field(string interlock, string expected)
    {
        await using var desk = await Desk.OpenAsync();
        await desk.Doors.PutAsync(Desk.Admin, desk.Doors.Get("door-a")! with { Interlock = "mantrap" }, cancel: Cancel);

        var fault = await Assert.ThrowsAsync<InputException>(() => desk.Doors.PutAsync(Desk.Admin, desk.Doors.Get("door-b")! with { Interlock = interlock }, cancel: Cancel));

        Assert.Equal("interlock", fault.Field);
        Assert.Contains(expected, fault.Fault, StringComparison.Ordinal);
        Assert.Null(desk.Doors.Get("door-b")!.Interlock);
    }

    [Fact]
    public async Task A_new_version_is_made_and_signed_only_when_the_content_changes()
    {
        await using var desk = await Desk.OpenAsync();
        var sent = new List<(NodeId Node, PolicyMessage Message)>();
        using var publisher = desk.Publisher(sent);

        await publisher.PublishAllAsync(Cancel);
        desk.Time.Advance(TimeSpan.FromMinutes(1));
        await publisher.PublishAllAsync(Cancel);
        await desk.LockdownAsync("door-a", true);
        await publisher.PublishAllAsync(Cancel);

        Assert.Equal([("node-a", 1L), ("node-b", 1L), ("node-a", 2L)], sent.Select(it => (it.Node.Value, it.Message.Version)));
        var last = sent[^1].Message;
        Assert.True(Signing.Verify(desk.Keys.Signing, Signing.PolicyText(new("fukaya"), Desk.Node, last), last.Signature));
        Assert.Equal(Signing.PolicyHash(last.Body!), last.Hash);
        Assert.True(JsonSerializer.Deserialize(last.Body!, WireJson.Plain.Policy)!.Doors[0].Lockdown);
    }

    [Fact]
    public async Task A_node_that_comes_back_hears_a_confirmation_or_gets_what_it_lacks()
    {
        await using var desk = await Desk.OpenAsync();
        var sent = new List<(NodeId Node, PolicyMessage Message)>();
        using var publisher = desk.Publisher(sent);

        await publisher.ResendAsync(Desk.Node, 0, Cancel);
        await publisher.ResendAsync(Desk.Node, 1, Cancel);
        await desk.LockdownAsync("door-a", true);
        await publisher.ResendAsync(Desk.Node, 1, Cancel);
        await desk.Store.WriteAsync(it => PolicyPublisher.MarkInForce(it, Desk.Node, 2, Desk.Start), Cancel);

        Assert.Equal([(1, true), (1, false), (2, true)], sent.Select(it => (it.Message.Version, it.Message.Body is not null)));
        Assert.Equal(2, publisher.InForce(Desk.Node)!.Version);
        await desk.Store.WriteAsync(it => PolicyPublisher.MarkInForce(it, Desk.Node, 2, Desk.Start.AddDays(1)), Cancel); // A node says so once more.
        Assert.Equal(Desk.Start, publisher.InForce(Desk.Node)!.InForceAt);
        await desk.Store.WriteAsync(it =>
        {
            it.Execute("update nodes set enrolled_at = $at where id = $id", ("$at", Desk.Start.AddDays(2)), ("$id", Desk.Node.Value)); // Another board in its place.
            PolicyPublisher.MarkInForce(it, Desk.Node, 2, Desk.Start.AddDays(3));
        }, Cancel);
        Assert.Equal(Desk.Start.AddDays(3), publisher.InForce(Desk.Node)!.InForceAt);
    }

    [Fact]
    public async Task Of_old_versions_only_the_hash_is_kept_except_of_the_one_in_force()
    {
        await using var desk = await Desk.OpenAsync();
        using var publisher = desk.Publisher([]);
        for (var i = 0; i < 15; i++)
        {
            await desk.LockdownAsync("door-a", i % 2 == 0);
            await publisher.PublishAllAsync(Cancel);
            if (i == 1) await desk.Store.WriteAsync(it => PolicyPublisher.MarkInForce(it, Desk.Node, 2, Desk.Start), Cancel);
        }

        var rows = desk.Store.Read(it => it.Query(
            "select version, body, hash from policies where node = $node order by version", row => (Version: row.GetInt64(0), Body: row.GetString(1), Hash: row.GetString(2)),
            ("$node", Desk.Node.Value)));
        Assert.Equal([2, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], rows.Where(it => it.Body.Length > 0).Select(it => it.Version));
        Assert.Equal(15, rows.Select(it => it.Hash).Distinct().Count());
        Assert.All(rows.Where(it => it.Body.Length > 0), it => Assert.Equal(it.Hash, Signing.PolicyHash(it.Body)));
    }

    [Fact]
    public void Settings_are_read_as_people_write_them()
    {
        const string text = """{"id":"day","nameJa":"昼","nameEn":"Day","windows":[{"days":["monday"],"from":"08:30","to":"17:15","onClosedDays":false}]}""";

        var window = JsonSerializer.Deserialize<ScheduleSettings>(text, AccessJson.Options)!.Windows.Single();

        Assert.Equal((DayOfWeek.Monday, new TimeOnly(8, 30), new TimeOnly(17, 15)), (window.Days.Single(), window.From, window.To));
    }
}
