using System.Runtime.CompilerServices;
using NJsonSchema;
using PhysSec.Hardware;

namespace PhysSec.Tests.Hardware;

public sealed class BoardFileTests
{
    private const string Reader = """{"id":"door-a.entry","type":"wiegand","role":"entryReader","door":"door-a","d0":17,"d1":18}""";
    private const string Contact = """{"id":"door-a.contact","type":"input","role":"doorContact","door":"door-a","line":5,"active":"high","pull":"up","debounceMs":30}""";
    private const string Lock = """{"id":"door-a.lock","type":"output","role":"lock","door":"door-a","line":24,"active":"high","failMode":"failSafe"}""";
    private const string Relock = """{"id":"door-a.relock","type":"output","role":"relock","door":"door-a","line":25,"active":"high"}""";
    private const string Climate = """{"id":"room","type":"sht4x","role":"environment","bus":1,"address":"0x44"}""";
    private const string Ups = """{"id":"ups","type":"nut","role":"ups","host":"127.0.0.1","port":3493,"ups":"rack1"}""";
    private const string Adc = """{"id":"panel","type":"mcp3008","role":"environment","channels":[{"point":"smoke","channel":0,"unit":"V","quantity":"voltage"}]}""";

    private const string Line = """{"id":"door-a.contact","type":"supervised","role":"doorContact","door":"door-a","address":"0x49","channel":0,"reference":3,"active":"open","network":"1k/1k"}""";

    private static readonly JsonSchema _schema = JsonSchema
        .FromFileAsync(Path.Combine(BoardsFolder(), "board.schema.json")).GetAwaiter().GetResult();

    public static TheoryData<string> ShippedBoards =>
        [.. Directory.GetFiles(BoardsFolder(), "*.json").Select(it => Path.GetFileName(it)!).Where(it => it != "board.schema.json")];

