using Microsoft.Extensions.Time.Testing;
using PhysSec.Core.Wire;
using PhysSec.Node;
using PhysSec.Node.Journal;
using PhysSec.Tests.Journal;
using PhysSec.Tests.Uplink;
using static PhysSec.Tests.Journal.JournalFolder;

namespace PhysSec.Tests.Node;

/// <summary>RECORDED: in time or not at all, and nothing is dropped silently.</summary>
public sealed class RecordKeeperTests : IAsyncLifetime
{
    private readonly JournalFolder _folder = new();
    private readonly FakeTimeProvider _clock = new();
    private readonly List<StoredRecord> _committed = [];
    private readonly ManualResetEventSlim _mayOpen = new(true);
    private volatile string? _broken;
    private JournalWriter _writer = null!;
    private RecordKeeper _keeper = null!;

    public ValueTask InitializeAsync()
    {
        _writer = new JournalWriter(() =>
        {
            _mayOpen.Wait();
            return _broken is { } fault ? throw new JournalException(fault) : _folder.Open();
        });
        _keeper = new(_writer, _clock, _committed.AddRange);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _mayOpen.Set();
        await _writer.DisposeAsync();
        _mayOpen.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_commit_in_time_is_durable_and_told()
    {
        Assert.True(await Keep(1));
        Assert.True(_keeper.Healthy);
        Assert.Equal(1, Assert.Single(_committed).Seq);
    }

    [Fact]
    public async Task A_disk_that_does_not_answer_within_250_ms_is_a_fault()
    {
        _mayOpen.Reset();
        var keeping = Keep(1);
        _clock.Advance(RecordKeeper.CommitWait);
        Assert.False(await keeping);
        Assert.Equal("the journal did not answer within 250 ms", _keeper.Fault);
        Assert.Empty(_committed);
    }

    [Fact]
    public async Task While_it_is_broken_records_wait_in_order_and_are_stored_when_it_works_again()
    {
        _broken = "the disk is full";
        Assert.False(await Keep(1));
        Assert.False(await Keep(2));
        Assert.False(await Keep(3));
        Assert.Equal("the disk is full", _keeper.Fault);

        _broken = null;
        await Eventually.TrueAsync(Recovered);
        Assert.Equal([1, 2, 3], _committed.Select(it => it.Seq));
        Assert.Equal([Noon.AddSeconds(1), Noon.AddSeconds(2), Noon.AddSeconds(3)], Times());
        Assert.True(await Keep(4));
    }

    [Fact]
    public async Task What_the_refusal_changes_is_stored_as_it_then_was()
    {
        _broken = "the disk is full";
        Assert.False(await _keeper.KeepAsync(Write(1, Opened("door-a")), Write(1, Opened("door-b"))));
        _broken = null;
        await Eventually.TrueAsync(Recovered);
        Assert.Contains("door-b", Assert.Single(_committed).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_that_was_written_after_all_is_not_written_twice()
    {
        _mayOpen.Reset();
        var keeping = Keep(1);
        _clock.Advance(RecordKeeper.CommitWait);
        Assert.False(await keeping);
        _mayOpen.Set();
        await Eventually.TrueAsync(Recovered);
        Assert.Equal([1], _committed.Select(it => it.Seq));
        Assert.Single(_writer.Store!.All());
    }

    [Fact]
    public async Task A_release_that_was_written_too_late_is_followed_by_what_became_of_it()
    {
        Assert.True(await Keep(0));
        using var flushing = new SemaphoreSlim(0);
        using var mayFlush = new SemaphoreSlim(0);
        _writer.Store!.OnFlush(() =>
        {
            flushing.Release();
            mayFlush.Wait();
        });
        var shared = Opened("door-c");
        var keeping = _keeper.KeepAsync(Write(1, Opened("door-a"), shared), Write(1, Opened("door-b"), shared));
        await flushing.WaitAsync(TestContext.Current.CancellationToken);
        _clock.Advance(RecordKeeper.CommitWait);
        Assert.False(await keeping);
        Assert.False(await Keep(2));

        mayFlush.Release(100);
        await Eventually.TrueAsync(Recovered);
        Assert.Equal(["door-a", "door-a", "door-c", "door-b", "door-a"], _committed.Select(it => Exit(it).Door.Value));
        Assert.Equal([0, 1, 1, 1, 2], Times().Select(it => (it - Noon).TotalSeconds));
        Assert.Equal(5, _writer.Store!.All().Count);
    }

    [Fact]
    public async Task Whatever_the_journal_throws_the_writer_lives_on()
    {
        var bug = true;
        await using var writer = new JournalWriter(() => bug ? throw new NotSupportedException("a bug") : _folder.Open());
        Assert.Equal("the journal failed: a bug", await writer.ProbeAsync(Write(1)));
        bug = false;
        Assert.Null(await writer.ProbeAsync(Write(2)));
    }

    [Fact]
    public async Task More_than_can_be_kept_is_lost_with_a_record_that_says_so()
    {
        _broken = "the disk is full";
        await _keeper.KeepAsync(Write(0, Measured(20)), Write(0, Measured(20)));
        for (var i = 1; i <= 10_005; i++) await Keep(i);
        _broken = null;
        await Eventually.TrueAsync(Recovered);
        Assert.Contains(_committed, it => it.Body.Contains("steps could not be kept", StringComparison.Ordinal));
        Assert.Equal(10_001, _writer.Store!.All().Count);
    }

    private Task<bool> Keep(double seconds) => _keeper.KeepAsync(Write(seconds, Opened()), Write(seconds, Opened()));

    private static ExitRequested Exit(StoredRecord stored) =>
        (ExitRequested)System.Text.Json.JsonSerializer.Deserialize(stored.Body, WireJson.Plain.JournalRecord)!.Fact;

    private bool Recovered()
    {
        _clock.Advance(TimeSpan.FromSeconds(1));
        return _keeper.Retry(At(99));
    }

    private IEnumerable<DateTimeOffset> Times() =>
        _committed.Select(it => System.Text.Json.JsonSerializer.Deserialize(it.Body, WireJson.Plain.JournalRecord)!.At!.Value);
}
