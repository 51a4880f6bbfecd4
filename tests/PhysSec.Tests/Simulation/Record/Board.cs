using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Node;
using PhysSec.Node.Control;
using PhysSec.Node.Journal;
using PhysSec.Node.Uplink;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.Simulation.Record;

/// <summary>A board with its memory card: the shipped journal, writer and uplink on a disk that outlives their processes, without doors.</summary>
internal sealed class Board : IDisposable
{
    private readonly Turns _turns;
    private readonly TimeProvider _clock;
    private readonly Random _random;
    private readonly Broker _broker;
    private readonly TestIdentity _enrolled;
    private readonly Truth _truth;
    private readonly ECDsa _key = ECDsa.Create();
    private readonly ECDsa _hubKey;
    private readonly X509Certificate2 _authority;
    private readonly X509Certificate2 _certificate;
    private readonly string _folder;
    private CancellationTokenSource _stop = new();
    private JournalWriter? _writer;
    private JournalStore? _known;
    private UplinkLoop? _uplink;
    private Task? _running;
    private LinkState _link;
    private string _boot = "";
    private int _boots;
    private long _instants;
    private DateTimeOffset _bootedAt;

    public Board(string name, string folder, TestIdentity enrolled, Turns turns, TimeProvider clock, Random random, Broker broker, Truth truth, X509Certificate2 authority, ECDsa hubKey)
    {
        (Name, _folder, _enrolled, _turns, _clock, _random, _broker, _truth, _authority, _hubKey) = (name, folder, enrolled, turns, clock, random, broker, truth, authority, hubKey);
        (Node, Life) = (new NodeId(enrolled.Node), new(turns));
        _key.ImportFromPem(enrolled.KeyPem);
        _certificate = X509Certificate2.CreateFromPem(enrolled.CertificatePem);
        Directory.CreateDirectory(folder);
    }

    public string Name { get; }

    public NodeId Node { get; }

    public Life Life { get; private set; }

    public JournalStore? Store => _writer?.Store;

    public bool Running => _writer is not null;

    /// <summary>How far its journal was looked at.</summary>
    public Dictionary<(long Epoch, string Stream), long> Seen { get; } = [];

    /// <summary>What stands in its journal.</summary>
    public HashSet<Place> Holds { get; } = [];

    /// <summary>Its files at some time, to be put back.</summary>
    public Dictionary<string, byte[]>? Image { get; set; }

    /// <summary>Acknowledged records are kept as long as this says; null: nobody clears up.</summary>
    public Retention? Retention { get; set; }

    /// <summary>Nothing of it waits for the hub, and the hub has said so on this connection.</summary>
    public bool Settled => Store is { Epoch: > 0, Backlog: 0, Refill: null } && _uplink!.Acknowledged;

    public string Standing => Store is not { } it ? $"{Name} is off" : $"{Name} in epoch {it.Epoch} waits with {it.Backlog} of a/{it.State(Streams.Access).Seq} m/{it.State(Streams.Measurements).Seq}, {(_uplink!.Acknowledged ? "" : "not ")}greeted";

    public void Start()
    {
        Life = new(_turns);
        (_bootedAt, _boot, _link, _known, _stop) = (_clock.GetUtcNow(), $"{Name}.{++_boots}", LinkState.Down, null, new());
        _writer = new JournalWriter(() => JournalStore.Open(_folder, _enrolled.Epoch));
        Keep(new Entry(Streams.Access, new NodeStarted("1.0", "test", true, "interrupted")));
        var identity = new UplinkIdentity(
            ModelHub.Site, Node, new HubAddress("hub", 8883, "hub"), _authority, new CertificateIntake(Node, _authority, _certificate, _key, _folder), _key, _hubKey);
        var policies = new PolicyIntake(ModelHub.Site, Node, _hubKey, () => Store);
        var commands = new CommandIntake(ModelHub.Site, Node, _hubKey, () => Store);
        var view = new NodeView(() => Store, Birth, State, Stamp, Post, new Dictionary<PointId, double>());
        _uplink = new UplinkLoop(identity, policies, commands, view, _clock, _random.NextDouble, NullLogger.Instance, () => new LinkClient(_broker, Name, Life, () => Store));
        _running = Life.Begin(() => _uplink.RunAsync(_stop.Token));
    }

