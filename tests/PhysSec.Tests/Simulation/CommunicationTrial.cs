using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using MQTTnet;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Node;
using PhysSec.Node.Control;
using PhysSec.Node.Journal;
using PhysSec.Node.Uplink;
using PhysSec.Tests.Control;
using PhysSec.Tests.Uplink;

namespace PhysSec.Tests.Simulation;

/// <summary>
/// One node, from the bytes of the broker to the lock, whose line, hub and clocks go wrong: the shipped intake, clock and core on a real journal, under a
/// wall clock and a monotonic one that the trial moves apart.
/// </summary>
internal sealed class CommunicationTrial
{
    private static readonly DateTimeOffset _begin = new(2026, 11, 24, 10, 0, 0, TimeSpan.FromHours(9));
    private static long _nonces;

    private readonly TestSite _site;
    private readonly JournalStore _journal;
    private readonly ECDsa _stranger;
    private readonly Random _random;
    private readonly TwoClocks _clock = new(_begin);
    private readonly List<Input> _posted = [];
    private readonly List<(string Topic, byte[] Bytes)> _told = []; // What whoever taps the line can play again.
    private readonly List<(DateTimeOffset After, string Topic, byte[] Bytes)> _delayed = [];
    private readonly bool _clocksHold;
    private NodeCore _core = null!;
    private SiteClock _siteClock = null!;
    private Inbox _inbox = null!;
    private NodeMemory? _memory;
    private DateTimeOffset? _newest;
    private long _version = 5;

    /// <param name="site">Keys.</param>
    /// <param name="journal">Keeps nonces and the policy.</param>
    /// <param name="stranger">A key that is not the hub's.</param>
    /// <param name="seed">Everything that is random.</param>
    public CommunicationTrial(TestSite site, JournalStore journal, ECDsa stranger, int seed)
    {
        (_site, _journal, _stranger, _random) = (site, journal, stranger, new Random(seed));
        _clocksHold = seed % 2 == 0;
    }

    public int Faults { get; private set; }

    public int Releases { get; private set; }

    public bool Free { get; private set; }

    private DateTimeOffset True { get; set; } = _begin;

    private static string Ack => Topics.Ack(TestSite.Site, TestSite.Node);

    private static string Policies => Topics.Policy(TestSite.Site, TestSite.Node);

    /// <summary>A running node with a policy in force and a confirmed clock.</summary>
    public void Begin()
    {
        _journal.Put(JournalStore.ForgottenName, DateTimeOffset.MinValue.ToString("O", System.Globalization.CultureInfo.InvariantCulture)); // The trial before, in the same journal, was another node's.
        Start(null);
        HubSpeaks();
        Tell(Policies, Bytes(_site.Snapshot(_site.Policy(_version, _begin), _begin), WireJson.Plain.PolicyMessage));
    }

    /// <summary>The one thing that must work: a fresh command of the hub, once.</summary>
    public void ReleaseByCommand()
    {
        Tell(CommandTopic(Verbs.Release), Command(Verbs.Release, _clock.Wall.AddSeconds(20)));
        Pass(60);
    }

    public void PressExitButton() => Step(new ContactChanged("door-a.button", ContactRole.ExitButton, NodeProbe.Door, true));

    /// <summary>What follows has nobody at the door and no fresh release of the hub in it.</summary>
    public void GoWrong(int faults)
    {
        for (Faults = 0; Faults < faults; Faults++)
        {
            GoWrongOnce();
            Pass(_random.Next(4) switch { 0 => 0, 1 => 0.05, 2 => _random.Next(1, 100), _ => _random.Next(1, 20) });
            foreach (var late in _delayed.Where(it => it.After < True).ToList())
            {
                _delayed.Remove(late);
                Tell(late.Topic, late.Bytes);
            }
        }
    }

