using Microsoft.Data.Sqlite;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Reports;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Review;

/// <summary>What the weekly review of the system itself looks at: whether the record is whole, who changed what, and what failed. Each is one bounded question to the store.</summary>
internal static class Matters
{
    public const string Undeclared = "undeclared-gap";
    public const string Declared = "declared-gap";
    public const string Diverged = "diverged";
    public const string DeadLetter = "dead-letter";
    public const string Refusal = "refusal";
    public const string ClockStep = "clock-step";
    public const string NodeLost = "node-lost";
    public const string SignInFailed = "sign-in-failed";
    public const string NotSent = "not-sent";
    public const string Unwitnessed = "unwitnessed";
    public const string NoBackup = "no-backup";
    public const string Change = "change";
    public const string NumberOnly = "number-only";
    public const string Overclaimed = "overclaimed";
    public const string NotAccepted = "not-accepted";
    public const string ReaderUnordered = "reader-unordered";

    public static IReadOnlyList<string> All { get; } = [Undeclared, Declared, Diverged, DeadLetter, Refusal, ClockStep, NodeLost, SignInFailed, NotSent, Unwitnessed, NoBackup, Change, NumberOnly, Overclaimed, NotAccepted, ReaderUnordered];

    // What the hub does by itself all day, and what only reads, is no change.
    private static readonly string[] _daily =
    [
        "hub.checkpoint.left", "hub.policy.issued", "hub.notification.made", "hub.notification.sent", "hub.notification.failed", "hub.notification.superseded",
        "hub.sign-in", "hub.sign-out", "hub.sign-in.failed", "hub.sign-in.locked", "hub.alarm.acknowledged", "hub.node.certificate-renewed",
        .. AccessLog.AuditorsActs, // An administrator may be the reviewer.
    ];

    // What people did about doors, cards, rights and the register.
    private static readonly string[] _doors =
    [
        "hub.door.release", "hub.door.unlock", "hub.door.block", "hub.door.override-end", "hub.door.release-confirm", "hub.door.release-path-tested", "hub.door.unlock-requested", "hub.door.unlock-dropped", "hub.door.risk-accepted", "hub.pin.issued", "hub.pin.withdrawn", "hub.door.lockdown", "hub.door.lockdown-end", "hub.door.presence-reset",
        "hub.door.reader-install", "hub.door.reader-rotate", "hub.door.reader-replace", "hub.door.reader-accept", "hub.door.reader-end", "hub.register.entered-later", "hub.key.added", "hub.key.removed", "hub.key.lent", "hub.key.returned", "hub.door.key-opening", "hub.door.key-unmatched", "hub.credential.added", "hub.credential.state",
        "hub.right.added", "hub.right.removed",
    ];

    /// <summary>For the monthly review of the doors: who released them, gave rights and cards, and wrote into the register later.</summary>
    public static IEnumerable<Finding> OfDoors(SqliteConnection store, DateTimeOffset from, DateTimeOffset to) => Changes(store, $"kind in ({Listed(_doors)})", from, to);

    public static IEnumerable<Finding> Of(SqliteConnection store, DateTimeOffset from, DateTimeOffset to)
    {
        var whole = Completeness.Of(store, from, to);
        foreach (var it in whole.Streams.Where(it => it.Missing > 0)) yield return new(Undeclared, from, to, it.Missing, [], Subject: it.Node);
        foreach (var it in whole.Declared) yield return new(Declared, it.At, it.At, 1, [], Subject: it.Node, Act: it.Kind);
        foreach (var it in Grouped(store, Diverged, "select source, received_at, received_at, 1 from divergence where received_at >= $from and received_at < $to", from, to)) yield return it;
        foreach (var what in new[] { DeadLetter, Refusal })
            foreach (var it in Grouped(store, what, $"select subject, first_at, last_at, count from turned_away where what = '{what}' and day >= $from and day < $to order by subject, day", from, to)) yield return it;
        foreach (var it in Recorded(store, ClockStep, "'clock.stepped'", "source", from, to)) yield return it;
        foreach (var it in Grouped(
            store, NodeLost, $"select substr(key, {AlarmClasses.NodeLost.Length + 2}), recorded_at, recorded_at, 1 from alarm_history where key glob '{AlarmClasses.NodeLost}:*' and what = 'raised' and recorded_at >= $from and recorded_at < $to", from, to)) yield return it;
        foreach (var it in Recorded(store, SignInFailed, "'hub.sign-in.failed', 'hub.sign-in.locked'", "body ->> '$.fact.target'", from, to)) yield return it;
        foreach (var it in Recorded(store, NotSent, "'hub.notification.failed'", "body ->> '$.fact.target'", from, to)) yield return it;
        foreach (var it in Unordered(store, from, to)) yield return it;
        foreach (var it in Left(store, to)) yield return it;
        if (store.Number($"select count(*) from ledger where kind = 'hub.backup.taken' and {Within}", ("$from", from), ("$to", to)) == 0) yield return new(NoBackup, from, to, 0, []);
        foreach (var it in Standing(store, from, to)) yield return it;
        foreach (var it in Changes(store, $"kind >= 'hub.' and kind < 'hub/' and kind not in ({Listed(_daily)})", from, to)) yield return it;
    }

