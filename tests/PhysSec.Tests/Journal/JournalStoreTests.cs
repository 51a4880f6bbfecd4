using System.Text.Json;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using PhysSec.Node.Journal;
using static PhysSec.Tests.Journal.JournalFolder;

namespace PhysSec.Tests.Journal;

public sealed class JournalStoreTests : IDisposable
{
    private readonly JournalFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Records_are_numbered_from_one_without_a_gap_and_chained_in_each_stream()
    {
        using var store = _folder.Open();
        store.Add(1, Opened(), Measured(21));
        store.Add(2, Opened());

        var records = store.All();
        Assert.Equal([1, 2], records.Select(it => it.Seq));
        Assert.Equal([1], store.All(Streams.Measurements).Select(it => it.Seq));
        Assert.Equal(Chain.Genesis, records[0].Prev);
        Assert.Equal(Chain.Next(records[0].Hash, records[1].Body), records[1].Hash);
        Assert.Equal(records[0].Hash, records[1].Prev);
    }

    [Fact]
    public void A_record_carries_its_key_its_times_and_its_circumstances()
    {
        using var store = _folder.Open(epoch: 7);
        var stored = Assert.Single(store.Add(1.5, Opened()));

        var record = JsonSerializer.Deserialize(stored.Body, WireJson.Plain.JournalRecord)!;
        Assert.Equal(
            new JournalRecord(7, "a", 1, Noon.AddSeconds(1.5), 101_500_000, "boot-1", ClockQuality.Synced, LinkState.Down, new ExitRequested(new("door-a"), 1)),
            record);
    }

    [Fact]
    public void When_a_record_was_made_is_known_by_the_monotonic_clock_of_its_own_run_alone()
    {
        using var store = _folder.Open(epoch: 7);
        store.Add(1.5, Opened());
        Assert.Equal(TimeSpan.FromSeconds(101.5), store.MadeAt(7, Streams.Access, 1, "boot-1"));
        Assert.Null(store.MadeAt(7, Streams.Access, 1, "boot-2"));
        Assert.Null(store.MadeAt(7, Streams.Access, 2, "boot-1"));
        Assert.Null(store.MadeAt(7, Streams.Measurements, 1, "boot-1"));
    }

    [Fact]
    public void Everything_is_there_after_a_restart()
    {
        var memory = new NodeMemory([new DoorMemory(new("door-a"), true, [new("p-1")], 2)], [new AlarmMemory("leak:room.leak", true)]);
        using (var store = _folder.Open(epoch: 3))
        {
            store.Commit([new JournalWrite([Opened()], memory, At(1))]);
            store.Acknowledge(3, "a", 1, 5);
            store.Put("policy", "{}");
        }

        using var again = _folder.Open(epoch: 9);
        Assert.Null(again.Repaired);
        Assert.Equal(3, again.Epoch);
        Assert.Equal(new(1, again.All()[0].Hash, 1, 5, false), again.State("a"));
        Assert.Equal(Noon.AddSeconds(1), again.Newest);
        Assert.Equal("{}", again.Get("policy"));
        Assert.Equal(JsonSerializer.Serialize(memory), JsonSerializer.Serialize(again.Memory));
        Assert.Equal("interrupted", again.Previous);
    }

    [Fact]
    public void A_journal_knows_whether_the_node_was_stopped()
    {
        using (var store = _folder.Open()) store.Add(1, new Entry("a", new NodeStopped("SIGTERM")));
        using var again = _folder.Open();
        Assert.Equal("stopped", again.Previous);
    }

    [Fact]
    public void A_commit_that_is_no_longer_wanted_leaves_nothing_and_takes_no_number()
    {
        using var store = _folder.Open();
        Assert.Null(store.Commit([Write(1, Opened(), Measured(20))], wanted: () => false));

        store.Add(2, Opened());
        Assert.Equal([1], store.All().Select(it => it.Seq));
        Assert.Empty(store.All(Streams.Measurements));
    }

