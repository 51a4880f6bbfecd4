using System.Globalization;
using System.Text.RegularExpressions;

namespace PhysSec.Hardware;

/// <summary>An OSDP reader on a serial line. Its key is never in a board file.</summary>
/// <param name="Id">Like "door-b.entry".</param>
/// <param name="Role">Which side of the door.</param>
/// <param name="Door">The door.</param>
/// <param name="Line">Shared by all readers of a port.</param>
/// <param name="Address">0 to 126.</param>
/// <param name="Keypad">It has keys, and they count.</param>
public sealed record OsdpEntry(string Id, DeviceRole Role, string? Door, SerialSettings Line, byte Address, bool Keypad) : DeviceEntry(Id, "osdp", Role, Door);

/// <summary>What a board file says of OSDP readers.</summary>
internal static partial class OsdpDevices
{
    /// <summary>More than these on one line are not polled often enough at any speed.</summary>
    public const int ReadersMax = 16;

    /// <summary>Stands for an address that is faulty; only while the faults of a file are gathered.</summary>
    private const byte Unknown = 0xFF;

    private const string PortRemedy = "Write a port like \"/dev/ttyAMA2\", or better one of /dev/serial/by-id: numbers change with the socket.";

    public static OsdpEntry Read(FieldReader f, string id, DeviceRole role, string? door)
    {
        var port = f.Text("port", PortPattern(), PortRemedy) ?? "";
        var baud = f.Integer("baud", 9_600, 230_400, 9_600, BaudRemedy);
        if (baud > 0 && !SerialSettings.BaudRates.Contains(baud)) f.Note("baud", string.Create(CultureInfo.InvariantCulture, $"{baud} is no speed of OSDP."), BaudRemedy);
        var address = f.Integer("address", 0, 126, null, "Write the reader's address, 0 to 126; physsec-node readers --discover finds it.");
        return new(id, role, door, new(port, baud, f.Flag("rs485", false)), address < 0 ? Unknown : (byte)address, f.Flag("keypad", false));
    }

    /// <summary>What must hold between the readers of a port, and between a port and the kind of the board.</summary>
    public static void Check(BoardFile file, List<BoardFault> faults)
    {
        var ports = new Dictionary<string, (string Where, SerialSettings Line, HashSet<int> Addresses)>();
        for (var i = 0; i < file.Devices.Count; i++)
        {
            if (file.Devices[i] is not OsdpEntry { Line.Port.Length: > 0 } it) continue;
            var where = string.Create(CultureInfo.InvariantCulture, $"devices[{i}]");
            var real = file.Hardware.Kind == HardwareKind.RaspberryPi;
            if (real && (!it.Line.Port.StartsWith("/dev/", StringComparison.Ordinal) || IsPseudoTerminal(it.Line.Port)))
                faults.Add(new($"{where}.port", $"\"{it.Line.Port}\" is no serial port of a board.", PortRemedy));
            if (!real && it.Line.Port.StartsWith("/dev/", StringComparison.Ordinal))
                faults.Add(new($"{where}.port", $"A simulated board has no \"{it.Line.Port}\".", "Write the name under which the room gives the line, like \"readers.pty\" (relative to the board file)."));

            if (!ports.TryGetValue(it.Line.Port, out var first)) ports[it.Line.Port] = first = (where, it.Line, []);
            if (first.Line != it.Line && it.Line.Baud > 0 && first.Line.Baud > 0)
                faults.Add(new($"{where}.baud", $"{it.Line.Port} is otherwise set at {first.Where}.", "Give all readers of a port the same baud and rs485."));
            if (!first.Addresses.Add(it.Address) && it.Address != Unknown)
                faults.Add(new($"{where}.address", string.Create(CultureInfo.InvariantCulture, $"Address {it.Address} is there twice on {it.Line.Port}."), "Give each reader on a line its own address."));
            if (first.Addresses.Count == ReadersMax + 1)
                faults.Add(new($"{where}.port", string.Create(CultureInfo.InvariantCulture, $"{it.Line.Port} has more than {ReadersMax} readers."), "Use another port for the rest."));
        }
    }

    /// <summary>Where only a program can be at the other end.</summary>
    public static bool IsPseudoTerminal(string port) => port.StartsWith("/dev/pts/", StringComparison.Ordinal) || port.StartsWith("/dev/pty", StringComparison.Ordinal);

    private static string BaudRemedy => $"Write one of: {string.Join(", ", SerialSettings.BaudRates)}.";

    [GeneratedRegex(@"^[A-Za-z0-9_.:/+=@-]{1,160}\z")]
    private static partial Regex PortPattern();
}