    /// <summary>One row for each kind of mistake: the file, where it is found, a word of the fault, whether the schema sees it too.</summary>
    public static TheoryData<string, string, string, bool> Mistakes => new()
    {
        // The outline
        { """{ "hardware": """, "line 1, byte 15", "not JSON", false },
        { "[]", "the file", "not an object", true },
        { """{"hardware":{"kind":"simulated","socket":"s"},"hardware":{"kind":"simulated","socket":"s"},"devices":[]}""", "the file", "not JSON", false },
        { $$"""{"devices":[{{Ups}}]}""", "hardware", "missing", true },
        { $$"""{"hardware":"simulated","devices":[{{Ups}}]}""", "hardware", "not an object", true },
        { $$"""{"hardware":{},"devices":[{{Ups}}]}""", "hardware.kind", "missing", true },
        { $$"""{"hardware":{"kind":"simulator"},"devices":[{{Ups}}]}""", "hardware.kind", "not allowed", true },
        { $$"""{"hardware":{"kind":"simulated"},"devices":[{{Ups}}]}""", "hardware.socket", "missing", true },
        { $$"""{"hardware":{"kind":"simulated","socket":""},"devices":[{{Ups}}]}""", "hardware.socket", "not allowed", true },
        { $$"""{"hardware":{"kind":"raspberry-pi"},"devices":[{{Ups}}]}""", "hardware.gpioChip", "missing", true },
        { $$"""{"hardware":{"kind":"raspberry-pi","gpioChip":0},"devices":[{{Ups}}]}""", "hardware.gpioChip", "not a chip label", true },
        { $$"""{"hardware":{"kind":"raspberry-pi","gpioChip":[]},"devices":[{{Ups}}]}""", "hardware.gpioChip", "not a chip label", true },
        { $$"""{"hardware":{"kind":"raspberry-pi","gpioChip":"a","socket":"s"},"devices":[{{Ups}}]}""", "hardware.socket", "unknown", true },
        { Named("17"), "hardware.lineNames", "no table", true },
        { Named("{}"), "hardware.lineNames", "no table", true },
        { Named("""{"28":"GPIO28"}"""), "hardware.lineNames", "no line from 2 to 27", true },
        { Named("""{"17":17}"""), "hardware.lineNames", "no name", true },
        { Named("""{"17":"GPIO 17"}"""), "hardware.lineNames", "no name", true },
        { Named("""{"17":"GPIO17","18":"GPIO17"}"""), "hardware.lineNames", "there twice", false },
        { Named("""{"19":"GPIO19"}"""), "hardware.lineNames", "No device uses line 19", false },
        { """{"hardware":{"kind":"simulated","socket":"s"}}""", "devices", "missing", true },
        { """{"hardware":{"kind":"simulated","socket":"s"},"devices":[]}""", "devices", "not a list", true },
        { """{"hardware":{"kind":"simulated","socket":"s"},"devices":{}}""", "devices", "not a list", true },
        { """{"hardware":{"kind":"simulated","socket":"s"},"devices":["lock"]}""", "devices[0]", "not an object", true },
        { $$"""{"hardware":{"kind":"simulated","socket":"s"},"device":1,"devices":[{{Ups}}]}""", "device", "unknown", true },

        // A device's name, type, role and door
        { With(Without(Ups, "id")), "devices[0].id", "missing", true },
        { With(Put(Ups, "id", "UPS")), "devices[0].id", "not allowed", true },
        { With(Put(Ups, "id", "a.b.c.d")), "devices[0].id", "not allowed", true },
        { With(Put(Ups, "id", "a.b.c")), "devices[0].id", "three parts", true },
        { With(Ups, Put(Climate, "id", "ups")), "devices[1].id", "already used at devices[0]", false },
        { With(Without(Ups, "type")), "devices[0].type", "missing", true },
        { With(Put(Ups, "type", "apc")), "devices[0].type", "unknown", true },
        { With(Without(Ups, "role")), "devices[0].role", "missing", true },
        { With(Put(Ups, "role", "battery")), "devices[0].role", "unknown", true },
        { With(Put(Ups, "role", "Ups")), "devices[0].role", "unknown", true },
        { With(Put(Ups, "role", "leak")), "devices[0].role", "does not fit the type nut", true },
        { With(Put(Reader, "role", "lock")), "devices[0].role", "does not fit the type wiegand", true },
        { With(Without(Reader, "door")), "devices[0].door", "needs its door", true },
        { With(Put(Reader, "door", "Door A")), "devices[0].door", "not allowed", true },
        { With(Contact, Without(Lock, "door")), "devices[1].door", "needs its door", true },
        { With(Put(Ups, "door", "door-a")), "devices[0].door", "belongs to no door", true },
        { With(Contact, Lock, Put(Put(Lock, "id", "door-a.lock2"), "line", 25)), "devices[2].door", "second lock", false },
        { With(Reader, Put(Put(Put(Reader, "id", "again"), "d0", 22), "d1", 23)), "devices[1].door", "second entryReader", false },
        { With(Lock), "devices[0].door", "no doorContact", false },
        { With(Put(Ups, "prot", 1)), "devices[0].prot", "unknown", true },

        // Lines
        { With(Without(Reader, "d1")), "devices[0].d1", "missing", true },
        { With(Put(Reader, "d0", "17")), "devices[0].d0", "not a whole number", true },
        { With(Put(Reader, "d0", 17.5)), "devices[0].d0", "not a whole number", true },
        { With(Put(Reader, "d0", 28)), "devices[0].d0", "outside 2 to 27", true },
        { With(Put(Reader, "d0", 1)), "devices[0].d0", "outside 2 to 27", true },
        { With(Put(Reader, "d0", 18)), "devices[0].d1", "already used by devices[0].d0", false },
        { With(Reader, Put(Contact, "line", 17)), "devices[1].line", "already used by devices[0].d0", false },
        { With(Climate, Put(Contact, "line", 3)), "devices[1].line", "I2C bus 1", false },
        { With(Adc, Put(Contact, "line", 10)), "devices[1].line", "SPI bus 0", false },

        // What each type needs
        { With(Put(Reader, "format", "wiegand26")), "devices[0].format", "not allowed", true },
        { With(Put(Reader, "proof", "keyInReader")), "devices[0].proof", "only a number comes", true },
        { With(Put(Reader, "proof", "secret")), "devices[0].proof", "unknown", true },
        { With(Put(Reader, "card", "")), "devices[0].card", "not allowed", true },
        { With(Put(Put(Reader, "format", "parity"), "formats", new[] { "26" })), "devices[0].format", "not both", false },
        { With(Put(Reader, "formats", Array.Empty<string>())), "devices[0].formats", "not a list", true },
        { With(Put(Reader, "formats", new[] { "35" })), "devices[0].formats[0]", "no format", true },
        { With(Put(Reader, "formats", new[] { "26", "26" })), "devices[0].formats[1]", "both have 26 bits", false },
        { With(Formats("""["26",{"name":"mine","length":26,"number":"2-25","parity":[{"bit":1,"kind":"even","over":"2-25"}]}]""")), "devices[0].formats[1]", "both have 26 bits", false },
        { With(Put(Formats("""[{"name":"mine","length":8,"number":"2-8","parity":[{"bit":1,"kind":"even","over":"2-8"}]}]"""), "keypad", true)), "devices[0].formats[0]", "are a key", false },
        { With(Formats("""[{"name":"mine","length":65,"number":"2-8","parity":[{"bit":1,"kind":"even","over":"2-8"}]}]""")), "devices[0].formats[0].length", "outside 4 to 64", true },
        { With(Formats("""[{"name":"mine","length":40,"number":"2-41","parity":[{"bit":1,"kind":"even","over":"2-40"}]}]""")), "devices[0].formats[0].number", "within 1 to 40", false },
        { With(Formats("""[{"name":"mine","length":40,"number":"2-40","parity":[{"bit":1,"kind":"even","over":"2-30"}]}]""")), "devices[0].formats[0].parity", "under no parity", false },
        { With(Formats("""[{"name":"mine","length":40,"number":"1-40","parity":[{"bit":1,"kind":"even","over":"2-40"}]}]""")), "devices[0].formats[0].parity", "lies within", false },
        { With(Formats("""[{"name":"mine","length":40,"number":"2-40","parity":[]}]""")), "devices[0].formats[0].parity", "not a list", true },
        { With(Formats("""[{"name":"mine","length":40,"number":"2-40","parity":[{"bit":1,"kind":"both","over":"2-40"}]}]""")), "devices[0].formats[0].parity[0].kind", "not allowed", true },
        { With(Put(Reader, "keypad", "yes")), "devices[0].keypad", "not true or false", true },
        { With(Put(Reader, "frameGapMs", 4)), "devices[0].frameGapMs", "outside 5 to 200", true },
        { With(Without(Contact, "active")), "devices[0].active", "missing", true },
        { With(Put(Contact, "active", "open")), "devices[0].active", "unknown", true },
        { With(Without(Contact, "pull")), "devices[0].pull", "missing", true },
        { With(Put(Contact, "pull", "hard")), "devices[0].pull", "unknown", true },
        { With(Without(Contact, "debounceMs")), "devices[0].debounceMs", "missing", true },
        { With(Put(Contact, "debounceMs", 0)), "devices[0].debounceMs", "outside 1 to 1000", true },
        { With(Put(Contact, "debounceMs", 1_001)), "devices[0].debounceMs", "outside 1 to 1000", true },
        { With(Contact, Without(Lock, "failMode")), "devices[1].failMode", "missing", true },
        { With(Contact, Put(Lock, "failMode", "failOpen")), "devices[1].failMode", "unknown", true },
        { With(Put(Put(Without(Lock, "door"), "role", "siren"), "failMode", "failSafe")), "devices[0].failMode", "Only a lock", true },
        { With(Without(Line, "network")), "devices[0].network", "missing", true },
        { With(Put(Line, "network", "4k7")), "devices[0].network", "no network", true },
        { With(Put(Line, "network", new { })), "devices[0].network", "nothing is supervised", true },
        { With(Put(Line, "network", new { seriesKohm = 1, paralelKohm = 1 })), "devices[0].network.paralelKohm", "unknown", true },
        { With(Put(Line, "network", new { seriesKohm = 1, parallelKohm = 0.1 })), "devices[0].network", "Closed and Open cannot be told apart", false },
        { With(Put(Line, "network", new { parallelKohm = 10 })), "devices[0].network", "A short of this line would read as its contact closed", false },
        { With(Put(Put(Put(Line, "role", "exitButton"), "active", "closed"), "network", new { parallelKohm = 10 })), "devices[0].network", "A short", false },
        { With(Put(Put(Put(Line, "role", "exitButton"), "active", "open"), "network", "10k")), "devices[0].network", "A cut", false },
        { With(Put(Put(Line, "active", "closed"), "network", "10k")), "devices[0].network", "A cut", false },
        { With(Put(Without(Put(Line, "role", "fireRelease"), "door"), "network", "10k")), "devices[0].network", "A cut", false }, // A cut must never look like the panel's call.
        { With(Put(Line, "pullUpKohm", 0)), "devices[0].pullUpKohm", "outside 0.1 to 22", true },
        { With(Put(Line, "tolerancePercent", 20)), "devices[0].tolerancePercent", "outside 0.1 to 5", true },
        { With(Put(Line, "active", "high")), "devices[0].active", "unknown", true },
        { With(Put(Line, "channel", 4)), "devices[0].channel", "outside 0 to 3", true },
        { With(Put(Line, "channel", 3)), "devices[0].reference", "a line of its own", false },
        { With(Put(Line, "address", "0x44")), "devices[0].address", "No ADS1115", true },
        { With(Line, Put(Climate, "address", "0x49")), "devices[0].address", "is \"room\" already", false },
        { With(Line, Put(Put(Line, "id", "again"), "role", "doorTamper")), "devices[1].channel", "already used by devices[0]", false },
        { With(Line, Put(Put(Without(Put(Line, "channel", 1), "reference"), "id", "again"), "role", "doorTamper")), "devices[1].reference", "different references", false },
        { With(Line, Put(Put(Put(Contact, "line", 3), "id", "again"), "role", "doorTamper")), "devices[1].line", "I2C bus 1", false },
        { With(Contact, Put(Lock, "lockType", "strike")), "devices[1].lockType", "unknown", true },
        { With(Contact, Put(Lock, "lockType", "failSecureStrike")), "devices[1].lockType", "is not failSafe", false },
        { With(Contact, Put(Put(Lock, "lockType", "magnet"), "failMode", "failSecure")), "devices[1].lockType", "is not failSecure", false },
        { With(Put(Put(Without(Without(Lock, "door"), "failMode"), "role", "siren"), "lockType", "magnet")), "devices[0].lockType", "Only a lock", true },
        { With(Contact, Put(Put(Lock, "lockType", "latching"), "failMode", "failSecure")), "devices[1].door", "no relock output", false },
        { With(Contact, Lock, Relock), "devices[2].door", "no lock that is driven by pulses", false },
        { With(Put(Contact, "role", "guardArmed")), "devices[0].door", "belongs to no door", true },
        { With(Without(Put(Contact, "role", "breakGlass"), "door")), "devices[0].door", "needs its door", true },
        { With(Without(Climate, "address")), "devices[0].address", "missing", true },
        { With(Put(Climate, "address", 68)), "devices[0].address", "not allowed", true },
        { With(Put(Climate, "address", "0x07")), "devices[0].address", "outside 0x08 to 0x77", true },
        { With(Put(Climate, "address", "0x78")), "devices[0].address", "outside 0x08 to 0x77", true },
        { With(Climate, Put(Climate, "id", "rack")), "devices[1].address", "already used at devices[0]", false },
        { With(Put(Climate, "bus", 32)), "devices[0].bus", "outside 0 to 31", true },
        { With(Put(Climate, "periodMs", 100)), "devices[0].periodMs", "outside 250 to 600000", true },
        { With(Without(Ups, "host")), "devices[0].host", "missing", true },
        { With(Put(Ups, "host", "not a host")), "devices[0].host", "not allowed", true },
        { With(Put(Ups, "host", "-x.example")), "devices[0].host", "not allowed", true },
        { With(Put(Ups, "port", 0)), "devices[0].port", "outside 1 to 65535", true },
        { With(Put(Ups, "port", 65_536)), "devices[0].port", "outside 1 to 65535", true },
        { With(Put(Ups, "ups", "rack 1")), "devices[0].ups", "not allowed", true },
        { With(Without(Adc, "channels")), "devices[0].channels", "missing", true },
        { With(Put(Adc, "channels", 1)), "devices[0].channels", "not a list", true },
        { With(Put(Adc, "chipSelect", 3)), "devices[0].chipSelect", "outside 0 to 2", true },
        { With(Adc.Replace("\"channel\":0", "\"channel\":8", StringComparison.Ordinal)), "devices[0].channels[0].channel", "outside 0 to 7", true },
        { With(Adc.Replace("\"unit\":\"V\"", "\"unit\":\"\"", StringComparison.Ordinal)), "devices[0].channels[0].unit", "not allowed", true },
        { With(Adc.Replace("\"unit\":\"V\"", "\"unit\":\"V\",\"scale\":\"big\"", StringComparison.Ordinal)), "devices[0].channels[0].scale", "not a number", true },
        { With(Adc, Put(Adc, "id", "again")), "devices[1].chipSelect", "already used at devices[0]", false },
    };

