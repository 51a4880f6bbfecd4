namespace PhysSec.Hardware;

/// <summary>Finds the chip's lines by the kernel's names where the board file gives them: a chip's own order differs between kernels.</summary>
internal static class LinesByName
{
    private const string Remedy = "Write a name that gpioinfo lists once, or leave hardware.lineNames out.";

    /// <summary>The devices, on the chip's own lines.</summary>
    /// <param name="file">The board.</param>
    /// <param name="offsetsOf">The chip's lines of a name; null: this kernel cannot be asked.</param>
    /// <exception cref="BoardOpenException">A name leads to no line, to several, or to one that another device has.</exception>
    public static IReadOnlyList<DeviceEntry> Resolve(BoardFile file, Func<string, IReadOnlyList<int>>? offsetsOf)
    {
        var names = file.Hardware.LineNames;
        if (names.Count == 0) return file.Devices;
        if (offsetsOf is null) throw Refused("This kernel does not tell the names of lines; it is older than 5.10.");

        var offsets = names.ToDictionary(it => it.Key, it => offsetsOf(it.Value) switch
        {
            [var offset] => offset,
            [] => throw Refused($"The GPIO chip has no line named {it.Value}."),
            _ => throw Refused($"The GPIO chip has several lines named {it.Value}."),
        });
        int At(int line) => offsets.GetValueOrDefault(line, line);
        List<DeviceEntry> devices = [.. file.Devices.Select(it => it switch
        {
            WiegandEntry reader => reader with { D0 = At(reader.D0), D1 = At(reader.D1) },
            InputEntry input => input with { Line = At(input.Line) },
            OutputEntry output => output with { Line = At(output.Line) },
            _ => it,
        })];
        var twice = devices.SelectMany(BoardRules.LinesOf).GroupBy(it => it.Line).FirstOrDefault(it => it.Count() > 1);
        return twice is null ? devices : throw Refused($"Two devices come to line {twice.Key} of the GPIO chip.");
    }

    private static BoardOpenException Refused(string fault) => new("hardware", fault, Remedy);
}
