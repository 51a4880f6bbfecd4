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

    [Fact]
    public async Task Records_that_a_board_has_told_of_and_lost_before_they_came_are_missed()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(5, hub.Time.GetUtcNow());
        await hub.TakeAsync(node, "birth", null, node.Birth(5));
        Assert.Equal(1, hub.Nodes.Find(node.Id)!.Epoch);

        await hub.TakeAsync(node, "birth", null, node.Birth(3));
        Assert.Equal(2, hub.Nodes.Find(node.Id)!.Epoch);
    }

    [Theory]
    [InlineData(8L, 1)]
    [InlineData(null, 1)] // A full disk cannot count.
    [InlineData(7L, 2)]
    [InlineData(6L, 2)]
    public async Task An_older_copy_of_the_card_gives_itself_away_by_the_number_of_its_birth(long? number, long epoch)
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(9, hub.Time.GetUtcNow());
        await hub.TakeAsync(node, "birth", null, node.Birth(5, number: 7));
        await hub.TakeAsync(node, "birth", null, node.Birth(5, number: 7)); // Delivered twice.
        Assert.Equal(1, hub.Nodes.Find(node.Id)!.Epoch);

        await hub.TakeAsync(node, "birth", null, node.Birth(9, number: number)); // It has written on since.
        Assert.Equal(epoch, hub.Nodes.Find(node.Id)!.Epoch);
    }

    [Fact]
    public async Task An_empty_card_gives_itself_away_by_another_mark()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(9, hub.Time.GetUtcNow());
        await hub.TakeAsync(node, "birth", null, node.Birth(1, number: 1, journal: "one"));
        await hub.TakeAsync(node, "birth", null, node.Birth(9, number: 3, journal: "one"));
        Assert.Equal(1, hub.Nodes.Find(node.Id)!.Epoch);
        await hub.TakeAsync(node, "birth", null, node.Birth(9, number: 4, journal: "two"));
        Assert.Equal(2, hub.Nodes.Find(node.Id)!.Epoch);
    }

    [Fact]
    public async Task An_epoch_that_a_board_has_taken_up_is_not_given_again_to_the_board_that_lost_it()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(5, hub.Time.GetUtcNow());
        await hub.TakeBatchAsync(node, 1, 5);
        await hub.TakeAsync(node, "birth", null, node.Birth(0, epoch: 0));
        await hub.TakeAsync(node, "birth", null, node.Birth(3, epoch: 2)); // None of its records has come yet.
        await hub.TakeAsync(node, "birth", null, node.Birth(1));
        Assert.Equal(3, hub.Nodes.Find(node.Id)!.Epoch);
    }

    [Fact]
    public async Task A_hub_from_a_backup_issues_no_epoch_that_the_node_has_had()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(5, hub.Time.GetUtcNow());
        await hub.TakeAsync(node, "birth", null, node.Birth(5, epoch: 4));
        Assert.Equal(5, hub.Nodes.Find(node.Id)!.Epoch);
    }

    [Theory]
    [InlineData("journal", false, 5, 0)]
    [InlineData("hot", false, 5, 0)]
    [InlineData("journal", true, 1, 1)] // A broker kept it: the node will say by itself where it stands.
    public async Task A_hub_from_a_backup_that_has_not_heard_the_birth_learns_of_the_epoch_from_the_records(string channel, bool kept, long issued, int deadLetters)
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await hub.EnrolAsync("node-a");
        using var later = new SignedNode(node.Bundle with { Epoch = 4 }).Write(2, hub.Time.GetUtcNow());
        await hub.TakeAsync(later, channel, channel == "journal" ? Streams.Access : null, channel == "journal" ? later.Batch(1, 2) : later.Hot(1), kept);
        Assert.Equal((issued, deadLetters), (hub.Nodes.Find(node.Id)!.Epoch, hub.TurnedAway.DeadLetters(10).Count));
    }

    [Theory]
    [InlineData(null, 2)] // The one that was issued is still unused, as far as this hub can know.
    [InlineData(1L, 2)]
    [InlineData(2L, 3)]
    [InlineData(7L, 8)]
    public async Task An_epoch_that_the_journal_has_had_is_not_offered_to_it_again(long? highest, long issued)
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(5, hub.Time.GetUtcNow());
        await hub.Nodes.NextEpochAsync(node.Id, "test");
        await hub.TakeAsync(node, "birth", null, node.Birth(5, epoch: 0, highest: highest));
        Assert.Equal(issued, hub.Nodes.Find(node.Id)!.Epoch);
    }

    [Theory]
    [InlineData(0, 1)] // Its records had no epoch yet, and it was given one; then an older card is in its place.
    [InlineData(1, 2)] // A damaged journal began anew in the epoch that the board was enrolled with; then an image of a later one is in its place.
    public async Task Another_journal_than_the_one_that_has_told_of_records_is_missed_in_whatever_epoch_it_is(long told, long comes)
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(9, hub.Time.GetUtcNow());
        for (var issued = 1; issued < 3; issued++) await hub.Nodes.NextEpochAsync(node.Id, "test");
        await hub.TakeAsync(node, "birth", null, node.Birth(5, epoch: told, number: 1, journal: "new"));
        var epoch = hub.Nodes.Find(node.Id)!.Epoch;
        await hub.TakeAsync(node, "birth", null, node.Birth(7, epoch: comes, number: 9, journal: "image"));
        Assert.Equal(epoch + 1, hub.Nodes.Find(node.Id)!.Epoch);
    }

    [Fact]
    public async Task A_board_that_replaces_another_with_an_epoch_of_its_own_breaks_nothing()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(9, hub.Time.GetUtcNow());
        await hub.TakeBatchAsync(node, 1, 5);
        await hub.TakeAsync(node, "birth", null, node.Birth(5, number: 4, journal: "first"));
        await hub.Nodes.NextEpochAsync(node.Id, "a spare board");
        await hub.TakeAsync(node, "birth", null, node.Birth(1, epoch: 2, number: 1, journal: "second"));
        Assert.Equal(2, hub.Nodes.Find(node.Id)!.Epoch);
    }

    [Theory]
    [InlineData(1_001, 1_002, 0)]
    [InlineData(1_002, 1, 1)]
    [InlineData(Batches.NumberMax, 1, 1)]
    public async Task A_birth_that_names_an_epoch_which_no_backup_can_have_forgotten_uses_up_no_numbers(long named, long issued, int deadLetters)
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(5, hub.Time.GetUtcNow());
        await hub.TakeAsync(node, "birth", null, node.Birth(5, epoch: named));
        Assert.Equal((issued, deadLetters), (hub.Nodes.Find(node.Id)!.Epoch, hub.TurnedAway.DeadLetters(10).Count));
        await hub.TakeBatchAsync(node, 1, 5);
        Assert.Equal(5, hub.Through(node).Seq);
    }

    [Fact]
    public async Task What_a_node_issues_again_and_the_hub_has_already_stands_in_the_ledger_once()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(3, hub.Time.GetUtcNow());
        await hub.TakeBatchAsync(node, 1, 3);
        await hub.Nodes.NextEpochAsync(node.Id, "test");
        using var later = new SignedNode(node.Bundle with { Epoch = 2 });
        later.Write(new EpochBegan(1, 3, node.Head), hub.Time.GetUtcNow());
        for (var i = 2; i <= 3; i++) later.Write(node.Bodies[i - 1].Replace("\"epoch\":1", "\"epoch\":2", StringComparison.Ordinal));
        later.Write(new ExitRequested(new("door-a"), 99), hub.Time.GetUtcNow());
        Assert.NotEqual(node.Bodies[1], later.Bodies[1]);

        await hub.TakeBatchAsync(later, 1, 4);
        await hub.TakeBatchAsync(later, 1, 4);

        Assert.Equal([.. node.Bodies, later.Bodies[0], later.Bodies[3]], hub.Ledger(node).Select(it => it.Body));
        Assert.Equal((4, later.Head), hub.Through(later));
        Assert.Equal((2, 0), (hub.Count("reissued"), hub.Count("divergence")));
        Assert.Empty(hub.Alarms.List());
    }

    private static (string? Through, string? Head) Held(RunningHub hub, SignedNode node, byte[] birth)
    {
        var read = Batches.Read(birth, WireJson.Plain.Birth);
        var held = hub.Store.Read(it => Discontinuity.Find(it, hub.Nodes.Find(node.Id)!, read))!.Held;
        return (held.GetValueOrDefault("through.a"), held.GetValueOrDefault("head.a"));
    }
}
