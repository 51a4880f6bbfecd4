using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace PhysSec.VmGuest.Machine;

/// <summary>The shipped program under a supervisor that does systemd's part: it hears READY=1 and WATCHDOG=1, and with the latter feeds the machine's watchdog.</summary>
internal sealed partial class NodeProcess : IDisposable
{
    private const int Kill = 9, Terminate = 15, Stop = 19;
    private const string NotifyPath = "/tmp/notify";
    private static readonly TimeSpan _startMax = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly Socket _notify = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private volatile bool _ready;
    private int _beats;
    private FileStream? _watchdog;

    public NodeProcess(string program, string config, string log)
    {
        File.Delete(NotifyPath);
        _notify.Bind(new UnixDomainSocketEndPoint(NotifyPath));
        new Thread(Hear) { IsBackground = true, Name = "notify" }.Start();

        // .NET looks at its parent's name before it talks to systemd. The log goes to a file, because the console is the report.
        File.WriteAllText("/proc/self/comm", "systemd");
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"exec {program} --config {config} >>{log} 2>&1"]);
        start.Environment["NOTIFY_SOCKET"] = NotifyPath;
        _process = Process.Start(start)!;
    }

    public int Id => _process.Id;

    public int Beats => Volatile.Read(ref _beats);

    /// <summary>Waits for READY=1 and holds the contacts meanwhile. Null: it did not come.</summary>
    public TimeSpan? AwaitReady(Lines lines) => Monotonic.Until(
        () =>
        {
            lines.HoldContacts();
            return _ready || _process.HasExited;
        },
        _startMax) is { } time && _ready ? time : null;

    /// <summary>Ends it in order (SIGTERM). Null: it did not end in time.</summary>
    public int? EndInOrder()
    {
        Signal(Id, Terminate);
        return _process.WaitForExit(TimeSpan.FromSeconds(15)) ? _process.ExitCode : null;
    }

    public void KillAtOnce()
    {
        Signal(Id, Kill);
        _process.WaitForExit();
    }

    /// <summary>It hangs: it holds everything and does nothing.</summary>
    public void Freeze() => Signal(Id, Stop);

    /// <summary>From now on the machine lives as long as the node beats.</summary>
    public void ArmWatchdog()
    {
        _watchdog = new FileStream("/dev/watchdog", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        _watchdog.Write("\n"u8);
    }

    public void Dispose()
    {
        if (!_process.HasExited) KillAtOnce();
        _process.Dispose();
        _notify.Dispose();
    }

    private void Hear()
    {
        var text = new byte[512];
        try
        {
            while (true)
            {
                var said = Encoding.UTF8.GetString(text, 0, _notify.Receive(text));
                if (said.Contains("WATCHDOG=1", StringComparison.Ordinal))
                {
                    Interlocked.Increment(ref _beats);
                    _watchdog?.Write("\n"u8);
                }

                _ready |= said.Contains("READY=1", StringComparison.Ordinal);
            }
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            // The socket was closed: nobody listens any more.
        }
    }

    private static void Signal(int process, int signal)
    {
        if (SendSignal(process, signal) != 0) throw new InvalidOperationException($"signal {signal} could not be sent");
    }

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
