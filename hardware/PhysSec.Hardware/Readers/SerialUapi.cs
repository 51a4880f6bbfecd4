using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace PhysSec.Hardware;

/// <summary>
/// Serial lines and pseudo-terminals by the kernel's own calls (asm-generic termbits.h, linux/serial.h; the same on x64 and arm64). System.IO.Ports neither tells of an
/// unplugged adapter nor survives it: its Write and Dispose then never return.
/// </summary>
internal static partial class SerialUapi
{
    public const int ReadWrite = 0x2, NoControllingTerminal = 0x100, NonBlocking = 0x800, CloseOnExec = 0x8_0000;

    /// <summary>What <see cref="Discard"/> empties: what came and was not read, and what waits to be sent.</summary>
    public const int BothWays = 2;

    public const nuint GetSettings = 0x802C_542A, SetSettings = 0x402C_542B, Discard = 0x540B, SetRs485 = 0x542F, GetTerminal = 0x8004_5430, LockTerminal = 0x4004_5431;
    public const int Interrupted = 4, TryAgain = 11;
    public const short PollIn = 1, PollOut = 4, PollGone = 8 | 16; // Error or hang-up.
    public const int LockAlone = 2 | 4; // Exclusive, without waiting.

    /// <summary>Any rate, eight bits, no parity, one stop bit, no modem lines.</summary>
    private const uint AnyRate = 0x1000, EightBits = 0x30, Receive = 0x80, Local = 0x800;

    /// <summary>Index of the least number of bytes for a read: with 1, a read of none means that the other side is gone.</summary>
    private const int LeastBytes = 6;

    /// <summary>Bytes as they are, at a rate in bits per second.</summary>
    public static bool MakeRaw(SafeFileHandle line, int baud)
    {
        var settings = default(Settings);
        if (Ask(line, GetSettings, ref settings) != 0) return false;
        (settings.InputModes, settings.OutputModes, settings.LocalModes) = (0, 0, 0);
        settings.ControlModes = AnyRate | EightBits | Receive | Local;
        settings.Characters = default;
        settings.Characters[LeastBytes] = 1;
        (settings.InputRate, settings.OutputRate) = ((uint)baud, (uint)baud);
        return Ask(line, SetSettings, ref settings) == 0;
    }

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial SafeFileHandle Open(string path, int flags);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int Hold(SafeFileHandle line, int how);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ask(SafeFileHandle line, nuint request, ref Settings settings);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ask(SafeFileHandle line, nuint request, ref Rs485 settings);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ask(SafeFileHandle line, nuint request, ref int value);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Tell(SafeFileHandle line, nuint request, nint value);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "ppoll", SetLastError = true)]
    public static partial int Poll(ref GpioUapi.PollPair handles, nuint count, in Wait wait, nint signals);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(SafeFileHandle from, Span<byte> into, nuint bytes);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(SafeFileHandle to, ReadOnlySpan<byte> bytes, nuint count);

    [InlineArray(19)]
    internal struct ControlCharacters
    {
        private byte _first;
    }

    [InlineArray(5)]
    internal struct FiveWords
    {
        private uint _first;
    }

    /// <summary>struct termios2</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Settings
    {
        public uint InputModes;
        public uint OutputModes;
        public uint ControlModes;
        public uint LocalModes;
        public byte Discipline;
        public ControlCharacters Characters;
        public uint InputRate;
        public uint OutputRate;
    }

    /// <summary>struct serial_rs485</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Rs485
    {
        /// <summary>Switch the direction in the kernel; RTS is high while sending.</summary>
        public const uint Enabled = 1, RtsOnSend = 2;

        public uint Flags;
        public uint DelayBefore;
        public uint DelayAfter;
        public FiveWords Padding;
    }

    /// <summary>struct timespec</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly struct Wait(TimeSpan time)
    {
        public readonly long Seconds = time.Ticks / TimeSpan.TicksPerSecond;
        public readonly long Nanoseconds = time.Ticks % TimeSpan.TicksPerSecond * 100;
    }
}
