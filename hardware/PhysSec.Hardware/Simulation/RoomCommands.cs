using System.Globalization;
using System.Text;
using System.Text.Json;

namespace PhysSec.Hardware.Simulation;

/// <summary>What a person does to the room, one line each. What takes time is returned as an <see cref="Act"/>.</summary>
internal sealed class RoomCommands(
    RoomParameters parameters, Room room, Sht4xChip chip, IReadOnlyDictionary<string, (int Facility, int Number)> badges, RoomReaders readers)
{
    public const string Help =
        "ok badge NAME [in|out]; card FACILITY NUMBER [in|out]; bits 0101… [in|out]; keys 1234# [in|out]; pin NAME 1234 [in|out]; open; close; push; force; "
        + "exit [hold|release]; leak on|off; mains on|off; battery 11.2; heat 3kW; cooling on|off|5kW; tamper door|enclosure on|off; "
        + "sensor ok|absent|crc|stuck; speed N; status; help; " + RoomReaders.Help;

    /// <summary>What is still to be done on the wire, and the answer when it is done.</summary>
    internal sealed record Act(string Answer, WiegandEntry? Reader = null, bool[]? Bits = null, bool PressExit = false, string Keys = "");

    private readonly Dictionary<string, (int Facility, int Number)> _badges =
        new(badges, StringComparer.OrdinalIgnoreCase);

    public double Speed { get; private set; } = parameters.Speed;

    public Act Take(string command, int linesHeld)
    {
        var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words switch
        {
            ["help"] => new(Help),
            ["status"] => new($"ok {Status(linesHeld)}"),
            ["badge", var name, .. var side] => Badge(name, side),
            ["card", var facility, var number, .. var side] => Card(facility, number, side),
            ["bits", var bits, .. var side] => Bits(bits, side),
            ["keys", var keys, .. var side] => Keys(keys, side, null),
            ["pin", var name, var code, .. var side] => Keys(code + "#", side, Badge(name, side)),
            ["open"] => new(room.LeafOpen ? "ok the leaf is open already"
                : room.Pull() ? "ok the leaf is open"
                : "error: the lock holds the leaf; show a badge first, or use push (from inside) or force"),
            ["close"] => Do("the leaf is closed", room.CloseLeaf),
            ["push"] => Do("the leaf is open: the lever inside always opens it", room.OpenLeaf),
            ["force"] => Do("the leaf is open: forced", room.OpenLeaf),
            ["exit"] => new("ok the exit button was pressed", PressExit: true),
            ["exit", "hold"] => Do("the exit button is held", () => room.ExitPressed = true),
            ["exit", "release"] => Do("the exit button is released", () => room.ExitPressed = false),
            ["leak", "on" or "off"] => Do($"leak {words[1]}", () => room.Leak = words[1] == "on"),
            ["mains", "on" or "off"] => Do($"mains {words[1]}", () => room.Mains = words[1] == "on"),
            ["battery", var volts] => double.TryParse(volts, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var v) && v <= 15
                ? Do($"battery {volts} V", () => room.BatteryVolts = v)
                : new($"error: \"{Short(volts)}\" is no battery; give 0 to 15 V, like 11.2"),
            ["cooling", "on" or "off"] => Do($"cooling {words[1]}", () => room.CoolingOn = words[1] == "on"),
            ["cooling", var watts] => Watts(watts, 0, 100_000, "cooling", it => (room.CoolingOn, room.CoolingCapacity) = (true, it)),
            ["heat", var watts] => Watts(watts, 0, 100_000, "heat", it => room.HeatWatts = it),
            ["tamper", "door", "on" or "off"] => Do($"door tamper {words[2]}", () => room.DoorTampered = words[2] == "on"),
            ["tamper", "enclosure", "on" or "off"] =>
                Do($"enclosure tamper {words[2]}", () => room.EnclosureTampered = words[2] == "on"),
            ["sensor", var fault] => SensorIs(fault),
            ["speed", var factor] => SpeedIs(factor),
            ["reader", var id, "badge", var name] when readers.Has(id) => Badge(name, [id]),
            ["reader", var id, "card", var facility, var number] when readers.Has(id) => Card(facility, number, [id]),
            ["reader", var id, .. var rest] => new(readers.Take(id, rest)),
            [] => new("error: the command is empty; try help"),
            _ => new($"error: \"{Short(command)}\" is not a command here; try help"),
        };
    }

    private static Act Do(string said, Action act)
    {
        act();
        return new($"ok {said}");
    }

    private Act Badge(string name, string[] side)
    {
        if (!_badges.TryGetValue(name, out var card))
        {
            var known = string.Join(", ", _badges.Keys.Order(StringComparer.Ordinal));
            return new($"error: no badge is called \"{Short(name)}\"; known: {(known.Length == 0 ? "none" : known)}");
        }

        return AtReader(side, $"ok {name} shown", WiegandFrame.Encode26(card.Facility, card.Number));
    }

    private Act Card(string facility, string number, string[] side)
    {
        if (!int.TryParse(facility, NumberStyles.None, CultureInfo.InvariantCulture, out var f) || f > 255)
            return new($"error: \"{Short(facility)}\" is no facility code; give 0 to 255");
        if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var n) || n > 65_535)
            return new($"error: \"{Short(number)}\" is no card number; give 0 to 65535");

        return AtReader(side, "ok card shown", WiegandFrame.Encode26(f, n));
    }

    private Act Bits(string bits, string[] side) => bits.Length <= 200 && bits.All(it => it is '0' or '1')
        ? AtReader(side, $"ok {bits.Length} bits sent", [.. bits.Select(it => it == '1')])
        : new($"error: \"{Short(bits)}\" is not a row of bits; give 1 to 200 times 0 or 1");

    /// <summary>The side is in, out, or the name of an OSDP reader.</summary>
    private Act AtReader(string[] side, string answer, CardBits card) =>
        side is [var id] && readers.Has(id) ? new(readers.Present(id, card)) : AtReader(side, answer, ToBits(card));

    /// <summary>The frame of one key of a keypad: four bits, 10 is * and 11 is #.</summary>
    internal static bool[] ToBits(char key)
    {
        var value = key switch { '*' => 10, '#' => 11, _ => key - '0' };
        return [.. Enumerable.Range(0, 4).Select(it => (value >> (3 - it) & 1) == 1)];
    }

    private Act Keys(string keys, string[] side, Act? after)
    {
        if (after is { Reader: null }) return after; // No such badge, no such side.
        if (keys.Length is 0 or > 32 || !keys.All(it => char.IsAsciiDigit(it) || it is '*' or '#'))
            return new("error: these are no keys; give digits, * and #, at most 32");
        var act = AtReader(side, $"ok {keys.Length} keys pressed", []);
        if (act.Reader is null) return act;
        return act.Reader.Keypad
            ? act with { Keys = keys, Bits = after?.Bits }
            : new($"error: {act.Reader.Id} has no keypad; write \"keypad\": true in the board file");
    }

    private Act AtReader(string[] side, string answer, bool[] bits)
    {
        DeviceRole? role = side switch
        {
            [] or ["in"] => DeviceRole.EntryReader,
            ["out"] => DeviceRole.ExitReader,
            _ => null,
        };
        if (role is null) return new($"error: \"{Short(string.Join(' ', side))}\" is not a side; write in or out");

        var reader = parameters.Devices.OfType<WiegandEntry>().FirstOrDefault(it => it.Role == role);
        return reader is null
            ? new($"error: this board has no {role}; add one to the board file")
            : new($"{answer} at {reader.Id}", reader, bits);
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

    private static bool[] ToBits(CardBits card) =>
        [.. Enumerable.Range(0, card.Length).Select(it => (card.Value >> (card.Length - 1 - it) & 1) == 1)];

    private static string Short(string text) => text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 57), "...");

    private string Status(int linesHeld)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("temperature", Math.Round(room.Temperature, 2));
            json.WriteNumber("humidity", Math.Round(room.Humidity, 2));
            json.WriteNumber("heatWatts", room.HeatWatts);
            json.WriteBoolean("coolingOn", room.CoolingOn);
            json.WriteNumber("coolingWatts", Math.Round(room.CoolingWatts));
            json.WriteNumber("coolingCapacity", room.CoolingCapacity);
            json.WriteString("leaf", room.LeafOpen ? "open" : "closed");
            json.WriteBoolean("lockFree", room.LockFree);
            json.WriteBoolean("lockOutput", room.IsOn(DeviceRole.Lock));
            json.WriteNumber("lockReleases", room.LockReleases);
            json.WriteBoolean("exitPressed", room.ExitPressed);
            json.WriteBoolean("leak", room.Leak);
            json.WriteBoolean("mains", room.Mains);
            json.WriteNumber("supplyVolts", room.SupplyVolts);
            json.WriteBoolean("doorTamper", room.DoorTampered);
            json.WriteBoolean("enclosureTamper", room.EnclosureTampered);
            json.WriteString("sensor", chip.Fault == ChipFault.None ? "ok" : FieldReader.Camel(chip.Fault));
            json.WriteBoolean("led", room.IsOn(DeviceRole.ReaderLed));
            json.WriteBoolean("buzzer", room.IsOn(DeviceRole.ReaderBuzzer));
            json.WriteBoolean("lamp", room.IsOn(DeviceRole.Lamp));
            json.WriteBoolean("siren", room.IsOn(DeviceRole.Siren));
            json.WriteNumber("speed", Speed);
            json.WriteNumber("linesHeld", linesHeld);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
