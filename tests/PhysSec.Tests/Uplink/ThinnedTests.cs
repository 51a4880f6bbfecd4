using System.Text.Json;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Journal;

namespace PhysSec.Tests.Uplink;

/// <summary>A stretch of measurements that a node declares thinned is a gap that an auditor sees, and no hole that stops the stream.</summary>
public sealed class ThinnedTests : IAsyncLifetime
{
    private static readonly NodeId _node = new("node-a");
    private readonly JournalFolder _folder = new();
    private Store _store = null!;

    public ValueTask InitializeAsync()
    {
        _store = Store.Open(Path.Combine(_folder.Path, "hub.db"));
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task The_stream_goes_on_after_a_declared_gap_whichever_comes_first()
    {
        foreach (var declaredFirst in new[] { true, false })
        {
            var epoch = declaredFirst ? 1 : 2;
            if (declaredFirst) await AddAsync(epoch, "a", 1, new MeasurementsThinned(3, 5, "disk"));
            await AddAsync(epoch, "m", 1, Measured());
            await AddAsync(epoch, "m", 2, Measured());
            await AddAsync(epoch, "m", 6, Measured());
            Assert.Equal(declaredFirst ? 6 : 2, await AdvanceAsync(epoch));
            if (!declaredFirst) await AddAsync(epoch, "a", 1, new MeasurementsThinned(3, 5, "disk"));
            Assert.Equal(6, await AdvanceAsync(epoch));
        }
    }

    [Fact]
    public async Task A_hole_that_nobody_declared_stops_the_stream()
    {
        await AddAsync(1, "a", 1, new MeasurementsThinned(4, 5, "disk"));
        await AddAsync(1, "m", 1, Measured());
        await AddAsync(1, "m", 3, Measured());
        Assert.Equal(1, await AdvanceAsync(1));
    }

    private static Measured Measured() => new([new(new("room.temperature"), 20, "good")]);

    private Task AddAsync(long epoch, string stream, long seq, Fact fact) => _store.WriteAsync(db =>
    {
        var record = new JournalRecord(epoch, stream, seq, JournalFolder.Noon, 1, "boot-1", ClockQuality.Synced, LinkState.Up, fact);
        var body = JsonSerializer.Serialize(record, WireJson.Plain.JournalRecord);
        Records.Append(db, _node, record, Chain.Next(Chain.Genesis, body), body, JournalFolder.Noon, late: false);
        if (fact is MeasurementsThinned thinned) Records.NoteThinned(db, _node.Value, epoch, thinned); // As the ingest does.
    });

    private Task<long> AdvanceAsync(long epoch) => _store.WriteAsync(db =>
    {
        Records.Advance(db, _node.Value, epoch, Streams.Measurements);
        return Records.Through(db, _node.Value, epoch, Streams.Measurements).Seq;
    });
}
