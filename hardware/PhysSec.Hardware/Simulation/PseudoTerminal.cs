using Microsoft.Win32.SafeHandles;

namespace PhysSec.Hardware.Simulation;

/// <summary>A serial cable without hardware: whoever opens <see cref="Path"/> as a serial port has <see cref="Line"/> at the other end. Disposing of it unplugs the cable.</summary>
public sealed class PseudoTerminal : IDisposable
{
    private readonly SafeFileHandle _port;
    private readonly string? _link;

    /// <param name="link">A symbolic link to make, so that the port has a name that is known beforehand; what stood there goes.</param>
    /// <exception cref="IOException">The kernel gives no pseudo-terminal.</exception>
    public PseudoTerminal(string? link = null)
    {
        var far = SerialUapi.Open("/dev/ptmx", SerialUapi.ReadWrite | SerialUapi.NoControllingTerminal | SerialUapi.NonBlocking | SerialUapi.CloseOnExec);
        var (number, free) = (0, 0);
        // Raw before the port is opened: else the first bytes would be echoed.
        if (far.IsInvalid || SerialUapi.Ask(far, SerialUapi.GetTerminal, ref number) != 0 || SerialUapi.Ask(far, SerialUapi.LockTerminal, ref free) != 0
            || !SerialUapi.MakeRaw(far, 9_600))
        {
            far.Dispose();
            throw new IOException($"No pseudo-terminal: {GpioUapi.LastError}.");
        }

        Path = $"/dev/pts/{number}";
        Line = new SerialLine(far);
        _port = SerialUapi.Open(Path, SerialUapi.ReadWrite | SerialUapi.NoControllingTerminal | SerialUapi.CloseOnExec); // A cable with nobody at it is no unplugged one.
        if (link is null) return;
        File.Delete(link);
        File.CreateSymbolicLink(link, Path);
        _link = link;
    }

    /// <summary>The port to open.</summary>
    public string Path { get; }

    /// <summary>The speed that the port was opened with, in bits per second.</summary>
    public int Baud
    {
        get
        {
            var settings = default(SerialUapi.Settings);
            return SerialUapi.Ask(_port, SerialUapi.GetSettings, ref settings) == 0 ? (int)settings.OutputRate : 0;
        }
    }

    /// <summary>The other end.</summary>
    public SerialLine Line { get; }

    public void Dispose()
    {
        if (_link is not null) File.Delete(_link);
        _port.Dispose();
        Line.Dispose();
    }
}
