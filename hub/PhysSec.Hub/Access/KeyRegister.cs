using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>What is entered when a key is handed over. LentAt null: now.</summary>
public sealed record NewKeyLoan(string Key, string Person, string Purpose, DateTimeOffset DueAt, DateTimeOffset? LentAt = null);

/// <summary>Which loan of a key stood before the eyes of whoever acts on it; null: none.</summary>
public readonly record struct SeenLoan(long? Id);

/// <summary>
/// The 鍵管理簿: the mechanical keys of the doors, who has which, and who had (R-KEY-01). A key is lent to people alone who hold a right to the door's zone (R-KEY-03); at which hours
/// that right counts is not asked, for a key is what one takes when the door cannot be asked.
/// </summary>
public sealed class KeyRegister(Store store, TimeProvider time)
{
    /// <summary>The kinds of its records begin so; they are kept like the register of visits.</summary>
    internal const string RecordPrefix = "hub.key.";

    internal const string LentVerb = "key.lent";
    internal const string ReturnedVerb = "key.returned";
    private const string IdLetters = "abcdefghijklmnopqrstuvwxyz234567";

    /// <summary>Nobody keeps a key for longer; who needs it longer brings it back and takes it again.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    /// <summary>What was handed over longer ago is not entered any more.</summary>
    public static readonly TimeSpan EnteredWithin = TimeSpan.FromDays(1);

    /// <summary>The keys that there are, within the scope of whoever looks.</summary>
    public IReadOnlyList<KeyState> List(Actor actor) => store.Read(it =>
    {
        var (now, doors) = (time.GetUtcNow(), Seen(it, actor));
        var loans = KeyLoan.Out(it).ToDictionary(loan => loan.Key);
        return MechanicalKey.All(it).Where(key => key.RemovedAt is null && doors.Contains(key.Door))
            .Select(key => loans.GetValueOrDefault(key.Id) is var loan ? new KeyState(key, loan, loan?.IsOverdue(now) == true) : null!).ToList();
    });

    /// <summary>The loans of a period, in the order of the lending, within the scope of whoever looks.</summary>
    /// <exception cref="InputException">The end is not after the beginning.</exception>
    public IReadOnlyList<KeyLoan> Loans(Actor actor, DateTimeOffset from, DateTimeOffset to)
    {
        if (from >= to) throw new InputException("to", "it is not after from", "Correct the period");
        return store.Read(it => Seen(it, actor) is var doors ? KeyLoan.Within(it, from, to).Where(loan => doors.Contains(loan.Door)).ToList() : []);
    }

    /// <summary>Whom a door's key may be lent to now, in the order of the reading.</summary>
    public IReadOnlyList<Person> Borrowers(string door) => store.Read(it =>
    {
        var zone = Doors.All(it).Find(one => one.Id == door)?.Zone;
        var now = time.GetUtcNow();
        var holders = Rights.InForce(it).Where(right => right.Zone == zone && Covers(right, now)).Select(right => right.Person).ToHashSet();
        return People.All(it).Where(person => holders.Contains(person.Id)).ToList();
    });

    /// <summary>The label of a key that is or was there; null for any other word.</summary>
    public string? LabelOf(string id) => store.Read(it => it.One("select label from keys where id = $id", row => row.GetString(0), ("$id", id)));

