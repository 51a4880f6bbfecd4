namespace PhysSec.Hardware;

/// <summary>One mistake in a board file.</summary>
/// <param name="Where">Like "devices[3].line", or the line of broken JSON.</param>
/// <param name="Fault">What is wrong, with the value found.</param>
/// <param name="Remedy">What to write instead.</param>
public sealed record BoardFault(string Where, string Fault, string Remedy)
{
    public override string ToString() => $"{Where}: {Fault} {Remedy}";
}

/// <summary>A board file that must not be used. Carries every fault found, not only the first.</summary>
public sealed class BoardFileException(string name, IReadOnlyList<BoardFault> faults)
    : Exception($"Board file {name} has {faults.Count} fault(s):\n" + string.Join('\n', faults.Select(it => "  " + it)))
{
    public IReadOnlyList<BoardFault> Faults { get; } = faults;
}

/// <summary>Where the devices hang.</summary>
public enum HardwareKind
{
    RaspberryPi,
    Simulated,
}

/// <summary>The board itself. Only <see cref="Kind"/> chooses simulation: nothing falls back to it.</summary>
public sealed record BoardHardware
{
    public required HardwareKind Kind { get; init; }

    /// <summary>Labels of the GPIO chip, the first that exists is used: chip numbers differ between machines.</summary>
    public IReadOnlyList<string> GpioChips { get; init; } = [];

    /// <summary>What the kernel calls a line of this file, where the chip's own order is not that of the header.</summary>
    public IReadOnlyDictionary<int, string> LineNames { get; init; } = new Dictionary<int, string>();

    /// <summary>The simulated room's socket. Absolute after <see cref="BoardFile.Load"/>.</summary>
    public string? Socket { get; init; }
}

/// <summary>Which device hangs on which line, bus and address. Checked once, before any line is touched.</summary>
public sealed record BoardFile
{
    /// <summary>The file's name without its extension.</summary>
    public required string Name { get; init; }

    public required BoardHardware Hardware { get; init; }

    public required IReadOnlyList<DeviceEntry> Devices { get; init; }

    /// <summary>Reads and checks a board file; a relative socket, and a simulated reader's port, are taken from the file's own folder.</summary>
    /// <exception cref="BoardFileException">The file cannot be read, or is wrong: every fault is listed.</exception>
    public static BoardFile Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string json;
        try
        {
            json = File.ReadAllText(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new BoardFileException(path,
                [new(path, $"The file cannot be read: {failure.Message}", "Give the path of a board file that the node may read.")]);
        }

        var file = Parse(json, Path.GetFileNameWithoutExtension(path));
        if (file.Hardware.Socket is not { } socket) return file;

        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return file with
        {
            Hardware = file.Hardware with { Socket = Path.GetFullPath(socket, folder) },
            Devices = [.. file.Devices.Select(it => it is OsdpEntry osdp ? osdp with { Line = osdp.Line with { Port = Path.GetFullPath(osdp.Line.Port, folder) } } : it)],
        };
    }

    /// <summary>Checks the text of a board file.</summary>
    /// <exception cref="BoardFileException">Every fault found.</exception>
    public static BoardFile Parse(string json, string name)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(name);
        var faults = new List<BoardFault>();
        var file = BoardParser.Parse(json, name, faults);
        if (file is not null) BoardRules.Check(file, faults);
        if (faults.Count > 0 || file is null) throw new BoardFileException(name, faults);

        return file;
    }
}
