using NJsonSchema;
using PhysSec.Hardware;

namespace PhysSec.Tests.Hardware;

/// <summary>What hangs at a reader's own terminals, in a board file.</summary>
public sealed class ReaderTerminalsTests
{
    private const string In = """{"id":"door-b.entry","type":"osdp","role":"entryReader","door":"door-b","port":"/dev/ttyAMA2","address":0}""";
    private const string Out = """{"id":"door-b.exit","type":"osdp","role":"exitReader","door":"door-b","port":"/dev/ttyAMA2","address":1}""";
    private const string Other = """{"id":"door-c.exit","type":"osdp","role":"exitReader","door":"door-c","port":"/dev/ttyAMA2","address":2}""";
    private const string Contact = """{"id":"door-b.contact","type":"readerInput","role":"doorContact","door":"door-b","reader":"door-b.exit","input":0,"active":"inactive"}""";
    private const string Lock = """{"id":"door-b.lock","type":"readerOutput","role":"lock","door":"door-b","reader":"door-b.exit","output":0,"failMode":"failSecure"}""";
    private const string Relock = """{"id":"door-b.relock","type":"output","role":"relock","door":"door-b","line":25,"active":"high"}""";
    private const string Button = """{"id":"door-b.button","type":"readerInput","role":"exitButton","door":"door-b","reader":"door-b.exit","input":1,"active":"active"}""";

    private static readonly JsonSchema _schema = JsonSchema.FromFileAsync(Path.Combine(BoardFileTests.BoardsFolder(), "board.schema.json")).GetAwaiter().GetResult();

    /// <summary>The last device, where its fault is found, a word of the fault, whether the schema sees it too.</summary>
    public static TheoryData<string, string, string, bool> Mistakes => new()
    {
        { Lock.Replace("\"door-b.exit\"", "\"door-b.exti\"", StringComparison.Ordinal), "reader", "No osdp reader", false },
        { Lock.Replace("\"door-b.exit\"", "\"door-b.contact\"", StringComparison.Ordinal), "reader", "No osdp reader", false },
        { Lock.Replace("\"door-b.exit\"", "\"door-c.exit\"", StringComparison.Ordinal), "reader", "a reader of door-c", false },
        { Lock.Replace("\"reader\":\"door-b.exit\",", "", StringComparison.Ordinal), "reader", "missing", true },
        { Lock.Replace("\"output\":0", "\"output\":16", StringComparison.Ordinal), "output", "outside 0 to 15", true },
        { Lock.Replace("\"output\":0,", "", StringComparison.Ordinal), "output", "missing", true },
        { Lock.Replace("\"lock\"", "\"siren\"", StringComparison.Ordinal), "role", "does not fit the type readerOutput", true },
        { Lock.Replace(",\"failMode\":\"failSecure\"", "", StringComparison.Ordinal), "failMode", "missing", true },
        { Lock.Replace("\"failMode\"", "\"lockType\":\"latching\",\"failMode\"", StringComparison.Ordinal), "lockType", "stays as it is when the reader's timer ends", true },
        { Lock.Replace("\"failMode\"", "\"lockType\":\"magnet\",\"failMode\"", StringComparison.Ordinal), "lockType", "is not failSecure", false },
        { Button.Replace("\"door-b.exit\"", "\"door-b.entry\"", StringComparison.Ordinal), "reader", "unsecured side", false },
        { Button.Replace("\"input\":1", "\"input\":0", StringComparison.Ordinal), "input", "already used by devices[3]", false },
        { Button.Replace("\"active\":\"active\"", "\"active\":\"high\"", StringComparison.Ordinal), "active", "unknown", true },
        { Button.Replace("\"exitButton\"", "\"mainsPresent\"", StringComparison.Ordinal), "role", "does not fit the type readerInput", true },
        { Relock, "door", "no lock that is driven by pulses", false },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Each_mistake_is_named_with_its_place_fault_and_remedy(string device, string field, string fault, bool structural)
    {
        var lockToo = device == Relock ? "," + Lock : "";
        var json = $$$"""{"hardware":{"kind":"raspberry-pi","gpioChip":"pinctrl-bcm2711"},"devices":[{{{In}}},{{{Out}}},{{{Other}}},{{{Contact}}},{{{device}}}{{{lockToo}}}]}""";

        var found = Assert.Throws<BoardFileException>(() => BoardFile.Parse(json, "test")).Faults.First(it => !it.Where.EndsWith("door", StringComparison.Ordinal) || field == "door");

        Assert.Equal($"devices[4].{field}", found.Where);
        Assert.Contains(fault, found.Fault, StringComparison.Ordinal);
        Assert.NotEmpty(found.Remedy);
        if (structural) Assert.NotEmpty(_schema.Validate(json));
    }

    [Fact]
    public void A_lock_a_contact_and_a_button_may_hang_at_a_reader_inside()
    {
        var json = $$$"""{"hardware":{"kind":"raspberry-pi","gpioChip":"pinctrl-bcm2711"},"devices":[{{{In}}},{{{Out}}},{{{Contact}}},{{{Lock}}},{{{Button}}}]}""";

        var devices = BoardFile.Parse(json, "test").Devices;

        Assert.Equal(("door-b.exit", 0, LockType.FailSecureStrike), (devices.OfType<ReaderOutputEntry>().Single().Reader, (int)devices.OfType<ReaderOutputEntry>().Single().Number, devices.OfType<ReaderOutputEntry>().Single().Construction));
        Assert.Equal([ReaderInputState.Inactive, ReaderInputState.Active], devices.OfType<ReaderInputEntry>().Select(it => it.Active));
        Assert.Empty(_schema.Validate(json));
    }
}
