using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PhysSec.Hardware;

/// <summary>
/// The shape of a board file. It reads the document tree by hand: a serializer stops at its first fault, and an
/// installer on a ladder wants all of them at once. No reflection, so it is native-compilation clean.
/// </summary>
internal static partial class BoardParser
{
    public const int DevicesMax = 64;

    private const string IdRemedy =
        "Use one to three parts of a-z, 0-9 and '-', joined by dots, each up to 32 long, like \"door-a.contact\".";

    private static readonly JsonDocumentOptions _strict = new() { AllowDuplicateProperties = false, MaxDepth = 12 };

    public static readonly string[] Types = ["wiegand", "input", "output", "sht4x", "nut", "bme280", "mcp3008", "ads1115", "supervised", "osdp", "readerOutput", "readerInput"];

    /// <summary>The file as far as it could be read; null when its outline is broken.</summary>
    public static BoardFile? Parse(string json, string name, List<BoardFault> faults)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json, _strict);
        }
        catch (JsonException broken)
        {
            var where = broken.LineNumber is { } line ? $"line {line + 1}, byte {broken.BytePositionInLine + 1}" : "the file";
            faults.Add(new(where, $"This is not JSON: {broken.Message}", "Correct the text at that place."));
            return null;
        }

        using (document)
        {
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                faults.Add(new("the file", "The outermost value is not an object.", "Start with { \"hardware\": …, \"devices\": … }."));
                return null;
            }

            var root = new FieldReader(document.RootElement, "", faults);
            root.Element("$schema", false, "");
            root.Element("description", false, "");
            var hardware = Hardware(root, faults);
            var devices = Devices(root, faults);
            root.Finish();
            return new BoardFile { Name = name, Hardware = hardware, Devices = devices };
        }
    }

    private static BoardHardware Hardware(FieldReader root, List<BoardFault> faults)
    {
        const string remedy = "Write \"hardware\": {\"kind\": \"raspberry-pi\", \"gpioChip\": \"pinctrl-bcm2711\"}.";
        const string kinds = "Write \"raspberry-pi\" or \"simulated\".";
        var nothing = new BoardHardware { Kind = HardwareKind.RaspberryPi };
        if (root.Element("hardware", true, remedy) is not { } element) return nothing;

        if (element.ValueKind != JsonValueKind.Object)
        {
            root.Note("hardware", $"{FieldReader.Shown(element)} is not an object.", remedy);
            return nothing;
        }

        var fields = new FieldReader(element, "hardware", faults);
        var hardware = fields.Text("kind", KindPattern(), kinds) switch
        {
            "raspberry-pi" => nothing with { GpioChips = GpioChips(fields), LineNames = LineNames(fields) },
            "simulated" => new BoardHardware { Kind = HardwareKind.Simulated, Socket = Socket(fields) },
            _ => null,
        };
        if (hardware is null) return nothing; // The other fields depend on the kind: one fault is enough.

        fields.Finish();
        return hardware;
    }

    private static string[] GpioChips(FieldReader fields)
    {
        const string remedy = "Write the chip's label: \"pinctrl-bcm2711\" (Pi 4), \"pinctrl-rp1\" (Pi 5), or a list of labels.";
        if (fields.Element("gpioChip", true, remedy) is not { } element) return [];

        JsonElement[] items = element.ValueKind == JsonValueKind.Array ? [.. element.EnumerateArray()] : [element];
        var good = items.Length is > 0 and <= 8
            && items.All(it => it.ValueKind == JsonValueKind.String && LabelPattern().IsMatch(it.GetString()!));
        if (good) return [.. items.Select(it => it.GetString()!)];

        fields.Note("gpioChip", $"{FieldReader.Shown(element)} is not a chip label.", remedy);
        return [];
    }

    private static Dictionary<int, string> LineNames(FieldReader fields)
    {
        const string remedy = "Write the lines that the kernel knows by name, like { \"17\": \"GPIO17\" }, or leave the field out.";
        var names = new Dictionary<int, string>();
        if (fields.Element("lineNames", false, remedy) is not { } element) return names;

        if (element.ValueKind != JsonValueKind.Object || !element.EnumerateObject().Any())
        {
            fields.Note("lineNames", $"{FieldReader.Shown(element)} is no table of names.", remedy);
            return names;
        }

        foreach (var it in element.EnumerateObject())
        {
            var line = LineNumberPattern().IsMatch(it.Name) ? int.Parse(it.Name, CultureInfo.InvariantCulture) : -1;
            var name = it.Value.ValueKind == JsonValueKind.String ? it.Value.GetString()! : "";
            if (line < 0) fields.Note("lineNames", $"\"{it.Name}\" is no line from 2 to 27.", remedy);
            else if (!LineNamePattern().IsMatch(name)) fields.Note("lineNames", $"{FieldReader.Shown(it.Value)} is no name of a line.", "Write a name as gpioinfo lists it, up to 31 long.");
            else if (names.ContainsValue(name)) fields.Note("lineNames", $"\"{name}\" is there twice.", "Give each line the kernel's own name.");
            else names[line] = name;
        }

        return names;
    }

    private static string? Socket(FieldReader fields) => fields.Text("socket", PathPattern(),
        "Write the path of the room's socket, like \"room.sock\" (relative to the board file) or absolute.");

    private static List<DeviceEntry> Devices(FieldReader root, List<BoardFault> faults)
    {
        const string remedy = "Write \"devices\": [ {…}, … ] with 1 to 64 devices.";
        var devices = new List<DeviceEntry>();
        if (root.Element("devices", true, remedy) is not { } list) return devices;

        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() is 0 or > DevicesMax)
        {
            root.Note("devices", "This is not a list of 1 to 64 devices.", remedy);
            return devices;
        }

        var index = 0;
        foreach (var element in list.EnumerateArray())
        {
            var where = string.Create(CultureInfo.InvariantCulture, $"devices[{index++}]");
            if (element.ValueKind != JsonValueKind.Object)
                faults.Add(new(where, $"{FieldReader.Shown(element)} is not an object.", "Write a device as { \"id\": … }."));
            else
                devices.Add(Device(new FieldReader(element, where, faults), faults));
        }

        return devices;
    }

    private static DeviceEntry Device(FieldReader f, List<BoardFault> faults)
    {
        var id = f.Text("id", IdPattern(), IdRemedy) ?? "";
        var role = f.Choice<DeviceRole>("role", required: true);
        var door = f.Text("door", DoorPattern(), "Use a-z, 0-9 and '-', up to 32 long, like \"door-a\".", required: false)
            ?? (f.Has("door") ? "" : null); // A faulty door is not a missing one.
        var typeRemedy = $"Write one of: {string.Join(", ", Types)}.";
        var type = f.Text("type", TypePattern(), typeRemedy);
        if (type is not null && !Types.Contains(type)) f.Note("type", $"The type \"{type}\" is unknown.", typeRemedy);
        DeviceEntry entry = new UnknownEntry(id, door);
        if (type is null || !Types.Contains(type)) return entry; // Its fields cannot be judged.

        var known = role ?? default; // Without a role the fields are still read, and then set aside.
        f.Element("description", false, "");
        var profile = Profile(f, role);
        entry = type switch
        {
            "wiegand" => Wiegand(f, id, known, door, faults),
            "input" => Input(f, id, known, door),
            "output" => Output(f, id, known, door),
            "supervised" => Supervised(f, id, known, door, faults),
            "osdp" => OsdpDevices.Read(f, id, known, door),
            "readerOutput" => ReaderTerminals.Output(f, id, known, door),
            "readerInput" => ReaderTerminals.Input(f, id, known, door),
            "nut" => Nut(f, id, known),
            "mcp3008" => Adc(f, id, known, faults),
            "ads1115" => new AnalogI2cEntry(id, known, Bus(f), Address(f), Channels(f, 4, faults), Period(f, 1_000)),
            _ => new I2cEntry(id, type, known, Bus(f), Address(f), Period(f, 1_000)),
        };
        f.Finish();
        if (role is null) entry = new UnknownEntry(id, door);
        return entry with { Door = door, Profile = profile };
    }

    private static WiegandEntry Wiegand(FieldReader f, string id, DeviceRole role, string? door, List<BoardFault> faults)
    {
        var keypad = f.Flag("keypad", false);
        return new(id, role, door, Line(f, "d0"), Line(f, "d1"), Formats(f, keypad, faults), keypad,
            Milliseconds(f, "frameGapMs", 5, 200, 25, "Write the silence that ends a frame: 5 to 200 ms, usually 25."));
    }

    private static InputEntry Input(FieldReader f, string id, DeviceRole role, string? door) => new(id, role, door,
        Line(f, "line"), f.Choice<Level>("active", required: true) ?? default,
        f.Choice<Pull>("pull", required: true) ?? default,
        Milliseconds(f, "debounceMs", 1, 1_000, null, "Write how long a contact may bounce: 1 to 1000 ms, usually 30."));

    private static OutputEntry Output(FieldReader f, string id, DeviceRole role, string? door) => new(id, role, door,
        Line(f, "line"), f.Choice<Level>("active", required: true) ?? default,
        f.Choice<FailMode>("failMode", required: role == DeviceRole.Lock), f.Choice<LockType>("lockType", required: false));

    private static NutEntry Nut(FieldReader f, string id, DeviceRole role) => new(id, role,
        f.Text("host", HostPattern(), "Write a host name or address, like \"127.0.0.1\".") ?? "",
        f.Integer("port", 1, 65_535, 3_493, "Write a TCP port, usually 3493."),
        f.Text("ups", UpsPattern(), "Write the UPS's name as \"upsc -l\" lists it.") ?? "",
        Period(f, 2_000));

    private static AdcEntry Adc(FieldReader f, string id, DeviceRole role, List<BoardFault> faults) => new(id, role,
        f.Integer("bus", 0, 1, 0, "Write SPI bus 0 or 1."), f.Integer("chipSelect", 0, 2, 0, "Write chip select 0, 1 or 2."),
        Channels(f, 8, faults), Period(f, 1_000));

    private static List<AdcChannel> Channels(FieldReader f, int max, List<BoardFault> faults)
    {
        var remedy = string.Create(CultureInfo.InvariantCulture,
            $"Write \"channels\": [ {{\"point\": \"battery\", \"channel\": 0, \"unit\": \"V\", \"quantity\": \"voltage\"}} ], 1 to {max}.");
        var channels = new List<AdcChannel>();
        if (f.Element("channels", true, remedy) is not { } list) return channels;

        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() is 0 || list.GetArrayLength() > max
            || list.EnumerateArray().Any(it => it.ValueKind != JsonValueKind.Object))
        {
            f.Note("channels", string.Create(CultureInfo.InvariantCulture, $"This is not a list of 1 to {max} channels."), remedy);
            return channels;
        }

        foreach (var (i, element) in list.EnumerateArray().Index())
            channels.Add(Channel(new FieldReader(element, f.At($"channels[{i}]"), faults), max));
        return channels;
    }

    private static AdcChannel Channel(FieldReader f, int max)
    {
        var channel = new AdcChannel(
            f.Text("point", DoorPattern(), "Use a-z, 0-9 and '-', up to 32 long.") ?? "",
            f.Integer("channel", 0, max - 1, null, string.Create(CultureInfo.InvariantCulture, $"Write channel 0 to {max - 1}.")),
            f.Text("unit", UnitPattern(), "Write a unit like \"V\" or \"%\".") ?? "",
            f.Text("quantity", QuantityPattern(), "Write what it measures, like \"voltage\".") ?? "",
            f.Number("scale", 1, "Write a number: value = what the converter gives × scale + offset."),
            f.Number("offset", 0, "Write a number: value = what the converter gives × scale + offset."));
        f.Finish();
        return channel;
    }

    private static int Line(FieldReader f, string field) => f.Integer(field, 2, 27, null,
        "Write a GPIO line (not a header pin): 2 to 27; 0 and 1 belong to the HAT's memory.");

    private static int Bus(FieldReader f) => f.Integer("bus", 0, 31, 1, "Write the number N of /dev/i2c-N, usually 1.");

    private static int Address(FieldReader f)
    {
        const string remedy = "Write a 7-bit address from \"0x08\" to \"0x77\", as text.";
        var text = f.Text("address", AddressPattern(), remedy);
        if (text is null) return -1;

        var address = int.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        if (address is >= 0x08 and <= 0x77) return address;

        f.Note("address", $"{text} is outside 0x08 to 0x77.", remedy);
        return -1;
    }

    private static TimeSpan Period(FieldReader f, int fallback) =>
        Milliseconds(f, "periodMs", 250, 600_000, fallback, "Write how often to sample: 250 to 600000 ms.");

    private static TimeSpan Milliseconds(FieldReader f, string field, int min, int max, int? fallback, string remedy) =>
        TimeSpan.FromMilliseconds(f.Integer(field, min, max, fallback, remedy));

    [GeneratedRegex(@"^[a-z0-9-]{1,32}(\.[a-z0-9-]{1,32}){0,2}\z")]
    internal static partial Regex IdPattern();

    [GeneratedRegex(@"^[a-z0-9-]{1,32}\z")]
    private static partial Regex DoorPattern();

    [GeneratedRegex(@"^[A-Za-z0-9-]{1,32}\z")]
    private static partial Regex TypePattern();

    [GeneratedRegex(@"^(raspberry-pi|simulated)\z")]
    private static partial Regex KindPattern();

    [GeneratedRegex(@"^[A-Za-z0-9 ._:,-]{1,64}\z")]
    private static partial Regex LabelPattern();

    [GeneratedRegex(@"^([2-9]|1[0-9]|2[0-7])\z")]
    private static partial Regex LineNumberPattern();

    [GeneratedRegex(@"^[A-Za-z0-9_.:-]{1,31}\z")]
    private static partial Regex LineNamePattern();

    [GeneratedRegex(@"^[^\0\n]{1,200}\z")]
    private static partial Regex PathPattern();

    [GeneratedRegex(@"^0x[0-9a-fA-F]{2}\z")]
    private static partial Regex AddressPattern();

    [GeneratedRegex(@"^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?){0,8}|[0-9a-fA-F:]{2,39})\z")]
    private static partial Regex HostPattern();

    [GeneratedRegex(@"^[A-Za-z0-9._-]{1,64}\z")]
    private static partial Regex UpsPattern();

    [GeneratedRegex(@"^[^\s""\\]{1,8}\z")]
    private static partial Regex UnitPattern();

    [GeneratedRegex(@"^[a-z][A-Za-z0-9]{0,31}\z")]
    private static partial Regex QuantityPattern();
}

/// <summary>A device whose type is not known; exists only while the faults of a file are gathered.</summary>
internal sealed record UnknownEntry(string Id, string? Door) : DeviceEntry(Id, "", default, Door);
