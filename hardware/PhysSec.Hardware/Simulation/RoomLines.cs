namespace PhysSec.Hardware.Simulation;

/// <summary>The copper of a room's supervised lines: what each converter's inputs see, with the contacts as they stand and what somebody did to a wire.</summary>
internal sealed class RoomLines(IReadOnlyList<DeviceEntry> devices, Func<DeviceEntry, bool> holds)
{
    private const double SupplyVolts = 3.3;
    private const double ForeignVolts = 3.9; // As far as the chip's protection lets it.

    private readonly Dictionary<(int Bus, int Address), Ads1115Chip> _chips = [];
    private readonly SortedDictionary<string, string> _conditions = new(StringComparer.Ordinal);
    private readonly List<SupervisedEntry> _lines = [.. devices.OfType<SupervisedEntry>()];

    /// <summary>Inputs whose wires are not as they should be, and how.</summary>
    public IReadOnlyDictionary<string, string> Conditions => _conditions;

    /// <summary>Does something to a line's wires: the answer for whoever asked.</summary>
    public string Set(string input, string condition)
    {
        if (!_lines.Exists(it => it.Id == input))
            return $"error: no supervised line has this name; known: {(_lines.Count == 0 ? "none" : string.Join(", ", _lines.Select(it => it.Id)))}";
        if (condition is not ("ok" or "cut" or "short" or "ground" or "foreign" or "between"))
            return "error: this is nothing that happens to a line; write ok, cut, short, ground, foreign or between";

        if (condition == "ok") _conditions.Remove(input);
        else _conditions[input] = condition;
        return $"ok line {input} {condition}";
    }

    /// <summary>A transfer to a converter of supervised lines; null: there is none at this address.</summary>
    public bool? Transfer(int bus, int address, byte[] sent, byte[] answer, TimeSpan uptime)
    {
        if (!_lines.Exists(it => (it.Bus, it.Address) == (bus, address))) return null;
        if (!_chips.TryGetValue((bus, address), out var chip)) _chips[(bus, address)] = chip = new();
        return (sent.Length == 0 || chip.Write(sent, [.. Enumerable.Range(0, 4).Select(it => VoltsAt(bus, address, it))], uptime))
            && (answer.Length == 0 || chip.Read(answer, uptime));
    }

    private double VoltsAt(int bus, int address, int input)
    {
        var ofChip = _lines.Where(it => (it.Bus, it.Address) == (bus, address)).ToList();
        if (ofChip.Exists(it => it.Reference == input)) return SupplyVolts;
        return ofChip.Find(it => it.Channel == input) is { } line ? VoltsOf(line) : 0;
    }

    private double VoltsOf(SupervisedEntry line)
    {
        var closed = holds(line) == (line.Active == LineContact.Closed);
        var contact = closed ? line.Network.Series ?? 0 : line.Network.Parallel is { } parallel ? (line.Network.Series ?? 0) + parallel : double.PositiveInfinity;
        return _conditions.GetValueOrDefault(line.Id) switch
        {
            "cut" => SupplyVolts,
            "short" => SupplyVolts * line.Network.Ratio(0),
            "ground" => 0,
            "foreign" => ForeignVolts,
            "between" => SupplyVolts * Between(line),
            _ => SupplyVolts * line.Network.Ratio(contact),
        };
    }

    /// <summary>In the middle of the guard band above the closed contact's: a resistor that is not the right one.</summary>
    private static double Between(SupervisedEntry line)
    {
        var bands = line.Bands().Bands.ToList();
        var closed = bands.FindIndex(it => it.State == LineState.Closed);
        return (bands[closed].High + bands[closed + 1].Low) / 2;
    }
}
