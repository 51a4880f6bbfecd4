using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Retention;

/// <summary>Which records shall stay whatever their age: those of a period (To null: without end), and of one person or door where named.</summary>
public sealed record NewHold(DateTimeOffset? From, DateTimeOffset? To, string? Person = null, string? Door = null);

/// <summary>A legal hold (廃棄停止). By: the account's name and id.</summary>
public sealed record LegalHold(
    long Id, DateTimeOffset From, DateTimeOffset? To, string? Person, string? Door, string Reason, string SetBy, DateTimeOffset SetAt,
    string? AskedBy, DateTimeOffset? AskedAt, string? AskedReason, string? LiftedBy, DateTimeOffset? LiftedAt)
{
    /// <summary>The account that set it.</summary>
    internal string SetById { get; init; } = "";

    /// <summary>The account that asked to lift it.</summary>
    internal string? AskedById { get; init; }

    internal string? AskedByRole { get; init; }

    /// <summary>
    /// Whether a record falls under it: by its own time or by that of its receipt, so that a node with a wrong clock loses nothing. Door and person count wherever the record
    /// names them, as an escort too.
    /// </summary>
    internal bool Covers(DateTimeOffset at, DateTimeOffset receivedAt, string body) => (Spans(at) || Spans(receivedAt)) && Names(Person, body) && Names(Door, body);

    private bool Spans(DateTimeOffset time) => time >= From && !(time >= To);

    // A point of a door is called door.point.
    private static bool Names(string? id, string body) =>
        id is null || body.Contains($"\"{id}\"", StringComparison.Ordinal) || body.Contains($"\"{id}.", StringComparison.Ordinal) || body.Contains($":{id}\"", StringComparison.Ordinal);
}

/// <summary>
/// Sets legal holds and lifts them. An administrator or an auditor sets one at once. Lifting takes two people: one asks, another one who has not set it says yes, and one of
/// the two is an auditor. Nothing under a hold is deleted.
/// </summary>
public sealed class LegalHolds(Store store, TimeProvider clock)
{
    public const string SetVerb = "retention.held";
    public const string AskedVerb = "retention.lift-asked";
    public const string LiftedVerb = "retention.lifted";

    public IReadOnlyList<LegalHold> List() => store.Read(it => All(it, openOnly: false));

    /// <param name="actor">An administrator or an auditor.</param>
    /// <param name="account">The actor's account or token.</param>
    /// <param name="hold">What shall stay.</param>
    /// <param name="reason">Why; it goes on record.</param>
    /// <param name="cancel">Ends the waiting.</param>
    /// <exception cref="InputException">A field is missing or wrong, or the role may not.</exception>
    public Task<long> SetAsync(Actor actor, string account, NewHold hold, string reason, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(hold);
        var why = Input.Filled("reason", reason);
        Check(actor);
        if (hold.From is not { } from) throw new InputException("from", "it is empty", "Fill it in");
        if (from >= hold.To) throw new InputException("to", "it is not after from", "Correct the period");
        var (person, door) = (Input.Optional("person", hold.Person), Input.Optional("door", hold.Door));
        return store.WriteAsync(it =>
        {
            if (person is not null && it.Number("select count(*) from people where id = $id", ("$id", person)) == 0) Input.Missing("person", "person", person);
            if (door is not null && it.Number("select count(*) from doors where id = $id", ("$id", door)) == 0) Input.Missing("door", "door", door);
            var now = clock.GetUtcNow();
            it.Execute(
                "insert into holds (begins, ends, person, door, reason, set_by, set_by_id, set_at) values ($from, $to, $person, $door, $reason, $by, $id, $at)",
                ("$from", from), ("$to", hold.To), ("$person", person), ("$door", door), ("$reason", why), ("$by", actor.Name), ("$id", account), ("$at", now));
            var id = it.Number("select last_insert_rowid()");
            Records.Act(it, new Act(actor, SetVerb, $"{id}", why, null, AccessJson.Node(hold with { Person = person, Door = door }), door, person), now);
            return id;
        }, cancel);
    }

