using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using PhysSec.Core.Proof;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Retention;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ledger;
using PhysSec.Verify;

namespace PhysSec.Tests.HubRetention;

/// <summary>Texts go when their time has come, and nothing else does: places, hashes, proofs and certificates stay.</summary>
public sealed class RetentionTests
{
    private static readonly TimeSpan _year = TimeSpan.FromDays(366);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_class_loses_its_texts_at_its_own_time_and_what_proofs_need_stays_for_ever()
    {
        await using var room = await RetentionRoom.MakeAsync();
        Assert.Equal(0, await room.PassAsync(TimeSpan.FromDays(364)));
        Assert.Equal(4, await room.PassAsync(TimeSpan.FromDays(3)));
        Assert.Equal(((0, 4), (4, 0), (1, 0)), (room.Of("measured"), room.Of("access.granted"), room.Of("alarm.raised")));

        await room.PassAsync(2 * _year);
        Assert.Equal(((0, 4), (0, 4), (0, 1), (0, 1)), (room.Of("access.granted"), room.Of("access.passage"), room.Of("alarm.raised"), room.Of("alarm.cleared")));
        Assert.Equal((2, 0), room.Of("hub.person.added"));
        Assert.Equal(0, room.Hub.Store.Read(it => it.Number("select count(*) from alarm_history")));

        await room.PassAsync(2 * _year);
        Assert.Equal((0, 2), room.Of("hub.person.added"));
        Assert.Equal(((1, 0), (1, 0), (4, 0)), (room.Of("hub.ledger.began"), room.Of("hub.node.enrolled"), room.Of("hub.retention.rule")));
        Assert.Equal(0, room.Of("hub.retention.deleted").Deleted);
        Assert.All(["measurements", "access", "alarms", "acts"], name => Assert.Contains(room.Certificates(), it => it.Class == name));
    }

    [Fact]
    public async Task A_round_that_fails_for_whatever_reason_is_told_and_the_next_day_s_comes_all_the_same()
    {
        await using var room = await RetentionRoom.MakeAsync();
        await room.Hub.Store.WriteAsync(it => it.Execute("update ledger set received_at = $far where id = (select max(id) from ledger)", ("$far", long.MaxValue)), Cancel); // A time that no calendar has.
        var log = new FaultLog();
        using var keeper = new RetentionKeeper(room.Hub.Home, room.Hub.Get<RetentionClock>(), room.Hub.Alarms, room.Hub.Time, log);
        await keeper.StartAsync(Cancel);
        for (var day = 0; day < 3; day++)
        {
            var told = log.Faults.Reader.ReadAsync(Cancel).AsTask();
            Assert.Same(told, await Task.WhenAny(told, keeper.ExecuteTask!));
            Assert.Contains("retention failed", await told, StringComparison.Ordinal);
            room.Hub.Time.Advance(TimeSpan.FromDays(1));
        }

        await keeper.StopAsync(Cancel);
    }

