using PhysSec.Node.Journal;
using static PhysSec.Tests.Journal.JournalFolder;

namespace PhysSec.Tests.Journal;

public sealed class JournalWriterTests : IDisposable
{
    private readonly JournalFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Commits_that_wait_together_are_stored_in_the_order_they_came()
    {
        await using var writer = new JournalWriter(() => _folder.Open());
        var commits = Enumerable.Range(0, 200).Select(it => writer.Enqueue(Write(it, Opened()))).ToList();
        await Task.WhenAll(commits.Select(it => it.Task));
        Assert.Equal(Enumerable.Range(1, 200).Select(it => (long)it), commits.Select(it => it.Records![0].Seq));
    }

    [Fact]
    public async Task A_caller_that_gave_up_in_the_queue_stores_nothing()
    {
        using var mayOpen = new ManualResetEventSlim();
        await using var writer = new JournalWriter(() =>
        {
            mayOpen.Wait();
            return _folder.Open();
        });
        var first = writer.Enqueue(Write(1, Opened()));
        var second = writer.Enqueue(Write(2, Opened()));
        second.Abandon();
        mayOpen.Set();
        await Task.WhenAll(first.Task, writer.Enqueue(Write(3, Opened())).Task);
        Assert.Equal([1, 2], writer.Store!.All().Select(it => it.Seq));
        Assert.Null(second.Records);
    }

    [Fact]
    public async Task A_journal_that_a_read_found_damaged_is_opened_and_verified_anew()
    {
        using (var store = _folder.Open())
        {
            for (var i = 0; i < 60; i++) store.Add(i, Opened());
            store.Acknowledge(1, "a", 60, 1);
            store.Add(60, Opened());
        }

        var bytes = await File.ReadAllBytesAsync(_folder.File, TestContext.Current.CancellationToken);
        for (var from = 0; bytes.AsSpan(from).IndexOf("\"seq\":7,"u8) is >= 0 and var at; from += at + 1) bytes[from + at + 6] = (byte)'8'; // Also in pages no longer used.
        await File.WriteAllBytesAsync(_folder.File, bytes, TestContext.Current.CancellationToken);

        await using var writer = new JournalWriter(() => _folder.Open(checkBytesMax: 0));
        await writer.Enqueue(Write(61, Opened())).Task;
        var before = writer.Store!;
        Assert.Throws<JournalException>(() => before.Read(1, "a", 1, 60, 100, int.MaxValue));
        Assert.True(before.Damaged);
        await writer.Enqueue(Write(62, Opened())).Task;
        Assert.NotSame(before, writer.Store);
        Assert.Equal(63, writer.Store!.State("a").Seq);
    }

    [Fact]
    public async Task A_journal_that_cannot_be_opened_is_tried_again_and_nothing_is_claimed_meanwhile()
    {
        var broken = true;
        await using var writer = new JournalWriter(() => broken ? throw new JournalException("the disk is full") : _folder.Open());
        var failed = writer.Enqueue(Write(1, Opened()));
        await failed.Task;
        Assert.Equal("the disk is full", failed.Fault);
        Assert.Null(failed.Records);
        Assert.Equal("the disk is full", await writer.ProbeAsync(Write(2)));

        broken = false;
        Assert.Null(await writer.ProbeAsync(Write(3)));
        var stored = writer.Enqueue(Write(4, Opened()));
        await stored.Task;
        Assert.Equal(1, Assert.Single(stored.Records!).Seq);
    }
}
