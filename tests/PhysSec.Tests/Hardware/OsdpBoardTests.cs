using NJsonSchema;
using PhysSec.Hardware;

namespace PhysSec.Tests.Hardware;

/// <summary>OSDP readers in a board file.</summary>
public sealed class OsdpBoardTests
{
    private const string Pi = """{"kind":"raspberry-pi","gpioChip":"pinctrl-bcm2711"}""", Room = """{"kind":"simulated","socket":"s"}""";
    private const string In = """{"id":"door-b.entry","type":"osdp","role":"entryReader","door":"door-b","port":"/dev/ttyAMA2","address":0}""";
    private const string Out = """{"id":"door-b.exit","type":"osdp","role":"exitReader","door":"door-b","port":"/dev/ttyAMA2","address":1}""";

    private static readonly JsonSchema _schema = JsonSchema.FromFileAsync(Path.Combine(BoardFileTests.BoardsFolder(), "board.schema.json")).GetAwaiter().GetResult();

    /// <summary>The file, where it is found, a word of the fault, whether the schema sees it too.</summary>
    public static TheoryData<string, string, string, bool> Mistakes => new()
    {
        { With(Pi, In.Replace("\"port\":\"/dev/ttyAMA2\",", "", StringComparison.Ordinal)), "devices[0].port", "missing", true },
        { With(Pi, In.Replace("/dev/ttyAMA2", "a b", StringComparison.Ordinal)), "devices[0].port", "not allowed", true },
        { With(Pi, In.Replace("/dev/ttyAMA2", "readers.pty", StringComparison.Ordinal)), "devices[0].port", "no serial port", false },
        { With(Pi, In.Replace("/dev/ttyAMA2", "/dev/pts/3", StringComparison.Ordinal)), "devices[0].port", "no serial port", false },
        { With(Room, In), "devices[0].port", "simulated board", false },
        { With(Pi, In.Replace("\"address\":0", "\"address\":127", StringComparison.Ordinal)), "devices[0].address", "outside 0 to 126", true },
        { With(Pi, In.Replace(",\"address\":0", "", StringComparison.Ordinal)), "devices[0].address", "missing", true },
        { With(Pi, In, Out.Replace("\"address\":1", "\"address\":0", StringComparison.Ordinal)), "devices[1].address", "there twice", false },
        { With(Pi, In.Replace("\"address\"", "\"baud\":14400,\"address\"", StringComparison.Ordinal)), "devices[0].baud", "no speed", true },
        { With(Pi, In, Out.Replace("\"address\"", "\"baud\":115200,\"address\"", StringComparison.Ordinal)), "devices[1].baud", "otherwise set", false },
        { With(Pi, In, Out.Replace("\"address\"", "\"rs485\":true,\"address\"", StringComparison.Ordinal)), "devices[1].baud", "otherwise set", false },
        { With(Pi, In.Replace("\"address\"", "\"key\":\"00\",\"address\"", StringComparison.Ordinal)), "devices[0].key", "unknown", true },
        { With(Pi, In.Replace("entryReader", "lock", StringComparison.Ordinal)), "devices[0].role", "does not fit the type osdp", true },
        { With(Pi, In.Replace("\"door\":\"door-b\",", "", StringComparison.Ordinal)), "devices[0].door", "needs its door", true },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Each_mistake_is_named_with_its_place_fault_and_remedy(string json, string where, string fault, bool structural)
    {
        var found = Assert.Single(Assert.Throws<BoardFileException>(() => BoardFile.Parse(json, "test")).Faults);

        Assert.Equal(where, found.Where);
        Assert.Contains(fault, found.Fault, StringComparison.Ordinal);
        Assert.NotEmpty(found.Remedy);
        if (structural) Assert.NotEmpty(_schema.Validate(json));
    }

    [Fact]
    public void Readers_of_one_port_share_its_line_and_keep_their_own_address()
    {
        var json = With(Pi, In, Out);

        var readers = BoardFile.Parse(json, "test").Devices.OfType<OsdpEntry>().ToList();

        Assert.Equal([0, 1], readers.Select(it => (int)it.Address));
        Assert.All(readers, it => Assert.Equal(new SerialSettings("/dev/ttyAMA2", 9_600), it.Line));
        Assert.Empty(_schema.Validate(json));
    }

    [Fact]
    public void A_simulated_reader_s_port_is_taken_from_the_board_file_s_own_folder()
    {
        var folder = Directory.CreateTempSubdirectory("board");
        try
        {
            var path = Path.Combine(folder.FullName, "board.json");
            File.WriteAllText(path, With(Room, In.Replace("/dev/ttyAMA2", "readers.pty", StringComparison.Ordinal)));

            Assert.Equal(Path.Combine(folder.FullName, "readers.pty"), Assert.Single(BoardFile.Load(path).Devices.OfType<OsdpEntry>()).Line.Port);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string With(string hardware, params string[] devices) => $$"""{"hardware":{{hardware}},"devices":[{{string.Join(',', devices)}}]}""";
}