    // What stands as long as it is so, whenever it began: doors whose readers only read a number, doors that claim more than their readers prove, and doors whose risks nobody has accepted.
    private static IEnumerable<Finding> Standing(SqliteConnection store, DateTimeOffset from, DateTimeOffset to)
    {
        foreach (var it in DoorAssurance.All(store))
        {
            if (it.NumberOnly) yield return new(NumberOnly, from, to, 1, [], Door: it.Door.Id, Subject: it.Door.Exception is { } by ? $"{by.Owner}, {by.Expires:yyyy-MM-dd}" : null);
            if (it.Overclaimed) yield return new(Overclaimed, from, to, 1, [], Door: it.Door.Id);
        }

        foreach (var it in DoorSheets.All(store, to).Where(it => !it.Accepted && !(it.Signature?.At >= to))) yield return new(NotAccepted, from, to, 1, [], Door: it.Sheet.Door);
    }

    // A reader's key or device that changed, or wanted to, without an order of this hub.
    private static IEnumerable<Finding> Unordered(SqliteConnection store, DateTimeOffset from, DateTimeOffset to) =>
        Grouped(Found(store, $"kind = 'reader.commissioned' and reason in ({Listed([ReaderActs.Unordered, ReaderActs.OtherDevice])})", "door", from, to), ReaderUnordered, it => (it.Subject, null))
            .Select(it => it with { Door = it.Subject, Subject = null });

    private const string Within = "+coalesce(at, received_at) >= $from and +coalesce(at, received_at) < $to";

    // Of what no copy outside covers, the part that was recorded in the period or before it.
    private static IEnumerable<Finding> Left(SqliteConnection store, DateTimeOffset to)
    {
        var held = store.Number("select coalesce(max(size), 0) from checkpoints where id in (select checkpoint from witnesses)");
        if (store.One("select id, received_at from ledger where id > $held order by id limit 1", it => Tuple.Create(it.GetInt64(0), Rows.FromStored(it.GetInt64(1))), ("$held", held)) is not var (first, since)
            || since >= to) yield break;
        yield return new(Unwitnessed, since, to, store.Number("select count(*) from ledger where id > $held and received_at < $to", ("$held", held), ("$to", to)), [first]);
    }

    private static IEnumerable<Finding> Grouped(SqliteConnection store, string pattern, string sql, DateTimeOffset from, DateTimeOffset to) =>
        store.Query(sql, it => (Subject: it.GetString(0), First: Rows.FromStored(it.GetInt64(1)), Last: Rows.FromStored(it.GetInt64(2)), Count: it.GetInt64(3)), ("$from", from), ("$to", to))
            .GroupBy(it => it.Subject).Select(it => new Finding(pattern, it.Min(one => one.First), it.Max(one => one.Last), it.Sum(one => one.Count), [], Subject: it.Key));

    private static IEnumerable<Finding> Recorded(SqliteConnection store, string pattern, string kinds, string subject, DateTimeOffset from, DateTimeOffset to) =>
        Grouped(Found(store, $"kind in ({kinds})", subject, from, to), pattern, it => (it.Subject, null));

    private static IEnumerable<Finding> Changes(SqliteConnection store, string kinds, DateTimeOffset from, DateTimeOffset to) =>
        Grouped(Found(store, kinds, "body ->> '$.fact.actor'", from, to), Change, it => (it.Subject, it.Kind[4..]));

    private static List<Matter> Found(SqliteConnection store, string which, string subject, DateTimeOffset from, DateTimeOffset to) => store.Query(
        $"select id, coalesce(at, received_at), case when json_valid(body) then {subject} end, kind from ledger where {which} and {Within} order by id", Row, ("$from", from), ("$to", to));

    private static string Listed(IEnumerable<string> kinds) => string.Join(", ", kinds.Select(it => $"'{it}'"));

    private static IEnumerable<Finding> Grouped(IEnumerable<Matter> matters, string pattern, Func<Matter, (string Subject, string? Act)> by) =>
        matters.GroupBy(by).Select(it => new Finding(
            pattern, it.Min(one => one.At), it.Max(one => one.At), it.Count(), [.. it.Select(one => one.Id).Take(Finding.RecordsMax)], Subject: it.Key.Subject, Act: it.Key.Act));

    private static Matter Row(SqliteDataReader it) => new(it.GetInt64(0), Rows.FromStored(it.GetInt64(1)), it.IsDBNull(2) ? "—" : it.GetString(2), it.GetString(3));

    private sealed record Matter(long Id, DateTimeOffset At, string Subject, string Kind);
}
