using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Sensing;
using PhysSec.Core.Wire;
using PhysSec.Hardware;
using PhysSec.Node.Control;
using PhysSec.Node.Health;
using PhysSec.Node.Journal;
using PhysSec.Node.Uplink;

namespace PhysSec.Node;

/// <summary>What the node says about itself: to the core at the start, to the hub at every connection.</summary>
public sealed class NodeReport(
    NodeConfig config, BoardFile board, Field devices, ControlLoop loop, PolicyIntake policies, CertificateIntake certificate, string boot, Func<JournalStore?> journal,
    bool proved)
{
    private const int Schema = 1;
    private static readonly TimeSpan _storageAgain = TimeSpan.FromMinutes(1);
    private readonly Lock _wear = new();
    private readonly TimeSpan _started = loop.Uptime;
    private TimeSpan? _storageLooked;
    private StorageHealth? _storage;
    private readonly IReadOnlyList<PointDescription> _points = DerivedPoints.WithDewPoints(Points(devices.Sensors));
    private readonly IReadOnlyList<DoorDescription> _doors = Doors(board);

    /// <summary>How often each measured point is sampled, in seconds.</summary>
    public IReadOnlyDictionary<PointId, double> Periods => _points.ToDictionary(it => it.Point, it => it.PeriodSeconds);

    /// <summary>Bytes free where the journal is.</summary>
    public long DiskFree => Disk.AvailableFreeSpace;

    private DriveInfo Disk => new(config.StateFolder);

    public NodeSetup Setup(string previous, ClockQuality quality, PolicyArrived? policy) => new(
        Firmware.Version, board.Name, devices.Simulated, previous, _doors, Contacts(board), _points, quality, policy, PinKey.Of(config.SiteKey),
        boot.Split('-')[0], board.Devices.Any(it => it.Role == DeviceRole.GuardAlarm), board.Devices.Any(it => it.Role == DeviceRole.GuardCall), Readers(board));

    public Birth Birth()
    {
        var store = journal();
        var state = store?.State(Streams.Access) ?? StreamState.New;
        return new(
            Schema, config.Node.Value, Firmware.Version, board.Name, devices.Simulated, store?.Epoch ?? 0, boot, state.Seq, state.Hash,
            policies.InForce?.Version ?? 0, _points, _doors, loop.SiteTime, certificate.Thumbprint);
    }

    public NodeState State()
    {
        var faults = Faults();
        return new(faults.Count == 0 ? "online" : "degraded", boot, journal()?.Epoch ?? 0, loop.SiteTime, faults, Health());
    }

    /// <summary>What the machine's own administrator is told, see <see cref="HealthFile"/>.</summary>
    public HealthReport Local(bool acknowledged, IReadOnlyList<DoorHealth> doorsSeen) => new(
        Firmware.Version, config.Site.Value, config.Node.Value, board.Name, devices.Simulated, boot, loop.Uptime.TotalSeconds, loop.SiteTime,
        (loop.Uptime - loop.SinceBeat).TotalSeconds, journal() is not null && loop.JournalHealthy, journal()?.Epoch ?? 0,
        policies.InForce?.Version ?? 0, acknowledged, doorsSeen, Faults());

    private List<string> Faults()
    {
        var faults = new List<string>();
        if (!loop.JournalHealthy) faults.Add(loop.JournalFault ?? "the journal cannot be written");
        if (loop.Clock == ClockQuality.Unset) faults.Add("the clock is unset");
        if (policies.InForce is null) faults.Add("there is no policy: every door refuses");
        if (loop.Lost > 0) faults.Add($"{loop.Lost} inputs were lost to a full queue; every contact was read again");
        if (Storage() is { NearEnd: true } worn) faults.Add($"the memory {worn.Device} is near the end of its life: put the spare in");
        if (Firmware.Damage(AppContext.BaseDirectory) is { } damage)
            faults.Add($"the program was found changed or damaged at a start, and the version before it runs: install it again ({damage})");
        if (!proved) faults.Add("the wiring and the ways out of this board file are not proved: physsec-node commission");
        faults.AddRange(devices.Faults);
        return faults;
    }

    private StorageHealth? Storage()
    {
        lock (_wear)
        {
            if (_storageLooked is { } last && loop.Uptime - last < _storageAgain) return _storage;
            (_storageLooked, _storage) = (loop.Uptime, StorageWear.Of(config.StateFolder));
            return _storage;
        }
    }

    private NodeHealth Health()
    {
        var age = policies.InForce is { } policy && loop.SiteTime is { } now ? Math.Max(0, (now - policy.ConfirmedAt).TotalSeconds) : (double?)null;
        return new(
            Math.Round((loop.Uptime - _started).TotalSeconds, 1), journal()?.Backlog ?? 0, DiskFree, Math.Round(Environment.WorkingSet / 1048576.0, 1), loop.Clock,
            policies.InForce?.Version ?? 0, age, devices.FramesDiscarded, Storage(), Firmware.Damage(AppContext.BaseDirectory), Disk.TotalSize);
    }

    private static IReadOnlyList<PointDescription> Points(IReadOnlyList<Sensor> sensors) =>
        [.. sensors.SelectMany(it => it.Points.Select(point => new PointDescription(
            new(point.Id), point.Unit, point.Min, point.Max, point.Quantity, it.Period.TotalSeconds)))];

    private static IReadOnlyList<DoorDescription> Doors(BoardFile board) =>
        [.. board.Devices.Where(it => it.Door is not null).GroupBy(it => it.Door!).Select(it => new DoorDescription(
            new(it.Key),
            it.Any(device => device.Role == DeviceRole.EntryReader),
            it.Any(device => device.Role == DeviceRole.ExitReader),
            it.Any(device => device.Role == DeviceRole.DoorContact),
            it.Any(device => device.Role == DeviceRole.ExitButton),
            it.OfType<BoardOutputEntry>().Select(device => device.Construction).OfType<LockType>().Select(Known).FirstOrDefault(),
            it.Any(device => device.Role is DeviceRole.BoltFeedback or DeviceRole.BondFeedback),
            board.Devices.Any(device => device.Role == DeviceRole.FireRelease && OfDoor(device, it.Key)),
            it.Any(device => device.Role == DeviceRole.BreakGlass),
            board.Devices.Any(device => device.Role == DeviceRole.SeismicRelease && OfDoor(device, it.Key)),
            board.Devices.Any(device => device.Role == DeviceRole.GuardArmed),
            Wiring(it)))];

    private static DoorWiring Wiring(IEnumerable<DeviceEntry> ofDoor) => new(
        [.. ofDoor.Where(it => it.Role is DeviceRole.EntryReader or DeviceRole.ExitReader).Select(it => new ReaderDescription(
            SideOf(it), it.Type, ProofOf(it.Profile), it is OsdpEntry, it.Profile?.Card))], // OSDP speaks through its secure channel or not at all.
        [.. ofDoor.Where(it => it is InputEntry or ReaderInputEntry).Select(it => it.Id)], // How a reader watches its own inputs, nobody here can say.
        ofDoor.OfType<ReaderOutputEntry>().Select(it => (Core.Access.Direction?)SideOf(ofDoor.First(reader => reader.Id == it.Reader))).FirstOrDefault());

    private static Core.Access.Direction SideOf(DeviceEntry reader) => reader.Role == DeviceRole.ExitReader ? Core.Access.Direction.Out : Core.Access.Direction.In;

    private static CardProof ProofOf(ReaderProfile? profile) => profile?.Proof switch
    {
        ReaderProof.KeyInReader => CardProof.KeyInReader,
        ReaderProof.KeyAtController => CardProof.KeyAtController,
        _ => CardProof.Number,
    };

    private static bool OfDoor(DeviceEntry device, string door) => device.Door is null || device.Door == door;

    private static Core.Doors.LockType? Known(LockType type) => type switch
    {
        LockType.FailSafeStrike => Core.Doors.LockType.FailSafeStrike,
        LockType.Magnet => Core.Doors.LockType.Magnet,
        LockType.FailSecureStrike => Core.Doors.LockType.FailSecureStrike,
        LockType.Latching => Core.Doors.LockType.Latching,
        LockType.Motor => Core.Doors.LockType.Motor,
    };

    private static IReadOnlyList<ReaderSetup> Readers(BoardFile board) =>
        [.. board.Devices.OfType<OsdpEntry>().Select(it => new ReaderSetup(new(it.Door!), SideOf(it)))];

    private static IReadOnlyList<ContactSetup> Contacts(BoardFile board) =>
        [.. board.Devices.OfType<ContactEntry>()
            .Select(it => (it.Id, Role: Field.RoleOf(it.Role), it.Door))
            .Where(it => it.Role is not null)
            .Select(it => new ContactSetup(it.Id, it.Role!.Value, it.Door is { } door ? new DoorId(door) : null))];
}
