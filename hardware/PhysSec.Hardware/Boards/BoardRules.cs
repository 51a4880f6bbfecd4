using System.Globalization;

namespace PhysSec.Hardware;

/// <summary>What must hold between the devices of a board file.</summary>
internal static class BoardRules
{
    private static readonly DeviceRole[] _ofDoor =
    [
        DeviceRole.EntryReader, DeviceRole.ExitReader, DeviceRole.DoorContact, DeviceRole.ExitButton,
        DeviceRole.Lock, DeviceRole.DoorTamper, DeviceRole.ReaderLed, DeviceRole.ReaderBuzzer,
        DeviceRole.BreakGlass, DeviceRole.BoltFeedback, DeviceRole.BondFeedback, DeviceRole.Relock,
    ];

    // Of one door, or of all.
    private static readonly DeviceRole[] _ofDoorOrRoom = [DeviceRole.FireRelease, DeviceRole.SeismicRelease];

    private static readonly DeviceRole[] _oncePerDoor =
        [DeviceRole.EntryReader, DeviceRole.ExitReader, DeviceRole.DoorContact, DeviceRole.ExitButton, DeviceRole.Lock, DeviceRole.Relock];

    public static DeviceRole[] RolesOf(string type) => type switch
    {
        "wiegand" or "osdp" => [DeviceRole.EntryReader, DeviceRole.ExitReader],
        "input" or "supervised" =>
        [
            DeviceRole.DoorContact, DeviceRole.ExitButton, DeviceRole.DoorTamper, DeviceRole.EnclosureTamper,
            DeviceRole.MainsPresent, DeviceRole.Leak, DeviceRole.FireRelease, DeviceRole.BreakGlass, DeviceRole.SeismicRelease,
            DeviceRole.BoltFeedback, DeviceRole.BondFeedback, DeviceRole.GuardArmed,
        ],
        "output" =>
        [
            DeviceRole.Lock, DeviceRole.Lamp, DeviceRole.Siren, DeviceRole.ReaderLed, DeviceRole.ReaderBuzzer, DeviceRole.Relock, DeviceRole.GuardAlarm, DeviceRole.GuardCall,
        ],
        "readerOutput" => [DeviceRole.Lock],
        "readerInput" => [DeviceRole.DoorContact, DeviceRole.ExitButton, DeviceRole.DoorTamper, DeviceRole.BreakGlass, DeviceRole.BoltFeedback, DeviceRole.BondFeedback],
        "nut" => [DeviceRole.Ups],
        _ => [DeviceRole.Environment],
    };

    public static void Check(BoardFile file, List<BoardFault> faults)
    {
        ArgumentNullException.ThrowIfNull(file);
        var ids = new Dictionary<string, string>();
        var lines = new Dictionary<int, string>();
        var addresses = new Dictionary<(string, int, int), string>();
        var doors = new Dictionary<(string, DeviceRole), string>();
        ReserveBusLines(file, lines);
        for (var i = 0; i < file.Devices.Count; i++)
        {
            var device = file.Devices[i];
            var where = string.Create(CultureInfo.InvariantCulture, $"devices[{i}]");
            if (device.Id.Length > 0 && !ids.TryAdd(device.Id, where))
                faults.Add(new($"{where}.id", $"\"{device.Id}\" is already used at {ids[device.Id]}.", "Give each device its own id."));
            if (device is UnknownEntry) continue;

            CheckRole(device, where, faults);
            CheckDoor(device, where, doors, faults);
            foreach (var (field, line) in LinesOf(device).Where(it => it.Line >= 0)) // A faulty line is already noted.
                if (!lines.TryAdd(line, $"{where}.{field}"))
                    faults.Add(new($"{where}.{field}", $"Line {line} is already used by {lines[line]}.", "Wire each device to its own line."));
            if (AddressOf(device) is { } address && !addresses.TryAdd(address.Key, where))
                faults.Add(new($"{where}.{address.Field}", $"{address.Shown} is already used at {addresses[address.Key]}.", "Give each chip its own address."));
            if (device is I2cEntry or NutEntry or AdcEntry && device.Id.Count(it => it == '.') > 1)
                faults.Add(new($"{where}.id", $"\"{device.Id}\" has three parts.", "A sensor's id has one or two parts: its points add one."));
        }

        foreach (var (line, name) in file.Hardware.LineNames.Where(it => !file.Devices.SelectMany(LinesOf).Any(used => used.Line == it.Key)))
            faults.Add(new("hardware.lineNames", $"No device uses line {line} (\"{name}\").", "Remove the name, or correct the line of its device."));
        CheckLocks(file, faults);
        SupervisedRules.Check(file, faults);
        OsdpDevices.Check(file, faults);
        ReaderTerminals.Check(file, faults);
    }

