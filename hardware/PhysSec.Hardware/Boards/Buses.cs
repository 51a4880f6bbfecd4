using System.Device.Gpio;
using System.Device.Gpio.Drivers;
using System.Device.I2c;
using System.Device.Spi;
using System.Diagnostics.CodeAnalysis;
using PhysSec.Hardware.Simulation;

namespace PhysSec.Hardware;

/// <summary>The board's lines and buses: the kernel's, or those of a simulated room when the board file says so.</summary>
[SuppressMessage("Reliability", "CA2000", Justification = "The board owns the controller, and the controller its driver.")]
internal sealed record Buses(
    IReadOnlyList<DeviceEntry> Devices,
    GpioController Gpio,
    Func<WiegandEntry, TimeProvider, EdgeSource> OpenEdges,
    Func<int, int, I2cDevice> OpenI2c,
    Func<SpiConnectionSettings, SpiDevice> OpenSpi)
{
    private const string Hardware = "hardware";

    public static Buses Open(BoardFile file) => file.Hardware.Kind switch
    {
        HardwareKind.RaspberryPi => OnPi(file),
        HardwareKind.Simulated => InRoom(file),
    };

    /// <summary>
    /// Raspberry Pi's own kernels leave an output as it was when its program dies, so a killed node would leave a door
    /// released. The kernel's parameter is read and such a board is refused.
    /// </summary>
    internal static void RefuseLastingOutputs(string modules)
    {
        foreach (var module in (string[])["pinctrl_bcm2835", "pinctrl_rp1"])
        {
            var parameter = Path.Combine(modules, module, "parameters", "persist_gpio_outputs");
            if (!File.Exists(parameter) || !File.ReadAllText(parameter).StartsWith('Y')) continue;

            throw new BoardOpenException(Hardware,
                $"This kernel keeps an output's level after the program dies ({parameter} is Y): a crash would leave a lock released.",
                "Add \"dtparam=strict_gpiod\" to /boot/firmware/config.txt and restart the board.");
        }
    }

    private static Buses OnPi(BoardFile file)
    {
        RefuseLastingOutputs("/sys/module");
        var chip = KernelChip.Find(file.Hardware.GpioChips);
        ReserveThreads(file.Devices.Sum(it => it is WiegandEntry && chip is null ? 2 : it is InputEntry ? 1 : 0));
        try
        {
            var gpio = new GpioController(DriverFor(file.Hardware.GpioChips));
            return new Buses(LinesByName.Resolve(file, chip is null ? null : chip.OffsetsOf), gpio, (entry, clock) => EdgesOf(entry, gpio, chip, clock), OpenKernelI2c, SpiDevice.Create);
        }
        catch (Exception failure) when (failure is IOException or PlatformNotSupportedException or GpiodException
            or DllNotFoundException or UnauthorizedAccessException)
        {
            throw new BoardOpenException(Hardware, $"The GPIO chip cannot be opened: {failure.Message}",
                "Install libgpiod2 or libgpiod3 and add the node's user to the group gpio.", failure);
        }
    }

    /// <summary>A kernel before 5.10 has only what System.Device.Gpio can give.</summary>
    private static EdgeSource EdgesOf(WiegandEntry entry, GpioController gpio, KernelChip? chip, TimeProvider clock) => chip is null
        ? new CallbackEdges(entry, gpio, clock, stamped: false)
        : new KernelEdges(entry, chip.RequestFalling(entry.D0, entry.D1), clock);

    /// <summary>
    /// libgpiod 1's driver keeps one pool thread blocked for each watched line. The pool grows by one or two threads a
    /// second, so without this every timer of the process would stand still for the first seconds.
    /// </summary>
    private static void ReserveThreads(int watchedLines)
    {
        ThreadPool.GetMinThreads(out var workers, out var completion);
        ThreadPool.SetMinThreads(workers + watchedLines, completion);
    }

    /// <summary>Debian 12 carries libgpiod 1 (libgpiod.so.2), Debian 13 libgpiod 2 (libgpiod.so.3).</summary>
    private static GpioDriver DriverFor(IReadOnlyList<string> labels)
    {
        try
        {
            return new LibGpiodV2Driver(Pick(LibGpiodV2Driver.GetAvailableChips(), labels));
        }
        catch (GpiodException missing) when (missing.InnerException is DllNotFoundException)
        {
            return new LibGpiodDriver(Pick(LibGpiodDriver.GetAvailableChips(), labels));
        }
    }

    private static GpioChipInfo Pick(IEnumerable<GpioChipInfo> chips, IReadOnlyList<string> labels)
    {
        var all = chips.ToList();
        return labels.Select(label => all.Find(it => it.Label == label)).FirstOrDefault(it => it is not null)
            ?? throw new BoardOpenException(Hardware, $"No GPIO chip is labelled {string.Join(" or ", labels)}.",
                all.Count == 0
                    ? "This machine has no GPIO chip: run on the board, or use a board file with the kind \"simulated\"."
                    : $"Write one of these labels as gpioChip: {string.Join(", ", all.Select(it => it.Label))}.");
    }

    private static I2cDevice OpenKernelI2c(int bus, int address)
    {
        if (!File.Exists($"/dev/i2c-{bus}"))
            throw new IOException($"/dev/i2c-{bus} is missing; add \"dtparam=i2c_arm=on\" to /boot/firmware/config.txt.");

        return I2cDevice.Create(new I2cConnectionSettings(bus, address));
    }

    private static Buses InRoom(BoardFile file)
    {
        try
        {
            var link = RoomLink.Open(file.Hardware.Socket!);
            var gpio = new GpioController(new SimulatedGpioDriver(link));
            return new Buses(
                file.Devices,
                gpio,
                (entry, clock) => new CallbackEdges(entry, gpio, clock, stamped: true),
                (bus, address) => new SimulatedI2cDevice(link, bus, address),
                _ => throw new PlatformNotSupportedException("The simulated room has no SPI bus."));
        }
        catch (IOException failure)
        {
            throw new BoardOpenException(Hardware, failure.Message,
                "Start the room first (./deploy.sh demo does), or correct hardware.socket in the board file.", failure);
        }
    }
}
