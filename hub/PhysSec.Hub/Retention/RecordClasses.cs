using PhysSec.Core.Proof;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;

namespace PhysSec.Hub.Retention;

/// <summary>How long which records are kept. Everything that is not one of the other classes is <see cref="Access"/>, so that nothing about people is kept by oversight.</summary>
public static class RecordClasses
{
    /// <summary>Who entered, left or was refused, the register with what was entered into it later, and the register of keys.</summary>
    public const string Access = "access";

    /// <summary>Alarms, their messages, and what boards say of their own state.</summary>
    public const string Alarms = "alarms";

    /// <summary>Stream m.</summary>
    public const string Measurements = "measurements";

    /// <summary>What people did at the hub.</summary>
    public const string Acts = "acts";

    private static readonly string[] _ofAlarms =
        ["alarm.raised", "alarm.cleared", "node.started", "node.stopped", "clock.stepped", "policy.applied", "policy.refused", "hub.alarm.acknowledged"];

    // Without these nobody could tell any more which key counted when, what was lost, how a board was wired and proved, and by what right a text is missing.
    private static readonly HashSet<string> _kept =
    [
        .. EvidencePack.Context, "hub." + RetentionTerms.DeletedVerb, "hub." + LegalHolds.SetVerb, "hub." + LegalHolds.AskedVerb, "hub." + LegalHolds.LiftedVerb, "hub." + RetentionClock.ConfirmedVerb,
        "hub.node.erased", "hub.certificate.issued", "board.configured", "board.commissioned", "reader.commissioned", "certificate.renewed", "epoch.began", "journal.repaired", "measurements.thinned",
    ];

    public static IReadOnlyList<string> All { get; } = [Access, Alarms, Measurements, Acts];

    /// <summary>The class of a record; null: it is kept for ever.</summary>
    /// <param name="kind">As in the ledger's column.</param>
    /// <param name="stream">a or m.</param>
    public static string? Of(string kind, string stream)
    {
        ArgumentNullException.ThrowIfNull(kind);
        if (_kept.Contains(kind)) return null;
        if (stream == Streams.Measurements) return Measurements;
        if (_ofAlarms.Contains(kind, StringComparer.Ordinal) || kind.StartsWith("hub.notification.", StringComparison.Ordinal)) return Alarms;
        return kind.StartsWith("hub.", StringComparison.Ordinal) && !IsOfARegister(kind) ? Acts : Access;
    }

    // What is written by hand into the registers of visits and of keys, and what the latter says of an opening.
    private static bool IsOfARegister(string kind) =>
        kind == "hub." + LateEntries.Verb || kind.StartsWith(KeyRegister.RecordPrefix, StringComparison.Ordinal) || kind is "hub." + KeyOpenings.MatchedVerb or "hub." + KeyOpenings.UnmatchedVerb;

    internal static int Years(this RetentionConfiguration it, string name) => name switch
    {
        Access => it.Access,
        Alarms => it.Alarms,
        Measurements => it.Measurements,
        _ => it.Acts,
    };
}
