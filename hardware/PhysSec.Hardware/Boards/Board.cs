using System.Device.Gpio;
using System.Device.I2c;
using System.Device.Spi;

namespace PhysSec.Hardware;

/// <summary>A device that cannot be opened.</summary>
public sealed class BoardOpenException(string device, string fault, string remedy, Exception? cause = null)
    : Exception($"{device}: {fault} {remedy}", cause)
{
    /// <summary>The device's id, or "hardware".</summary>
    public string Device { get; } = device;

    public string Fault { get; } = fault;

    public string Remedy { get; } = remedy;
}

/// <summary>What a driver from outside this assembly gets.</summary>
/// <param name="Entry">Its device, checked.</param>
/// <param name="Clock">Time for its waits.</param>
/// <param name="OpenI2c">Opens (bus, address); the sensor owns the result.</param>
/// <param name="OpenSpi">Opens (bus, chip select); the sensor owns the result.</param>
public sealed record SensorContext(
    DeviceEntry Entry, TimeProvider Clock, Func<int, int, I2cDevice> OpenI2c, Func<SpiConnectionSettings, SpiDevice> OpenSpi);

/// <summary>Makes a sensor for a device type that this assembly has no driver for; null = not mine.</summary>
public delegate Sensor? SensorFactory(SensorContext context);

/// <summary>Every device of a board file, open. Outputs are off before anything else is touched, and off at the end.</summary>
public sealed class Board : IDisposable
{
    private readonly List<BoardOutput> _outputs = [];
    private readonly List<ContactInput> _inputs = [];
    private readonly List<LineScanner> _scanners = [];
    private readonly List<WiegandReader> _readers = [];
    private readonly List<OsdpLine> _osdpLines = [];
    private readonly List<OsdpReader> _osdpReaders = [];
    private readonly List<ReaderInput> _readerInputs = [];
    private readonly List<Sensor> _sensors = [];
    private readonly GpioController _gpio;
    private bool _disposed;

    private Board(BoardFile file, GpioController gpio)
    {
        (Simulated, _gpio) = (file.Hardware.Kind == HardwareKind.Simulated, gpio);
        AppDomain.CurrentDomain.ProcessExit += OnEnd;
        AppDomain.CurrentDomain.UnhandledException += OnEnd;
    }

    /// <summary>The board file says so itself; nothing falls back to simulation.</summary>
    public bool Simulated { get; }

    public IReadOnlyList<WiegandReader> Readers => _readers;

    /// <summary>Silent until <see cref="StartReaders"/>: who wants to hear them says so first.</summary>
    public IReadOnlyList<OsdpReader> OsdpReaders => _osdpReaders;

    public IReadOnlyList<ContactInput> Inputs => _inputs;

    /// <summary>Contacts on supervised lines.</summary>
    public IReadOnlyList<SupervisedInput> Lines => [.. _scanners.SelectMany(it => it.Inputs)];

    /// <summary>Contacts at readers' own terminals.</summary>
    public IReadOnlyList<ReaderInput> ReaderInputs => _readerInputs;

    /// <summary>Those at readers obey once their reader is online.</summary>
    public IReadOnlyList<BoardOutput> Outputs => _outputs;

    public IReadOnlyList<Sensor> Sensors => _sensors;

    /// <summary>Opens every device, outputs first and off. Sensors answer later: an absent chip is a reading's fault.</summary>
    /// <exception cref="BoardOpenException">Names the device, the fault and the remedy; everything is closed again.</exception>
    public static Board Open(BoardFile file, TimeProvider clock, params IReadOnlyList<SensorFactory> factories) => Open(file, null, clock, factories);