    /// <summary>A reader on lines 17 and 18 of a chip with these names.</summary>
    private static string Named(string names) =>
        $$"""{"hardware":{"kind":"raspberry-pi","gpioChip":"a","lineNames":{{names}}},"devices":[{{Reader}}]}""";

    [Fact]
    public void A_line_with_a_name_is_where_the_kernel_has_that_name_and_the_others_stay()
    {
        var file = BoardFile.Parse(Named("""{"17":"READER-D0"}"""), "test");

        var reader = Assert.IsType<WiegandEntry>(Assert.Single(LinesByName.Resolve(file, name => name == "READER-D0" ? [41] : [])));

        Assert.Equal((41, 18), (reader.D0, reader.D1));
    }

    [Theory]
    [InlineData(new int[0], "no line named")]
    [InlineData(new[] { 4, 5 }, "several lines named")]
    [InlineData(new[] { 18 }, "Two devices come to line 18")]
    [InlineData(null, "does not tell")]
    public void A_name_that_does_not_lead_to_one_free_line_stops_the_start(int[]? found, string fault)
    {
        var file = BoardFile.Parse(Named("""{"17":"READER-D0"}"""), "test");

        var refused = Assert.Throws<BoardOpenException>(() => LinesByName.Resolve(file, found is null ? null : _ => found));

        Assert.Contains(fault, refused.Fault, StringComparison.Ordinal);
        Assert.Contains("gpioinfo", refused.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Each_mistake_is_named_with_its_place_fault_and_remedy(string json, string where, string fault, bool structural)
    {
        var refused = Assert.Throws<BoardFileException>(() => BoardFile.Parse(json, "test"));

        var found = Assert.Single(refused.Faults); // One mistake, one fault: nothing follows from it.
        Assert.Equal(where, found.Where);
        Assert.Contains(fault, found.Fault, StringComparison.Ordinal);
        Assert.NotEmpty(found.Remedy);
        Assert.Contains(found.ToString(), refused.Message, StringComparison.Ordinal);
        if (structural) Assert.NotEmpty(_schema.Validate(json));
    }

    [Fact]
    public void Every_fault_of_a_file_is_told_at_once()
    {
        var json = With(Put(Put(Contact, "line", 99), "debounceMs", 0), Put(Climate, "address", "0x99"), Put(Ups, "port", -1));

        var refused = Assert.Throws<BoardFileException>(() => BoardFile.Parse(json, "test"));

        Assert.Equal(
            ["devices[0].line", "devices[0].debounceMs", "devices[1].address", "devices[2].port"],
            refused.Faults.Select(it => it.Where));
    }

    [Theory]
    [MemberData(nameof(ShippedBoards))]
    public void Each_shipped_board_loads_and_fits_the_published_schema(string name)
    {
        var path = Path.Combine(BoardsFolder(), name);

        Assert.Empty(_schema.Validate(File.ReadAllText(path)));
        var board = BoardFile.Load(path);
        Assert.Equal(Path.GetFileNameWithoutExtension(name), board.Name);
        Assert.NotEmpty(board.Devices);
    }

    [Fact]
    public void A_fire_contact_may_be_of_one_door_or_of_the_room_and_a_lock_that_is_driven_by_pulses_ends_them()
    {
        var devices = BoardFile.Parse(
            With(Contact, Put(Put(Lock, "lockType", "motor"), "failMode", "failSecure"), Relock,
                Put(Put(Put(Contact, "role", "fireRelease"), "id", "fire-a"), "line", 6), Without(Put(Put(Put(Contact, "role", "fireRelease"), "id", "fire"), "line", 7), "door")),
            "test").Devices;

        Assert.Equal(["door-a", null], devices.Where(it => it.Role == DeviceRole.FireRelease).Select(it => it.Door));
        Assert.All(devices.OfType<OutputEntry>(), it => Assert.Equal(TimeSpan.FromSeconds(5), it.OnAtMost));
        Assert.Equal(LockType.FailSafeStrike, BoardFile.Parse(With(Contact, Lock), "test").Devices.OfType<OutputEntry>().Single().Construction);
    }

    [Fact]
    public void The_simulated_boards_are_wired_like_the_real_one()
    {
        var real = BoardFile.Load(Path.Combine(BoardsFolder(), "one-room-pi.json"));
        var simulated = BoardFile.Load(Path.Combine(BoardsFolder(), "one-room-simulated.json"));
        var withUps = BoardFile.Load(Path.Combine(BoardsFolder(), "one-room-simulated-ups.json"));

        Assert.Equal((HardwareKind.RaspberryPi, HardwareKind.Simulated), (real.Hardware.Kind, simulated.Hardware.Kind));
        Assert.Equal(real.Devices, simulated.Devices);
        Assert.Equal(real.Devices, withUps.Devices.Where(it => it is not NutEntry));
        var twoDoors = BoardFile.Load(Path.Combine(BoardsFolder(), "two-doors-simulated.json"));
        Assert.Equal(real.Devices, twoDoors.Devices.Where(it => it.Door != "door-b" && it.Role != DeviceRole.FireRelease));
    }

    [Fact]
    public void The_wiring_table_names_every_line_of_the_real_board()
    {
        var table = File.ReadAllText(Path.Combine(BoardsFolder(), "..", "README.md"));
        foreach (var device in BoardFile.Load(Path.Combine(BoardsFolder(), "one-room-pi.json")).Devices)
        {
            var row = device switch
            {
                WiegandEntry it => $"| `{it.Id}` D0, D1 | {it.D0}, {it.D1} |",
                InputEntry it => $"| `{it.Id}` | {it.Line} |",
                OutputEntry it => $"| `{it.Id}` | {it.Line} |",
                _ => $"| `{device.Id}` SDA, SCL | 2, 3 |",
            };
            Assert.Contains(row, table, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_relative_socket_lies_beside_the_board_file_and_an_absolute_one_stays()
    {
        var folder = Directory.CreateTempSubdirectory("board").FullName;
        var path = Path.Combine(folder, "b.json");
        File.WriteAllText(path, With(Ups));
        Assert.Equal(Path.Combine(folder, "s"), BoardFile.Load(path).Hardware.Socket);

        File.WriteAllText(path, With(Ups).Replace("\"s\"", "\"/run/room.sock\"", StringComparison.Ordinal));
        Assert.Equal("/run/room.sock", BoardFile.Load(path).Hardware.Socket);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void A_file_that_is_not_there_is_a_fault_like_any_other()
    {
        var refused = Assert.Throws<BoardFileException>(() => BoardFile.Load("/nowhere/board.json"));

        Assert.Equal("/nowhere/board.json", Assert.Single(refused.Faults).Where);
    }

    [Fact]
    public void What_may_be_left_out_has_the_documented_value()
    {
        var devices = BoardFile.Parse(With(Reader, Climate, Ups.Replace(",\"port\":3493", "", StringComparison.Ordinal)), "test").Devices;

        Assert.Equal(
            new WiegandEntry("door-a.entry", DeviceRole.EntryReader, "door-a", 17, 18, CardFormat.Parity, false, TimeSpan.FromMilliseconds(25)),
            devices[0]);
        Assert.Equal(new I2cEntry("room", "sht4x", DeviceRole.Environment, 1, 0x44, TimeSpan.FromSeconds(1)), devices[1]);
        Assert.Equal(new NutEntry("ups", DeviceRole.Ups, "127.0.0.1", 3_493, "rack1", TimeSpan.FromSeconds(2)), devices[2]);
    }

    internal static string BoardsFolder([CallerFilePath] string here = "") =>
        Path.GetFullPath("../../../hardware/boards", Path.GetDirectoryName(here)!);

    private static string With(params string[] devices) =>
        $$"""{"hardware":{"kind":"simulated","socket":"s"},"devices":[{{string.Join(',', devices)}}]}""";

    private static string Put(string device, string field, object value)
    {
        var node = System.Text.Json.Nodes.JsonNode.Parse(device)!.AsObject();
        node[field] = System.Text.Json.JsonSerializer.SerializeToNode(value);
        return node.ToJsonString();
    }

    private static string Formats(string formats) => Reader[..^1] + $",\"formats\":{formats}}}";

    private static string Without(string device, string field)
    {
        var node = System.Text.Json.Nodes.JsonNode.Parse(device)!.AsObject();
        Assert.True(node.Remove(field));
        return node.ToJsonString();
    }
}
