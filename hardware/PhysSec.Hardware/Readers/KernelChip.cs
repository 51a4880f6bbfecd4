using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace PhysSec.Hardware;

/// <summary>A GPIO chip of the kernel, by its character device. The chip itself is opened for each request only; a request is held.</summary>
internal sealed class KernelChip(string path, int lines)
{
    /// <summary>Shown by gpioinfo, and to whoever asks for a held line.</summary>
    private const string Consumer = "physsec-reader";

    /// <summary>Of each request: more than a dozen cards, however long this program is kept from the processor.</summary>
    private const int EventBuffer = 1_024;

    /// <summary>The first label that a chip has decides; null when none has, or when its lines have no second interface.</summary>
    public static KernelChip? Find(IReadOnlyList<string> labels)
    {
        foreach (var label in labels)
            foreach (var path in Directory.EnumerateFileSystemEntries("/dev", "gpiochip*").Order(StringComparer.Ordinal))
                if (LinesOf(path, label) is { } lines) return new KernelChip(path, lines);

        return null;
    }

    /// <summary>The lines that the kernel calls by this name; a device tree can give a name twice.</summary>
    public IReadOnlyList<int> OffsetsOf(string name)
    {
        using var chip = Open(path);
        return [.. Enumerable.Range(0, lines).Where(offset => LineOf(chip, offset) is { } line && GpioUapi.Text(line.Name) == name)];
    }

    /// <summary>Both lines of a reader in one request, so that they share one count and one order: falling edges, pulled up.</summary>
    /// <exception cref="IOException">Says which line is held by whom.</exception>
    public SafeFileHandle RequestFalling(int d0, int d1)
    {
        var request = new GpioUapi.LineRequest { LineCount = 2, EventBufferSize = EventBuffer };
        (request.Offsets[0], request.Offsets[1]) = ((uint)d0, (uint)d1);
        Encoding.ASCII.GetBytes(Consumer, request.Consumer);
        request.Config.Flags = GpioUapi.Input | GpioUapi.EdgeFalling | GpioUapi.BiasPullUp;
        using var chip = Open(path);
        if (GpioUapi.Ask(chip, GpioUapi.GetLine, ref request) == 0) return new SafeFileHandle(request.Handle, ownsHandle: true);

        var (number, error) = (Marshal.GetLastPInvokeError(), GpioUapi.LastError);
        throw new IOException(number == GpioUapi.Busy ? $"{error}; {HolderOf(chip, d0) ?? HolderOf(chip, d1) ?? "its holder is gone again"}." : $"{error}.");
    }

    private static SafeFileHandle Open(string path) => File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);

    /// <summary>How many lines it has; null when it is not this chip, or has no second interface.</summary>
    private static int? LinesOf(string path, string label)
    {
        try
        {
            using var chip = Open(path);
            var (info, line) = (default(GpioUapi.ChipInfo), default(GpioUapi.LineInfo));
            var itIs = GpioUapi.Ask(chip, GpioUapi.GetChipInfo, ref info) == 0 && GpioUapi.Text(info.Label) == label;
            return itIs && GpioUapi.Ask(chip, GpioUapi.GetLineInfo, ref line) == 0 ? (int)info.Lines : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null; // Whoever may not open the chip gets that answer for its first output already.
        }
    }

    private static string? HolderOf(SafeFileHandle chip, int offset) => LineOf(chip, offset) is { } line && (line.Flags & GpioUapi.Used) != 0
        ? $"line {offset} is held by \"{GpioUapi.Text(line.Consumer)}\"" : null;

    private static GpioUapi.LineInfo? LineOf(SafeFileHandle chip, int offset)
    {
        var line = new GpioUapi.LineInfo { Offset = (uint)offset };
        return GpioUapi.Ask(chip, GpioUapi.GetLineInfo, ref line) == 0 ? line : null;
    }
}
