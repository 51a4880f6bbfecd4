using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Uplink;

namespace PhysSec.Tests.Storage;

public sealed class StoreTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("physsec-store-");

    private string File => Path.Combine(_folder.FullName, "hub.db");

    [Fact]
    public async Task Work_that_fails_takes_back_its_own_changes_and_no_others()
    {
        await using var store = Store.Open(File);
        var work = Enumerable.Range(0, 50).Select(i => store.WriteAsync(it =>
        {
            it.Execute("insert into meta values ($name, '')", ("$name", $"n{i}"));
            if (i % 5 == 0) throw new InvalidOperationException($"no {i}");
        }, TestContext.Current.CancellationToken)).ToList();

        for (var i = 0; i < work.Count; i++)
        {
            if (i % 5 == 0) Assert.Equal($"no {i}", (await Assert.ThrowsAsync<InvalidOperationException>(() => work[i])).Message);
            else await work[i];
        }

        Assert.Equal(40, store.Read(it => it.Number("select count(*) from meta where name like 'n%'")));
    }

    [Fact]
    public async Task A_write_that_has_ended_is_seen_by_the_next_reader_and_after_a_new_start()
    {
        await using (var store = Store.Open(File))
        {
            await store.WriteAsync(it => it.Execute("insert into meta values ('a', '1')"), TestContext.Current.CancellationToken);
            Assert.Equal(1, store.Read(it => it.Number("select value from meta where name = 'a'")));
        }

        await using var again = Store.Open(File);
        Assert.Equal(1, again.Read(it => it.Number("select value from meta where name = 'a'")));
    }

    [Fact]
    public async Task The_store_says_that_the_disk_refused_the_last_write_and_no_more_when_one_succeeds()
    {
        await using var store = Store.Open(File);
        await Assert.ThrowsAsync<SqliteException>(() => store.WriteAsync(it => it.Execute("insert into meta values ('hub-epoch', 'twice')"), TestContext.Current.CancellationToken));
        Assert.True(store.Writes); // The work was wrong, not the disk.

        await store.FillAsync();
        Assert.False(store.Writes);

        await store.FreeAsync();
        Assert.True(store.Writes);
    }

    [Fact]
    public async Task A_full_disk_that_is_emptied_is_noticed_though_nobody_writes()
    {
        var time = new FakeTimeProvider();
        await using var store = Store.Open(File);
        using var watch = new StoreWatch(store, time, NullLogger<StoreWatch>.Instance);
        await Assert.ThrowsAsync<SqliteException>(() => store.WriteAsync(_ => throw new SqliteException("disk I/O error", 10), TestContext.Current.CancellationToken));
        Assert.False(store.Writes);

        await watch.StartAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(5));
            return store.Writes;
        });
        await watch.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_transaction_that_cannot_even_begin_fails_whoever_waits_for_it()
    {
        await using var store = Store.Open(File);
        await store.WriteAsync(it => it.Execute("pragma query_only = on"), TestContext.Current.CancellationToken);

        var fault = await Assert.ThrowsAsync<SqliteException>(() => store.WriteAsync(_ => { }, TestContext.Current.CancellationToken));

        Assert.Equal((8, false), (fault.SqliteErrorCode, store.Writes));
    }

    [Fact]
    public async Task Large_work_is_committed_before_more_is_taken_into_its_transaction()
    {
        await using var store = Store.Open(File);
        using var all = new ManualResetEventSlim();
        var works = new List<Task<long>> { store.WriteAsync(_ => { all.Wait(); return 0L; }, TestContext.Current.CancellationToken) };
        for (var i = 0; i < 10; i++)
        {
            var mine = i;
            works.Add(store.WriteAsync(it =>
            {
                for (var j = 0; j < 1000; j++) it.Execute("insert into meta values ($name, '')", ("$name", $"n{mine}-{j}"));
                return store.Read(outside => outside.Number("select count(*) from meta where name like 'n%'"));
            }, TestContext.Current.CancellationToken));
        }

        all.Set();

        // What is committed by then is all but what a transaction may hold.
        Assert.All((await Task.WhenAll(works)).Skip(1).Select((committed, i) => (committed, i)), it => Assert.InRange(it.committed, (it.i - 2) * 1000, it.i * 1000));
    }

    [Fact]
    public async Task The_same_statement_may_be_used_while_its_rows_are_read()
    {
        await using var store = Store.Open(File);
        const string Sql = "select id from (select 1 as id union select 2 union select 3) where id > $after order by id";
        var pairs = await store.WriteAsync(
            it => it.Query(Sql, row => (row.GetInt64(0), After: string.Join(',', it.Query(Sql, inner => inner.GetInt64(0), ("$after", row.GetInt64(0))))), ("$after", 0)),
            TestContext.Current.CancellationToken);

        Assert.Equal([(1, "2,3"), (2, "3"), (3, "")], pairs);
    }

    [Fact]
    public async Task Every_commit_waits_for_the_disk()
    {
        await using var store = Store.Open(File);

        var (journal, synchronous) = await store.WriteAsync(
            it => (it.One("pragma journal_mode", row => row.GetString(0)), it.Number("pragma synchronous")), TestContext.Current.CancellationToken);

        Assert.Equal(("wal", 2L), (journal, synchronous));
    }

    [Fact]
    public async Task A_store_of_a_newer_program_is_left_alone()
    {
        await using (var store = Store.Open(File))
        {
        }

        using (var newer = new SqliteConnection($"Data Source={File};Pooling=false"))
        {
            newer.Open();
            newer.Execute("pragma user_version = 99");
        }

        Assert.Contains("start a newer version", Assert.Throws<InvalidOperationException>(() => Store.Open(File)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_refuses_the_work_and_keeps_what_was_stored()
    {
        await using var store = Store.Open(File);
        var (pages, size) = await store.WriteAsync(it => (it.Number("pragma page_count"), it.Number("pragma page_size")), TestContext.Current.CancellationToken);
        await store.WriteAsync(it => it.Execute("insert into meta values ('a', '1')"), TestContext.Current.CancellationToken);
        await store.WriteAsync(it => it.Number($"pragma max_page_count = {pages + 1}"), TestContext.Current.CancellationToken);

        var fault = await Assert.ThrowsAsync<SqliteException>(() => store.WriteAsync(
            it => it.Execute("insert into meta values ('b', $text)", ("$text", new string('x', (int)size * 20))), TestContext.Current.CancellationToken));
        await store.WriteAsync(it => it.Number("pragma max_page_count = 1000000"), TestContext.Current.CancellationToken);
        await store.WriteAsync(it => it.Execute("insert into meta values ('c', '3')"), TestContext.Current.CancellationToken);

        Assert.Equal(13, fault.SqliteErrorCode);
        Assert.Equal(["a", "c"], store.Read(it => it.Query("select name from meta where name in ('a', 'b', 'c') order by name", row => row.GetString(0))));
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