    private void GoWrongOnce()
    {
        switch (_random.Next(14))
        {
            case 0 or 1:
                Step(new LinkChanged(_random.Next(2) == 0));
                break;
            case 2 or 3: // Delivered again, as a broker, a restored hub or a stranger would.
                var (topic, bytes) = Any();
                Take(_random.Next(5) == 0 ? Any().Topic : topic, bytes);
                break;
            case 4:
                var garbage = new byte[_random.Next(300)];
                _random.NextBytes(garbage);
                Take(Any().Topic, garbage);
                break;
            case 5: // Cut short, or one byte changed.
                var known = Any();
                var spoilt = known.Bytes[..(_random.Next(2) == 0 ? _random.Next(known.Bytes.Length) : known.Bytes.Length)];
                if (spoilt.Length > 0) spoilt[_random.Next(spoilt.Length)] ^= (byte)(1 << _random.Next(8));
                if (!spoilt.AsSpan().SequenceEqual(known.Bytes)) Take(known.Topic, spoilt);
                break;
            case 6: // Somebody else's signature, or the hub's for another node.
                var release = new Command(Verbs.Release, Nonce(), _clock.Wall.AddSeconds(20), "op", "x", new Dictionary<string, string> { ["door"] = "door-a" }, "");
                var signer = _random.Next(2) == 0 ? _stranger : _site.HubKey;
                var other = signer == _stranger ? TestSite.Node : new NodeId("node-b");
                Tell(CommandTopic(Verbs.Release), Bytes(release with { Signature = Signing.Sign(signer, Signing.CommandText(TestSite.Site, other, release)) }, WireJson.Plain.Command));
                break;
            case 7: // Held up on the way until its time was over.
                var notAfter = True.AddSeconds(_random.Next(1, 60));
                if (_clocksHold) _delayed.Add((notAfter.AddSeconds(2), CommandTopic(Verbs.Release), Command(Verbs.Release, notAfter)));
                break;
            case 8: // A hub from a backup: older rules under a higher epoch.
                var older = _random.Next(1, (int)_version);
                Tell(Policies, Bytes(_site.Snapshot(_site.Policy(older, _begin.AddDays(-older)), _clock.Wall), WireJson.Plain.PolicyMessage));
                HubSpeaks(hubEpoch: _random.Next(1, 9));
                break;
            case 9:
                Tell(Policies, Bytes(_site.Snapshot(_site.Policy(++_version, _clock.Wall), _clock.Wall), WireJson.Plain.PolicyMessage));
                break;
            case 10: // The hub comes back, in time or with a clock that was set anywhere.
                HubSpeaks(_clocksHold ? TimeSpan.Zero : Jump());
                break;
            case 11:
                if (!_clocksHold) _clock.Wall += Jump();
                break;
            case 12: // A command that is fresh by this node's clock, whatever that says: it has the node forget old ones.
                Tell(CommandTopic(Verbs.Silence), Command(Verbs.Silence, _clock.Wall.AddSeconds(20)));
                break;
            default:
                if (_random.Next(3) == 0) Start(_memory);
                else Take(Topics.Hub(TestSite.Site), Encoding.UTF8.GetBytes("{\"state\":\"online\",\"hubEpoch\":-1}"));
                break;
        }
    }

    private TimeSpan Jump() => TimeSpan.FromSeconds(_random.Next(6) switch
    {
        0 => _random.Next(-5, 5),
        1 => _random.Next(-600, 600),
        2 => -86_400 * _random.Next(1, 4),
        3 => 86_400 * _random.Next(1, 4),
        4 => (_begin - _clock.Wall).TotalSeconds, // Back to where it was.
        _ => (DateTimeOffset.UnixEpoch - _clock.Wall).TotalSeconds,
    });

    private void HubSpeaks(TimeSpan off = default, long hubEpoch = 1) => Tell(Ack, Bytes(
        _site.Sign(new Ack(hubEpoch, 1, Streams.Access, _random.Next(100), [], (_clocksHold ? True : _clock.Wall) + off, "")), WireJson.Plain.Ack));

    private byte[] Command(string verb, DateTimeOffset notAfter) =>
        Bytes(_site.Command(verb, Nonce(), notAfter, ("door", "door-a"), ("alarm", "leak:leak")), WireJson.Plain.Command);

    private static string Nonce() => $"n-{Interlocked.Increment(ref _nonces)}";

