using System.Globalization;

namespace PhysSec.Hardware.Simulation;

/// <summary>
/// What a person does to the room, one line each. A command whose last word is a door is for that door, any other for the board's first.
/// What takes time is returned as an <see cref="Act"/>.
/// </summary>
internal sealed class RoomCommands(
    RoomParameters parameters, Room room, Sht4xChip chip, IReadOnlyDictionary<string, (int Facility, int Number)> badges,
    RoomLines lines, RoomReaders readers)
{
    public const string Help =
        "ok badge NAME [in|out|READER]; card FACILITY NUMBER [in|out|READER]; bits 0101… [in|out]; keys 1234# [in|out|READER]; pin NAME 1234 [in|out|READER]; open; close; push; force; "
        + "exit [hold|release]; leak on|off; mains on|off; battery 11.2; heat 3kW; cooling on|off|5kW; tamper door|enclosure on|off; fire on|off; glass on|off; shaking on|off; guard on|off; "
        + "sensor ok|absent|crc|stuck; line INPUT ok|cut|short|ground|foreign|between; speed N; status; help; " + RoomReaders.Help + "; after any of them a door, where there are several";

    /// <summary>What is still to be done on the wire, and the answer when it is done.</summary>
    internal sealed record Act(string Answer, WiegandEntry? Reader = null, bool[]? Bits = null, RoomDoor? PressExit = null, string Keys = "");

    private readonly Dictionary<string, (int Facility, int Number)> _badges =
        new(badges, StringComparer.OrdinalIgnoreCase);

    public double Speed { get; private set; } = parameters.Speed;

    public Act Take(string command, int linesHeld)
    {
        string[] words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var door = words.Length > 1 ? room.Doors.FirstOrDefault(it => it.Id == words[^1]) : null;
        if (door is not null) words = words[..^1];
        else door = room.Doors.Count > 0 ? room.Doors[0] : null;
        if (door is not null && AtDoor(words, door) is { } done) return done;
        return words switch
        {
            ["help"] => new(Help),
            ["status"] => new($"ok {RoomStatus.Text(room, chip, lines, Speed, linesHeld)}"),
            ["leak", "on" or "off"] => Do($"leak {words[1]}", () => room.Leak = words[1] == "on"),
            ["mains", "on" or "off"] => Do($"mains {words[1]}", () => room.Mains = words[1] == "on"),
            ["battery", var volts] => double.TryParse(volts, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var v) && v <= 15
                ? Do($"battery {volts} V", () => room.BatteryVolts = v)
                : new($"error: \"{Short(volts)}\" is no battery; give 0 to 15 V, like 11.2"),
            ["cooling", "on" or "off"] => Do($"cooling {words[1]}", () => room.CoolingOn = words[1] == "on"),
            ["cooling", var watts] => Watts(watts, 0, 100_000, "cooling", it => (room.CoolingOn, room.CoolingCapacity) = (true, it)),
            ["heat", var watts] => Watts(watts, 0, 100_000, "heat", it => room.HeatWatts = it),
            ["tamper", "enclosure", "on" or "off"] =>
                Do($"enclosure tamper {words[2]}", () => room.EnclosureTampered = words[2] == "on"),
            ["fire", "on" or "off"] => Do($"fire panel {words[1]}", () => room.Fire = words[1] == "on"),
            ["shaking", "on" or "off"] => Do($"seismic device {words[1]}", () => room.Shaking = words[1] == "on"),
            ["guard", "on" or "off"] => Do($"guard service {(words[1] == "on" ? "armed" : "disarmed")}", () => room.GuardArmed = words[1] == "on"),
            ["sensor", var fault] => SensorIs(fault),
            ["line", var input, var condition] => new(lines.Set(input, condition)),
            ["speed", var factor] => SpeedIs(factor),
            ["reader", var id, .. var rest] => new(readers.Take(id, rest)),
            [] => new("error: the command is empty; try help"),
            _ => new($"error: \"{Short(command)}\" is not a command here; try help"),
        };
    }

    private Act? AtDoor(string[] words, RoomDoor door) => words switch
    {
        ["badge", var name, .. var side] => Badge(name, side, door),
        ["card", var facility, var number, .. var side] => Card(facility, number, side, door),
        ["bits", var bits, .. var side] => Bits(bits, side, door),
        ["keys", var keys, .. var side] => Keys(keys, side, door, null),
        ["pin", var name, var code, .. var side] => Keys(code + "#", side, door, Badge(name, side, door)),
        ["reader", var id, "badge", var name] => Badge(name, [id], door),
        ["reader", var id, "card", var facility, var number] => Card(facility, number, [id], door),
        ["open"] => new(door.LeafOpen ? "ok the leaf is open already"
            : door.Pull() ? "ok the leaf is open"
            : "error: the lock holds the leaf; show a badge first, or use push (from inside) or force"),
        ["close"] => Do("the leaf is closed", door.CloseLeaf),
        ["push"] => Do("the leaf is open: the lever inside always opens it", door.OpenLeaf),
        ["force"] => Do("the leaf is open: forced", door.OpenLeaf),
        ["exit"] => new("ok the exit button was pressed", PressExit: door),
        ["exit", "hold"] => Do("the exit button is held", () => door.ExitPressed = true),
        ["exit", "release"] => Do("the exit button is released", () => door.ExitPressed = false),
        ["tamper", "door", "on" or "off"] => Do($"door tamper {words[2]}", () => door.Tampered = words[2] == "on"),
        ["glass", "on" or "off"] => Do($"break glass {words[1]}", () => door.GlassBroken = words[1] == "on"),
        _ => null,
    };

    private static Act Do(string said, Action act)
    {
        act();
        return new($"ok {said}");
    }

    private Act Badge(string name, string[] side, RoomDoor door)
    {
        if (!_badges.TryGetValue(name, out var card))
        {
            var known = string.Join(", ", _badges.Keys.Order(StringComparer.Ordinal));
            return new($"error: no badge is called \"{Short(name)}\"; known: {(known.Length == 0 ? "none" : known)}");
        }

        return Show(WiegandFrame.Encode26(card.Facility, card.Number), side, door, $"ok {name} shown");
    }

    private Act Card(string facility, string number, string[] side, RoomDoor door)
    {
        if (!int.TryParse(facility, NumberStyles.None, CultureInfo.InvariantCulture, out var f) || f > 255)
            return new($"error: \"{Short(facility)}\" is no facility code; give 0 to 255");
        if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var n) || n > 65_535)
            return new($"error: \"{Short(number)}\" is no card number; give 0 to 65535");

        return Show(WiegandFrame.Encode26(f, n), side, door, "ok card shown");
    }

    private Act Bits(string bits, string[] side, RoomDoor door)
    {
        if (bits.Length > 200 || !bits.All(it => it is '0' or '1')) return new($"error: \"{Short(bits)}\" is not a row of bits; give 1 to 200 times 0 or 1");
        var (reader, fault) = ReaderAt(side, door);
        return reader is WiegandEntry it ? new($"ok {bits.Length} bits sent at {it.Id}", it, [.. bits.Select(bit => bit == '1')])
            : new(fault ?? $"error: {reader!.Id} is no Wiegand reader; show it a card");
    }

    private Act Show(CardBits card, string[] side, RoomDoor door, string answer)
    {
        var (reader, fault) = ReaderAt(side, door);
        return reader switch
        {
            WiegandEntry it => new($"{answer} at {it.Id}", it, [.. Enumerable.Range(0, card.Length).Select(at => (card.Value >> (card.Length - 1 - at) & 1) == 1)]),
            OsdpEntry it => new(readers.Present(it.Id, card) is var said && said.StartsWith("ok", StringComparison.Ordinal) ? $"{answer} at {it.Id}" : said),
            _ => new(fault!),
        };
    }

    /// <summary>The frame of one key of a keypad: four bits, 10 is * and 11 is #.</summary>
    internal static bool[] ToBits(char key)
    {
        var value = key switch { '*' => 10, '#' => 11, _ => key - '0' };
        return [.. Enumerable.Range(0, 4).Select(it => (value >> (3 - it) & 1) == 1)];
    }

    private Act Keys(string keys, string[] side, RoomDoor door, Act? after)
    {
        if (after is { } shown && shown.Answer.StartsWith("error", StringComparison.Ordinal)) return shown; // No such badge, no such side.
        if (keys.Length is 0 or > 32 || !keys.All(it => char.IsAsciiDigit(it) || it is '*' or '#'))
            return new("error: these are no keys; give digits, * and #, at most 32");
        var (reader, fault) = ReaderAt(side, door);
        return reader switch
        {
            WiegandEntry { Keypad: true } it => new($"ok {keys.Length} keys pressed at {it.Id}", it, after?.Bits, Keys: keys),
            OsdpEntry { Keypad: true } it => new(readers.Take(it.Id, ["key", keys])),
            { } it => new($"error: {it.Id} has no keypad; write \"keypad\": true in the board file"),
            null => new(fault!),
        };
    }

    /// <summary>The side is in, out, or a reader's own name.</summary>
    private (DeviceEntry? Reader, string? Fault) ReaderAt(string[] side, RoomDoor door)
    {
        var all = parameters.Devices.Where(it => it.Role is DeviceRole.EntryReader or DeviceRole.ExitReader).ToList();
        if (side is [var id] && all.Find(it => it.Id == id) is { } named) return (named, null);
        DeviceRole? role = side switch
        {
            [] or ["in"] => DeviceRole.EntryReader,
            ["out"] => DeviceRole.ExitReader,
            _ => null,
        };
        if (role is null) return (null, $"error: \"{Short(string.Join(' ', side))}\" is not a side; write in, out, or a reader: {string.Join(", ", all.Select(it => it.Id))}");
        return all.Find(it => it.Role == role && it.Door == door.Id) is { } reader ? (reader, null) : (null, $"error: {door.Id} has no {role}; add one to the board file");
    }

    private static Act Watts(string text, double min, double max, string what, Action<double> set)
    {
        var factor = 1.0;
        var digits = text.AsSpan();
        if (digits.EndsWith("W", StringComparison.OrdinalIgnoreCase)) digits = digits[..^1];
        if (digits.EndsWith("k", StringComparison.OrdinalIgnoreCase))
        {
            factor = 1_000;
            digits = digits[..^1];
        }
        if (!double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            || value * factor < min || value * factor > max)
        {
            return new($"error: \"{Short(text)}\" is no {what}; give {min} to {max} W, like 3kW or 800W");
        }

        set(value * factor);
        return new(string.Create(CultureInfo.InvariantCulture, $"ok {what} {value * factor} W"));
    }

    private Act SensorIs(string fault)
    {
        ChipFault? next = fault switch
        {
            "ok" or "present" => ChipFault.None,
            "absent" => ChipFault.Absent,
            "crc" => ChipFault.Crc,
            "stuck" => ChipFault.Stuck,
            _ => null,
        };
        if (next is not { } set) return new($"error: \"{Short(fault)}\" is no sensor state; write ok, absent, crc or stuck");

        chip.Fault = set;
        return new($"ok sensor {fault}");
    }

    private Act SpeedIs(string factor)
    {
        if (!double.TryParse(factor, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var speed)
            || speed is < 0.1 or > 3_600)
        {
            return new($"error: \"{Short(factor)}\" is no speed; give 0.1 to 3600");
        }

        Speed = speed;
        return new(string.Create(CultureInfo.InvariantCulture, $"ok speed {speed}"));
    }

    private static string Short(string text) => text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 57), "...");
}
