using System.Globalization;

namespace PhysSec.Core.Proof;

/// <summary>
/// What the ledger was at a moment, in the form of C2SP tlog-checkpoint: origin, size, root, and as an extension line the hub's time. Whoever holds a signed one can
/// say later whether the ledger still begins with the same records.
/// </summary>
/// <param name="Origin">Which ledger: <c>physsec/SITE/HUB-EPOCH</c>. A hub that was restored from a backup goes on under a new one.</param>
/// <param name="Size">Leaves; 0 or more.</param>
/// <param name="Root">RFC 6962 root over them.</param>
/// <param name="At">The hub's clock; seconds.</param>
public sealed record Checkpoint(string Origin, long Size, TreeHash Root, DateTimeOffset At)
{
    private const string TimeLine = "time ";
    private const string TimeForm = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    public static string OriginOf(SiteId site, long hubEpoch) => string.Create(CultureInfo.InvariantCulture, $"physsec/{site}/{hubEpoch}");

    /// <summary>The hub's epoch that the origin names; null for an origin of another form.</summary>
    public long? HubEpoch =>
        Origin.Split('/') is ["physsec", _, var epoch] && long.TryParse(epoch, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    public string Text => string.Create(
        CultureInfo.InvariantCulture, $"{Origin}\n{Size}\n{Root}\n{TimeLine}{At.UtcDateTime.ToString(TimeForm, CultureInfo.InvariantCulture)}\n");

    /// <summary>Reads the text of a note.</summary>
    /// <exception cref="FormatException">It is no checkpoint of PhysSec.</exception>
    public static Checkpoint Parse(string text)
    {
        var lines = text.Split('\n');
        if (lines.Length < 5 || lines[0].Length == 0) throw new FormatException("a checkpoint has the lines origin, size, root and time");
        if (!long.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size) || (lines[1].StartsWith('0') && size != 0))
            throw new FormatException("the second line of a checkpoint is the number of its records");
        if (!TreeHash.TryParse(lines[2], out var root)) throw new FormatException("the third line of a checkpoint is the root of its tree in base64");
        var time = lines.Skip(3).FirstOrDefault(it => it.StartsWith(TimeLine, StringComparison.Ordinal)) ?? throw new FormatException("the checkpoint has no time");
        return DateTimeOffset.TryParseExact(time[TimeLine.Length..], TimeForm, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? new(lines[0], size, root, at)
            : throw new FormatException("the checkpoint's time is not in the form 2026-01-31T12:00:00Z");
    }
}