    /// <summary>The same, with what is known of OSDP readers.</summary>
    /// <param name="file">The board.</param>
    /// <param name="readers">Keys and identities; null: none, and every OSDP reader waits to be installed.</param>
    /// <param name="clock">Time of the drivers.</param>
    /// <param name="factories">Drivers from outside this assembly.</param>
    /// <exception cref="BoardOpenException">Names the device, the fault and the remedy; everything is closed again.</exception>
    public static Board Open(BoardFile file, OsdpReaderStore? readers, TimeProvider clock, params IReadOnlyList<SensorFactory> factories)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentNullException.ThrowIfNull(factories);
        var buses = Buses.Open(file);
        var board = new Board(file, buses.Gpio);
        try
        {
            foreach (var it in buses.Devices.OfType<OutputEntry>())
                board._outputs.Add(At(it, () => new SwitchedOutput(it, buses.Gpio, clock)));
            foreach (var it in buses.Devices.OfType<InputEntry>())
                board._inputs.Add(At(it, () => new ContactInput(it, buses.Gpio, clock)));
            foreach (var it in buses.Devices.OfType<SupervisedEntry>().GroupBy(it => (it.Bus, it.Address)))
                board._scanners.Add(At(it.First(), () => OpenScanner([.. it], file, buses, clock)));
            foreach (var it in buses.Devices.OfType<WiegandEntry>())
                board._readers.Add(At(it, () => new WiegandReader(it, buses.OpenEdges(it, clock), clock)));
            foreach (var it in buses.Devices.OfType<OsdpEntry>().GroupBy(it => it.Line))
                board.OpenOsdp([.. it], it.Key, readers ?? new UnknownReaders(), clock);
            foreach (var it in buses.Devices.OfType<ReaderOutputEntry>())
                board._outputs.Add(new ReaderOutput(it, board.ReaderOf(it.Reader), clock));
            foreach (var it in buses.Devices.OfType<ReaderInputEntry>())
                board._readerInputs.Add(new ReaderInput(it, board.ReaderOf(it.Reader)));
            foreach (var it in buses.Devices.Where(it => it is I2cEntry or NutEntry or AdcEntry))
                board._sensors.Add(At(it, () => OpenSensor(it, buses, clock, factories)));
            foreach (var it in board._scanners) it.Start();
            return board;
        }
        catch
        {
            board.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Every output off and nothing else touched, for the time after a program that was killed: an I/O expander, and with some kernels the pin itself,
    /// keeps its level. One output that cannot be opened does not keep the others on. Those at readers go off by the readers' own timers.
    /// </summary>
    /// <exception cref="BoardOpenException">The first output that could not be switched.</exception>
    public static void SwitchOff(BoardFile file, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(clock);
        var buses = Buses.Open(file);
        using var board = new Board(file, buses.Gpio);
        BoardOpenException? fault = null;
        foreach (var it in buses.Devices.OfType<OutputEntry>())
        {
            try
            {
                board._outputs.Add(At(it, () => new SwitchedOutput(it, buses.Gpio, clock)));
            }
            catch (BoardOpenException failure)
            {
                fault ??= failure;
            }
        }

        if (fault is not null) throw fault;
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        AppDomain.CurrentDomain.ProcessExit -= OnEnd;
        AppDomain.CurrentDomain.UnhandledException -= OnEnd;
        foreach (var it in _outputs) it.Dispose(); // First of all: whatever follows may fail.
        foreach (var it in _readers) it.Dispose();
        foreach (var it in _osdpLines) it.Dispose();
        foreach (var it in _inputs) it.Dispose();
        foreach (var it in _scanners) it.Dispose();
        foreach (var it in _sensors) it.Dispose();
        _gpio.Dispose();
    }

    private static LineScanner OpenScanner(IReadOnlyList<SupervisedEntry> lines, BoardFile file, Buses buses, TimeProvider clock) => new(
        [.. lines.Select(it => new SupervisedInput(it, file.Calibrations.FirstOrDefault(known => known.Device == it.Id && known.Wiring == it.Wiring)))],
        buses.OpenI2c(lines[0].Bus, lines[0].Address), clock);

    /// <summary>Lets the OSDP readers speak. A port that is not there yet is looked for: the doors do not wait for it.</summary>
    public void StartReaders()
    {
        foreach (var it in _osdpLines) it.Start();
    }

    /// <summary>Simulated readers are reached by a board file that says so and by no other, whatever a link in /dev points to.</summary>
    internal static void RefuseProgram(OsdpEntry entry)
    {
        if (!File.Exists(entry.Line.Port) || File.ResolveLinkTarget(entry.Line.Port, returnFinalTarget: true) is not { } target || !OsdpDevices.IsPseudoTerminal(target.FullName)) return;
        throw new BoardOpenException(entry.Id, $"{entry.Line.Port} leads to {target.FullName}, behind which only a program can be.", "Give the serial port that the readers are wired to.");
    }

    private void OpenOsdp(IReadOnlyList<OsdpEntry> entries, SerialSettings line, OsdpReaderStore readers, TimeProvider clock)
    {
        if (!Simulated) RefuseProgram(entries[0]);
        _osdpLines.Add(new OsdpLine(line, [.. entries.Select(it => new OsdpLineReader(it.Id, new OsdpLinkSettings(it.Address)))], readers, clock));
        _osdpReaders.AddRange(OsdpReader.Of(entries, _osdpLines[^1], readers));
    }

    private OsdpReader ReaderOf(string id) => _osdpReaders.First(it => it.Entry.Id == id);

    private static Sensor OpenSensor(
        DeviceEntry entry, Buses buses, TimeProvider clock, IReadOnlyList<SensorFactory> factories)
    {
        var context = new SensorContext(entry, clock, buses.OpenI2c, buses.OpenSpi);
        foreach (var factory in factories)
            if (factory(context) is { } made) return made;

        return entry switch
        {
            NutEntry it => new NutUps(it, clock),
            AnalogI2cEntry it => new Ads1115(it, buses.OpenI2c(it.Bus, it.Address), clock),
            I2cEntry { Type: "sht4x" } it => new Sht4x(it, buses.OpenI2c(it.Bus, it.Address), clock),
            _ => throw new BoardOpenException(entry.Id, $"No driver for the type {entry.Type} is built in.",
                "Build with -p:IotBindings=true (hardware/PhysSec.Hardware.IotBindings), or remove the device."),
        };
    }

    private static T At<T>(DeviceEntry entry, Func<T> open)
    {
        try
        {
            return open();
        }
        catch (Exception failure) when (GpioFault.Is(failure) || failure is ArgumentException
            or PlatformNotSupportedException or UnauthorizedAccessException)
        {
            throw new BoardOpenException(entry.Id, $"The device cannot be opened: {failure.Message}",
                "Check its line, bus and address in the board file, that no other program holds them, and the user's groups (gpio, i2c, spi).",
                failure);
        }
    }

    private void OnEnd(object? sender, EventArgs args)
    {
        foreach (var it in _outputs) it.MakeSafe();
    }

    /// <summary>Nothing is known, and nothing can be kept: a key is never sent.</summary>
    private sealed class UnknownReaders : OsdpReaderStore
    {
        public override string Fault => "There is no store of readers' keys.";

        public override OsdpReaderMemory Of(string reader) => OsdpReaderMemory.None;

        public override void Store(string reader, OsdpReaderMemory memory) => throw new IOException(Fault);
    }
}
