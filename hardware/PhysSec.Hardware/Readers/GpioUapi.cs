using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace PhysSec.Hardware;

/// <summary>The GPIO character device's second interface (linux/gpio.h, since Linux 5.10), as far as a reader needs it.</summary>
internal static partial class GpioUapi
{
    public const int LinesMax = 64;
    public const ulong Used = 1 << 0, Input = 1 << 2, EdgeFalling = 1 << 5, BiasPullUp = 1 << 8;
    public const nuint GetChipInfo = 0x8044_B401, GetLineInfo = 0xC100_B405, GetLine = 0xC250_B407, GetValues = 0xC010_B40E;
    public const int NoSuchCall = 25, Busy = 16, Interrupted = 4, Invalid = 22;
    public const short PollIn = 1;

    /// <summary>The number of the last call's error, and its text.</summary>
    public static string LastError => $"Error {Marshal.GetLastPInvokeError()} ({Marshal.GetLastPInvokeErrorMessage()})";

    public static string Text(ReadOnlySpan<byte> name) => Encoding.UTF8.GetString(name[..(name.IndexOf((byte)0) is var end and >= 0 ? end : name.Length)]);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ask(SafeFileHandle chip, nuint request, ref ChipInfo info);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ask(SafeFileHandle chip, nuint request, ref LineInfo info);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ask(SafeFileHandle chip, nuint request, ref LineRequest lines);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ask(SafeFileHandle lines, nuint request, ref LineValues values);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(ref PollPair handles, nuint count, int milliseconds);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(SafeFileHandle from, ref LineEvent events, nuint bytes);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int NewSignal(uint start, int flags);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(SafeFileHandle to, in ulong count, nuint bytes);

    [InlineArray(32)]
    internal struct Name
    {
        private byte _first;
    }

    [InlineArray(LinesMax)]
    internal struct Offsets
    {
        private uint _first;
    }

    [InlineArray(5)]
    internal struct FiveWords
    {
        private uint _first;
    }

    [InlineArray(6)]
    internal struct SixWords
    {
        private uint _first;
    }

    /// <summary>Ten attributes that no reader sets: 24 bytes each in a request.</summary>
    [InlineArray(30)]
    internal struct NoConfigAttributes
    {
        private ulong _first;
    }

    /// <summary>Ten attributes that nobody asks for, 16 bytes each, and four words of padding.</summary>
    [InlineArray(22)]
    internal struct InfoAttributes
    {
        private ulong _first;
    }

    /// <summary>struct gpiochip_info</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ChipInfo
    {
        public Name Name;
        public Name Label;
        public uint Lines;
    }

    /// <summary>struct gpio_v2_line_info</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct LineInfo
    {
        public Name Name;
        public Name Consumer;
        public uint Offset;
        public uint AttributeCount;
        public ulong Flags;
        public InfoAttributes Attributes;
    }

    /// <summary>struct gpio_v2_line_config</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct LineConfig
    {
        public ulong Flags;
        public uint AttributeCount;
        public FiveWords Padding;
        public NoConfigAttributes Attributes;
    }

    /// <summary>struct gpio_v2_line_request</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct LineRequest
    {
        public Offsets Offsets;
        public Name Consumer;
        public LineConfig Config;
        public uint LineCount;
        public uint EventBufferSize;
        public FiveWords Padding;
        public int Handle;
    }

    /// <summary>struct gpio_v2_line_values: bit 0 is the first line of the request.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct LineValues
    {
        public ulong Bits;
        public ulong Mask;
    }

    /// <summary>struct gpio_v2_line_event</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct LineEvent
    {
        public ulong Timestamp;
        public uint Kind;
        public uint Offset;
        public uint Sequence;
        public uint LineSequence;
        public SixWords Padding;
    }

    /// <summary>Two of struct pollfd: the events and the signal to end.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct PollPair
    {
        public int Events;
        public short EventsWanted;
        public short EventsSeen;
        public int End;
        public short EndWanted;
        public short EndSeen;
    }
}
