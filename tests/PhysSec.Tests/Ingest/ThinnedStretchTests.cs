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

    private static long Through(RunningHub hub) => hub.Store.Read(it => Records.Through(it, "node-a", 1, Streams.Measurements).Seq);

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
