using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>Somebody who had a key of the door when it opened. Loan is its number in the key register. EnteredAfter: it was entered after the opening, with a time before it.</summary>
public sealed record KeyHolder(string Person, string? PersonName, string Label, long Loan, bool EnteredAfter = false);

/// <summary>What the key register says of the openings behind an alarm since it was last acknowledged: of the one that is explained worst. Opening is the ledger number of the alarm's record; Until is when the waiting for a loan ends.</summary>
public sealed record KeyFinding(long Opening, DateTimeOffset OpenedAt, KeyVerdict Verdict, DateTimeOffset Until, IReadOnlyList<KeyHolder> Holders);

/// <summary>
/// Openings without a release and what explains them. The openings are the node's own alarm records; each finding is a record of the hub's, one for each loan that explains the opening or
/// one that none does. What is still to be judged follows from these records alone.
/// </summary>
internal static class KeyOpenings
{
    internal const string MatchedVerb = "door.key-opening";
    internal const string UnmatchedVerb = "door.key-unmatched";

    /// <summary>Openings that one transaction judges at most.</summary>
    private const int PieceMax = 100;

    private const string Through = "select value from meta where name = 'key-openings-through'";

    // Word for word the condition of the index; a record is not heard before it happened.
    private const string Forced = "kind = 'alarm.raised' and reason = 'door-forced'";
    private const string Columns = "id, alarm, min(coalesce(at, received_at), received_at) as opened";

    /// <summary>The openings that may not be judged yet, for a test of how they are found.</summary>
    internal const string OpenSql = $"select {Columns} from ledger indexed by ledger_forced where {Forced} and id > ({Through}) + 0 order by id";

    /// <summary>Puts on record what can be said of the openings by now.</summary>
    /// <returns>Whether something was.</returns>
    public static async Task<bool> SettleAsync(Store store, TimeProvider clock)
    {
        if (store.Read(it => Due(it, clock.GetUtcNow())) is []) return false;
        return await store.WriteAsync(it =>
        {
            var now = clock.GetUtcNow();
            var due = Due(it, now);
            foreach (var (opening, verdict, loans) in due.Take(PieceMax)) Write(it, opening, verdict, loans, now);
            Advance(it);
            return due.Count > 0;
        });
    }

    /// <summary>What is said at an alarm; null for one that is no opening, or whose opening was before there was a key register or has no text any more.</summary>
    public static KeyFinding? Of(SqliteConnection store, string alarm)
    {
        var openings = store.Query($"select {Columns} from ledger where {Forced} and alarm = $alarm order by coalesce(at, received_at) desc, id desc limit {PieceMax}", Row, ("$alarm", alarm));
        if (openings.Count == 0) return null;
        var seen = store.Number("select coalesce(max(id), 0) from ledger where alarm = $alarm and kind = 'hub.alarm.acknowledged'", ("$alarm", alarm));
        var unseen = openings.Where(it => it.Id > seen).Select(it => Of(store, it)).OfType<KeyFinding>().MaxBy(it => it.Verdict switch { KeyVerdict.Unmatched => 2, KeyVerdict.Waiting => 1, KeyVerdict.Matched => 0 });
        return unseen ?? Of(store, openings[0]); // A guard's own key must not explain away whoever was there before.
    }

    private static KeyFinding? Of(SqliteConnection store, Opening opening)
    {
        var until = opening.At + KeyMatch.Patience;
        var found = Findings(store, opening);
        if (found.Count == 0) return opening.Id > store.Number(Through) ? new(opening.Id, opening.At, KeyVerdict.Waiting, until, []) : null;
        return found.Exists(it => it is null)
            ? new(opening.Id, opening.At, KeyVerdict.Unmatched, until, [])
            : new(opening.Id, opening.At, KeyVerdict.Matched, until, [.. found.OfType<KeyHolder>()]);
    }

    private static List<(Opening Opening, KeyVerdict Verdict, IReadOnlyList<KeyLoan> Loans)> Due(SqliteConnection store, DateTimeOffset now)
    {
        var due = new List<(Opening, KeyVerdict, IReadOnlyList<KeyLoan>)>();
        foreach (var it in Open(store))
        {
            var (verdict, loans) = KeyMatch.Judge(it.At, KeyLoan.Since(store, it.Door, it.At), now);
            if (verdict != KeyVerdict.Waiting) due.Add((it, verdict, loans));
        }

        return due;
    }

    private static void Write(SqliteConnection store, Opening it, KeyVerdict verdict, IReadOnlyList<KeyLoan> loans, DateTimeOffset now)
    {
        if (verdict == KeyVerdict.Unmatched)
            Records.Act(store, new Act(Actor.System, UnmatchedVerb, it.Door, null, null, new JsonObject { ["opening"] = it.Id }, it.Door, Alarm: it.Alarm), now);
        foreach (var loan in loans)
        {
            var after = new JsonObject { ["opening"] = it.Id, ["loan"] = loan.Id, ["key"] = loan.Key, ["label"] = loan.Label, ["person"] = loan.Person, ["keysOut"] = loans.Count, ["enteredAfter"] = loan.EnteredAt > it.At };
            Records.Act(store, new Act(Actor.System, MatchedVerb, it.Door, null, null, after, it.Door, loan.Person, Alarm: it.Alarm), now);
        }
    }

    // Behind the first that waits the others are looked at again: they are few, and their findings say that they are judged.
    private static void Advance(SqliteConnection store)
    {
        var open = Open(store);
        var through = open.Count > 0 ? open[0].Id - 1 : store.Number($"select max(id) from ledger indexed by ledger_forced where {Forced}");
        store.Execute("update meta set value = $through where name = 'key-openings-through' and value + 0 < $through", ("$through", through));
    }

    private static List<Opening> Open(SqliteConnection store) =>
        [.. store.Query(OpenSql, Row).Where(it => Findings(store, it).Count == 0)];

    // Null stands for the finding that nothing explains it.
    private static List<KeyHolder?> Findings(SqliteConnection store, Opening it) => store.Query(
        $"""
        select ledger.person, people.name, ledger.body ->> '$.fact.after.label' as label, ledger.body ->> '$.fact.after.loan' as loan, coalesce(ledger.body ->> '$.fact.after.enteredAfter', 0) as entered_after from ledger left join people on people.id = ledger.person
        where alarm = $alarm and ledger.kind in ('hub.{MatchedVerb}', 'hub.{UnmatchedVerb}') and ledger.id > $opening and body_hash is null and ledger.body ->> '$.fact.after.opening' = $opening order by ledger.id
        """,
        row => row.Text("person") is { } person ? new KeyHolder(person, row.Text("name"), row.Text("label") ?? "", row.Whole("loan"), row.Whole("entered_after") != 0) : null, ("$alarm", it.Alarm), ("$opening", it.Id));

    private static Opening Row(SqliteDataReader it) => new(it.Whole("id"), it.Text("alarm")!, AlarmClasses.Parts(it.Text("alarm")!).Source, it.Time("opened")!.Value);

    private sealed record Opening(long Id, string Alarm, string Door, DateTimeOffset At);
}
