namespace PhysSec.Core.Doors;

/// <summary>
/// What a door does with those who want to enter (ONVIF door control: Locked, Unlocked, Blocked, LockedDown, LockedOpen). None of them stops anybody from leaving. The numbers go to the
/// journal and never change.
/// </summary>
public enum DoorMode
{
    /// <summary>Locked; whoever may enter is let in one by one.</summary>
    Normal = 0,

    /// <summary>連続解錠: free for everybody until the override ends.</summary>
    Unlocked = 1,

    /// <summary>入室停止: locked, and nobody is let in until the override ends.</summary>
    Blocked = 2,

    /// <summary>緊急施錠: like blocked, without an end of its own.</summary>
    Lockdown = 3,

    /// <summary>Free because the ground shook, until the contact has reset and a person confirms.</summary>
    SeismicRelease = 4,

    /// <summary>Free because of fire or a broken glass, until the contact has reset and a person confirms.</summary>
    FireRelease = 5,
}

/// <summary>A contact that frees doors in an emergency; the numbers go to the journal and never change.</summary>
public enum EmergencySignal
{
    Fire = 0,
    BreakGlass = 1,
    Seismic = 2,
}

/// <summary>What a lock does by its construction; the numbers go to the journal and never change.</summary>
public enum LockType
{
    /// <summary>通電時施錠型: locked while powered, free without.</summary>
    FailSafeStrike = 0,

    /// <summary>電磁錠: holds while powered, free without.</summary>
    Magnet = 1,

    /// <summary>通電時解錠型: free while powered, locked without.</summary>
    FailSecureStrike = 2,

    /// <summary>瞬時通電型: a pulse frees it, another locks it; without power it stays as it is.</summary>
    Latching = 3,

    /// <summary>モーター錠: a run frees it, another locks it; without power it stays as it is.</summary>
    Motor = 4,
}

/// <summary>How a mode is called on the wire and in commands.</summary>
public static class DoorModes
{
    public const string Normal = "normal";
    public const string Unlocked = "unlocked";
    public const string Blocked = "blocked";
    public const string Lockdown = "lockdown";
    public const string SeismicRelease = "seismic-release";
    public const string FireRelease = "fire-release";

    public static string Word(DoorMode mode) => mode switch
    {
        DoorMode.Normal => Normal,
        DoorMode.Unlocked => Unlocked,
        DoorMode.Blocked => Blocked,
        DoorMode.Lockdown => Lockdown,
        DoorMode.SeismicRelease => SeismicRelease,
        DoorMode.FireRelease => FireRelease,
    };
}
