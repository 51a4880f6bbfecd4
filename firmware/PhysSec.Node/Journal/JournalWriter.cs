using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace PhysSec.Node.Journal;

/// <summary>
/// The journal's one writer. Commits that wait together share one flush. A caller that stops waiting takes its records back: they are not
/// stored unless the disk was already writing them, and then <see cref="JournalCommit.Records"/> tells it.
/// </summary>
public sealed class JournalWriter : IAsyncDisposable
{
    private const int WaitingMax = 256;
    private const int GroupMax = 64;

    private readonly Func<JournalStore> _open;
    private readonly Channel<JournalCommit> _waiting = Channel.CreateBounded<JournalCommit>(WaitingMax);
    private readonly Task _loop;
    private JournalStore? _store;

    /// <param name="open">Opens and verifies the journal; called again after a failure, because a failed flush leaves the file in doubt.</param>
    public JournalWriter(Func<JournalStore> open)
    {
        _open = open;
        _loop = Task.Factory.StartNew(Write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>The open journal, or null while it cannot be opened.</summary>
    public JournalStore? Store => Volatile.Read(ref _store);

    /// <summary>Why the last commit failed; null when it did not.</summary>
    public string? Fault { get; private set; }

    /// <summary>Opens the journal if it is not open, and proves that it can be written.</summary>
    /// <returns>Null, or what is wrong.</returns>
    public async Task<string?> ProbeAsync(JournalWrite probe)
    {
        var commit = Enqueue(probe);
        await commit.Task;
        return commit.Fault;
    }

    /// <summary>Hands records over. Never blocks: a full queue is a failed commit at once.</summary>
    /// <param name="writes">Stored in this order, all of them or none.</param>
    public JournalCommit Enqueue(params IReadOnlyList<JournalWrite> writes)
    {
        var commit = new JournalCommit(writes);
        if (!_waiting.Writer.TryWrite(commit)) commit.Fail("the journal writer does not keep up");
        return commit;
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _loop;
        _store?.Dispose();
        _store = null;
    }

    private void Write()
    {
        var group = new List<JournalCommit>(GroupMax);
        while (_waiting.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            group.Clear();
            while (group.Count < GroupMax && _waiting.Reader.TryRead(out var commit)) group.Add(commit);
            CommitGroup(group);
        }
    }

    private void CommitGroup(List<JournalCommit> group)
    {
        try
        {
            if (_store is { Damaged: true }) CloseStore();
            var store = _store;
            if (store is null) Volatile.Write(ref _store, store = _open());
            while (true)
            {
                foreach (var given in group.Where(it => it.Abandoned)) given.Fail("the caller gave up before the journal answered");
                group.RemoveAll(it => it.Abandoned);
                if (group.Count == 0) return;
                var stored = store.Commit([.. group.SelectMany(it => it.Writes)], () => !group.Exists(it => it.Abandoned));
                if (stored is null) continue; // Somebody gave up meanwhile: again without them.
                Fault = null;
                var next = 0;
                foreach (var commit in group)
                {
                    commit.Succeed([.. stored.Skip(next).Take(commit.Writes.Count).SelectMany(it => it)]);
                    next += commit.Writes.Count;
                }

                return;
            }
        }
        catch (Exception failure) // Whatever it was: this thread lives as long as the node, and who waits is told.
        {
            Fault = failure is JournalException ? failure.Message : $"the journal failed: {failure.Message}";
            CloseStore();
            foreach (var commit in group) commit.Fail(Fault);
        }
    }

    private void CloseStore()
    {
        var store = _store;
        Volatile.Write(ref _store, null);
        try
        {
            store?.Dispose();
        }
        catch (SqliteException failure)
        {
            Fault = failure.Message; // The file is let go of all the same; the next opening verifies it.
        }
    }
}

/// <summary>Records on their way to the disk.</summary>
public sealed class JournalCommit(IReadOnlyList<JournalWrite> writes)
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _abandoned;

    public IReadOnlyList<JournalWrite> Writes { get; } = writes;

    /// <summary>Completes, never in fault, when the commit has succeeded or failed.</summary>
    public Task Task => _done.Task;

    /// <summary>The durable records; null until <see cref="Task"/> completes and when it failed.</summary>
    public IReadOnlyList<StoredRecord>? Records { get; private set; }

    public string? Fault { get; private set; }

    public bool Abandoned => Volatile.Read(ref _abandoned) == 1;

    /// <summary>The caller no longer waits. The records are dropped unless the disk is already writing them.</summary>
    public void Abandon()
    {
        Volatile.Write(ref _abandoned, 1);
    }

    internal void Succeed(IReadOnlyList<StoredRecord> records)
    {
        Records = records;
        _done.TrySetResult();
    }

    internal void Fail(string fault)
    {
        Fault = fault;
        _done.TrySetResult();
    }
}
