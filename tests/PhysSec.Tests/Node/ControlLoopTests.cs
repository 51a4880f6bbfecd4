using System.Collections.Concurrent;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Hardware;
using PhysSec.Node;
using PhysSec.Node.Control;
using PhysSec.Node.Journal;
using PhysSec.Tests.Hardware;
using PhysSec.Tests.Journal;
using PhysSec.Tests.Uplink;

namespace PhysSec.Tests.Node;

/// <summary>What the loop does with the effects of a step, on a simulated board with a journal that can be broken.</summary>
public sealed class ControlLoopTests : IAsyncLifetime
{
    private static readonly DoorId _door = new("door-a");
    private static readonly AccessGranted _granted = new(
        _door, Direction.In, new(new string('a', 64)), new("p-sato"), new("r-1"), 3, new('b', 64), 60, "right r-1", Assurance.Low);

    private readonly RunningRoom _room = new();
    private readonly JournalFolder _folder = new();
    private readonly ConcurrentQueue<Input> _seen = new();
    private readonly ConcurrentQueue<CommandReply> _replies = new();
    private readonly CancellationTokenSource _stop = new();
    private volatile string? _broken;
    private Board _board = null!;
    private JournalWriter _writer = null!;
    private ControlLoop _loop = null!;
    private Task _running = Task.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        var reader = new OsdpEntry("door-a.reader", DeviceRole.EntryReader, _door.Value, new("/dev/no-such-port", 9_600), 0, Keypad: false);
        _board = Board.Open(_room.OneRoom with { Devices = [.. _room.OneRoom.Devices, reader] }, TimeProvider.System);
        _writer = new JournalWriter(() => _broken is { } fault ? throw new JournalException(fault) : _folder.Open());
        await _writer.ProbeAsync(new([], null, JournalFolder.At()));
        var keeper = new RecordKeeper(_writer, TimeProvider.System, _ => { });
        _loop = new ControlLoop(TimeProvider.System, new SiteClock(Firmware.ReleasedAt, null), keeper, "boot-1");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ContinueWith(_ => { }, TaskScheduler.Default);
        await _writer.DisposeAsync();
        _board.Dispose();
        await _room.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_release_follows_its_record()
    {
        Run(input => input is CardRead ? Release() : Effects.None);
        _loop.Post(Card());
        await Eventually.TrueAsync(() => Lock.On);
        Assert.IsType<AccessGranted>(Assert.Single(Facts()));
    }

    [Fact]
    public async Task Without_a_record_nothing_is_released_and_what_is_stored_later_says_refused()
    {
        Run(input => input is CardRead ? Release() : Effects.None);
        Break();
        _loop.Post(Card());
        await Eventually.TrueAsync(() => _replies.Count == 1);
        Assert.False(Lock.On);
        Assert.Equal("refused", _replies.First().Outcome);

        _broken = null;
        await Eventually.TrueAsync(() => _seen.OfType<JournalHealthChanged>().Any(it => it.Healthy));
        Assert.Equal(DenialReason.JournalFault, Assert.IsType<AccessDenied>(Assert.Single(Facts())).Reason);
        Assert.False(Lock.On);
    }

    [Fact]
    public async Task A_commanded_release_that_could_not_be_recorded_is_stored_as_refused()
    {
        Run(input => input is CardRead
            ? Release() with { Records = [new Entry("a", new CommandExecuted(Verbs.Release, "n-1", "admin", "delivery", "done", null))] }
            : Effects.None);
        Break();
        _loop.Post(Card());
        await Eventually.TrueAsync(() => _replies.Count == 1);

        _broken = null;
        await Eventually.TrueAsync(() => _seen.OfType<JournalHealthChanged>().Any(it => it.Healthy));
        var stored = Assert.IsType<CommandExecuted>(Assert.Single(Facts()));
        Assert.Equal(("refused", _replies.First().Fault), (stored.Outcome, stored.Fault));
    }

    [Fact]
    public async Task Where_the_zone_says_so_a_release_goes_ahead_without_its_record()
    {
        Run(input => input is CardRead ? Release(evenUnrecorded: true) : Effects.None);
        Break();
        _loop.Post(Card());
        await Eventually.TrueAsync(() => Lock.On);
        Assert.Equal("done", _replies.First().Outcome);
    }

    [Fact]
    public async Task Locking_waits_for_nothing()
    {
        Run(input => input is CardRead ? Effects.None with { Secure = [_door], Records = [new Entry("a", _granted)] } : Effects.None);
        Lock.Set(true);
        Break();
        _loop.Post(Card());
        await Eventually.TrueAsync(() => !Lock.On);
    }

    [Theory]
    [InlineData(ReaderActs.Install, false)]
    [InlineData(ReaderActs.End, true)] // To close a window waits for nothing.
    public async Task What_cannot_be_recorded_is_not_done_at_a_reader(string act, bool carried)
    {
        var order = Effects.None with
        {
            Records = [new Entry("a", new CommandExecuted(Verbs.Reader, "n-1", "admin", "a new reader", "done", null))],
            Readers = [new ReaderTask(_door, Direction.In, act, _loop.Uptime + TimeSpan.FromMinutes(5), null)],
            Replies = [new CommandReply("n-1", "done", null)],
        };
        Run(input => input is CardRead ? order : Effects.None).StartReaders();
        if (carried) _board.OsdpReaders[0].Install(_loop.Uptime + TimeSpan.FromMinutes(5), replaces: false, System.Security.Cryptography.RandomNumberGenerator.Fill);
        Break();
        _loop.Post(Card());
        await Eventually.TrueAsync(() => _replies.Count == 1);
        if (carried) await Eventually.TrueAsync(() => _seen.OfType<ReaderKeyFailed>().Any());
        Assert.Equal(carried ? "done" : "refused", _replies.First().Outcome);
        Assert.False(_board.OsdpReaders[0].Link.IsBeingInstalled);

        _broken = null;
        await Eventually.TrueAsync(() => _seen.OfType<JournalHealthChanged>().Any(it => it.Healthy));
        Assert.Equal(carried ? "done" : "refused", Assert.IsType<CommandExecuted>(Assert.Single(Facts())).Outcome);
    }