    /// <summary>Power off, kill -9, or its card pulled: whatever it was doing, its disk has what was durable.</summary>
    public void Kill()
    {
        if (_writer is null) return;
        _truth.Look(this);
        Life.Die();
        var disk = Disk();
        _writer.DisposeAsync().AsTask().GetAwaiter().GetResult(); // Closing saves what a kill would not.
        Write(disk);
        (_writer, _uplink) = (null, null);
        if (_running is { IsFaulted: true }) throw _running.Exception!;
    }

    /// <summary>Records of one step, as its control loop would keep them. Durable when this returns.</summary>
    public void Keep(params Entry[] entries)
    {
        var commit = Commit(entries);
        if (commit.Records is { } records) _uplink?.Committed(records);
        if (ReferenceEquals(_known, Store) || Store is not { } store) return;
        _known = store;
        if (store.Repaired is { } repaired) Keep(new Entry(Streams.Access, repaired));
    }

    /// <summary>The power goes while the records are being written: any part of what the disk was given since is on it.</summary>
    public void Tear(params Entry[] entries)
    {
        _truth.Look(this);
        var before = Disk();
        Commit(entries);
        var after = Disk();
        var torn = after.ToDictionary(it => it.Key, it => Torn(before.GetValueOrDefault(it.Key, []), it.Value));
        Life.Die();
        _writer!.DisposeAsync().AsTask().GetAwaiter().GetResult();
        Write(torn);
        (_writer, _uplink) = (null, null);
    }

    public void Tidy()
    {
        if (Store is not { } store) return;
        if (Retention is { } retention) while (store.Prune(retention, _clock.GetUtcNow())) { }
    }

    /// <summary>The disk is nearly full.</summary>
    public void Thin()
    {
        if (Store is not { } store) return;
        store.Thin(0, PhysSec.Node.Journal.Retention.Default, Stamp());
        _truth.Missing(this, _clock.GetUtcNow(), thinned: true);
    }

    /// <summary>The bytes of the journal's files.</summary>
    public Dictionary<string, byte[]> Disk() => Directory.GetFiles(_folder, "journal.db*").ToDictionary(it => Path.GetFileName(it), File.ReadAllBytes);

    public void Write(Dictionary<string, byte[]> disk)
    {
        foreach (var file in Directory.GetFiles(_folder)) File.Delete(file);
        foreach (var (name, bytes) in disk) File.WriteAllBytes(Path.Combine(_folder, name), bytes);
    }

    public void Dispose()
    {
        Kill();
        _key.Dispose();
        _certificate.Dispose();
    }

    private JournalCommit Commit(IReadOnlyList<Entry> entries)
    {
        var commit = _writer!.Enqueue(new JournalWrite(entries, null, Stamp()));
        commit.Task.GetAwaiter().GetResult(); // Its writer is a thread of its own; nobody else has a turn meanwhile.
        return commit;
    }

    private Birth Birth()
    {
        var state = Store?.State(Streams.Access) ?? StreamState.New;
        return new(Topics.Version, Node.Value, "1.0", "test", true, Store?.Epoch ?? 0, _boot, state.Seq, state.Hash, 0, [], [], _clock.GetUtcNow(), null);
    }

    private NodeState State() => new("online", _boot, Store?.Epoch ?? 0, _clock.GetUtcNow(), []);

    // No two happenings of a boot are the same: each has an instant of its own.
    private Stamp Stamp() => new(_clock.GetUtcNow(), _clock.GetUtcNow() - _bootedAt + TimeSpan.FromMicroseconds(++_instants % 10_000), _boot, ClockQuality.Synced, _link);

    // The node posts to its control loop, which has its turn later.
    private void Post(Input input) => Life.Post(_ =>
    {
        if (input is LinkChanged link) _link = link.Up ? LinkState.Up : LinkState.Down;
        if (input is Noted noted) Keep(noted.Entry);
    }, null);

    private byte[] Torn(byte[] before, byte[] after)
    {
        const int Sector = 512;
        var torn = before.Concat(new byte[Math.Max(0, after.Length - before.Length)]).ToArray();
        var whole = _random.Next((after.Length / Sector) + 2); // So many sectors in order; of the rest any.
        for (var at = 0; at < after.Length; at += Sector)
        {
            if (at / Sector >= whole && _random.Next(2) == 0) continue;
            after.AsSpan(at, Math.Min(Sector, after.Length - at)).CopyTo(torn.AsSpan(at));
        }

        return torn[..Math.Max(Math.Min(before.Length, after.Length), _random.Next(torn.Length + 1))];
    }
}
