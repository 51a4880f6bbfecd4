using System.Globalization;

namespace PhysSec.Hardware;

/// <summary>An output at an OSDP reader's own terminals. The reader switches it off by its own timer, whatever becomes of this program or the cable.</summary>
/// <param name="Id">Like "door-b.lock".</param>
/// <param name="Role">A lock: on = released.</param>
/// <param name="Door">The door, which is the reader's.</param>
/// <param name="Reader">The reader's id.</param>
/// <param name="Number">From 0, as the reader counts.</param>
/// <param name="FailMode">What the lock does without power.</param>
/// <param name="LockType">What the lock is; never one that is driven by pulses.</param>
public sealed record ReaderOutputEntry(string Id, DeviceRole Role, string? Door, string Reader, byte Number, FailMode? FailMode, LockType? LockType = null)
    : BoardOutputEntry(Id, "readerOutput", Role, Door, FailMode, LockType);

/// <summary>What a reader reports of an input.</summary>
public enum ReaderInputState
{
    Inactive,
    Active,
}

/// <summary>A contact at an OSDP reader's own terminals. <paramref name="Active"/> is what the reader reports while the role's word is true.</summary>
public sealed record ReaderInputEntry(string Id, DeviceRole Role, string? Door, string Reader, byte Number, ReaderInputState Active) : ContactEntry(Id, "readerInput", Role, Door);

/// <summary>What a board file says of the terminals of OSDP readers.</summary>
internal static class ReaderTerminals
{
    private const int NumberMax = 15;
    private const string ReaderRemedy = "Write the id of an osdp reader of this door, like \"door-b.exit\".";

    public static ReaderOutputEntry Output(FieldReader f, string id, DeviceRole role, string? door) => new(
        id, role, door, Reader(f), Number(f, "output"), f.Choice<FailMode>("failMode", required: true), f.Choice<LockType>("lockType", required: false));

    public static ReaderInputEntry Input(FieldReader f, string id, DeviceRole role, string? door) => new(
        id, role, door, Reader(f), Number(f, "input"), f.Choice<ReaderInputState>("active", required: true) ?? default);

    /// <summary>What must hold between terminals and the readers that have them.</summary>
    public static void Check(BoardFile file, List<BoardFault> faults)
    {
        var used = new Dictionary<(string, string, byte), string>();
        for (var i = 0; i < file.Devices.Count; i++)
        {
            var (device, where) = (file.Devices[i], string.Create(CultureInfo.InvariantCulture, $"devices[{i}]"));
            if (TerminalOf(device) is not { Reader.Length: > 0 } it) continue; // Noted already.
            if (file.Devices.OfType<OsdpEntry>().FirstOrDefault(reader => reader.Id == it.Reader) is not { } reader)
            {
                faults.Add(new($"{where}.reader", $"No osdp reader is called \"{it.Reader}\".", ReaderRemedy));
                continue;
            }

            if (device.Door is { Length: > 0 } door && reader.Door is { Length: > 0 } other && door != other)
                faults.Add(new($"{where}.reader", $"\"{it.Reader}\" is a reader of {other}.", ReaderRemedy));
            if (it.Number != Unknown && !used.TryAdd((it.Reader, it.Field, it.Number), where))
                faults.Add(new($"{where}.{it.Field}", $"{(it.Field == "output" ? "Output" : "Input")} {it.Number} of \"{it.Reader}\" is already used by {used[(it.Reader, it.Field, it.Number)]}.", "Give each device its own terminal."));
            if (device is ReaderOutputEntry { LockType: LockType.Latching or LockType.Motor } pulsed)
            {
                faults.Add(new($"{where}.lockType", $"A lock of type {FieldReader.Camel(pulsed.LockType!.Value)} stays as it is when the reader's timer ends: it would stay free.",
                    "Drive it by two outputs of the board, or use a lock that locks, or frees, by its output alone."));
            }

            // Whoever opens the case of a reader outside could press it.
            if (device is ReaderInputEntry { Role: DeviceRole.ExitButton or DeviceRole.BreakGlass } && reader.Role == DeviceRole.EntryReader)
            {
                faults.Add(new($"{where}.reader", $"\"{it.Reader}\" hangs on the unsecured side: whoever opens it could use the {FieldReader.Camel(device.Role)}, which frees the door.",
                    "Wire it to the board, or to the exit reader."));
            }
        }
    }

    /// <summary>Stands for a number that is faulty; only while the faults of a file are gathered.</summary>
    private const byte Unknown = 0xFF;

    private static (string Reader, string Field, byte Number)? TerminalOf(DeviceEntry device) => device switch
    {
        ReaderOutputEntry it => (it.Reader, "output", it.Number),
        ReaderInputEntry it => (it.Reader, "input", it.Number),
        _ => null,
    };

    private static string Reader(FieldReader f) => f.Text("reader", BoardParser.IdPattern(), ReaderRemedy) ?? "";

    private static byte Number(FieldReader f, string field)
    {
        var number = f.Integer(field, 0, NumberMax, null, string.Create(CultureInfo.InvariantCulture, $"Write the {field}'s number at the reader, 0 to {NumberMax}."));
        return number < 0 ? Unknown : (byte)number;
    }
}
