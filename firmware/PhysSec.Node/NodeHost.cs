using System.Security.Cryptography;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;
using PhysSec.Core.Wire;
using PhysSec.Hardware;
using PhysSec.Node.Commissioning;
using PhysSec.Node.Control;
using PhysSec.Node.Health;
using PhysSec.Node.Journal;
using PhysSec.Node.Keys;
using PhysSec.Node.Readers;
using PhysSec.Node.Uplink;

namespace PhysSec.Node;

/// <summary>
/// Puts the node together in the one order that is safe: outputs off, journal, last good policy, control loop; only then the network. Started means
/// that the doors are under control. At the end, whatever its reason, the outputs are off.
/// </summary>
public sealed class NodeHost(
    NodeConfig config, BoardFile boardFile, TimeProvider clock, IHostApplicationLifetime life, ILogger<NodeHost> log, ISystemdNotifier? systemd = null)
    : BackgroundService
{
    private static readonly TimeSpan _housekeeping = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _beatMax = TimeSpan.FromSeconds(2);
    private readonly CancellationTokenSource _loopEnd = new();

    private Board? _board;
    private OsdpReaderStore? _readerKeys;
    private Field? _field;
    private JournalWriter? _writer;
    private PolicyIntake? _policies;
    private CertificateIntake? _certificate;
    private ControlLoop? _loop;
    private UplinkLoop? _uplink;
    private Task _looping = Task.CompletedTask;
    private NodeReport? _report;
    private HealthFile? _health;
    private BoardConfigured? _boardOnRecord;
    private BoardCommissioned? _proof;
    private bool _makesRoom;
    private JournalStore? _known; // The journal that the rest of the node has been told of.

    /// <summary>Why the node had to stop by itself; null after an orderly stop.</summary>
    public Exception? Failure { get; private set; }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var wired = boardFile with { Calibrations = Calibrations() };
        var keys = _readerKeys = boardFile.Devices.OfType<OsdpEntry>().Any() ? ReaderKeys() : null;
#if IOT_BINDINGS
        _board = Board.Open(wired, keys, clock, Hardware.IotBindings.IotSensors.Open);
#else
        _board = Board.Open(wired, keys, clock);
#endif
        _writer = new JournalWriter(() => JournalStore.Open(config.StateFolder, config.Epoch));
        var boot = Firmware.Boot();
        var stamp = new Stamp(null, TimeSpan.Zero, boot, ClockQuality.Unset, LinkState.Down);
        var fault = await _writer.ProbeAsync(new([], null, stamp));
        if (fault is not null) log.LogError("{Fault}", fault);
        WarmUp(stamp);

        var journal = _writer.Store;
        _policies = new PolicyIntake(config.Site, config.Node, config.HubKey, () => _writer.Store);
        var siteClock = new SiteClock(Firmware.ReleasedAt, journal?.Newest);
        var keeper = new RecordKeeper(_writer, clock, records => _uplink?.Committed(records));
        _loop = new ControlLoop(clock, siteClock, keeper, boot);
        siteClock.Observe(clock.GetUtcNow(), _loop.Uptime);
        _field = new Field(_board, config.SiteKey, _loop.Post);
        _certificate = new CertificateIntake(config.Node, config.Authority, config.Certificate, config.DeviceKey, config.StateFolder);
        _proof = new CommissioningFolder(config.StateFolder).Newest(config.DeviceKey, fault => log.LogWarning("{Fault}", fault));
        _report = new NodeReport(config, boardFile, _field, _loop, _policies, _certificate, boot, () => _writer.Store, IsProved());
        _uplink = Connect(_report);
        _boardOnRecord = SealedBoard();
        _health = new HealthFile(HealthFile.Folder(config.StateFolder), _report.Local, log);

        var stored = _policies.Load();
        if (stored is PolicyRejected refused) _loop.Post(refused);
        var core = new NodeCore(_report.Setup(journal?.Previous ?? "none", siteClock.Quality, stored as PolicyArrived), journal?.Memory);
        _field.PostSettledContacts();
        _field.StartReaders();
        _looping = _loop.RunAsync(core.Step, _field, Publish, _uplink.Reply, _loopEnd.Token);
        log.LogInformation(
            "doors under control: site {Site}, node {Node}, board {Board}{Simulated}, epoch {Epoch}, policy {Policy}",
            config.Site, config.Node, boardFile.Name, _board.Simulated ? " (simulated)" : "", journal?.Epoch ?? 0, _policies.InForce?.Version ?? 0);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        List<Task> tasks = [_looping, KeepHouseAsync(stoppingToken), _uplink!.RunAsync(stoppingToken)];
        tasks.AddRange(_field!.Sensors.Select(it => Task.Run(() => _field.SampleAsync(it, clock, stoppingToken), stoppingToken)));
        var first = await Task.WhenAny(tasks);
        if (stoppingToken.IsCancellationRequested || _loopEnd.IsCancellationRequested) return;

        // None of these ever ends by itself: a node that has lost one of them is restarted, with its doors locked meanwhile.
        _field.MakeSafe();
        Failure = first.Exception?.GetBaseException() ?? new InvalidOperationException("a loop of the node has ended");
        log.LogCritical("the node stops: {Fault}", Failure.ToString().ReplaceLineEndings(" | "));
        life.StopApplication();
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _loop?.Post(new Noted(new Entry(Streams.Access, new NodeStopped(Failure is null ? "stopped" : "failed"))));
        await _loopEnd.CancelAsync();
        await Task.WhenAny(_looping, Task.Delay(TimeSpan.FromSeconds(5), clock, cancellationToken));
        _field?.MakeSafe();
        await base.StopAsync(cancellationToken);
        if (_writer is not null) await _writer.DisposeAsync();
        _board?.Dispose();
        (_readerKeys as IDisposable)?.Dispose();
        log.LogInformation("stopped; the outputs are off");
    }

    public override void Dispose()
    {
        _board?.Dispose();
        (_readerKeys as IDisposable)?.Dispose();
        _loopEnd.Dispose();
        base.Dispose();
    }

    /// <summary>The first record of a run must not pay for compiling the way to the disk: it would count as a disk that does not answer in time.</summary>
    private void WarmUp(Stamp stamp)
    {
        try
        {
            _writer!.Store?.Commit([new([new Entry(Streams.Access, new NodeStopped("never stored"))], new([], []), stamp)], wanted: () => false);
        }
        catch (JournalException failure)
        {
            log.LogError("{Fault}", failure.Message); // The loop finds the same and reports it.
        }
    }

    private UplinkLoop Connect(NodeReport report)
    {
        var identity = new UplinkIdentity(
            config.Site, config.Node, config.Hub, config.Authority, _certificate!, config.DeviceKey, config.HubKey);
        var commands = new CommandIntake(config.Site, config.Node, config.HubKey, () => _writer!.Store);
        var view = new NodeView(() => _writer!.Store, report.Birth, report.State, () => _loop!.Stamp, _loop!.Post, report.Periods);
        return new(identity, _policies!, commands, view, clock, () => RandomNumberGenerator.GetInt32(1_000_001) / 1_000_000.0, log);
    }

    private async Task KeepHouseAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(_housekeeping, clock);
        var chores = new Chores(clock, log);
        while (true)
        {
            chores.Do(() =>
            {
                if (_loop!.SinceBeat < _beatMax) systemd?.Notify(new ServiceState("WATCHDOG=1"));
            });
            chores.Do(() => _health!.Write(_uplink!.Acknowledged));
            chores.Do(_uplink!.CountRefusals);
            chores.Do(LookAtTheJournal);
            try
            {
                await timer.WaitForNextTickAsync(stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private void Publish(Live value)
    {
        _health!.Saw(value);
        _uplink!.Publish(value);
    }

    private void LookAtTheJournal()
    {
        if (_writer!.Store is not { } store) return;
        if (!ReferenceEquals(store, _known)) Welcome(store);
        _policies!.Save();
        store.Prune(Retention.Default, _loop!.SiteTime);
        var makesRoom = store.Thin(_report!.DiskFree, Retention.Default, _loop.Stamp);
        if (makesRoom && !_makesRoom) log.LogWarning("the disk is nearly full: old records are removed"); // Once: a log takes room as well.
        _makesRoom = makesRoom;
    }

    /// <summary>The journal was opened (again), maybe an empty one in the place of one that was damaged.</summary>
    private void Welcome(JournalStore store)
    {
        _known = store;
        if (store.Repaired is { } repaired)
        {
            log.LogError("the journal was damaged and set aside as {SetAside}: {Fault}", repaired.SetAside, repaired.Fault);
            _loop!.Post(new Noted(new Entry(Streams.Access, repaired)));
        }

        if (_policies!.InForce is null && _policies.Load() is { } late) _loop!.Post(late);
        else _policies.SaveAnew();
        _loop!.Post(new MemoryWanted());
        if (_policies.InForce is { } policy && policy.Hash != store.PolicyOnRecord) _loop.Post(new Noted(new Entry(Streams.Access, new PolicyApplied(policy.Version, policy.Hash)))); // Kept by a run that ended before it was recorded, or recorded in a journal that is gone.
        if (_boardOnRecord is { } board && board.Hash != store.Board) _loop.Post(new Noted(new Entry(Streams.Access, board)));
        if (_proof is { } proof && proof.Hash != store.Commissioning) _loop.Post(new Noted(new Entry(Streams.Access, proof)));
    }

    /// <summary>Has somebody proved the ways out of this very board file? A simulated room has none.</summary>
    private bool IsProved() => _field!.Simulated || _proof is { Complete: true, Simulated: false } proof && proof.BoardHash == CommissioningFolder.BoardHash(config.BoardPath);

    /// <summary>Lines without a calibration that can be read are judged by their resistors alone.</summary>
    private IReadOnlyList<LineCalibration> Calibrations()
    {
        try
        {
            return new CommissioningFolder(config.StateFolder).Calibrations();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            log.LogWarning("no calibration of the supervised lines is used: {Fault}", failure.Message);
            return [];
        }
    }

    /// <summary>A spoilt key file keeps no door from being locked: its readers wait to be installed, and say so.</summary>
    private OsdpReaderStore ReaderKeys()
    {
        try
        {
            var file = ReaderKeyFile.Open(Path.Combine(config.StateFolder, ReaderKeyFile.Name), Tpm.OfBoard);
            if (file.Fault is { } fault) log.LogError("the readers' keys cannot be changed: {Fault}", fault);
            return file;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidDataException or TpmException)
        {
            log.LogError("the readers' keys cannot be read: {Fault}", failure.Message);
            return new UnreadableReaderKeys(failure.Message);
        }
    }

    /// <summary>What a spare board will ask the hub for.</summary>
    private BoardConfigured? SealedBoard()
    {
        try
        {
            var text = File.ReadAllText(config.BoardPath);
            if (text.Length <= BoardSeal.BytesMax) return new(boardFile.Name, BoardSeal.Hash(text), BoardSeal.Seal(config.SiteKey, config.Site, config.Node, text));
            log.LogWarning("{File} is too large to be kept at the hub for a spare board", config.BoardPath);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            log.LogWarning("{File} is not kept at the hub for a spare board: {Fault}", config.BoardPath, failure.Message);
        }

        return null;
    }
}
