namespace PhysSec.Hardware;

/// <summary>Fills with random bytes: a cryptographic generator, or a seed in a test.</summary>
public delegate void OsdpRandom(Span<byte> fill);

/// <summary>How one reader is treated.</summary>
/// <param name="Address">0 to 126.</param>
public sealed record OsdpLinkSettings(byte Address)
{
    /// <summary>Null: the first device that proves the key is pinned.</summary>
    public OsdpPin? Pin { get; init; }

    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Without a valid reply for so long, and not sooner, a reader is offline.</summary>
    public TimeSpan OfflineAfter { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>The longest pause between two tries to reach a reader that is not there.</summary>
    public TimeSpan ProbeIntervalMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>After so many exchanges the session's keys are made anew.</summary>
    public int SessionExchangesMax { get; init; } = 65_536;

    /// <summary>After so long the session's keys are made anew.</summary>
    public TimeSpan SessionTimeMax { get; init; } = TimeSpan.FromHours(12);

    /// <summary>An order that could not be given within this time is not given at all, and one that was not answered is not repeated.</summary>
    public TimeSpan OrderLife { get; init; } = TimeSpan.FromSeconds(5);

    public int OrdersMax { get; init; } = 16;
}

/// <summary>What can happen to a link.</summary>
public abstract record OsdpLinkInput
{
    private OsdpLinkInput()
    {
    }

    /// <summary>The line is free for this reader's next command.</summary>
    internal sealed record Turn : OsdpLinkInput;

    internal sealed record Received(OsdpFrame Frame) : OsdpLinkInput;

    /// <summary>Something came that was no frame.</summary>
    internal sealed record Damaged : OsdpLinkInput;

    /// <summary>The time for a reply is over.</summary>
    internal sealed record Missed : OsdpLinkInput;

    internal sealed record Tick : OsdpLinkInput;

    /// <param name="What">The order.</param>
    /// <param name="Life">After so long it is neither given nor repeated; null: <see cref="OsdpLinkSettings.OrderLife"/>.</param>
    /// <param name="Waited">How much of it is over already.</param>
    public sealed record Order(OsdpOrder What, TimeSpan? Life = null, TimeSpan Waited = default) : OsdpLinkInput;

    /// <summary>
    /// An operator allows a reader on the default key to be given this one, until this uptime. Replaces: another device is to stand there, and what is known of the one before (its key, its
    /// identity) is forgotten for good as soon as that is on disk.
    /// </summary>
    public sealed record OpenInstallation(OsdpKey Key, TimeSpan Until, bool Replaces = false) : OsdpLinkInput;

    public sealed record CloseInstallation : OsdpLinkInput;

    /// <summary>Changes the key of a reader that is online.</summary>
    public sealed record ChangeKey(OsdpKey Key) : OsdpLinkInput;

    /// <summary>What <see cref="OsdpEvent.KeysChanged"/> asked for is on disk.</summary>
    public sealed record KeysStored(OsdpKeyState Keys) : OsdpLinkInput;

    /// <summary>It cannot be stored: nothing is sent, and a window that waits for it closes.</summary>
    public sealed record KeysNotStored(OsdpKeyState Keys) : OsdpLinkInput;

    /// <summary>An operator takes this device, which has the key, for the right one. A third one is refused like it was.</summary>
    public sealed record AcceptIdentity(OsdpPin Pin) : OsdpLinkInput;

    /// <summary>Does not wait for the next try.</summary>
    public sealed record RetryNow : OsdpLinkInput;
}

public enum OsdpLinkState
{
    Connecting = 0,
    Online = 1,
    Offline = 2,
}

/// <param name="Send">The command, if it was a turn; without a mark.</param>
/// <param name="Settled">The exchange is over: another reader may have the line.</param>
/// <param name="Events">What happened.</param>
public readonly record struct OsdpLinkStep(byte[]? Send, bool Settled, IReadOnlyList<OsdpEvent> Events);
