using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;

namespace PhysSec.Node.Control;

/// <summary>What one step knows, and what it has asked for so far.</summary>
internal sealed class StepContext(TimeSpan uptime, DateTimeOffset? siteTime, PolicyIndex? policy, TimeSpan? policyAge, bool journalHealthy)
{
    private readonly List<DoorId> _rest = [];
    private readonly List<DoorId> _secure = [];
    private readonly List<Entry> _records = [];
    private readonly List<LockRelease> _release = [];
    private readonly List<Signal> _signals = [];
    private readonly List<Live> _live = [];
    private readonly List<CommandReply> _replies = [];
    private readonly List<ReaderTask> _readers = [];

    internal TimeSpan Uptime { get; } = uptime;

    internal DateTimeOffset? SiteTime { get; } = siteTime;

    internal PolicyIndex? Policy { get; set; } = policy;

    internal TimeSpan? PolicyAge { get; set; } = policyAge;

    internal bool JournalHealthy { get; set; } = journalHealthy;

    /// <summary>Something that must survive a restart has changed.</summary>
    internal bool Remember { get; set; }

    internal void Record(Fact fact, bool hot = false) => _records.Add(new(Streams.Access, fact, hot));

    internal void Measure(Measured fact) => _records.Add(new(Streams.Measurements, fact));

    internal void Rest(DoorId door) => _rest.Add(door);

    /// <summary>Locking is carried out first, so a release of the same step that it takes back must not follow it.</summary>
    internal void Secure(DoorId door)
    {
        _release.RemoveAll(it => it.Door == door);
        _secure.Add(door);
    }

    /// <summary>Several who are let in at once ask for one release.</summary>
    internal void Release(DoorId door, bool evenUnrecorded)
    {
        var before = _release.FindIndex(it => it.Door == door);
        if (before < 0) _release.Add(new(door, evenUnrecorded));
        else _release[before] = new(door, evenUnrecorded || _release[before].EvenUnrecorded);
    }

    internal void Show(Signal signal) => _signals.Add(signal);

    internal void Publish(PointId point, object? value, string quality, string unit) => _live.Add(new(point, value, quality, unit));

    internal void Order(ReaderTask task) => _readers.Add(task);

    internal void Reply(CommandReply reply) => _replies.Add(reply);

    internal Effects Effects(Func<NodeMemory> memory)
    {
        var kept = Remember ? memory() : null;
        return kept is null && _rest.Count + _secure.Count + _records.Count + _release.Count + _signals.Count + _live.Count + _replies.Count + _readers.Count == 0
            ? Control.Effects.None
            : new(_rest, _secure, _records, kept, _release, _signals, _live, _replies, _readers);
    }
}
