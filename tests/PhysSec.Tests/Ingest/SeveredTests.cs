using System.Text;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub.Broker;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Storage;
using PhysSec.Hub.Ingest;

namespace PhysSec.Tests.Ingest;

/// <summary>ONCE: what another board's records hide under the same keys is asked for, and what was told of and never came is missed.</summary>
public sealed class SeveredTests
{
    [Fact]
    public async Task Versions_that_stand_under_taken_keys_are_asked_for_until_they_are_here()
    {
        await using var hub = RunningHub.WithoutBroker();
        var acks = Hear(hub);
        using var node = (await hub.EnrolAsync("node-a")).Write(6, hub.Time.GetUtcNow());
        using var image = new SignedNode(node.Bundle).Write(3, hub.Time.GetUtcNow()).Write(6, hub.Time.GetUtcNow().AddSeconds(1)); // Its first three are the same.
        await hub.TakeBatchAsync(node, 1, 6); // As a backup brings it back, from before the image's own 4 to 6.

        await hub.TakeBatchAsync(image, 7, 8);
        Assert.Equal((0, new SeqRange(1, 6)), Last());
        await hub.TakeBatchAsync(image, 9, 9); // It goes on from what is here, and yet hangs on what is not.
        Assert.Equal((0, new SeqRange(1, 6)), Last());
        await hub.TakeAsync(image, "birth", null, image.Birth(9));
        Assert.Equal((0, new SeqRange(1, 6)), Last());

        await hub.TakeBatchAsync(image, 5, 6);
        Assert.Equal((0, new SeqRange(1, 4)), Last());
        await hub.TakeBatchAsync(image, 4, 4); // There the two part.
        Assert.Equal((9, null), Last());
        await hub.TakeBatchAsync(image, 7, 9);
        Assert.Equal((9, null), Last());
        Assert.Equal((0, 3), (hub.Count("severed"), hub.Count("divergence")));

        (long Through, SeqRange? Resend) Last() => acks.FindLast(it => it.Stream == Streams.Access) is { } ack ? (ack.Through, ack.Resend.SingleOrDefault()) : default;
    }

    [Fact]
    public async Task A_board_whose_chain_is_whole_does_not_wait_for_another_boards_missing_records()
    {
        await using var hub = RunningHub.WithoutBroker();
        var acks = Hear(hub);
        using var node = (await hub.EnrolAsync("node-a")).Write(8, hub.Time.GetUtcNow());
        using var clone = new SignedNode(node.Bundle).Write(8, hub.Time.GetUtcNow().AddSeconds(1));
        await hub.TakeBatchAsync(node, 1, 6);
        await hub.TakeBatchAsync(clone, 7, 7);
        await hub.TakeBatchAsync(node, 7, 8);
        Assert.Equal((8, 0), (acks[^1].Through, acks[^1].Resend.Count));
    }

    [Fact]
    public async Task A_hole_that_is_filled_leaves_nothing_behind()
    {
        await using var hub = RunningHub.WithoutBroker();
        var acks = Hear(hub);
        using var node = (await hub.EnrolAsync("node-a")).Write(8, hub.Time.GetUtcNow());
        await hub.TakeAsync(node, "hot", null, node.Hot(8));
        await hub.TakeBatchAsync(node, 4, 6);
        Assert.Equal([new SeqRange(1, 3)], acks[^1].Resend);
        await hub.TakeBatchAsync(node, 1, 3);
        Assert.Equal((6, new SeqRange(7, 7)), (acks[^1].Through, acks[^1].Resend.Single()));
        await hub.TakeBatchAsync(node, 7, 8);
        Assert.Equal((8, 0, 0), (acks[^1].Through, acks[^1].Resend.Count, hub.Count("severed")));
    }

    [Fact]
    public async Task What_only_a_kept_birth_has_told_of_is_missed_when_the_node_comes_back_below_it()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(9, hub.Time.GetUtcNow());
        await hub.TakeAsync(node, "birth", null, node.Birth(1, number: 1));
        await hub.TakeAsync(node, "birth", null, node.Birth(9, number: 4), kept: true); // Told to a life of the hub that its backup knows nothing of.