    private static string CommandTopic(string verb) => Topics.Command(TestSite.Site, TestSite.Node, verb);

    private static byte[] Bytes<T>(T message, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(message, type);

    private (string Topic, byte[] Bytes) Any() => _told[_random.Next(_told.Count)];

    /// <summary>The program starts, with what a run before has left on the disk.</summary>
    private void Start(NodeMemory? memory)
    {
        Free = false; // The lines fall back when the program ends.
        _siteClock = new SiteClock(_begin.AddYears(-1), _newest);
        _siteClock.Observe(_clock.Wall, _clock.Up);
        var policies = new PolicyIntake(TestSite.Site, TestSite.Node, _site.HubKey, () => _journal);
        var setup = NodeProbe.Setup(null, _siteClock.Quality) with { Policy = memory is null ? null : policies.Load() as PolicyArrived };
        _core = new NodeCore(setup, memory);
        var view = new NodeView(() => _journal, () => throw new InvalidOperationException("no birth here"), () => throw new InvalidOperationException("no state here"), Stamp, _posted.Add, new Dictionary<PointId, double>());
        _inbox = new Inbox(
            _site.Identity(1), policies, new CommandIntake(TestSite.Site, TestSite.Node, _site.HubKey, () => _journal), view, _clock, NullLogger.Instance);
        Step(new Tick());
        foreach (var it in setup.Contacts) Step(new ContactChanged(it.Device, it.Role, it.Door, it.Role == ContactRole.Mains));
    }

    private Stamp Stamp() => new(SiteTime, _clock.Up, "boot", _siteClock.Quality, LinkState.Up);

    private DateTimeOffset? SiteTime => _siteClock.Quality == ClockQuality.Unset ? null : _clock.Wall;

    private void Tell(string topic, byte[] bytes)
    {
        _told.Add((topic, bytes));
        Take(topic, bytes);
    }

    /// <summary>As the uplink hands a message on, and the loop carries out what comes of it.</summary>
    private void Take(string topic, byte[] bytes)
    {
        var message = new MqttApplicationMessageBuilder().WithTopic(topic).WithPayload(bytes).Build();
        if (_inbox.HubIsThere(message) is { } there) Step(new LinkChanged(there));
        else _inbox.Take(message);
        var posted = _posted.ToList();
        _posted.Clear();
        foreach (var it in posted)
        {
            if (it is HubTimeSeen seen)
            {
                if (_siteClock.HubSays(seen.HubTime, seen.Wall, _clock.Up, seen.SignedAfter) is { } changed) Step(changed);
            }
            else if (it is Noted)
            {
                Recorded();
            }
            else
            {
                Step(it);
            }
        }
    }

    private void Step(Input input)
    {
        if (_siteClock.Observe(_clock.Wall, _clock.Up) is { } changed) Carry(changed);
        Carry(input);
    }

    private void Carry(Input input)
    {
        var effects = _core.Step(input, _clock.Up, SiteTime);
        if (effects.Secure.Count > 0) Free = false;
        if (effects.Records.Count > 0) Recorded();
        if (effects.Release.Count > 0) (Free, Releases) = (true, Releases + effects.Release.Count);
        _memory = effects.Memory ?? _memory;
    }

    private void Recorded() => _newest = SiteTime is { } at && !(at < _newest) ? at : _newest;

    private void Pass(double seconds)
    {
        foreach (var part in (double[])[seconds / 2, seconds / 2])
        {
            True += TimeSpan.FromSeconds(part);
            _clock.Wall += TimeSpan.FromSeconds(part);
            _clock.Up += TimeSpan.FromSeconds(part);
            Step(new Tick());
        }
    }

    /// <summary>A wall clock and a monotonic one that know nothing of each other.</summary>
    private sealed class TwoClocks(DateTimeOffset begin) : TimeProvider
    {
        public DateTimeOffset Wall { get; set; } = begin;

        public TimeSpan Up { get; set; } = TimeSpan.FromSeconds(100);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => Wall.ToUniversalTime();

        public override long GetTimestamp() => Up.Ticks;
    }
}
