using PhysSec.Core.Wire;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Web.Desk;

/// <summary>A reader that its node speaks with, in words.</summary>
internal static class ReaderText
{
    /// <summary>How far an act has come and what comes next, in the order in which it happens.</summary>
    private static readonly ReaderStep[] _withWindow = [ReaderStep.Waiting, ReaderStep.DefaultKeyFound, ReaderStep.KeyTaken, ReaderStep.KeyProved, ReaderStep.Done];
    private static readonly ReaderStep[] _withinSession = [ReaderStep.KeyTaken, ReaderStep.Done];

    /// <summary>online, offline and why, or not heard yet.</summary>
    public static string Link(Words words, ReaderLive reader) =>
        reader is { Link: ReaderLink.Offline, Why: { } why } ? words.Member("reader-offline", why.ToString()) : words.Member("reader-link", reader.Link.ToString());

    public static string Device(Words words, ReaderDevice? device) => device is null ? words["readers.no-device"] : words.Say(
        "readers.device", ("vendor", device.Vendor), ("model", device.Model), ("version", device.Version), ("serial", device.Serial), ("firmware", device.Firmware));

    public static string Key(Words words, string? fingerprint) => fingerprint ?? words["readers.no-key"];

    /// <summary>Under way: it has begun and not ended.</summary>
    public static bool IsOpen(ReaderActLive? act) => act is { Step: < ReaderStep.Done };

    public static bool IsWindow(ReaderActLive act) => act.Act is ReaderActs.Install or ReaderActs.Replace;

    /// <summary>A window is open at it.</summary>
    public static bool TakesFactoryKey(ReaderLive? reader) => reader?.Act is { } act && IsOpen(act) && IsWindow(act);

    /// <summary>The steps of an act; an acceptance has none to speak of.</summary>
    public static IReadOnlyList<ReaderStep> Steps(ReaderActLive act) => act.Act switch
    {
        ReaderActs.Install or ReaderActs.Replace => _withWindow,
        ReaderActs.Rotate => _withinSession,
        _ => [ReaderStep.Done],
    };

    /// <summary>done, now or later, of an act that has not failed. To wait is done once anything has come.</summary>
    public static string Standing(ReaderActLive act, ReaderStep step)
    {
        var next = act.Step == ReaderStep.Waiting ? Steps(act)[0] : Steps(act).FirstOrDefault(it => it > act.Step, ReaderStep.Failed);
        return step < next ? "done" : step == next ? "now" : "later";
    }

    public static string Step(Words words, ReaderActLive act, ReaderStep step) => words.Member("reader-step", IsWindow(act) || step != ReaderStep.Done ? step.ToString() : act.Act);
}
