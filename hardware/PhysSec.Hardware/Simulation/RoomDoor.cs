namespace PhysSec.Hardware.Simulation;

/// <summary>One door of a simulated room: its leaf, its lock, and what people do at it.</summary>
public sealed class RoomDoor
{
    private readonly Room _room;
    private readonly List<DeviceEntry> _devices;
    private bool _withdrawn; // The bolt of a lock that is driven by pulses.

    internal RoomDoor(Room room, string id, IEnumerable<DeviceEntry> devices) => (_room, Id, _devices) = (room, id, [.. devices]);

    public string Id { get; }

    public bool LeafOpen { get; private set; }

    public bool ExitPressed { get; set; }

    public bool Tampered { get; set; }

    /// <summary>The break glass at the door is used.</summary>
    public bool GlassBroken { get; set; }

    /// <summary>Bolt or magnet hold the leaf; a thing in the frame keeps an open leaf from it.</summary>
    public bool Secured => !LockFree && !LeafOpen;

    /// <summary>How often the software has released the lock since the room began: what an observer who never looks away would count.</summary>
    public int LockReleases { get; private set; }

    /// <summary>
    /// Whether the lock lets the leaf go. Exit button, fire panel and break glass cut the lock's power in hardware: that frees a fail-safe lock
    /// whatever the software says, never frees a fail-secure one, and leaves one that is driven by pulses as it is.
    /// </summary>
    public bool LockFree => Lock switch
    {
        null => true,
        { OnAtMost: not null } => _withdrawn,
        { FailMode: FailMode.FailSecure } it => _room.IsOn(it.Id) && !PowerCut,
        { } it => _room.IsOn(it.Id) || PowerCut,
    };

    private OutputEntry? Lock => _devices.OfType<OutputEntry>().FirstOrDefault(it => it.Role == DeviceRole.Lock);

    private bool PowerCut => ExitPressed || _room.Fire || GlassBroken;

    public bool IsOn(DeviceRole role) => _devices.Exists(it => it.Role == role && _room.IsOn(it.Id));

    /// <summary>Somebody pulls the leaf from outside; false = the lock holds it.</summary>
    public bool Pull()
    {
        if (!LeafOpen && !LockFree) return false;

        LeafOpen = true;
        return true;
    }

    /// <summary>The lever inside, or a crowbar outside: no lock holds the leaf.</summary>
    public void OpenLeaf() => LeafOpen = true;

    public void CloseLeaf() => LeafOpen = false;

    /// <summary>The software has put one of its outputs on.</summary>
    internal void TurnedOn(string output)
    {
        if (output == Lock?.Id) (LockReleases, _withdrawn) = (LockReleases + 1, true);
        if (_devices.Exists(it => it.Id == output && it.Role == DeviceRole.Relock)) _withdrawn = false;
    }
}
