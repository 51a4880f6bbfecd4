using PhysSec.Core.Wire;
using PhysSec.Hub.Ingest;

namespace PhysSec.Tests.Ingest;

/// <summary>ONCE: a node that cannot prove its past is seen, gets one new epoch, and issues again only what the hub has not.</summary>
public sealed class ContinuityTests
{
    [Fact]
    public async Task A_journal_that_was_set_back_raises_an_alarm_and_may_keep_what_the_hub_holds()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(5, hub.Time.GetUtcNow());
        await hub.TakeBatchAsync(node, 1, 5);

        Assert.Equal(("3", node.HashAt(3)), Held(hub, node, node.Birth(3)));
        await hub.TakeAsync(node, "birth", null, node.Birth(3));

        Assert.Equal(("record-diverged", "node-a", true), hub.Alarms.List().Select(it => (it.Class, it.Source, it.Active)).Single());
        Assert.Equal(2, hub.Nodes.Find(node.Id)!.Epoch);
    }

    [Fact]
    public async Task Another_boards_records_under_the_same_identity_are_seen_at_its_birth()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(5, hub.Time.GetUtcNow());
        using var clone = new SignedNode(node.Bundle).Write(5, hub.Time.GetUtcNow().AddSeconds(1));
        await hub.TakeBatchAsync(node, 1, 5);

        // What it is told that the hub holds is not its own record, and it will see that.
        Assert.Equal(("5", node.Head), Held(hub, clone, clone.Birth(5)));
        await hub.TakeAsync(clone, "birth", null, clone.Birth(5));

        Assert.Equal("record-diverged", hub.Alarms.List().Single().Class);
    }

    [Fact]
    public async Task A_new_board_that_has_yet_to_write_raises_nothing()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await hub.EnrolAsync("node-a");

        await hub.TakeAsync(node, "birth", null, node.Birth(0, epoch: 0));

        Assert.Empty(hub.Alarms.List());
        Assert.Equal(1, hub.Nodes.Find(node.Id)!.Epoch);
    }

    [Fact]
    public async Task An_epoch_that_the_node_cannot_take_yet_waits_for_it_instead_of_being_burnt()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(5, hub.Time.GetUtcNow());
        await hub.TakeBatchAsync(node, 1, 5);

        for (var i = 0; i < 5; i++) await hub.TakeAsync(node, "birth", null, node.Birth(0, epoch: 0)); // Its clock is unset: it refuses every command.
        Assert.Equal(2, hub.Nodes.Find(node.Id)!.Epoch);
        Assert.Equal(("5", node.Head), Held(hub, node, node.Birth(0, epoch: 0)));

        using var later = new SignedNode(node.Bundle with { Epoch = 2 }).Write(1, hub.Time.GetUtcNow());
        await hub.TakeBatchAsync(later, 1, 1);
        await hub.TakeAsync(node, "birth", null, node.Birth(0, epoch: 0)); // It lost that one too: what was used is never given twice.
        Assert.Equal(3, hub.Nodes.Find(node.Id)!.Epoch);
    }

    private static (string? Through, string? Head) Held(RunningHub hub, SignedNode node, byte[] birth)
    {
        var read = Batches.Read(birth, WireJson.Plain.Birth);
        var held = hub.Store.Read(it => Discontinuity.Find(it, hub.Nodes.Find(node.Id)!, read))!.Held;
        return (held.GetValueOrDefault("through.a"), held.GetValueOrDefault("head.a"));
    }
}