    [Fact]
    public async Task An_old_checkpoint_still_proves_the_ledger_and_the_verdict_says_what_was_deleted_by_which_certificate()
    {
        await using var room = await RetentionRoom.MakeAsync();
        await room.PassAsync(4 * _year);
        var verdict = await room.VerdictAsync();
        Assert.True(verdict.Good, EvidenceTests.Said(verdict));
        Assert.Contains(verdict.Findings, it => it is { Kind: FindingKind.Proven, Code: "own" });
        Assert.Contains(verdict.Findings, it => it.Code == "complete");
        var certificates = room.Certificates();
        Assert.Contains(verdict.Findings, it => it.Code == "deleted" && it.En.StartsWith($"the texts of {certificates.Sum(one => one.Count)} records", StringComparison.Ordinal));

        // A selection that finds nothing but what is gone is an answer too.
        var selection = await room.VerdictAsync(EvidenceRoom.Everything with { Filter = new LogFilter(Kind: "access.granted") });
        Assert.True(selection.Good, EvidenceTests.Said(selection));
        Assert.Contains(selection.Findings, it => it.Code == "deleted" && it.En.StartsWith("the texts of 4 records", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_certificate_names_its_records_by_number_and_by_a_digest_that_anybody_can_compute()
    {
        await using var room = await RetentionRoom.MakeAsync();
        await room.PassAsync(4 * _year);
        foreach (var it in room.Certificates())
        {
            var numbers = RecordRanges.Parse(it.Numbers).SelectMany(range => Enumerable.Range((int)range.First, (int)(range.Last - range.First + 1)).Select(n => (long)n)).ToList();
            Assert.Equal(it.Count, numbers.Count);
            Assert.Equal(it.Digest, room.Hub.Store.Read(store => LedgerTree.Of(store) is var tree ? DeletionCertificate.DigestOf(numbers.Select(n => (n, tree(0, n - 1)))) : ""));
            Assert.Equal(it.Root, room.Hub.Store.Read(store => MerkleTree.Root(it.Size, LedgerTree.Of(store)).ToString()));
        }
    }

    [Fact]
    public async Task What_was_deleted_is_in_no_byte_of_the_hub_s_files()
    {
        await using var room = await RetentionRoom.MakeAsync();
        var boot = Encoding.UTF8.GetBytes("点検"); // The purpose of a visit: nowhere but in its record.
        Assert.Contains(await FilesAsync(room), it => it.AsSpan().IndexOf(boot) >= 0);
        await room.PassAsync(4 * _year);
        Assert.DoesNotContain(await FilesAsync(room), it => it.AsSpan().IndexOf(boot) >= 0);
    }

    [Fact]
    public async Task A_node_that_sends_a_deleted_record_again_is_told_that_it_is_there()
    {
        await using var room = await RetentionRoom.MakeAsync();
        await room.PassAsync(4 * _year);
        var count = room.Hub.Count("ledger");
        await room.Hub.TakeBatchAsync(room.Node, 1, room.Node.Bodies.Count);
        Assert.Equal((count, 0), (room.Hub.Count("ledger"), room.Hub.Count("divergence")));
        Assert.Equal((0, 4), room.Of("access.granted"));

        // And goes on where it was.
        room.Visit(RetentionRoom.Bob, room.Hub.Time.GetUtcNow());
        await room.SendAsync();
        Assert.Equal((1, 4), room.Of("access.granted"));
        Assert.True((await room.VerdictAsync()).Good);
    }

    [Fact]
    public async Task A_hole_that_is_filled_after_what_lies_behind_it_was_deleted_is_no_contradiction()
    {
        await using var room = await RetentionRoom.MakeAsync();
        var end = room.Node.Bodies.Count;
        room.Node.Write(3, room.Hub.Time.GetUtcNow());
        await room.Hub.TakeBatchAsync(room.Node, end + 2, end + 3);
        await room.PassAsync(4 * _year);
        Assert.Equal(0, room.Hub.Store.Read(it => it.Number("select count(*) from ledger where kind = 'door.exit-request' and body_hash is null")));
        await room.Hub.TakeBatchAsync(room.Node, end + 1, end + 1);
        Assert.Equal(end + 3, room.Hub.Through(room.Node).Seq);
        Assert.DoesNotContain(room.Hub.Alarms.List(), it => it.Class == Core.Alarms.AlarmClasses.RecordDiverged);
    }

    [Fact]
    public async Task Log_register_and_export_cope_with_what_is_gone_and_say_so()
    {
        await using var room = await RetentionRoom.MakeAsync();
        var start = room.Hub.Time.GetUtcNow();
        await room.PassAsync(4 * _year);
        var found = room.Hub.Get<AccessLog>().Search(new(Kind: "access.granted")).Items;
        Assert.Equal(4, found.Count);
        Assert.All(found, it => Assert.Equal((null, null, null, true), (it.Person, it.Door, it.At, room.Certificates().Count > 0 && it is { Certificate: > 0, DeletedAt: not null })));
        Assert.Empty(room.Hub.Get<AccessLog>().Search(new(Person: "p-alice", Kind: "access")).Items);
        Assert.Empty(room.Hub.Get<Register>().List(start.AddDays(-1), start.AddDays(1)));
        using var file = new MemoryStream();
        await room.Hub.Get<AccessLog>().WriteCsvAsync(file, new(Kind: "access"), Ingest.RunningHub.Admin, Cancel);
        Assert.DoesNotContain("p-alice", Encoding.UTF8.GetString(file.ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_that_does_not_fit_its_leaf_is_evidence_and_stays()
    {
        await using var room = await RetentionRoom.MakeAsync();
        await room.Hub.Store.WriteAsync(it => it.Execute("update ledger set body = replace(body, '点検', '侵入') where kind = 'access.granted' and seq = 1"), Cancel);
        await room.PassAsync(4 * _year);
        Assert.Equal((1, 3), room.Of("access.granted"));
    }

    [Fact]
    public void Whatever_is_not_named_counts_as_a_record_about_people()
    {
        Assert.Equal("access", RecordClasses.Of("unknown", Streams.Access));
        Assert.Equal("access", RecordClasses.Of("hub.register.entered-later", Streams.Access));
        Assert.Equal("acts", RecordClasses.Of("hub.log.searched", Streams.Access));
        Assert.All(EvidencePack.Context, it => Assert.Null(RecordClasses.Of(it, Streams.Access)));
    }

    [Fact]
    public async Task Many_records_go_in_pieces_with_a_certificate_each()
    {
        await using var room = await RetentionRoom.MakeAsync();
        room.Node.Write(Deletion.PieceMax + 100, room.Hub.Time.GetUtcNow());
        for (var first = room.Hub.Through(room.Node).Seq + 1; first <= room.Node.Bodies.Count; first += 500) await room.Hub.TakeBatchAsync(room.Node, first, Math.Min(first + 499, room.Node.Bodies.Count));
        await room.PassAsync(4 * _year);
        Assert.Equal((0, Deletion.PieceMax + 100), room.Of("door.exit-request"));
        Assert.Equal([Deletion.PieceMax, 108], room.Certificates().Where(it => it.Class == "access").Select(it => it.Count));
        var verdict = await room.VerdictAsync();
        Assert.True(verdict.Good, EvidenceTests.Said(verdict));
    }

    private static async Task<List<byte[]>> FilesAsync(RetentionRoom room)
    {
        // The write-ahead log is emptied into the store as it is when the hub stops.
        using (var other = new Microsoft.Data.Sqlite.SqliteConnection($"data source={Path.Combine(room.Hub.Home.Folder, "hub.db")};pooling=false"))
        {
            other.Open();
            other.Execute("pragma wal_checkpoint(truncate)");
        }

        var files = new List<byte[]>();
        foreach (var it in Directory.GetFiles(room.Hub.Home.Folder, "hub.db*"))
        {
            await using var file = new FileStream(it, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[file.Length];
            await file.ReadExactlyAsync(bytes, Cancel);
            files.Add(bytes);
        }

        return files;
    }

    private sealed class FaultLog : ILogger<RetentionKeeper>
    {
        public Channel<string> Faults { get; } = Channel.CreateUnbounded<string>();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Error) Faults.Writer.TryWrite(formatter(state, exception));
        }
    }
}
