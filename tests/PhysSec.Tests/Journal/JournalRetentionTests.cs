using System.Text.Json;
using PhysSec.Core.Wire;
using PhysSec.Node.Journal;
using static PhysSec.Tests.Journal.JournalFolder;

namespace PhysSec.Tests.Journal;

public sealed class JournalRetentionTests : IDisposable
{
    private static readonly Retention _small = new(TimeSpan.FromDays(14), 64 << 10, 1 << 20);
    private readonly JournalFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Acknowledged_records_are_kept_fourteen_days_for_a_hub_that_is_restored()
    {
        using var store = _folder.Open();
        for (var i = 0; i < 20; i++) store.Add(i, Opened());
        store.Acknowledge(1, "a", 20, 1);

        Assert.False(store.Prune(Retention.Default, Noon.AddDays(14)));
        Assert.True(store.Prune(Retention.Default, Noon.AddDays(15)));
        Assert.Empty(store.All());
    }

    [Fact]
    public void What_the_hub_has_not_acknowledged_is_never_pruned()
    {
        using var store = _folder.Open();
        for (var i = 0; i < 20; i++) store.Add(i, Opened());
        store.Acknowledge(1, "a", 5, 1);

        store.Prune(Retention.Default with { BytesMax = 0 }, Noon.AddDays(400));
        Assert.Equal(Enumerable.Range(6, 15).Select(it => (long)it), store.Read(1, "a", 6, 100, 100, int.MaxValue).Select(it => it.Seq));
    }

    [Fact]
    public void The_chain_still_holds_after_pruning_and_a_restart()
    {
        string head;
        using (var store = _folder.Open())
        {
            for (var i = 0; i < 20; i++) store.Add(i, Opened());
            store.Acknowledge(1, "a", 5, 1);
            store.Prune(Retention.Default with { BytesMax = 0 }, null);
            head = store.State("a").Hash;
        }

        using var again = _folder.Open();
        Assert.Null(again.Repaired);
        var run = again.Read(1, "a", 1, 100, 100, int.MaxValue);
        Assert.Equal(6, run[0].Seq);
        Assert.Equal(head, run.Aggregate(run[0].Prev, (before, it) => Chain.Next(before, it.Body)));
    }

    [Fact]
    public void A_journal_that_is_too_large_loses_its_oldest_acknowledged_records()
    {
        using var store = _folder.Open();
        store.Commit([Write(0, [.. Enumerable.Range(0, 3000).Select(_ => Opened())])]);
        store.Acknowledge(1, "a", 2900, 1);
        Assert.True(store.UsedBytes > _small.BytesMax);

        var blocks = 0;
        while (store.Prune(_small, Noon)) blocks++;
        Assert.Equal(3, blocks); // One thousand at a time: a commit waits for none of the others.
        Assert.Equal(2901, store.All()[0].Seq);
        Assert.Equal(100, store.All().Count);
    }

    [Fact]
    public void On_a_full_disk_measurements_go_first_and_the_record_says_which()
    {
        using var store = _folder.Open();
        store.Commit([Write(0, [Opened(), .. Enumerable.Range(0, 2500).Select(it => Measured(it))])]);

        Assert.True(store.Thin(0, _small, At(1)));
        Assert.Equal(1001, store.All(Streams.Measurements)[0].Seq);
        Assert.Equal(1500, store.All(Streams.Measurements).Count);
        var fact = JsonSerializer.Deserialize(store.All()[^1].Body, WireJson.Plain.JournalRecord)!.Fact;
        Assert.Equal((1L, 1000L, 1L), fact is MeasurementsThinned thinned ? (thinned.First, thinned.Last, thinned.Epoch) : default);
        Assert.Equal(2, store.All().Count);
    }

    [Fact]
    public void A_handful_of_measurements_is_not_worth_the_record_that_tells_of_it()
    {
        using var store = _folder.Open();
        store.Commit([Write(0, [.. Enumerable.Range(0, 99).Select(it => Measured(it))])]);
        Assert.False(store.Thin(0, _small, At(1))); // Else a full disk without a hub would gain an access record for each measurement, second by second.
        store.Commit([Write(1, Measured(99))]);
        Assert.True(store.Thin(0, _small, At(2)));
        Assert.Empty(store.All(Streams.Measurements));
    }

    [Fact]
    public void Access_records_are_never_thinned()
    {
        using var store = _folder.Open();
        store.Commit([Write(0, Opened(), Opened())]);
        Assert.False(store.Thin(0, _small, At(1)));
        Assert.Equal(2, store.All().Count);
    }

    [Fact]
    public void With_room_on_the_disk_nothing_is_thinned()
    {
        using var store = _folder.Open();
        store.Commit([Write(0, Measured(1))]);
        Assert.False(store.Thin(2 << 20, _small, At(1)));
        Assert.Single(store.All(Streams.Measurements));
    }
}
