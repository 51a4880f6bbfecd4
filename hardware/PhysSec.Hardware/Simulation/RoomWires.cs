using System.Globalization;

namespace PhysSec.Hardware.Simulation;

/// <summary>
/// What the kernel and the copper do between a board and the room: who holds which line, what level it has, which edges
/// are told. A board that goes away, by whatever death, leaves its outputs to the pull of the relay board: off.
/// </summary>
internal sealed class RoomWires(RoomParameters parameters, Room room, Sht4xChip chip)
{
    private const int LinesMax = 28;
    private const string Invalid = "error 22 (Invalid argument)";
    private const string NoAcknowledge = "error 121 (Remote I/O error) performing I2C data transfer.";

    private readonly Ads1115Chip _converter = new();
    private RoomLines? _lines;
    private readonly Dictionary<int, Pin> _pins = [];
    private readonly HashSet<int> _pulsed = [];

    /// <summary>A board's connection.</summary>
    internal sealed class End(Action<string> push, Func<bool> isDead)
    {
        public Action<string> Push { get; } = push;

        /// <summary>A killed board may be replaced before its end of file is read here.</summary>
        public Func<bool> IsDead { get; } = isDead;
    }

    private sealed class Pin(End owner)
    {
        public End Owner { get; } = owner;

        public bool Output { get; set; }

        public bool High { get; set; }

        public bool PullUp { get; set; }

        public bool Watched { get; set; }

        public bool Told { get; set; }
    }

    public int LinesHeld => _pins.Count;

    /// <summary>The supervised ones.</summary>
    public RoomLines Lines => _lines ??= new(parameters.Devices, Holds);

    /// <summary>One request of a board, one answer.</summary>
    public string Answer(End end, string request, TimeSpan uptime)
    {
        var words = request.Split(' ');
        if (words is ["i2c", _, _, _, _]) return Transfer(words, uptime);
        if (words.Length < 2 || !int.TryParse(words[1], CultureInfo.InvariantCulture, out var line)
            || line is < 0 or >= LinesMax)
        {
            return Invalid;
        }

        if (words is ["open", _]) return Open(end, line);
        if (!_pins.TryGetValue(line, out var pin) || pin.Owner != end) return "error 1 (The line is not open here)";

        switch (words)
        {
            case ["close", _]:
                _pins.Remove(line);
                break;
            case ["mode", _, "out", "0" or "1"]:
                (pin.Output, pin.High) = (true, words[3] == "1");
                ApplyOutputs();
                return pin.High ? "ok 1" : "ok 0";
            case ["mode", _, "in", "none" or "up" or "down"]:
                (pin.Output, pin.PullUp, pin.Watched) = (false, words[3] == "up", true);
                pin.Told = LevelOf(line);
                ApplyOutputs();
                return pin.Told ? "ok 1" : "ok 0";
            case ["write", _, "0" or "1"] when pin.Output:
                pin.High = words[2] == "1";
                break;
            default:
                return Invalid;
        }

        ApplyOutputs();
        return "ok";
    }

    /// <summary>The board is gone: the kernel takes its lines back.</summary>
    public void Release(End end)
    {
        foreach (var line in _pins.Where(it => it.Value.Owner == end).Select(it => it.Key).ToArray()) _pins.Remove(line);
        ApplyOutputs();
    }

    /// <summary>Tells every changed line, with the bounce of a real contact.</summary>
    public void TellChanges(double seconds)
    {
        foreach (var (line, pin) in _pins)
        {
            var level = LevelOf(line);
            if (!pin.Watched || pin.Output || pin.Told == level) continue;

            pin.Told = level;
            Tell(pin, line, level, seconds);
            Tell(pin, line, !level, seconds + 0.001);
            Tell(pin, line, level, seconds + 0.002);
        }
    }