    [Fact]
    public void A_record_that_cannot_be_written_leaves_the_journal_as_it_was()
    {
        using var store = _folder.Open();
        store.Add(1, Opened());
        var failure = Assert.Throws<JournalException>(() => store.Add(2, Opened(), Measured(double.NaN)));
        Assert.Contains("cannot be written", failure.Message, StringComparison.Ordinal);

        Assert.Equal(1, store.State("a").Seq);
        store.Add(3, Opened());
        Assert.Equal([1, 2], store.All().Select(it => it.Seq));
    }

    [Fact]
    public void A_second_process_cannot_open_the_journal()
    {
        using var store = _folder.Open();
        store.Add(1, Opened());
        Assert.Throws<JournalException>(() => _folder.Open());
    }

    [Fact]
    public void A_full_disk_fails_the_commit_and_nothing_before_it_is_lost()
    {
        using var store = _folder.Open();
        store.Add(0, Opened());
        store.LimitPages(20);
        var stored = 1;
        Assert.Throws<JournalException>(() =>
        {
            for (; stored < 100_000; stored++) store.Add(stored, Opened());
        });

        Assert.True(stored > 10);
        Assert.Equal(stored, store.All().Count);
        Assert.Equal(stored, store.State("a").Seq);
        store.LimitPages(1000);
        store.Add(stored, Opened());
        Assert.Equal(stored + 1, store.All().Count);
    }

    [Fact]
    public void An_acknowledgement_moves_forward_only()
    {
        using var store = _folder.Open();
        store.Add(1, Opened(), Opened(), Opened());
        Assert.Equal(AckOutcome.Advanced, store.Acknowledge(1, "a", 0, 1));
        Assert.Equal(AckOutcome.Advanced, store.Acknowledge(1, "a", 2, 1));
        Assert.Equal(AckOutcome.Stale, store.Acknowledge(1, "a", 1, 1));
        Assert.Equal(AckOutcome.Stale, store.Acknowledge(2, "a", 3, 1));
        Assert.Equal(1, store.Backlog);
    }

    [Fact]
    public void A_hub_restored_from_a_backup_moves_it_back_once()
    {
        using var store = _folder.Open();
        store.Add(1, Opened(), Opened(), Opened());
        store.Acknowledge(1, "a", 3, 1);
        Assert.Equal(AckOutcome.Rewound, store.Acknowledge(1, "a", 1, 2));
        Assert.Equal(2, store.Backlog);
        Assert.Equal(AckOutcome.Stale, store.Acknowledge(1, "a", 3, 1));
        Assert.Equal(AckOutcome.Advanced, store.Acknowledge(1, "a", 3, 2));
    }

    [Fact]
    public void A_restored_hub_is_given_again_what_it_had_acknowledged_in_epochs_that_are_over()
    {
        using var store = _folder.Open();
        store.Add(1, Opened(), Opened(), Opened());
        store.Acknowledge(1, "a", 3, 1);
        store.BeginEpoch(2, At(2), [new(1, "a", 3, store.State(1, "a").Hash)]);
        store.Acknowledge(2, "a", 1, 1);
        Assert.Null(store.Refill);

        store.Acknowledge(2, "a", 0, 2);
        Assert.Equal((1, "a"), store.Refill);
        Assert.Equal(AckOutcome.Advanced, store.Acknowledge(1, "a", 2, 2));
        Assert.Equal((1, "a"), store.Refill);
        Assert.Equal(AckOutcome.Advanced, store.Acknowledge(1, "a", 3, 2));
        Assert.Null(store.Refill);
    }

    [Fact]
    public void What_was_pruned_does_not_hold_up_the_refill()
    {
        using var store = _folder.Open();
        store.Add(1, Opened(), Opened(), Opened());
        store.Acknowledge(1, "a", 3, 1);
        store.BeginEpoch(2, At(2), [new(1, "a", 3, store.State(1, "a").Hash)]);
        store.Acknowledge(2, "a", 1, 1);
        Assert.True(store.Prune(Retention.Default with { Age = TimeSpan.Zero, BytesMax = 0 }, Noon));
        store.Acknowledge(2, "a", 0, 2);
        Assert.Equal(AckOutcome.Advanced, store.Acknowledge(1, "a", 0, 2, resend: [new(1, long.MaxValue)]));
        Assert.Null(store.Refill);
    }

