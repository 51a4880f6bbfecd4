namespace PhysSec.Core.Doors;

/// <summary>Phases of a door; the numbers go to the journal and never change.</summary>
public enum DoorPhase
{
    Locked = 0,
    Released = 1,
    Open = 2,
    PreAlarm = 3,
    HeldOpen = 4,
    Forced = 5,
}
