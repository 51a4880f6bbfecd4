using System.Threading.Channels;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using PhysSec.Node.Journal;

namespace PhysSec.Node;

/// <summary>Something that the shell itself puts on record.</summary>
public sealed record Noted(Entry Entry) : Input;

/// <summary>The hub's signed time and the node's at the moment it arrived.</summary>
public sealed record HubTimeSeen(DateTimeOffset HubTime, DateTimeOffset Wall, TimeSpan? SignedAfter) : Input;

/// <summary>What one step is to the loop: <c>NodeCore.Step</c>.</summary>
public delegate Effects StepFunction(Input input, TimeSpan uptime, DateTimeOffset? siteTime);

/// <summary>
/// The one loop that owns all state. Whoever has something to say posts it and goes on: a full queue loses the newest input, counts it, and has every
/// contact and every reader told again, so that nothing stays wrong for longer than the jam. Effects are carried out in the order that <see cref="Effects"/> gives.
/// </summary>
public sealed class ControlLoop
{
    public static readonly TimeSpan TickPeriod = TimeSpan.FromMilliseconds(50);
    private const int QueueMax = 1024;

    private readonly Channel<Input> _queue = Channel.CreateBounded<Input>(new BoundedChannelOptions(QueueMax) { SingleReader = true });
    private readonly Queue<Input> _first = new();
    private readonly TimeProvider _clock;
    private readonly SiteClock _siteClock;
    private readonly RecordKeeper _keeper;
    private readonly string _boot;
    private LinkState _link = LinkState.Down;
    private TimeZoneInfo _zone = SiteZone.Find("Asia/Tokyo");
    private PolicyArrived? _waiting;
    private long _policyVersion;
    private int _tickDue;
    private long _lost;
    private long _lostSeen;
    private long _beat;

    public ControlLoop(TimeProvider clock, SiteClock siteClock, RecordKeeper keeper, string boot) =>
        (_clock, _siteClock, _keeper, _boot, _beat) = (clock, siteClock, keeper, boot, clock.GetTimestamp());

    /// <summary>Inputs lost to a full queue since the start.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Time since the last tick was carried out: the watchdog's measure.</summary>
    public TimeSpan SinceBeat => _clock.GetElapsedTime(Interlocked.Read(ref _beat));

    public bool JournalHealthy => _keeper.Healthy;

    public string? JournalFault => _keeper.Fault;

    public ClockQuality Clock => _siteClock.Quality;

    /// <summary>Monotonic time since the machine's boot.</summary>
    public TimeSpan Uptime => _clock.GetElapsedTime(0);

    /// <summary>Site time, or null while it is not known.</summary>
    public DateTimeOffset? SiteTime => _siteClock.Quality == ClockQuality.Unset ? null : TimeZoneInfo.ConvertTime(_clock.GetUtcNow(), _zone);

    public Stamp Stamp => new(SiteTime, Uptime, _boot, _siteClock.Quality, _link);

    /// <summary>Never blocks.</summary>
    public void Post(Input input)
    {
        if (_queue.Writer.TryWrite(input)) return;
        if (input is PolicyArrived policy) Volatile.Write(ref _waiting, policy); // A revocation is never lost; the newest says all.
        else Interlocked.Increment(ref _lost);
    }

    /// <summary>Runs until told to stop; what was posted before is still carried out. Outputs are safe at the end, whatever the reason.</summary>
    /// <param name="step">The pure core.</param>
    /// <param name="field">The board.</param>
    /// <param name="live">Takes live values; never blocks.</param>
    /// <param name="reply">Takes answers to commands; never blocks.</param>
    /// <param name="stop">Ends the loop.</param>
    public async Task RunAsync(StepFunction step, Field field, Action<Live> live, Action<CommandReply> reply, CancellationToken stop)
    {
        var world = new World(step, field, live, reply);
        using var timer = _clock.CreateTimer(_ => OnTimer(), null, TickPeriod, TickPeriod);
        await using var ending = stop.Register(() => _queue.Writer.TryComplete());
        try
        {
            while (await _queue.Reader.WaitToReadAsync(CancellationToken.None))
            {
                while (_queue.Reader.TryRead(out var input))
                {
                    if (input is not Tick) await HandleAsync(world, input);
                    if (Interlocked.Exchange(ref _tickDue, 0) == 1) await TickAsync(world);
                }
            }
        }
        finally
        {
            field.MakeSafe();
        }
    }

    private void OnTimer()
    {
        // One tick waits at most; when the queue is full the loop finds it after the input at hand.
        if (Interlocked.Exchange(ref _tickDue, 1) == 0) _queue.Writer.TryWrite(new Tick());
    }