    /// <summary>Asks that a hold be lifted; somebody else decides.</summary>
    /// <exception cref="InputException">There is no such hold, no reason is given, or the role may not.</exception>
    public Task AskAsync(Actor actor, string account, long id, string reason, CancellationToken cancel = default)
    {
        var why = Input.Filled("reason", reason);
        Check(actor);
        return store.WriteAsync(it =>
        {
            var (hold, now) = (Open(it, id), clock.GetUtcNow());
            it.Execute(
                "update holds set asked_by = $by, asked_by_id = $account, asked_by_role = $role, asked_at = $at, asked_reason = $reason where id = $id",
                ("$by", actor.Name), ("$account", account), ("$role", actor.Role), ("$at", now), ("$reason", why), ("$id", id));
            Records.Act(it, new Act(actor, AskedVerb, $"{id}", why, null, null, hold.Door, hold.Person), now);
        }, cancel);
    }

    /// <summary>Says yes. That the account is another person, and holds the second factor, is the caller's to see.</summary>
    /// <exception cref="InputException">Nobody has asked, it is the same account (or name: older holds have nothing else) that asked or that set it, or neither of the two is an auditor.</exception>
    public Task LiftAsync(Actor actor, string account, long id, CancellationToken cancel = default)
    {
        Check(actor);
        return store.WriteAsync(it =>
        {
            var hold = Open(it, id);
            if (hold.AskedById is null) throw new InputException("hold", "nobody has asked to lift it", "Ask first; another person decides");
            if (hold.AskedById == account || hold.AskedBy == actor.Name) throw new InputException("hold", "whoever asks does not decide", "Another person decides");
            if (hold.SetById == account || hold.SetBy == actor.Name) throw new InputException("hold", "whoever set it does not decide", "Another person decides");
            if (actor.Role != "auditor" && hold.AskedByRole != "auditor") throw new InputException("hold", "no auditor takes part", "Let an auditor ask or decide");
            var now = clock.GetUtcNow();
            it.Execute("update holds set lifted_by = $by, lifted_at = $at where id = $id", ("$by", actor.Name), ("$at", now), ("$id", id));
            it.Execute("update retention set through = 0"); // What it kept is found again.
            Records.Act(it, new Act(
                actor, LiftedVerb, $"{id}", hold.AskedReason, null, new JsonObject { ["setBy"] = hold.SetBy, ["askedBy"] = hold.AskedBy }, hold.Door, hold.Person), now);
        }, cancel);
    }

    /// <summary>For whoever must see that the approver is another person.</summary>
    internal LegalHold? Find(long id) => store.Read(it => All(it, openOnly: true).Find(hold => hold.Id == id));

    internal static List<LegalHold> All(SqliteConnection store, bool openOnly) => store.Query(
        $"select * from holds {(openOnly ? "where lifted_at is null" : "")} order by id desc",
        it => new LegalHold(
            it.Whole("id"), it.Time("begins")!.Value, it.Time("ends"), it.Text("person"), it.Text("door"), it.Text("reason")!, it.Text("set_by")!, it.Time("set_at")!.Value,
            it.Text("asked_by"), it.Time("asked_at"), it.Text("asked_reason"), it.Text("lifted_by"), it.Time("lifted_at"))
        {
            SetById = it.Text("set_by_id")!,
            AskedById = it.Text("asked_by_id"),
            AskedByRole = it.Text("asked_by_role"),
        });

    private static LegalHold Open(SqliteConnection store, long id) =>
        All(store, openOnly: true).Find(it => it.Id == id) ?? throw new InputException("hold", $"hold {id} does not exist", "Name one that exists");

    private static void Check(Actor actor)
    {
        ArgumentNullException.ThrowIfNull(actor);
        if (actor.Role is not ("administrator" or "auditor")) throw new InputException("role", $"a {actor.Role} may not set or lift a hold", "Ask an administrator or an auditor");
    }
}
