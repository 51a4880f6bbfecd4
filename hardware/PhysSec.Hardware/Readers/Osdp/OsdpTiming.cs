namespace PhysSec.Hardware;

/// <summary>How long things take on the wire, which every limit must include.</summary>
public static class OsdpTiming
{
    /// <summary>What a reader may take before the first byte of its reply.</summary>
    public static readonly TimeSpan ReplyDelayMax = TimeSpan.FromMilliseconds(200);

    /// <summary>A sealed poll with its mark, and a sealed acknowledgement with one.</summary>
    internal const int PollLength = 15;

    private const int BitsPerCharacter = 10, QuietCharacters = 2;
    private static readonly TimeSpan _turnRoundTypical = TimeSpan.FromMilliseconds(3);

    /// <summary>The speeds that OSDP knows, the usual ones first.</summary>
    public static IReadOnlyList<int> Bauds { get; } = [9_600, 115_200, 38_400, 19_200, 57_600, 230_400];

    /// <summary>So many characters of ten bits each.</summary>
    public static TimeSpan WireTime(int characters, int baud) => TimeSpan.FromTicks(characters * BitsPerCharacter * TimeSpan.TicksPerSecond / baud);

    /// <summary>How long the line must be silent before a command.</summary>
    public static TimeSpan Quiet(int baud) => WireTime(QuietCharacters, baud);

    /// <summary>From the command's first byte until a reply can no longer be expected: both on the wire, and the reader's delay between.</summary>
    public static TimeSpan ReplyTime(OsdpCommand command, int commandLength, int baud) =>
        WireTime(commandLength + ReplyLength(command), baud) + ReplyDelayMax;

    /// <summary>Once around all readers when nothing happens.</summary>
    /// <returns>With readers that answer after 3 ms, and with readers that take all the time they have.</returns>
    public static (TimeSpan Typical, TimeSpan Worst) PollRound(int readers, int baud)
    {
        var wire = WireTime(2 * (PollLength + QuietCharacters), baud);
        return (readers * (wire + _turnRoundTypical), readers * (wire + ReplyDelayMax));
    }

    /// <summary>The longest reply that is usual, sealed and with a mark.</summary>
    private static int ReplyLength(OsdpCommand command) => command switch
    {
        OsdpCommand.Id => 32,
        OsdpCommand.Capabilities => 80,
        OsdpCommand.Challenge => 44,
        _ => 64,
    };
}