    [Fact]
    public void A_stream_that_ends_with_its_epoch_before_the_restored_hub_spoke_of_it_is_given_again()
    {
        using var store = _folder.Open();
        store.Add(1, Opened(), Measured(20), Measured(21));
        store.Acknowledge(1, "a", 1, 1);
        store.Acknowledge(1, "m", 2, 1);
        Assert.True(store.Prune(Retention.Default with { Age = TimeSpan.Zero, BytesMax = 0 }, Noon)); // Stream a alone: the oldest block.
        Assert.Equal(AckOutcome.ContinuityLost, store.Acknowledge(1, "a", 0, 2));
        store.BeginEpoch(2, At(2));

        Assert.Equal((1, "m"), store.Refill);
        Assert.Equal(AckOutcome.Advanced, store.Acknowledge(1, "m", 2, 2));
        Assert.Null(store.Refill);
    }

    [Fact]
    public void A_refill_of_which_nothing_is_left_ends_and_lets_the_next_one_begin()
    {
        using var store = _folder.Open();
        store.Add(1, Opened(), Measured(20));
        store.Acknowledge(1, "a", 1, 1);
        store.Acknowledge(1, "m", 1, 1);
        store.BeginEpoch(2, At(2), [new(1, "a", 1, store.State(1, "a").Hash), new(1, "m", 1, store.State(1, "m").Hash)]);
        store.Acknowledge(2, "a", 1, 1);
        Assert.True(store.Prune(Retention.Default with { Age = TimeSpan.Zero, BytesMax = 0 }, Noon)); // Stream a alone: the oldest block.
        store.Acknowledge(2, "a", 0, 2);
        Assert.Equal((1, "a"), store.Refill);

        store.EndRefill(1, "a");
        Assert.Equal((1, "m"), store.Refill);
        store.EndRefill(1, "m"); // It has something to give.
        Assert.Equal((1, "m"), store.Refill);
    }

    [Fact]
    public void What_a_restored_hub_is_owed_is_not_pruned()
    {
        using var store = _folder.Open();
        store.Add(1, Opened(), Opened());
        store.Acknowledge(1, "a", 2, 1);
        store.BeginEpoch(2, At(2));
        store.Acknowledge(2, "a", 1, 1);
        store.Acknowledge(2, "a", 0, 2);
        Assert.Equal((1, "a"), store.Refill);
        Assert.False(store.Prune(Retention.Default with { Age = TimeSpan.Zero, BytesMax = 0 }, Noon));
        Assert.Equal(2, store.Read(1, "a", 1, 2, 10, int.MaxValue).Count);
    }

    [Fact]
    public void A_hub_that_was_restored_to_before_what_is_still_here_waits_for_nothing_that_cannot_come()
    {
        using var store = _folder.Open();
        store.Add(1, Opened(), Opened());
        store.Acknowledge(1, "a", 2, 1);
        Assert.True(store.Prune(Retention.Default with { BytesMax = 0 }, Noon));
        store.Add(2, Opened("door-c"));

        Assert.Equal(AckOutcome.ContinuityLost, store.Acknowledge(1, "a", 0, 2));
        store.BeginEpoch(2, At(3));
        Assert.Equal(new ExitRequested(new("door-c"), 1), JsonSerializer.Deserialize(store.All()[^1].Body, WireJson.Plain.JournalRecord)!.Fact);
    }

    [Fact]
    public void A_restored_hub_that_names_all_as_stored_is_shown_the_last_record()
    {
        using var store = _folder.Open();
        store.Add(1, Opened(), Opened(), Opened());
        store.Acknowledge(1, "a", 3, 1);
        Assert.Equal(AckOutcome.Rewound, store.Acknowledge(1, "a", 3, 2)); // They may be another board's.
        Assert.Equal(2, store.State("a").Acknowledged);
        Assert.Equal(AckOutcome.Advanced, store.Acknowledge(1, "a", 3, 2));
    }