    /// <exception cref="InputException">No label or reason, no such door or not within the scope, or the door has a key of that label.</exception>
    public async Task<MechanicalKey> AddAsync(Actor actor, string? door, string? label, KeyKind? kind, string? reason)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var (name, why) = (Input.Filled("label", label), Input.Filled("reason", reason));
        if (kind is { } given && !Enum.IsDefined(given)) throw new InputException("kind", $"\"{given}\" is unknown", "Choose one of the list");
        return await store.WriteAsync(it =>
        {
            var now = time.GetUtcNow();
            Within(it, actor, door ?? "");
            if (it.Number("select count(*) from keys where door = $door and label = $label and removed_at is null", ("$door", door), ("$label", name)) > 0)
                throw new InputException("label", $"\"{name}\" exists already", "Give each key of a door its own label");
            var key = new MechanicalKey("key-" + RandomNumberGenerator.GetString(IdLetters, 8), door!, name, kind, now, null);
            it.Execute(
                "insert into keys (id, door, label, kind, added_at) values ($id, $door, $label, $kind, $at)",
                ("$id", key.Id), ("$door", key.Door), ("$label", name), ("$kind", kind is { } number ? (int)number : null), ("$at", now));
            Records.Act(it, new Act(actor, "key.added", name, why, null, AccessJson.Node(key), Door: key.Door), now);
            return key;
        });
    }

    /// <summary>Takes a key off the register because it is lost, replaced or destroyed. One that is out counts as not brought back, and explains no opening from then on.</summary>
    /// <param name="actor">Who takes it off.</param>
    /// <param name="id">Of the key.</param>
    /// <param name="reason">Why.</param>
    /// <param name="seen">What whoever takes it off has before them; null: whatever there is.</param>
    /// <exception cref="InputException">No reason, no such key, it was lent or returned meanwhile, or it is not within the scope.</exception>
    public async Task RemoveAsync(Actor actor, string id, string? reason, SeenLoan? seen = null)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var why = Input.Filled("reason", reason);
        await store.WriteAsync(it =>
        {
            var (now, key) = (time.GetUtcNow(), Find(it, actor, id));
            var loan = OutOf(it, id);
            if (seen is { } known && known.Id != loan?.Id) throw Moved(key, loan);
            it.Execute("update keys set removed_at = $now where id = $id", ("$now", now), ("$id", id));
            if (loan is not null) it.Execute("update key_loans set ended_at = $now, ended_by = $by, lost = 1 where id = $loan", ("$now", now), ("$by", actor.Name), ("$loan", loan.Id));
            Records.Act(it, new Act(actor, "key.removed", key.Label, why, AccessJson.Node(key), loan?.Fact, Door: key.Door, Person: loan?.Person), now);
        });
    }

    /// <summary>Hands a key over.</summary>
    /// <exception cref="InputException">
    /// A field is missing or out of its limits; key or person do not exist, or the door is not within the scope; the key is out or was out then; or the person has no right to the zone.
    /// </exception>
    public async Task<KeyLoan> LendAsync(Actor actor, NewKeyLoan put)
    {
        ArgumentNullException.ThrowIfNull(actor);
        ArgumentNullException.ThrowIfNull(put);
        var purpose = Input.Filled("purpose", put.Purpose);
        return await store.WriteAsync(it =>
        {
            var (now, key) = (time.GetUtcNow(), Find(it, actor, put.Key));
            var lent = put.LentAt ?? now;
            if (lent > now) throw new InputException("lentAt", "it lies in the future", "Enter the loan when the key is handed over");
            if (now - lent > EnteredWithin) throw new InputException("lentAt", "it lies more than a day back", "Enter a loan within 24 h, and write an older one into a report");
            if (put.DueAt <= now) throw new InputException("dueAt", "it is past", "Give a time to come");
            if (put.DueAt - now > Longest) throw new InputException("dueAt", "it is more than 7 days ahead", "Give a time within 7 days; who needs the key longer brings it back and takes it again");
            if (People.Find(it, put.Person) is not { } person) throw new InputException("person", $"person {put.Person} does not exist", "Name one that exists");
            if (OutOf(it, put.Key) is { } other) throw new InputException("mechanicalKey", $"{key.Label} is out: {other.PersonName} has it", "Take it back first");
            if (it.Number("select count(*) from key_loans where key = $key and ended_at > $lent", ("$key", put.Key), ("$lent", lent)) > 0)
                throw new InputException("lentAt", $"{key.Label} was not back yet", "Correct the time at which it was handed over");
            var zone = Zone(it, key.Door)!;
            if (!Rights.InForce(it).Exists(right => right.Person == person.Id && right.Zone == zone && Covers(right, lent) && Covers(right, now)))
                throw new InputException("person", $"{person.Name} has no right to enter {zone} now", "Lend the key to somebody who has, or have the right approved first");
            var loan = new KeyLoan(0, key.Id, key.Label, key.Door, person.Id, person.Name, person.Department, purpose, lent, now, put.DueAt, actor.Name, null, null, false);
            Records.Act(it, new Act(actor, LentVerb, key.Label, purpose, null, loan.Fact, Door: key.Door, Person: person.Id), now);
            var stored = loan with { Id = it.Number("select max(id) from ledger") };
            it.Execute(
                """
                insert into key_loans (id, key, person, department, purpose, lent_at, entered_at, due_at, lent_by)
                values ($id, $key, $person, $department, $purpose, $lent, $entered, $due, $by)
                """,
                ("$id", stored.Id), ("$key", key.Id), ("$person", person.Id), ("$department", person.Department), ("$purpose", purpose), ("$lent", lent), ("$entered", now),
                ("$due", put.DueAt), ("$by", actor.Name));
            return stored;
        });
    }

    /// <summary>Takes a key back, now.</summary>
    /// <param name="actor">Who takes it.</param>
    /// <param name="id">Of the key.</param>
    /// <param name="remark">What there is to say of it.</param>
    /// <param name="seen">What whoever takes it back has before them; null: whichever loan there is.</param>
    /// <exception cref="InputException">There is no such key, it is not out, it was lent anew meanwhile, or it is not within the scope.</exception>
    public async Task ReturnAsync(Actor actor, string id, string? remark, SeenLoan? seen = null)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var why = Input.Optional("reason", remark);
        await store.WriteAsync(it =>
        {
            var (now, key) = (time.GetUtcNow(), Find(it, actor, id));
            var loan = OutOf(it, id) ?? throw new InputException("mechanicalKey", $"{key.Label} is not out", "Nothing is left to do");
            if (seen is { } known && known.Id != loan.Id) throw Moved(key, loan);
            it.Execute("update key_loans set ended_at = $now, ended_by = $by where id = $loan", ("$now", now), ("$by", actor.Name), ("$loan", loan.Id));
            Records.Act(it, new Act(actor, ReturnedVerb, key.Label, why, null, loan.Fact, Door: key.Door, Person: loan.Person), now);
        });
    }

    private static InputException Moved(MechanicalKey key, KeyLoan? loan) => loan is null
        ? new("mechanicalKey", $"{key.Label} was returned meanwhile", "Look again, and decide anew")
        : new("mechanicalKey", $"{key.Label} was lent meanwhile: {loan.PersonName} has it now", "Look again, and decide anew");

    // The person's right as it stands now, at a time: one that was removed since does not count.
    private static bool Covers(RightRow right, DateTimeOffset at) => right.ValidFrom <= at && at < right.ValidTo;

    private static KeyLoan? OutOf(SqliteConnection store, string key) => KeyLoan.Out(store).Find(it => it.Key == key);

    private static MechanicalKey Find(SqliteConnection store, Actor actor, string id)
    {
        if (MechanicalKey.Find(store, id) is not { } key) throw new InputException("mechanicalKey", $"key {id} does not exist", "Name one that exists");
        Within(store, actor, key.Door);
        return key;
    }

    private static void Within(SqliteConnection store, Actor actor, string door)
    {
        if (actor.Role is not ("administrator" or "operator")) throw new InputException("role", $"a {actor.Role} may not lend keys", "Ask an operator");
        if (Zone(store, door) is not { } zone) throw new InputException("door", $"there is no door {door}", "choose one of the registered doors");
        if (!actor.Covers(zone)) throw new InputException("door", $"{door} lies outside your scope", "ask whoever is responsible for that zone");
    }

    private static string? Zone(SqliteConnection store, string door) => store.One("select zone from doors where id = $door", it => it.GetString(0), ("$door", door));

    // An auditor reads the whole register, as that of visits.
    private static HashSet<string> Seen(SqliteConnection store, Actor actor) =>
        [.. store.Query("select id, zone from doors", it => (Id: it.GetString(0), Zone: it.GetString(1))).Where(it => actor.Role == "auditor" || actor.Covers(it.Zone)).Select(it => it.Id)];
}