        await hub.TakeAsync(node, "birth", null, node.Birth(3, number: 2)); // The broker gives late what the node said before.
        Assert.Equal(1, hub.Nodes.Find(node.Id)!.Epoch);
        await hub.TakeAsync(node, "birth", null, node.Birth(5, number: 5));
        Assert.Equal(2, hub.Nodes.Find(node.Id)!.Epoch);
    }

    [Fact]
    public async Task What_a_fork_has_told_of_is_missed_when_the_node_comes_back_without_it()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(9, hub.Time.GetUtcNow());
        using var fork = new SignedNode(node.Bundle).Write(3, hub.Time.GetUtcNow()).Write(4, hub.Time.GetUtcNow().AddSeconds(1));
        await hub.TakeBatchAsync(node, 1, 9);
        await hub.TakeAsync(node, "birth", null, fork.Birth(7, number: 4)); // Its 4 to 7 have never come; 7 is another one here.
        Assert.Equal(2, hub.Nodes.Find(node.Id)!.Epoch);

        await hub.TakeAsync(node, "birth", null, node.Birth(3, number: 5)); // The epoch is unused and would do, but for what is gone.
        Assert.Equal(3, hub.Nodes.Find(node.Id)!.Epoch);
    }

    [Fact]
    public async Task What_only_a_kept_birth_of_another_journal_has_told_of_is_missed_in_whatever_epoch_the_node_is()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(9, hub.Time.GetUtcNow());
        for (var issued = 1; issued < 3; issued++) await hub.Nodes.NextEpochAsync(node.Id, "test");
        await hub.TakeAsync(node, "birth", null, node.Birth(5, number: 1, journal: "new"), kept: true);
        await hub.TakeAsync(node, "birth", null, node.Birth(7, epoch: 2, number: 9, journal: "image"));
        Assert.Equal(4, hub.Nodes.Find(node.Id)!.Epoch);
    }

    [Fact]
    public async Task What_a_fork_has_told_of_is_missed_when_the_node_sends_another_in_its_place()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(9, hub.Time.GetUtcNow());
        using var fork = new SignedNode(node.Bundle).Write(3, hub.Time.GetUtcNow()).Write(4, hub.Time.GetUtcNow().AddSeconds(1));
        using var other = new SignedNode(node.Bundle).Write(3, hub.Time.GetUtcNow()).Write(5, hub.Time.GetUtcNow().AddSeconds(2));
        await hub.TakeBatchAsync(node, 1, 9);
        await hub.TakeAsync(node, "birth", null, fork.Birth(7, number: 4));
        await hub.TakeAsync(node, "birth", null, other.Birth(8, number: 5)); // By its count it may hold the fork.
        Assert.Equal(2, hub.Nodes.Find(node.Id)!.Epoch);
        await hub.TakeBatchAsync(other, 4, 8);
        Assert.Equal(3, hub.Nodes.Find(node.Id)!.Epoch);
    }

    [Fact]
    public async Task What_a_fork_has_told_of_and_sends_is_not_missed()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(9, hub.Time.GetUtcNow());
        using var fork = new SignedNode(node.Bundle).Write(3, hub.Time.GetUtcNow()).Write(4, hub.Time.GetUtcNow().AddSeconds(1));
        await hub.TakeBatchAsync(node, 1, 9);
        await hub.TakeAsync(node, "birth", null, fork.Birth(7, number: 4));
        await hub.TakeBatchAsync(fork, 4, 6); // Not yet all of it, and that is no loss.
        Assert.Equal((2, 1), (hub.Nodes.Find(node.Id)!.Epoch, hub.Count("told where fork")));
        await hub.TakeBatchAsync(fork, 7, 7);
        Assert.Equal((2, 0), (hub.Nodes.Find(node.Id)!.Epoch, hub.Count("told where fork")));
    }

    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 1)] // It came back with it, and was answered with an epoch: this one is not the hub's doing.
    public async Task A_journal_without_an_epoch_that_only_a_kept_birth_has_told_of_is_missed_when_another_comes(bool came, long epoch)
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(5, hub.Time.GetUtcNow());
        await hub.TakeAsync(node, "birth", null, node.Birth(4, epoch: 0, number: 2), kept: true);
        if (came) await hub.TakeAsync(node, "birth", null, node.Birth(5, epoch: 0, number: 3));

        await hub.TakeAsync(node, "birth", null, node.Birth(1, number: 4));
        Assert.Equal(epoch, hub.Nodes.Find(node.Id)!.Epoch);
    }

    [Fact]
    public async Task A_node_that_has_given_up_its_epoch_is_still_held_to_what_it_has_told_of_before()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(5, hub.Time.GetUtcNow());
        await hub.TakeAsync(node, "birth", null, node.Birth(5, number: 2));
        await hub.TakeAsync(node, "birth", null, node.Birth(0, epoch: 0, number: 3));
        Assert.Equal(2, hub.Nodes.Find(node.Id)!.Epoch);

        await hub.TakeAsync(node, "birth", null, node.Birth(2, number: 4)); // It had them then, and has them no more.
        Assert.Equal(3, hub.Nodes.Find(node.Id)!.Epoch);
    }

    [Fact]
    public async Task What_a_node_has_told_of_is_missed_when_its_stream_passes_it_with_another_record()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(5, hub.Time.GetUtcNow());
        using var image = new SignedNode(node.Bundle).Write(3, hub.Time.GetUtcNow()).Write(4, hub.Time.GetUtcNow().AddSeconds(1));
        await hub.TakeAsync(node, "birth", null, node.Birth(5, number: 4), kept: true);

        await hub.TakeBatchAsync(image, 1, 4);
        Assert.Equal(1, hub.Nodes.Find(node.Id)!.Epoch);
        await hub.TakeBatchAsync(image, 5, 7);
        Assert.Equal((2, "record-diverged"), (hub.Nodes.Find(node.Id)!.Epoch, hub.Alarms.List().Single().Class));
    }

    [Fact]
    public async Task What_a_node_has_told_of_is_missed_also_in_an_epoch_that_is_over()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(5, hub.Time.GetUtcNow());
        using var image = new SignedNode(node.Bundle).Write(3, hub.Time.GetUtcNow()).Write(4, hub.Time.GetUtcNow().AddSeconds(1));
        await hub.TakeAsync(node, "birth", null, node.Birth(5, number: 4));
        await hub.Nodes.NextEpochAsync(node.Id, "test");

        await hub.TakeBatchAsync(image, 1, 7);
        Assert.Equal(3, hub.Nodes.Find(node.Id)!.Epoch);
    }

    [Fact]
    public async Task What_a_node_has_told_of_and_sends_is_not_missed()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(7, hub.Time.GetUtcNow());
        await hub.TakeAsync(node, "birth", null, node.Birth(5, number: 4), kept: true);
        await hub.TakeBatchAsync(node, 1, 7);
        Assert.Equal((1, 0), (hub.Nodes.Find(node.Id)!.Epoch, hub.Count("told")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // By its stream and not by its birth.
    public async Task What_shows_a_loss_is_kept_until_the_epoch_that_declares_it_is_stored(bool passed)
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(5, hub.Time.GetUtcNow());
        using var image = new SignedNode(node.Bundle).Write(3, hub.Time.GetUtcNow()).Write(4, hub.Time.GetUtcNow().AddSeconds(1));
        await hub.TakeAsync(node, "birth", null, node.Birth(5, number: 4));
        await hub.Store.WriteAsync(it => it.Execute("create trigger refused before update of epoch on nodes begin select raise(abort, 'refused'); end"), TestContext.Current.CancellationToken);
        await ComeBackAsync(5);
        Assert.Equal(1, hub.Nodes.Find(node.Id)!.Epoch);

        await hub.Store.WriteAsync(it => it.Execute("drop trigger refused"), TestContext.Current.CancellationToken);
        await ComeBackAsync(6);
        Assert.Equal((2, 0), (hub.Nodes.Find(node.Id)!.Epoch, hub.Count("told where seq = 5")));

        async Task ComeBackAsync(int number)
        {
            if (passed) await hub.TakeBatchAsync(image, 1, 7);
            else await hub.TakeAsync(node, "birth", null, node.Birth(3, number: number));
        }
    }

    [Fact]
    public async Task A_birth_whose_head_is_no_hash_is_set_aside_and_not_remembered()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(5, hub.Time.GetUtcNow());
        await hub.TakeAsync(node, "birth", null, Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(node.Birth(5)).Replace("\"headAccess\":\"", "\"headAccess\":\"" + new string('x', 100_000), StringComparison.Ordinal)));
        Assert.Equal((0, 1), (hub.Count("told"), hub.Count("dead_letters")));
        Assert.Null(hub.Nodes.BirthOf(node.Id));
    }

    private static List<Ack> Hear(RunningHub hub)
    {
        var broker = new Listener();
        hub.Get<NodeLink>().Attach(broker);
        return broker.Acks;
    }

    private sealed class Listener : INodeBroker
    {
        public List<Ack> Acks { get; } = [];

        public bool Ready => true;

        public int Port => 0;

        public Task StartAsync(CancellationToken cancel) => Task.CompletedTask;

        public Task StopAsync() => Task.CompletedTask;

        public Task DisconnectAsync(NodeId node) => Task.CompletedTask;

        public Task PublishAsync(string topic, byte[] payload, bool retain, CancellationToken cancel, string? responseTopic = null, byte[]? correlation = null)
        {
            if (Topics.Parse(topic) is { Channel: "ack" }) Acks.Add(Batches.Read(payload, WireJson.Plain.Ack));
            return Task.CompletedTask;
        }
    }
}