    [Fact]
    public void Acknowledged_records_that_the_hub_asks_for_and_that_are_pruned_end_the_epoch()
    {
        using var store = _folder.Open();
        store.Add(1, Opened(), Opened(), Opened());
        store.Acknowledge(1, "a", 2, 1);
        Assert.Equal(AckOutcome.Stale, store.Acknowledge(1, "a", 0, 1, resend: [new(1, 2)])); // They are here, and are sent.
        Assert.True(store.Prune(Retention.Default with { BytesMax = 0 }, Noon));
        Assert.Equal(AckOutcome.ContinuityLost, store.Acknowledge(1, "a", 0, 1, resend: [new(1, 2)]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // What it holds there is another board's.
    public void An_epoch_that_ends_is_given_once_more_unless_the_hub_proves_that_it_holds_it(bool own)
    {
        using var store = _folder.Open();
        store.Add(1, Opened(), Opened(), Opened());
        store.Acknowledge(1, "a", 3, 1);
        store.BeginEpoch(2, At(2), [new(1, "a", 3, own ? store.State(1, "a").Hash : Chain.Genesis)]);
        Assert.Equal(own ? null : (1L, "a"), store.Refill);
    }

    [Fact]
    public void A_refill_skips_nothing_that_it_has_not_sent()
    {
        using var store = _folder.Open();
        store.Add(1, Opened(), Opened(), Opened());
        store.Acknowledge(1, "a", 3, 1);
        store.BeginEpoch(2, At(2));
        store.Acknowledge(2, "a", 1, 1);
        store.Acknowledge(2, "a", 0, 2);
        store.Acknowledge(1, "a", 3, 2, sent: 1, resend: [new(4, long.MaxValue)]); // The second may be another board's.
        Assert.Equal((1, "a"), store.Refill);
        store.Acknowledge(1, "a", 3, 2, sent: 3, resend: [new(4, long.MaxValue)]);
        Assert.Null(store.Refill);
    }

    [Fact]
    public void What_this_run_has_not_sent_is_not_taken_for_stored()
    {
        using var store = _folder.Open();
        store.Add(1, Opened(), Opened(), Opened());
        store.Acknowledge(1, "a", 3, 1, sent: 2); // The hub's third may be another board's.
        Assert.Equal(2, store.State("a").Acknowledged);
        store.Acknowledge(1, "a", 3, 1, sent: 3);
        Assert.Equal(3, store.State("a").Acknowledged);
    }

    [Fact]
    public void Records_of_a_second_time_without_an_epoch_are_issued_again_like_those_of_the_first()
    {
        using var store = _folder.Open();
        store.Acknowledge(1, "a", 9, 1);
        store.Add(1, Opened("door-a"));
        store.BeginEpoch(2, At(2));
        store.Acknowledge(2, "a", 9, 1);
        store.Add(3, Opened("door-b"));
        store.BeginEpoch(3, At(4));
        var facts = store.All().Select(it => JsonSerializer.Deserialize(it.Body, WireJson.Plain.JournalRecord)!.Fact).ToList();
        Assert.Contains(new ExitRequested(new("door-b"), 1), facts);
    }

    [Fact]
    public void Births_are_counted_on_the_disk()
    {
        string mark;
        using (var store = _folder.Open()) Assert.Equal((1, 2), (store.NextBirth().Number, store.NextBirth().Number));
        using (var again = _folder.Open()) (mark, _) = again.NextBirth();
        using var later = _folder.Open();
        Assert.Equal((mark, 4), later.NextBirth());
    }

    [Fact]
    public void A_hub_that_knows_more_than_the_journal_means_an_old_image_and_a_new_epoch()
    {
        using var store = _folder.Open();
        store.Add(1, Opened());
        Assert.Equal(AckOutcome.ContinuityLost, store.Acknowledge(1, "a", 9, 1));
        Assert.Equal(0, store.Epoch);
        Assert.Equal(0, Assert.Single(store.Add(2, Opened())).Epoch);
    }

    [Fact]
    public void A_new_epoch_says_where_the_old_one_ended_and_issues_again_what_the_hub_has_not()
    {
        using (var store = _folder.Open())
        {
            store.Add(1, Opened("door-a"), Opened("door-b"));
            store.Acknowledge(1, "a", 1, 1);
            store.Acknowledge(1, "a", 9, 1);
            store.Add(2, Opened("door-c"), Measured(20));
            var head = store.All(epoch: 1)[^1].Hash;

            Assert.Null(store.BeginEpoch(2, At(3)));
            Assert.Equal(2, store.Epoch);
            var facts = store.All().Select(it => JsonSerializer.Deserialize(it.Body, WireJson.Plain.JournalRecord)!).ToList();
            Assert.Equal([1, 2, 3], facts.Select(it => it.Seq));
            Assert.Equal(new EpochBegan(1, 2, head), facts[0].Fact);
            Assert.Equal([new ExitRequested(new("door-b"), 1), new ExitRequested(new("door-c"), 1)], facts.Skip(1).Select(it => it.Fact));
            Assert.Equal([Noon.AddSeconds(1), Noon.AddSeconds(2)], facts.Skip(1).Select(it => it.At!.Value));
            Assert.Equal(2, store.All(epoch: 1).Count);
            Assert.Single(store.All(Streams.Measurements));
            Assert.NotNull(store.BeginEpoch(2, At(4)));
        }

        using var again = _folder.Open();
        Assert.Equal(2, again.Epoch);
        Assert.Null(again.BeginEpoch(3, At(5)));
        Assert.Equal([1, 2, 3, 4], again.All().Select(it => it.Seq));
    }

    [Theory]
    [InlineData(3, true, 2)] // The hub holds the first three, the first one was acknowledged.
    [InlineData(3, false, 4)] // The hub's third is another board's.
    [InlineData(9, true, 4)]
    [InlineData(0, true, 4)]
    public void A_new_epoch_does_not_issue_again_what_the_hub_holds_of_this_very_journal(long through, bool same, int again)
    {
        using var store = _folder.Open();
        store.Add(1, Opened("door-a"), Opened("door-b"), Opened("door-c"), Opened("door-d"), Opened("door-e"));
        store.Acknowledge(1, "a", 1, 1);
        var hash = same && through is > 0 and <= 5 ? store.All()[(int)through - 1].Hash : Chain.Genesis;

        Assert.Null(store.BeginEpoch(2, At(3), [new(1, "a", through, hash)]));

        Assert.Equal(1 + again, store.All().Count);
        Assert.Equal("door-e", JsonSerializer.Deserialize(store.All()[^1].Body, WireJson.Plain.JournalRecord)!.Fact is ExitRequested last ? last.Door.Value : "");
    }

    [Fact]
    public void A_nonce_is_taken_once_also_after_a_restart()
    {
        using (var store = _folder.Open()) Assert.True(store.TakeNonce("n-1", Noon.AddSeconds(30), Noon));
        using var again = _folder.Open();
        Assert.False(again.TakeNonce("n-1", Noon.AddSeconds(30), Noon.AddSeconds(10)));
        Assert.True(again.TakeNonce("n-2", Noon.AddSeconds(30), Noon.AddSeconds(10)));
    }

    [Fact]
    public void A_command_that_a_clock_set_ahead_has_the_node_forget_is_not_taken_again_when_the_clock_is_set_back()
    {
        using var store = _folder.Open();
        Assert.True(store.TakeNonce("n-1", Noon.AddSeconds(30), Noon));
        Assert.True(store.TakeNonce("n-2", Noon.AddDays(3).AddSeconds(30), Noon.AddDays(3))); // n-1 is forgotten.
        Assert.False(store.TakeNonce("n-1", Noon.AddSeconds(30), Noon.AddSeconds(10)));
        Assert.True(store.TakeNonce("n-3", Noon.AddSeconds(31), Noon.AddSeconds(11)));
    }

    [Fact]
    public void A_journal_that_cannot_prove_its_past_waits_for_an_epoch_in_epoch_0()
    {
        using (var store = _folder.Open(epoch: 4)) store.Add(1, Opened());
        File.WriteAllText(_folder.File, "this was a journal once, and then the card was pulled");

        using (var store = _folder.Open(epoch: 4))
        {
            Assert.Equal("journal.db.corrupt-1", store.Repaired?.SetAside);
            Assert.Equal(0, store.Epoch);
            Assert.True(File.Exists(_folder.File + ".corrupt-1"));
        }

        File.Delete(_folder.File);
        using var lost = _folder.Open(epoch: 4);
        Assert.Equal(0, lost.Epoch);
    }
}
