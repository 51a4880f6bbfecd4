using System.Threading.Channels;
using Microsoft.Data.Sqlite;
using PhysSec.Hub.Ledger;

namespace PhysSec.Hub.Storage;

/// <summary>
/// The hub's one store. All writing goes through one loop that commits whatever has gathered in one transaction (group commit, synchronous = FULL);
/// a caller's task ends after its commit. Each piece of work stands or falls by itself (savepoint). Reading uses pooled connections of its own.
/// </summary>
public sealed class Store : IAsyncDisposable
{
    private const int GroupMax = 256;
    private const int ChangesMax = 2_000; // Rows of a transaction: whoever waits behind it, an alarm among them, waits for a tenth of a second and not for a backlog.
    private const int QueueMax = 4096;
    private const int AtOnce = 100_000;

    // SQLite's result codes that speak of the disk and not of the work.
    private const int ReadOnly = 8;
    private const int IoError = 10;
    private const int Corrupt = 11;
    private const int Full = 13;
    private const int CannotOpen = 14;

    private readonly string _connection;
    private readonly WriterConnection _writer;
    private readonly Channel<Work> _queue = Channel.CreateBounded<Work>(new BoundedChannelOptions(QueueMax) { SingleReader = true });
    private readonly Task _loop;
    private volatile bool _refused;

    private Store(string path)
    {
        _connection = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 10 }.ConnectionString;
        _writer = new WriterConnection(_connection);
        _writer.Open();
        _writer.Execute("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; pragma secure_delete = on; pragma busy_timeout = 10000; pragma cache_size = -65536");
        Schema.Apply(_writer);
        CatchUp();
        _loop = Task.Run(WriteLoopAsync);
    }

    /// <summary>The last write reached the disk. That a store can be read says nothing: a full disk is read like any other.</summary>
    public bool Writes => !_refused;

    /// <summary>Opens or makes the store.</summary>
    /// <exception cref="SqliteException">The file cannot be opened or is none of ours.</exception>
    public static Store Open(string path) => new(path);

    /// <summary>Runs the work inside the next transaction; ends after the commit.</summary>
    /// <exception cref="SqliteException">The disk refused; nothing of the group was stored.</exception>
    public async Task<T> WriteAsync<T>(Func<SqliteConnection, T> work, CancellationToken cancel = default)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        T result = default!;
        var item = new Work(
            connection => result = work(connection),
            () => done.TrySetResult(result),
            fault => done.TrySetException(fault));
        await _queue.Writer.WriteAsync(item, cancel);
        return await done.Task;
    }

    public Task WriteAsync(Action<SqliteConnection> work, CancellationToken cancel = default) =>
        WriteAsync(connection => { work(connection); return 0; }, cancel);

    /// <summary>Reads a consistent snapshot.</summary>
    public T Read<T>(Func<SqliteConnection, T> work)
    {
        using var connection = new SqliteConnection(_connection);
        connection.Open();
        using var snapshot = connection.BeginTransaction(deferred: true);
        return work(connection);
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop;
        _writer.Dispose();
        SqliteConnection.ClearAllPools();
    }

    private async Task WriteLoopAsync()
    {
        while (await _queue.Reader.WaitToReadAsync()) Commit();
    }

    private void Commit()
    {
        var (good, bad) = (new List<Work>(), new List<(Work Work, Exception Fault)>());
        var refused = false;
        try
        {
            _writer.Execute("begin immediate");
            var before = SQLitePCL.raw.sqlite3_total_changes(_writer.Handle);
            // SQLite cuts its count to 32 bits: past their end it goes on below zero, and the difference stays right.
            while (good.Count + bad.Count < GroupMax && unchecked(SQLitePCL.raw.sqlite3_total_changes(_writer.Handle) - before) < ChangesMax && _queue.Reader.TryRead(out var item))
            {
                good.Add(item);
                _writer.Execute("savepoint work");
                try
                {
                    item.Run(_writer);
                    _writer.Execute("release work");
                }
                catch (Exception fault) when (fault is not OutOfMemoryException && SQLitePCL.raw.sqlite3_get_autocommit(_writer.Handle) == 0)
                {
                    _writer.Execute("rollback to work; release work");
                    refused |= fault is SqliteException { SqliteErrorCode: ReadOnly or IoError or Corrupt or Full or CannotOpen };
                    good.RemoveAt(good.Count - 1);
                    bad.Add((item, fault)); // The others of the group go on.
                }
            }

            LedgerTree.Grow(_writer);
            _writer.Execute("commit");
        }
        catch (Exception fault) when (fault is not OutOfMemoryException) // SQLite ended the transaction by itself (disk full, I/O error), or the commit failed.
        {
            refused = true;
            RollBack();
            if (good.Count == 0 && bad.Count == 0) // It did not even begin: whoever waits must not wait for ever.
                while (_queue.Reader.TryRead(out var item)) good.Add(item);
            bad.AddRange(good.Select(it => (it, fault)));
            good.Clear();
        }

        _refused = refused; // Before anybody hears: whoever is told that its work failed may ask at once.
        foreach (var (work, fault) in bad) work.Fail(fault);
        foreach (var item in good) item.Done();
    }

    // Of a store that an older program wrote.
    private void CatchUp()
    {
        for (var grown = -1; grown != 0;)
        {
            _writer.Execute("begin immediate");
            grown = LedgerTree.Grow(_writer, AtOnce);
            _writer.Execute("commit");
        }
    }

    private void RollBack()
    {
        if (SQLitePCL.raw.sqlite3_get_autocommit(_writer.Handle) == 0) _writer.Execute("rollback");
    }

    private sealed record Work(Action<SqliteConnection> Run, Action Done, Action<Exception> Fail);
}
