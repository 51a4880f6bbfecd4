namespace PhysSec.Hardware;

/// <summary>What a device is for. Written in camelCase in a board file.</summary>
public enum DeviceRole
{
    /// <summary>Card reader on the unsecured side.</summary>
    EntryReader,

    /// <summary>Card reader on the secured side. It records; it is never needed to leave.</summary>
    ExitReader,

    /// <summary>Active = the leaf is open (or the wire is cut).</summary>
    DoorContact,

    /// <summary>Active = pressed. The button itself frees the lock in hardware; this line only observes it.</summary>
    ExitButton,

    /// <summary>On = released.</summary>
    Lock,

    /// <summary>Active = the reader or door case is open.</summary>
    DoorTamper,

    /// <summary>Active = the board's enclosure is open.</summary>
    EnclosureTamper,

    /// <summary>Active = mains is present.</summary>
    MainsPresent,

    /// <summary>Active = water is there (or the wire is cut).</summary>
    Leak,

    /// <summary>Climate of the room.</summary>
    Environment,

    /// <summary>Alarm lamp.</summary>
    Lamp,

    /// <summary>Alarm siren.</summary>
    Siren,

    /// <summary>The "accepted" light of a reader.</summary>
    ReaderLed,

    /// <summary>The tone of a reader.</summary>
    ReaderBuzzer,

    /// <summary>Uninterruptible power supply.</summary>
    Ups,

    /// <summary>Active = the fire panel calls (or the wire is cut). Of one door, or of every door of the board.</summary>
    FireRelease,

    /// <summary>Active = the emergency release at the door was used (or the wire is cut). It cuts the lock's power itself; this line only observes it.</summary>
    BreakGlass,

    /// <summary>Active = a seismic device or an earthquake warning calls (or the wire is cut). Of one door, or of every door of the board.</summary>
    SeismicRelease,

    /// <summary>Active = the bolt is thrown.</summary>
    BoltFeedback,

    /// <summary>Active = the magnet holds.</summary>
    BondFeedback,

    /// <summary>Active = the guard service (機械警備) is armed.</summary>
    GuardArmed,

    /// <summary>On = a pulse that locks; only for locks that stay as they are without power.</summary>
    Relock,

    /// <summary>On = the guard service is told of an intrusion.</summary>
    GuardAlarm,

    /// <summary>On = the guard service is asked to send somebody.</summary>
    GuardCall,
}

/// <summary>Level of a line.</summary>
public enum Level
{
    Low,
    High,
}

/// <summary>Bias that the board applies to an input line.</summary>
public enum Pull
{
    None,
    Up,
    Down,
}

/// <summary>What a lock does when its power is cut. Decides whether the exit button can free it.</summary>
public enum FailMode
{
    /// <summary>Frees without power (通電時施錠型, magnets): cutting its power lets people out.</summary>
    FailSafe,

    /// <summary>Stays locked without power (通電時解錠型): people leave by a mechanical lever.</summary>
    FailSecure,
}

/// <summary>What a lock does by its construction. Written in camelCase in a board file.</summary>
public enum LockType
{
    /// <summary>通電時施錠型.</summary>
    FailSafeStrike,

    /// <summary>電磁錠.</summary>
    Magnet,

    /// <summary>通電時解錠型.</summary>
    FailSecureStrike,

    /// <summary>瞬時通電型: a pulse on its lock output frees it, one on its relock output locks it.</summary>
    Latching,

    /// <summary>モーター錠: a run each way.</summary>
    Motor,
}

/// <summary>One device of a board file.</summary>
/// <param name="Id">Like "door-a.contact".</param>
/// <param name="Type">Name of the driver.</param>
/// <param name="Role">What it is for.</param>
/// <param name="Door">The door it belongs to; null for devices of the room.</param>
public abstract record DeviceEntry(string Id, string Type, DeviceRole Role, string? Door)
{
    /// <summary>Of a reader, where the file says more than its wires; null: it reads numbers.</summary>
    public ReaderProfile? Profile { get; init; }
}

/// <summary>A Wiegand reader on two lines, both idle high.</summary>
public sealed record WiegandEntry(
    string Id, DeviceRole Role, string? Door, int D0, int D1, CardFormat Format, bool Keypad, TimeSpan FrameGap)
    : DeviceEntry(Id, "wiegand", Role, Door);

/// <summary>A contact, however it is wired.</summary>
public abstract record ContactEntry(string Id, string Type, DeviceRole Role, string? Door) : DeviceEntry(Id, Type, Role, Door);

/// <summary>A contact on one line.</summary>
public sealed record InputEntry(
    string Id, DeviceRole Role, string? Door, int Line, Level Active, Pull Pull, TimeSpan Debounce)
    : ContactEntry(Id, "input", Role, Door);

/// <summary>An output, however it is wired. FailMode and LockType: what the board file says of a lock.</summary>
public abstract record BoardOutputEntry(string Id, string Type, DeviceRole Role, string? Door, FailMode? FailMode, LockType? LockType) : DeviceEntry(Id, Type, Role, Door)
{
    /// <summary>The longest time that a coil or motor made for pulses is driven, whatever the software above does; null: it may stay on.</summary>
    public TimeSpan? OnAtMost => Role == DeviceRole.Relock || LockType is PhysSec.Hardware.LockType.Latching or PhysSec.Hardware.LockType.Motor ? TimeSpan.FromSeconds(5) : null;

    /// <summary>Null for what is no lock.</summary>
    public LockType? Construction => Role != DeviceRole.Lock ? null
        : LockType ?? (FailMode == PhysSec.Hardware.FailMode.FailSecure ? PhysSec.Hardware.LockType.FailSecureStrike : PhysSec.Hardware.LockType.FailSafeStrike);
}

/// <summary>A relay or transistor on one line. <paramref name="Active"/> is the level that switches it on.</summary>
public sealed record OutputEntry(
    string Id, DeviceRole Role, string? Door, int Line, Level Active, FailMode? FailMode, LockType? LockType = null)
    : BoardOutputEntry(Id, "output", Role, Door, FailMode, LockType);

/// <summary>A chip on an I2C bus.</summary>
public record I2cEntry(
    string Id, string Type, DeviceRole Role, int Bus, int Address, TimeSpan Period)
    : DeviceEntry(Id, Type, Role, null);

/// <summary>An analogue converter on an I2C bus: value = volts × scale + offset.</summary>
public sealed record AnalogI2cEntry(
    string Id, DeviceRole Role, int Bus, int Address, IReadOnlyList<AdcChannel> Channels, TimeSpan Period)
    : I2cEntry(Id, "ads1115", Role, Bus, Address, Period);

/// <summary>A UPS behind a NUT server (upsd).</summary>
public sealed record NutEntry(
    string Id, DeviceRole Role, string Host, int Port, string Ups, TimeSpan Period)
    : DeviceEntry(Id, "nut", Role, null);

/// <summary>An analogue converter on an SPI bus.</summary>
public sealed record AdcEntry(
    string Id, DeviceRole Role, int Bus, int ChipSelect, IReadOnlyList<AdcChannel> Channels, TimeSpan Period)
    : DeviceEntry(Id, "mcp3008", Role, null);

/// <summary>One channel: value = what the converter gives (mcp3008: ratio, 0 to 1; ads1115: volts) × <paramref name="Scale"/> + <paramref name="Offset"/>.</summary>
public sealed record AdcChannel(string Point, int Channel, string Unit, string Quantity, double Scale, double Offset);
