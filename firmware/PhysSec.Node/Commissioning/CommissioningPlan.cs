using System.Text.Json;
using PhysSec.Hardware;

namespace PhysSec.Node.Commissioning;

/// <summary>What one check proves. The names go into the signed result and never change.</summary>
public enum CheckKind
{
    /// <summary>The contact is seen in both states.</summary>
    ContactMoves = 1,

    /// <summary>A cut wire of the contact is seen as what it alarms for.</summary>
    WireIsWatched = 2,

    /// <summary>A card held to the reader arrives whole.</summary>
    CardIsRead = 3,

    /// <summary>The sensor answers, and a person finds its values right.</summary>
    ValuesAreRight = 4,

    /// <summary>A person sees or hears the output.</summary>
    OutputIsSeen = 5,

    /// <summary>The lock holds the leaf while nothing releases it.</summary>
    LockHolds = 6,

    /// <summary>The lock lets the leaf go while it is released.</summary>
    LockReleases = 7,

    /// <summary>The exit button opens the way out without the software.</summary>
    ExitByButton = 8,

    /// <summary>The lever or thumb-turn inside opens the way out.</summary>
    ExitByLever = 9,

    /// <summary>The break glass opens the way out without the software.</summary>
    ExitByBreakGlass = 10,

    /// <summary>The fire panel's contact opens the way out without the software.</summary>
    ExitByFireContact = 11,

    /// <summary>With the board's plug pulled the ways out still work.</summary>
    ExitWithoutBoard = 12,

    /// <summary>The board stands inside the protected room, and no reader outside holds a key or a relay (R-DEV-02).</summary>
    BoardIsProtected = 13,

    /// <summary>A short of a supervised line is seen as one.</summary>
    ShortIsWatched = 30,
}

/// <summary>One thing to be proved.</summary>
/// <param name="Kind">What.</param>
/// <param name="Device">A device's id; of a way out: the lock's.</param>
/// <param name="Door">Null for devices of the room.</param>
public sealed record Check(CheckKind Kind, string Device, string? Door)
{
    public string Id => $"{JsonNamingPolicy.CamelCase.ConvertName(Kind.ToString())}:{Device}";
}

/// <summary>What has to be proved of a board before people trust it: derived from its file alone.</summary>
public sealed class CommissioningPlan
{
    private readonly Dictionary<string, DeviceEntry> _devices;

    private CommissioningPlan(BoardFile board, IReadOnlyList<Check> checks) =>
        (Checks, _devices) = (checks, board.Devices.ToDictionary(it => it.Id, StringComparer.Ordinal));

    public IReadOnlyList<Check> Checks { get; }

    public static CommissioningPlan For(BoardFile board)
    {
        ArgumentNullException.ThrowIfNull(board);
        var inputs = board.Devices.OfType<ContactEntry>().ToList();
        var lines = board.Devices.OfType<SupervisedEntry>().ToList();
        var locks = board.Devices.OfType<BoardOutputEntry>().Where(it => it.Role == DeviceRole.Lock).ToList();
        return new(board,
        [
            .. inputs.Select(it => new Check(CheckKind.ContactMoves, it.Id, it.Door)),
            .. inputs.Where(it => it is SupervisedEntry || StateOfCutWire(it) is not null).Select(it => new Check(CheckKind.WireIsWatched, it.Id, it.Door)),
            .. lines.Where(it => it.Network.Series is not null).Select(it => new Check(CheckKind.ShortIsWatched, it.Id, it.Door)),
            .. board.Devices.Where(it => it is WiegandEntry or OsdpEntry).Select(it => new Check(CheckKind.CardIsRead, it.Id, it.Door)),
            .. board.Devices.Where(it => it is I2cEntry or NutEntry or AdcEntry).Select(it => new Check(CheckKind.ValuesAreRight, it.Id, it.Door)),
            .. board.Devices.OfType<OutputEntry>().Where(it => it.Role is not (DeviceRole.Lock or DeviceRole.Relock)).Select(it => new Check(CheckKind.OutputIsSeen, it.Id, it.Door)),
            .. locks.SelectMany(it => Ways(it, inputs).Select(kind => new Check(kind, it.Id, it.Door))),
            new(CheckKind.BoardIsProtected, "board", null),
        ]);
    }

    /// <summary>
    /// What a cut wire looks like, where that is what the contact alarms for; null where nobody would notice (an exit button that closes when pressed) or where
    /// the board file leaves the level of an open line to something outside.
    /// </summary>
    public static bool? StateOfCutWire(ContactEntry contact)
    {
        ArgumentNullException.ThrowIfNull(contact);
        bool? cut = contact switch
        {
            InputEntry { Pull: not Pull.None } it => (it.Pull == Pull.Up) == (it.Active == Level.High),
            SupervisedEntry { Network.Parallel: null } it => it.Active == LineContact.Open,
            _ => null,
        };
        var alarming = contact.Role switch
        {
            DeviceRole.DoorContact or DeviceRole.DoorTamper or DeviceRole.EnclosureTamper or DeviceRole.Leak
                or DeviceRole.FireRelease or DeviceRole.BreakGlass or DeviceRole.SeismicRelease or DeviceRole.GuardArmed => true,
            DeviceRole.MainsPresent or DeviceRole.BoltFeedback or DeviceRole.BondFeedback => false,
            _ => (bool?)null,
        };
        return cut == alarming ? cut : null;
    }

    /// <summary>The first device of a door with this role; null when there is none.</summary>
    public string? Of(string? door, DeviceRole role) => _devices.Values.FirstOrDefault(it => it.Door == door && it.Role == role)?.Id;

    public DeviceEntry? Device(string id) => _devices.GetValueOrDefault(id);

    private static IEnumerable<CheckKind> Ways(BoardOutputEntry door, List<ContactEntry> inputs)
    {
        yield return CheckKind.LockHolds;
        yield return CheckKind.LockReleases;
        if (door.FailMode == FailMode.FailSecure) // Cutting its power frees nobody: only a mechanical way out does.
        {
            yield return CheckKind.ExitByLever;
        }
        else
        {
            if (inputs.Any(it => it.Role == DeviceRole.ExitButton && it.Door == door.Door)) yield return CheckKind.ExitByButton;
            yield return CheckKind.ExitByBreakGlass;
            yield return CheckKind.ExitByFireContact;
        }

        yield return CheckKind.ExitWithoutBoard;
    }
}
