using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace PhysSec.Hardware;

/// <summary>Which serial port, and how.</summary>
/// <param name="Port">Like /dev/ttyAMA2, or better a name that stays: /dev/serial/by-id/….</param>
/// <param name="Baud">Bits per second.</param>
/// <param name="Rs485">The kernel switches the transceiver's direction (TIOCSRS485); false: the adapter does.</param>
public sealed record SerialSettings(string Port, int Baud, bool Rs485 = false)
{
    /// <summary>What OSDP allows.</summary>
    public static IReadOnlyList<int> BaudRates { get; } = [9_600, 19_200, 38_400, 57_600, 115_200, 230_400];
}

/// <summary>What a wait on a line ended with.</summary>
public enum SerialWait
{
    /// <summary>Nothing happened in time.</summary>
    TimedOut,

    /// <summary>Bytes can be read.</summary>
    Received,

    /// <summary><see cref="SerialLine.Wake"/> was called.</summary>
    Woken,

    /// <summary>The adapter or the other end is gone: the line is to be disposed of and opened again.</summary>
    Gone,
}

/// <summary>
/// Raw bytes, eight bits without parity, on a serial port or a pseudo-terminal. No call waits for more than it is told to, and an unplugged adapter is an answer.
/// One thread reads and writes; <see cref="Wake"/> is for any.
/// </summary>
public sealed class SerialLine : IDisposable
{
    /// <summary>A frame goes to the kernel at once; a line that takes none of it for so long is stuck.</summary>
    private static readonly TimeSpan _writeWithin = TimeSpan.FromSeconds(1);

    private readonly SafeFileHandle _line;
    private readonly SafeFileHandle _wake;

    internal SerialLine(SafeFileHandle line)
    {
        _line = line;
        _wake = new SafeFileHandle(GpioUapi.NewSignal(0, SerialUapi.NonBlocking | SerialUapi.CloseOnExec), ownsHandle: true);
        if (_wake.IsInvalid) throw new IOException($"{GpioUapi.LastError}.");
    }

    /// <summary>Opens a port for this program alone.</summary>
    /// <exception cref="IOException">It is not there, held by another program, no serial port, or cannot do what is asked; the text says which.</exception>
    public static SerialLine Open(SerialSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(settings.Baud, nameof(settings));
        var line = SerialUapi.Open(settings.Port, SerialUapi.ReadWrite | SerialUapi.NoControllingTerminal | SerialUapi.NonBlocking | SerialUapi.CloseOnExec);
        try
        {
            if (line.IsInvalid) throw new IOException($"{settings.Port} cannot be opened: {GpioUapi.LastError}.");
            if (SerialUapi.Hold(line, SerialUapi.LockAlone) != 0) throw new IOException($"{settings.Port} is held by another program.");
            if (!SerialUapi.MakeRaw(line, settings.Baud)) throw new IOException($"{settings.Port} is no serial port, or does not do {settings.Baud} baud: {GpioUapi.LastError}.");
            if (settings.Rs485)
            {
                var direction = new SerialUapi.Rs485 { Flags = SerialUapi.Rs485.Enabled | SerialUapi.Rs485.RtsOnSend };
                if (SerialUapi.Ask(line, SerialUapi.SetRs485, ref direction) != 0)
                    throw new IOException($"{settings.Port}: its driver does not switch an RS-485 transceiver ({GpioUapi.LastError}); leave rs485 out where the adapter does it.");
            }

            var open = new SerialLine(line);
            open.Discard();
            return open;
        }
        catch
        {
            line.Dispose();
            throw;
        }
    }

    /// <summary>Waits for bytes.</summary>
    /// <param name="time">At most; zero or less only looks.</param>
    public SerialWait Wait(TimeSpan time) => Wait(SerialUapi.PollIn, time < TimeSpan.Zero ? TimeSpan.Zero : time);

    /// <returns>How many bytes came; 0: none now; less: the line is gone.</returns>
    public int Read(Span<byte> into)
    {
        var read = SerialUapi.Read(_line, into, (nuint)into.Length);
        if (read > 0) return (int)read;

        return read < 0 && Marshal.GetLastPInvokeError() is SerialUapi.TryAgain or SerialUapi.Interrupted ? 0 : -1;
    }

    /// <returns>False: the line is gone, or has taken nothing for a second.</returns>
    public bool Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var written = SerialUapi.Write(_line, bytes, (nuint)bytes.Length);
            if (written > 0) bytes = bytes[(int)written..];
            else if (Marshal.GetLastPInvokeError() is not (SerialUapi.TryAgain or SerialUapi.Interrupted) || Wait(SerialUapi.PollOut, _writeWithin) != SerialWait.Received) return false;
        }

        return true;
    }

    /// <summary>Forgets what has come and was not read, and what waits to be sent.</summary>
    public void Discard() => SerialUapi.Tell(_line, SerialUapi.Discard, SerialUapi.BothWays);

    /// <summary>Ends a wait, this one or the next.</summary>
    public void Wake() => GpioUapi.Write(_wake, 1, sizeof(ulong));

    public void Dispose()
    {
        _line.Dispose();
        _wake.Dispose();
    }

    private SerialWait Wait(short wanted, TimeSpan time)
    {
        var sending = wanted == SerialUapi.PollOut;
        var handles = new GpioUapi.PollPair
        {
            Events = (int)_line.DangerousGetHandle(),
            EventsWanted = wanted,
            End = sending ? -1 : (int)_wake.DangerousGetHandle(),
            EndWanted = SerialUapi.PollIn,
        };
        var found = SerialUapi.Poll(ref handles, 2, new(time), 0);
        if (found < 0) return Marshal.GetLastPInvokeError() == SerialUapi.Interrupted ? SerialWait.TimedOut : SerialWait.Gone;
        if ((handles.EventsSeen & wanted) != 0) return SerialWait.Received; // A line that hangs up may still hold bytes; reading finds its end.
        if (handles.EventsSeen != 0) return SerialWait.Gone;
        if (handles.EndSeen == 0) return SerialWait.TimedOut;

        Span<byte> count = stackalloc byte[sizeof(ulong)];
        SerialUapi.Read(_wake, count, sizeof(ulong));
        return SerialWait.Woken;
    }
}