    [Fact]
    public async Task The_core_hears_of_a_broken_journal_before_anything_else()
    {
        Run(input => input is CardRead ? Release() : Effects.None);
        Break();
        _loop.Post(Card());
        _loop.Post(new LinkChanged(true));
        await Eventually.TrueAsync(() => _seen.Any(it => it is LinkChanged));
        Assert.Equal(
            [typeof(CardRead), typeof(JournalHealthChanged), typeof(LinkChanged)],
            _seen.Where(it => it is CardRead or JournalHealthChanged or LinkChanged).Select(it => it.GetType()));
    }

    [Fact]
    public async Task A_full_queue_loses_the_newest_input_and_has_every_contact_and_reader_told_again()
    {
        await Eventually.TrueAsync(() => _board.Inputs.All(it => it.Active is not null));
        for (var i = 0; i < 3000; i++) _loop.Post(Card());
        Assert.Equal(3000 - 1024, _loop.Lost);
        Run(_ => Effects.None);
        await Eventually.TrueAsync(() => _seen.OfType<ContactChanged>().Select(it => it.Device).Distinct().Count() == _board.Inputs.Count);
        Assert.Equal(1024, _seen.Count(it => it is CardRead));
        Assert.NotEmpty(_seen.OfType<ReaderKeptSeen>());
    }

    [Fact]
    public async Task The_core_hears_of_every_lock_at_the_start_and_of_one_that_does_not_obey_until_it_does()
    {
        Run(_ => Effects.None);
        await Eventually.TrueAsync(() => _seen.OfType<LockFaultChanged>().Any());
        Assert.Equal([new LockFaultChanged(_door, null)], _seen.OfType<LockFaultChanged>());

        await _room.StopAsync();
        Lock.Set(true);
        await Eventually.TrueAsync(() => _seen.OfType<LockFaultChanged>().Count() == 2);
        Assert.Contains(Lock.Id, _seen.OfType<LockFaultChanged>().Last().Fault, StringComparison.Ordinal);

        _room.Start();
        await Eventually.TrueAsync(() => _seen.OfType<LockFaultChanged>().Count() == 3);
        Assert.Null(_seen.OfType<LockFaultChanged>().Last().Fault);
        Assert.False(Lock.On);
    }

    [Fact]
    public async Task A_full_queue_loses_no_policy()
    {
        using var site = new TestSite();
        for (var i = 0; i < 1100; i++) _loop.Post(Card());
        _loop.Post(new PolicyArrived(site.Policy(4, JournalFolder.Noon), "hash-4", JournalFolder.Noon));
        _loop.Post(new PolicyArrived(site.Policy(5, JournalFolder.Noon), "hash-5", JournalFolder.Noon));
        Run(_ => Effects.None);
        await Eventually.TrueAsync(() => _seen.OfType<PolicyArrived>().Any());
        Assert.Equal(5, Assert.Single(_seen.OfType<PolicyArrived>()).Policy.Version);
    }

    [Fact]
    public async Task A_loop_that_fails_leaves_the_outputs_off()
    {
        Run(input => input is CardRead ? throw new InvalidOperationException("a bug") : Effects.None);
        Lock.Set(true);
        _loop.Post(Card());
        await Assert.ThrowsAsync<InvalidOperationException>(() => _running);
        Assert.All(_board.Outputs, it => Assert.False(it.On));
    }

    [Fact]
    public async Task What_was_posted_before_the_stop_is_still_recorded_and_then_the_outputs_are_off()
    {
        Run(_ => Effects.None);
        Lock.Set(true);
        _loop.Post(new Noted(new Entry("a", new NodeStopped("stopped"))));
        await _stop.CancelAsync();
        await _running;
        Assert.False(Lock.On);
        Assert.IsType<NodeStopped>(Assert.Single(Facts()));
    }

    private BoardOutput Lock => _board.Outputs.Single(it => it.Role == DeviceRole.Lock);

    private static CardRead Card() => new(_door, Direction.In, new(new string('a', 64)));

    private static Effects Release(bool evenUnrecorded = false) => Effects.None with
    {
        Records = [new Entry("a", _granted)],
        Release = [new LockRelease(_door, evenUnrecorded)],
        Replies = [new CommandReply("n-1", "done", null)],
    };

    private Field Run(Func<Input, Effects> step)
    {
        var field = new Field(_board, new byte[32], _loop.Post);
        _running = _loop.RunAsync(
            (input, _, _) =>
            {
                _seen.Enqueue(input);
                return step(input);
            }, field, _ => { }, _replies.Enqueue, _stop.Token);
        return field;
    }

    /// <summary>From now on the disk is full: the open journal fails at its next record.</summary>
    private void Break()
    {
        _broken = "the disk is full";
        _writer.Store!.Dispose();
    }

    private List<Fact> Facts() =>
        [.. _writer.Store!.All().Select(it => System.Text.Json.JsonSerializer.Deserialize(it.Body, WireJson.Plain.JournalRecord)!.Fact)];
}
