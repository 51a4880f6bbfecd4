using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub.Storage;
using PhysSec.Node.Control;

namespace PhysSec.Tests.Simulation.Record;

/// <summary>
/// One run of nodes, broker and hub, all of it drawn from one seed: for a while everything goes wrong, then everything heals, and it is judged what became of the record.
/// </summary>
internal sealed class Round : IDisposable
{
    private static readonly TimeSpan _tick = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _healingTick = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _healing = TimeSpan.FromSeconds(35); // Longer than any wait of a node that is up: it has spoken with the hub since.
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(10);

    private readonly string _folder;
    private readonly Random _random;
    private readonly Turns _turns = new();
    private readonly FakeTimeProvider _clock = new(ModelHub.Begin);
    private readonly Broker _broker;
    private readonly ModelHub _hub;
    private readonly Truth _truth = new();
    private readonly List<Board> _boards = [];
    private readonly List<NodeId> _nodes = [];
    private readonly Removed? _removed;
    private readonly System.Security.Cryptography.X509Certificates.X509Certificate2 _authority;
    private readonly ECDsa _hubKey = ECDsa.Create();
    private readonly List<(DateTimeOffset Due, Action What)> _later = [];
    private HashSet<string> _told = [];
    private HashSet<string> _toldAtBackup = [];
    private readonly List<string> _wrong = [];
    private int _measured;

    /// <param name="folder">Its own; gone at the end.</param>
    /// <param name="seed">Everything that is random.</param>
    /// <param name="tally">What was tried is added to it.</param>
    /// <param name="removed">The rule that is taken out; null: the product as it is.</param>
    /// <param name="say">Told of what happens; null: nobody asks.</param>
    public Round(string folder, int seed, Tally tally, Removed? removed = null, Action<string>? say = null)
    {
        (_folder, Seed, Tally, _removed) = (folder, seed, tally, removed);
        _random = new Random(seed);
        if (say is not null) Say = it => say($"{_clock.GetUtcNow():T} {it}");
        var hubFolder = Path.Combine(folder, "hub");
        HubTemplate.Shared.CopyTo(hubFolder);
        _broker = new Broker(_random.Next(2) == 0, _turns, _clock, _random, tally) { Said = Heard };
        _hub = new ModelHub(hubFolder, _turns, _clock, _broker) { Took = Took };
        removed?.Prepare(_hub, _broker);
        StartHub();
        _authority = _hub.Authority;
        _hubKey.ImportFromPem(HubTemplate.Shared.Nodes[0].HubKeyPem);
        for (var i = 0; i <= _random.Next(2); i++) Add(HubTemplate.Shared.Nodes[i], $"board-{i + 1}").Start();
    }

    public int Seed { get; }

    /// <summary>Told of what happens; null: nobody asks.</summary>
    public Action<string>? Say { get; set; }

    public Tally Tally { get; }

    public IReadOnlyList<string> Run()
    {
        var faults = new Faults(this, _random, _removed?.Needs);
        _broker.Faulty = true;
        for (var left = _random.Next(80, 240); left > 0 && _wrong.Count == 0; left--)
        {
            faults.Draw();
            foreach (var it in _boards.Where(it => it.Running)) Work(it);
            Tick(_tick);
        }

        Heal();
        if (!_hub.Running) return _wrong;
        var judge = new Judge(_hub, _truth, _nodes, _told, Tally);
        judge.Look();
        return [.. judge.Findings, .. _wrong];
    }

    public void Dispose()
    {
        foreach (var it in _boards) it.Dispose();
        _hub.Dispose();
        _hubKey.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    internal Broker Broker => _broker;

    internal ModelHub Hub => _hub;

    internal IReadOnlyList<Board> Boards => _boards;

    internal void After(double seconds, Action what) => _later.Add((_clock.GetUtcNow().AddSeconds(seconds), what));

    internal void StartHub()
    {
        if (_hub.Running) return;
        _hub.Start();
        _broker.Join(_hub);
        if (_broker.Embedded) _hub.SayOnline();
        else _broker.LinkHub();
    }

    internal void KillHub()
    {
        _broker.Leave();
        _hub.Kill();
    }

    internal void TakeBackup()
    {
        if (!_hub.Running) return;
        _hub.TakeBackup();
        _toldAtBackup = [.. _told];
    }

    internal void RestoreHub()
    {
        if (!_hub.HasBackup) return;
        KillHub();
        _hub.Restore(_removed?.Raises ?? true);
        _told = [.. _toldAtBackup];
        StartHub();
    }

    /// <summary>Starts a board whose disk a fault may have changed.</summary>
    internal void StartBoard(Board it)
    {
        if (it.Running) return;
        it.Start();
        _truth.Missing(it, _clock.GetUtcNow());
        Say?.Invoke($"{it.Standing}; {_truth.All.Count(what => what.DestroyedAt.Contains(_clock.GetUtcNow()))} records are gone");
    }

    /// <summary>A second board with the first one's card, and with its name and key.</summary>
    internal void Clone(Board of)
    {
        var twin = Add(HubTemplate.Shared.Nodes.Single(it => it.Node == of.Node.Value), $"{of.Name}'{_boards.Count}"); // Its name is its folder's.
        twin.Write(of.Disk());
        twin.Start();
        _truth.Look(twin);
    }

    internal Entry[] Something() => [.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => _random.Next(5) switch
    {
        0 => new Entry(Streams.Access, new AlarmRaised("temperature-high:room", "temperature-high", "room", ++_measured, 30, "Cel", null), Hot: true),
        1 or 2 => new Entry(Streams.Measurements, new Measured([new PointValue(new PointId("room.temperature"), ++_measured, "good")])),
        _ => new Entry(Streams.Access, new ExitRequested(new DoorId("door-a"), ++_measured)),
    })];

