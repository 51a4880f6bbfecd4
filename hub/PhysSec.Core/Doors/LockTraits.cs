namespace PhysSec.Core.Doors;

/// <summary>What opens the way out of a door with this lock when no software runs. Proved at commissioning.</summary>
public enum EgressProof
{
    /// <summary>Exit button, break glass and fire contact cut the lock's power.</summary>
    PowerCut,

    /// <summary>Cutting the power frees nobody: a lever or thumb-turn inside withdraws the bolt.</summary>
    Mechanical,
}

/// <summary>What the software does with a lock when an emergency contact calls.</summary>
public enum EmergencyRule
{
    /// <summary>The contact has freed the lock in hardware; the software follows in every mode and keeps it free until a person confirms.</summary>
    Follow,

    /// <summary>It frees the lock, but not while entry is held: that would open the room from the corridor. The guard service is called instead.</summary>
    UnlessEntryHeld,

    /// <summary>It leaves the lock alone: people leave by the lever, the corridor stays shut, the guard service is called.</summary>
    Stay,
}

/// <summary>What must be known of a type of lock; the table that firmware/README.md prints.</summary>
/// <param name="FreeWithoutPower">Otherwise it stays as it is, or locked.</param>
/// <param name="Pulse">How long its coil or motor is driven for one move; null: the output keeps its level as long as the lock is free.</param>
/// <param name="Egress">How people get out.</param>
/// <param name="OnFire">At a fire contact or a broken glass.</param>
/// <param name="OnShaking">At strong shaking: doors are freed before their frames jam.</param>
public sealed record LockTraits(bool FreeWithoutPower, TimeSpan? Pulse, EgressProof Egress, EmergencyRule OnFire, EmergencyRule OnShaking)
{
    private static readonly LockTraits _failSafe = new(true, null, EgressProof.PowerCut, EmergencyRule.Follow, EmergencyRule.UnlessEntryHeld);
    private static readonly LockTraits _failSecure = new(false, null, EgressProof.Mechanical, EmergencyRule.Stay, EmergencyRule.Stay);
    private static readonly LockTraits _latching =
        new(false, TimeSpan.FromMilliseconds(500), EgressProof.Mechanical, EmergencyRule.Stay, EmergencyRule.UnlessEntryHeld);

    private static readonly LockTraits _motor = _latching with { Pulse = TimeSpan.FromSeconds(2) };

    public static LockTraits Of(LockType type) => type switch
    {
        LockType.FailSafeStrike or LockType.Magnet => _failSafe,
        LockType.FailSecureStrike => _failSecure,
        LockType.Latching => _latching,
        LockType.Motor => _motor,
    };

    public EmergencyRule On(EmergencySignal signal) => signal == EmergencySignal.Seismic ? OnShaking : OnFire;
}