    /// <summary>One Wiegand pulse of 50 µs; the stamps are those of the wire, in seconds.</summary>
    public void Pulse(int line, double seconds)
    {
        if (!_pins.TryGetValue(line, out var pin) || !pin.Watched) return;

        _pulsed.Add(line);
        Tell(pin, line, false, seconds);
        _pulsed.Remove(line);
        Tell(pin, line, true, seconds + 0.000_050);
    }

    private static void Tell(Pin pin, int line, bool level, double seconds) => pin.Owner.Push(
        string.Create(CultureInfo.InvariantCulture, $"edge {line} {(level ? 1 : 0)} {seconds:F6}"));

    private string Open(End end, int line)
    {
        if (_pins.TryGetValue(line, out var held) && held.Owner != end && held.Owner.IsDead()) Release(held.Owner);
        if (_pins.ContainsKey(line)) return "error 16 (Device or resource busy)";

        _pins[line] = new Pin(end);
        return "ok";
    }

    private bool LevelOf(int line)
    {
        if (_pins.TryGetValue(line, out var pin) && pin.Output) return pin.High;

        foreach (var device in parameters.Devices)
        {
            switch (device)
            {
                case InputEntry it when it.Line == line:
                    return Holds(it) == (it.Active == Level.High);
                case OutputEntry it when it.Line == line:
                    return it.Active == Level.Low;
                case WiegandEntry it when it.D0 == line || it.D1 == line:
                    return !_pulsed.Contains(line);
            }
        }

        return pin?.PullUp ?? false;
    }

    private bool Holds(DeviceEntry contact)
    {
        var door = room.Doors.FirstOrDefault(it => it.Id == contact.Door);
        return contact.Role switch
        {
            DeviceRole.DoorContact => door?.LeafOpen,
            DeviceRole.ExitButton => door?.ExitPressed,
            DeviceRole.DoorTamper => door?.Tampered,
            DeviceRole.BreakGlass => door?.GlassBroken,
            DeviceRole.BoltFeedback or DeviceRole.BondFeedback => door?.Secured,
            DeviceRole.EnclosureTamper => room.EnclosureTampered,
            DeviceRole.MainsPresent => room.Mains,
            DeviceRole.Leak => room.Leak,
            DeviceRole.FireRelease => room.Fire,
            DeviceRole.SeismicRelease => room.Shaking,
            DeviceRole.GuardArmed => room.GuardArmed,
            _ => false,
        } ?? false;
    }

    private void ApplyOutputs()
    {
        foreach (var it in parameters.Devices.OfType<OutputEntry>())
            room.SetOutput(it.Id, LevelOf(it.Line) == (it.Active == Level.High));
    }

    private string Transfer(string[] words, TimeSpan uptime)
    {
        if (!int.TryParse(words[1], CultureInfo.InvariantCulture, out var bus)
            || !int.TryParse(words[2], CultureInfo.InvariantCulture, out var address)
            || !int.TryParse(words[4], CultureInfo.InvariantCulture, out var count) || count is < 0 or > 64
            || (words[3] != "-" && (words[3].Length % 2 != 0 || !words[3].All(char.IsAsciiHexDigit))))
        {
            return Invalid;
        }

        var sent = words[3] == "-" ? [] : Convert.FromHexString(words[3]);
        var answer = new byte[count];
        var acknowledged = Lines.Transfer(bus, address, sent, answer, uptime) ?? parameters.Devices.OfType<I2cEntry>().FirstOrDefault(it => it.Bus == bus && it.Address == address) switch
        {
            AnalogI2cEntry it => (sent.Length == 0 || _converter.Write(sent, [.. Enumerable.Range(0, 4).Select(at => room.VoltsAt(it, at))], uptime))
                && (count == 0 || _converter.Read(answer, uptime)),
            { Type: "sht4x" } => (sent.Length == 0 || chip.Write(sent, room.Temperature, room.Humidity, uptime)) && (count == 0 || chip.Read(answer, uptime)),
            _ => false,
        };
        return acknowledged ? $"ok {Convert.ToHexString(answer)}".TrimEnd() : NoAcknowledge;
    }
}