    private Board Add(Ingest.TestIdentity enrolled, string name)
    {
        var board = new Board(name, Path.Combine(_folder, name), enrolled, _turns, _clock, _random, _broker, _truth, _authority, _hubKey) { Retention = _removed?.Retention };
        _boards.Add(board);
        if (!_nodes.Contains(board.Node)) _nodes.Add(board.Node);
        return board;
    }

    private void Work(Board it)
    {
        if (_random.Next(5) == 0) it.Keep(Something());
        if (_random.Next(1_000) == 0) it.Keep([.. Enumerable.Range(0, _random.Next(10, 400)).SelectMany(_ => Something())]); // More than one batch holds.
    }

    private void Tick(TimeSpan time)
    {
        foreach (var it in _later.Where(it => it.Due <= _clock.GetUtcNow()).ToList())
        {
            _later.Remove(it);
            it.What();
        }

        _clock.Advance(time);
        _turns.Run();
        _broker.Step();
        _turns.Run();
        if (_hub is { Running: true, Life.Dead: true }) // It died between two of its awaits.
        {
            KillHub();
            After(_random.Next(8), StartHub);
        }

        foreach (var it in _boards.Where(it => it.Running))
        {
            it.Tidy();
            _truth.Look(it);
            if (!it.Life.Dead) continue;
            it.Kill();
            After(_random.Next(5), () => StartBoard(it));
        }
    }

    /// <summary>The line is good, the hub runs, and of boards that are one to the hub one runs at a time.</summary>
    private void Heal()
    {
        _broker.Faulty = false;
        _broker.DelayMax = 50;
        _broker.HealAll();
        _broker.Revive();
        _hub.Life.DiesAt = null;
        foreach (var it in _boards) it.Life.DiesAt = null;
        foreach (var (_, what) in _later.ToList()) what();
        _later.Clear();
        StartHub();
        var turns = _boards.GroupBy(it => it.Node).Max(it => it.Count());
        for (var turn = 0; turn < turns && _wrong.Count == 0; turn++)
        {
            var up = _boards.GroupBy(it => it.Node).Select(it => it.ElementAtOrDefault(turn)).OfType<Board>().ToList();
            foreach (var it in _boards.Except(up)) it.Kill();
            foreach (var it in up) StartBoard(it);
            var began = _clock.GetUtcNow();
            while (_wrong.Count == 0 && (_clock.GetUtcNow() - began < _healing || !_broker.Quiet || !up.TrueForAll(it => it.Settled)))
            {
                if (!_broker.Embedded && !_broker.HubLinked) _broker.LinkHub();
                Tick(_healingTick);
                if (_clock.GetUtcNow() - began > _patience) _wrong.Add($"stuck: {string.Join("; ", up.Where(it => !it.Settled).Select(it => it.Standing))}");
            }
        }
    }

    /// <summary>An acknowledgement never overtakes the commit of what it acknowledges.</summary>
    private void Heard(NodeTopic topic, byte[] payload)
    {
        if (topic.Channel is "command" or "ack") Say?.Invoke($"hub to {topic.Node}: {topic.Channel} {Short(payload)}");
        if (topic.Channel != "ack") return;
        var ack = JsonSerializer.Deserialize(payload, WireJson.Plain.Ack)!;
        var (stored, thinned) = _hub.Store.Read(store => (
            store.Number(
                """
                select (select count(*) from ledger where source = $node and epoch = $epoch and stream = $stream and seq <= $through)
                  + (select count(*) from reissued where source = $node and epoch = $epoch and stream = $stream and seq <= $through)
                """, Of(topic, ack)),
            ack.Stream != Streams.Measurements ? [] : store.Query("select first, last from thinned where source = $node and epoch = $epoch", it => (First: it.GetInt64(0), Last: it.GetInt64(1)), Of(topic, ack))));
        var given = thinned.SelectMany(it => Enumerable.Range((int)it.First, (int)(it.Last - it.First + 1))).Distinct().Count(it => it <= ack.Through);
        if (stored + given < ack.Through)
            _wrong.Add(string.Create(CultureInfo.InvariantCulture, $"acknowledged too early: {topic.Node}/{ack.Epoch}/{ack.Stream} through {ack.Through} with {stored} records stored and {given} given up"));
    }

    private static string Short(byte[] payload) => System.Text.Encoding.UTF8.GetString(payload) is var text && text.Length > 200 ? text[..200] : System.Text.Encoding.UTF8.GetString(payload);

    private static (string, object?)[] Of(NodeTopic topic, Ack ack) => [("$node", topic.Node.Value), ("$epoch", ack.Epoch), ("$stream", ack.Stream), ("$through", ack.Through)];

    /// <summary>What the hub has been told of a node's journal, and so must miss when it is gone.</summary>
    private void Took(NodeTopic topic, byte[] payload)
    {
        if (topic.Channel is "birth" or "journal" or "reply" or "hot") Say?.Invoke($"taken of {topic.Node}: {topic.Channel} {Short(payload)}");
        if (topic.Channel == "birth" && JsonSerializer.Deserialize(payload, WireJson.Plain.Birth) is { } birth) _truth.Tell(_told, birth.HeadAccess);
        if (topic.Channel == "journal" && JsonSerializer.Deserialize(payload, WireJson.Plain.JournalBatch) is { } batch) _truth.Tell(_told, batch.Head);
    }
}