    private static void CheckRole(DeviceEntry device, string where, List<BoardFault> faults)
    {
        var roles = RolesOf(device.Type);
        if (!roles.Contains(device.Role))
        {
            faults.Add(new($"{where}.role", $"The role {FieldReader.Camel(device.Role)} does not fit the type {device.Type}.",
                $"With this type, write one of: {string.Join(", ", roles.Select(FieldReader.Camel))}."));
        }

        if (device is WiegandEntry { Profile: { Proof: not ReaderProof.Number } profile })
        {
            faults.Add(new($"{where}.proof", $"Over Wiegand only a number comes, whatever the reader knows: {FieldReader.Camel(profile.Proof)} cannot be claimed.",
                "Write \"number\", or use a reader with an encrypted line."));
        }

        if (device is OutputEntry { FailMode: not null } and not { Role: DeviceRole.Lock })
            faults.Add(new($"{where}.failMode", "Only a lock has a fail mode.", "Remove it."));
        if (device is OutputEntry { LockType: not null } and not { Role: DeviceRole.Lock })
            faults.Add(new($"{where}.lockType", "Only a lock has a lock type.", "Remove it."));
        if (device is BoardOutputEntry { Role: DeviceRole.Lock, LockType: { } type, FailMode: { } mode } && mode != ModeOf(type))
        {
            faults.Add(new($"{where}.lockType", $"A lock of type {FieldReader.Camel(type)} is not {FieldReader.Camel(mode)}.",
                $"Write \"failMode\": \"{FieldReader.Camel(ModeOf(type))}\", or correct the type."));
        }

        var channels = device is AdcEntry adc ? adc.Channels : device is AnalogI2cEntry analog ? analog.Channels : null;
        if (channels is not null)
            foreach (var twice in channels.GroupBy(it => it.Point).Where(it => it.Count() > 1))
                faults.Add(new($"{where}.channels", $"The point \"{twice.Key}\" is there twice.", "Give each channel its own point."));
    }

    private static void CheckDoor(
        DeviceEntry device, string where, Dictionary<(string, DeviceRole), string> doors, List<BoardFault> faults)
    {
        var role = FieldReader.Camel(device.Role);
        var ofDoor = _ofDoor.Contains(device.Role);
        if (ofDoor && device.Door is null)
            faults.Add(new($"{where}.door", $"A {role} needs its door.", "Write \"door\": \"door-a\"."));
        if (!ofDoor && device.Door is not null && !_ofDoorOrRoom.Contains(device.Role))
            faults.Add(new($"{where}.door", $"A {role} belongs to no door.", "Remove the field."));
        if (device.Door is { Length: > 0 } door && _oncePerDoor.Contains(device.Role) && !doors.TryAdd((door, device.Role), where))
            faults.Add(new($"{where}.door", $"{door} has a second {role}; the first is {doors[(door, device.Role)]}.", "Keep one, or name another door."));
    }

    private static void CheckLocks(BoardFile file, List<BoardFault> faults)
    {
        for (var i = 0; i < file.Devices.Count; i++)
        {
            if (file.Devices[i] is OutputEntry { Role: DeviceRole.Relock, Door: { Length: > 0 } of } && !file.Devices.Any(it => IsPulsed(it, of)))
            {
                faults.Add(new($"devices[{i}].door", $"{of} has a relock output and no lock that is driven by pulses.",
                    "Give its lock \"lockType\": \"latching\" or \"motor\", or remove this output."));
            }

            if (file.Devices[i] is not BoardOutputEntry { Role: DeviceRole.Lock, Door: { Length: > 0 } door }) continue;
            if (IsPulsed(file.Devices[i], door) && !file.Devices.Any(it => it.Role == DeviceRole.Relock && it.Door == door))
            {
                faults.Add(new($"devices[{i}].door", $"{door} has a lock that stays as it is without power, and no relock output: it could not be locked again.",
                    $"Add an output with role relock and door \"{door}\"."));
            }

            if (file.Devices.Any(it => it.Role == DeviceRole.DoorContact && it.Door == door)) continue;

            faults.Add(new($"devices[{i}].door", $"{door} has a lock and no doorContact: a forced door would go unseen.",
                $"Add an input with role doorContact and door \"{door}\"."));
        }
    }

    private static bool IsPulsed(DeviceEntry device, string door) =>
        device is OutputEntry { Role: DeviceRole.Lock, LockType: LockType.Latching or LockType.Motor } && device.Door == door;

    /// <summary>What a lock of this type does when its power is cut; one that stays as it is frees nobody.</summary>
    private static FailMode ModeOf(LockType type) => type is LockType.FailSafeStrike or LockType.Magnet ? FailMode.FailSafe : FailMode.FailSecure;

    /// <summary>Header lines that a bus takes away from everything else.</summary>
    private static void ReserveBusLines(BoardFile file, Dictionary<int, string> lines)
    {
        if (file.Devices.Any(it => it is I2cEntry { Bus: 1 } or SupervisedEntry { Bus: 1 }))
            foreach (var line in (int[])[2, 3]) lines[line] = "I2C bus 1";
        if (file.Devices.Any(it => it is AdcEntry { Bus: 0 }))
            foreach (var line in (int[])[7, 8, 9, 10, 11]) lines[line] = "SPI bus 0";
    }

    internal static (string Field, int Line)[] LinesOf(DeviceEntry device) => device switch
    {
        WiegandEntry it => [("d0", it.D0), ("d1", it.D1)],
        InputEntry it => [("line", it.Line)],
        OutputEntry it => [("line", it.Line)],
        _ => [],
    };

    private static ((string, int, int) Key, string Field, string Shown)? AddressOf(DeviceEntry device) => device switch
    {
        I2cEntry { Address: >= 0 } it => (("i2c", it.Bus, it.Address), "address", $"Address 0x{it.Address:x2} on I2C bus {it.Bus}"),
        AdcEntry { Bus: >= 0, ChipSelect: >= 0 } it => (("spi", it.Bus, it.ChipSelect), "chipSelect", $"Chip select {it.ChipSelect} on SPI bus {it.Bus}"),
        _ => null,
    };
}