    private async Task TickAsync(World world)
    {
        if (Lost != _lostSeen)
        {
            _lostSeen = Lost;
            world.Field.PostAll();
        }

        if (Interlocked.Exchange(ref _waiting, null) is { } policy && policy.Policy.Version > _policyVersion) await HandleAsync(world, policy);
        if (_siteClock.Observe(_clock.GetUtcNow(), Uptime) is { } changed) await HandleAsync(world, changed);
        if (_keeper.Retry(Stamp)) await HandleAsync(world, new JournalHealthChanged(true, null));
        foreach (var it in world.Field.LockFaultChanges()) await HandleAsync(world, it);
        await HandleAsync(world, new Tick());
        Interlocked.Exchange(ref _beat, _clock.GetTimestamp());
    }

    private async Task HandleAsync(World world, Input input)
    {
        _first.Enqueue(input);
        while (_first.TryDequeue(out var next))
        {
            switch (next)
            {
                case Noted noted:
                    await KeepAsync([noted.Entry], null);
                    continue;
                case HubTimeSeen seen:
                    if (_siteClock.HubSays(seen.HubTime, seen.Wall, Uptime, seen.SignedAfter) is { } changed) _first.Enqueue(changed);
                    continue;
                case LinkChanged link:
                    _link = link.Up ? LinkState.Up : LinkState.Down;
                    break;
                case PolicyArrived policy:
                    _zone = SiteZone.Find(policy.Policy.TimeZone);
                    _policyVersion = policy.Policy.Version;
                    break;
                default:
                    break;
            }

            await CarryOutAsync(world, world.Step(next, Uptime, SiteTime));
        }
    }

    private async Task CarryOutAsync(World world, Effects effects)
    {
        foreach (var door in effects.Rest) world.Field.Rest(door);
        foreach (var door in effects.Secure) world.Field.Secure(door);

        var waits = effects.Release.Any(it => !it.EvenUnrecorded) || effects.Readers.Any(it => it.Act != ReaderActs.End);
        var recorded = effects.Records.Count == 0 && effects.Memory is null
            || await KeepAsync(effects.Records, effects.Memory, waits ? [.. effects.Records.Select(Unreleased)] : effects.Records);
        foreach (var release in effects.Release.Where(it => recorded || it.EvenUnrecorded)) world.Field.Release(release.Door);
        foreach (var task in effects.Readers.Where(it => recorded || it.Act == ReaderActs.End)) world.Field.Carry(task);

        foreach (var signal in effects.Signals) world.Field.Show(signal);
        foreach (var value in effects.Live) world.Live(value);
        foreach (var answer in effects.Replies)
            world.Reply(recorded || !waits ? answer : answer with { Outcome = "refused", Fault = Unrecorded });
    }

    private Task<bool> KeepAsync(IReadOnlyList<Entry> records, NodeMemory? memory) => KeepAsync(records, memory, records);

    private async Task<bool> KeepAsync(IReadOnlyList<Entry> records, NodeMemory? memory, IReadOnlyList<Entry> otherwise)
    {
        var healthy = _keeper.Healthy;
        var write = new JournalWrite(records, memory, Stamp);
        var recorded = await _keeper.KeepAsync(write, ReferenceEquals(records, otherwise) ? write : write with { Entries = otherwise });
        if (healthy && !_keeper.Healthy) _first.Enqueue(new JournalHealthChanged(false, _keeper.Fault));
        return recorded;
    }

    private const string Unrecorded = "the journal cannot record it, so nothing was done";

    /// <summary>What is true of a release that could not be recorded in time: whoever asked for it was refused.</summary>
    private static Entry Unreleased(Entry entry) => entry.Fact switch
    {
        AccessGranted it => entry with
        {
            Fact = new AccessDenied(
                it.Door, it.Direction, it.Credential, it.Person, DenialReason.JournalFault, (int)DenialReason.JournalFault, "a journal that can be written",
                it.PolicyVersion, it.PolicyHash, it.PolicyAgeSeconds),
        },
        CommandExecuted { Verb: Verbs.Release or Verbs.Mode or Verbs.Reader, Outcome: "done" } it => entry with { Fact = it with { Outcome = "refused", Fault = Unrecorded } },
        _ => entry,
    };

    private sealed record World(StepFunction Step, Field Field, Action<Live> Live, Action<CommandReply> Reply);
}

/// <summary>The site's time zone by its IANA name.</summary>
public static class SiteZone
{
    private static readonly TimeZoneInfo _japan = TimeZoneInfo.CreateCustomTimeZone("Japan", TimeSpan.FromHours(9), "Japan", "Japan");

    /// <summary>A board without time zone data, or a policy with a name it does not know, counts in Japan's time.</summary>
    public static TimeZoneInfo Find(string name) => TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? zone : _japan;
}
