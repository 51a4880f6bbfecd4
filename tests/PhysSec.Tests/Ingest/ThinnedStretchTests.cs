using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Tests.Ingest;

public sealed class ThinnedStretchTests
{
    [Fact]
    public async Task A_stretch_that_the_node_has_declared_thinned_is_no_hole_whenever_its_record_comes()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await hub.EnrolAsync("node-a");
        using var measured = new SignedNode(node.Bundle, Streams.Measurements);
        for (var i = 0; i < 30; i++) measured.Write(new Measured([new(new PointId("room.temperature"), i, "good")]), hub.Time.GetUtcNow());
        node.Write(new MeasurementsThinned(3, 10, "disk"), hub.Time.GetUtcNow()).Write(new MeasurementsThinned(11, 20, "disk"), hub.Time.GetUtcNow());

        await hub.TakeAsync(node, "journal", Streams.Measurements, measured.Batch(1, 2));
        await hub.TakeAsync(node, "journal", Streams.Measurements, measured.Batch(21, 25));
        Assert.Equal(2, Through(hub));
        await hub.TakeBatchAsync(node, 1, 2);
        Assert.Equal(25, Through(hub));
        await hub.TakeAsync(node, "journal", Streams.Measurements, measured.Batch(26, 30));

        Assert.Equal(30, Through(hub));
        Assert.Empty(hub.Alarms.List());
    }

    [Fact]
    public async Task A_stretch_that_is_told_of_again_in_a_new_epoch_is_the_old_one_s()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await hub.EnrolAsync("node-a");
        using var measured = Measured(hub, node, 1);
        await hub.TakeAsync(node, "journal", Streams.Measurements, measured.Batch(1, 2));
        await hub.Nodes.NextEpochAsync(node.Id, "test");
        using var later = new SignedNode(node.Bundle with { Epoch = 2 });
        using var measuredLater = Measured(hub, node, 2);
        later.Write(new EpochBegan(1, 1, node.Head), hub.Time.GetUtcNow()).Write(new MeasurementsThinned(3, 10, "disk", 1), hub.Time.GetUtcNow());
        later.Write(new MeasurementsThinned(1, 2, "disk", 3), hub.Time.GetUtcNow()).Write(new MeasurementsThinned(1, 2, "disk", 0), hub.Time.GetUtcNow()); // Of no epoch that was issued.
        await hub.TakeBatchAsync(later, 1, 4);
        await hub.TakeAsync(node, "journal", Streams.Measurements, measuredLater.Batch(1, 2));
        await hub.TakeAsync(node, "journal", Streams.Measurements, measuredLater.Batch(11, 12));

        Assert.Equal((10L, 2L), (Through(hub), Through(hub, 2))); // In the new epoch 3 to 10 are records that have yet to come.
        Assert.Equal(1, hub.Count("thinned"));
    }

    [Fact]
    public async Task The_record_of_an_older_node_names_no_epoch_and_means_its_own()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await hub.EnrolAsync("node-a");
        using var measured = Measured(hub, node, 1);
        using var example = new SignedNode(node.Bundle).Write(new MeasurementsThinned(1, 10, "disk"), hub.Time.GetUtcNow());
        node.Write(example.Bodies[0].Replace(",\"epoch\":null", "", StringComparison.Ordinal));
        Assert.NotEqual(example.Bodies, node.Bodies);
        await hub.TakeBatchAsync(node, 1, 1);
        Assert.Equal(10, Through(hub));
    }

    [Fact]
    public async Task A_batch_of_measurements_costs_the_same_however_many_access_records_the_node_has_written()
    {
        await using var hub = RunningHub.WithoutBroker();
        await hub.Store.WriteAsync(it => it.Execute(
            """
            with recursive n (i) as (select 1 union all select i + 1 from n where i < 20000)
            insert into ledger (source, epoch, stream, seq, hash, body, received_at, kind)
            select case when i <= 10 then 'few' else 'many' end, 1, 'a', i, '', '{}', 0, 'door.changed' from n
            """), TestContext.Current.CancellationToken);

        Assert.InRange(await StepsAsync(hub, "many"), 1, 2 * await StepsAsync(hub, "few"));
    }

    private static SignedNode Measured(RunningHub hub, SignedNode node, long epoch)
    {
        var measured = new SignedNode(node.Bundle with { Epoch = epoch }, Streams.Measurements);
        for (var i = 0; i < 12; i++) measured.Write(new Measured([new(new PointId("room.temperature"), (100 * epoch) + i, "good")]), hub.Time.GetUtcNow());
        return measured;
    }

    private static long Through(RunningHub hub, long epoch = 1) => hub.Store.Read(it => Records.Through(it, "node-a", epoch, Streams.Measurements).Seq);

    // Instructions of SQLite's virtual machine.
    private static Task<int> StepsAsync(RunningHub hub, string source) => hub.Store.WriteAsync(it =>
    {
        var steps = 0;
        SQLitePCL.raw.sqlite3_progress_handler(it.Handle, 1, _ => { steps++; return 0; }, null);
        Records.Advance(it, source, 1, Streams.Measurements);
        SQLitePCL.raw.sqlite3_progress_handler(it.Handle, 0, null!, null);
        return steps;
    }, TestContext.Current.CancellationToken);
}
