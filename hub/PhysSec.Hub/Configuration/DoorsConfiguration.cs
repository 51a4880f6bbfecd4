namespace PhysSec.Hub.Configuration;

/// <summary>How long a door may stand unlocked by an order, and when a second person has to agree to it.</summary>
public sealed record DoorsConfiguration
{
    /// <summary>A timed unlocking lasts at most so many minutes (1–1440).</summary>
    public int UnlockMinutesMax { get; init; } = 480;

    /// <summary>One that lasts longer than so many minutes (0–1440) waits for a second person; at a door of a zone of level 3 every one does.</summary>
    public int UnlockAloneMinutes { get; init; } = 60;

    internal IEnumerable<ConfigurationFault> Faults()
    {
        if (UnlockMinutesMax is < 1 or > 1_440) yield return new("doors.unlockMinutesMax", $"{UnlockMinutesMax} is out of range", "Use 1–1440");
        if (UnlockAloneMinutes is < 0 or > 1_440) yield return new("doors.unlockAloneMinutes", $"{UnlockAloneMinutes} is out of range", "Use 0–1440");
    }
}
