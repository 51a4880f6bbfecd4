using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>正 is kept apart for emergencies, 副 is the one in use.</summary>
public enum KeyKind { Main = 0, Spare = 1 }

/// <summary>A mechanical key of a door. Removed: lost, replaced or destroyed; it is lent no more, and what it was lent for stays on record.</summary>
public sealed record MechanicalKey(string Id, string Door, string Label, KeyKind? Kind, DateTimeOffset AddedAt, DateTimeOffset? RemovedAt)
{
    internal static List<MechanicalKey> All(SqliteConnection store) => store.Query("select * from keys order by door, label, id", Row);

    /// <summary>Null: there is none of that id, or it was removed.</summary>
    internal static MechanicalKey? Find(SqliteConnection store, string id) => store.One("select * from keys where id = $id and removed_at is null", Row, ("$id", id));

    private static MechanicalKey Row(SqliteDataReader it) => new(
        it.Text("id")!, it.Text("door")!, it.Text("label")!, it.Real("kind") is { } kind ? (KeyKind)(int)kind : null, it.Time("added_at")!.Value, it.Time("removed_at"));
}

/// <summary>One line of the 鍵管理簿.</summary>
/// <param name="Id">The number of the record of the lending.</param>
/// <param name="Key">Which key.</param>
/// <param name="Label">What is written on it.</param>
/// <param name="Door">What it opens.</param>
/// <param name="Person">Who has or had it.</param>
/// <param name="PersonName">The same by name.</param>
/// <param name="Department">Of that person, when the key was lent.</param>
/// <param name="Purpose">What for.</param>
/// <param name="LentAt">When it was handed over.</param>
/// <param name="EnteredAt">When that was entered here: later, where it was handed over in a hurry.</param>
/// <param name="DueAt">By when it is to be back.</param>
/// <param name="LentBy">Who handed it over.</param>
/// <param name="EndedAt">When it came back, or was removed from the register while it was out; null: it is out.</param>
/// <param name="EndedBy">Who took it back.</param>
/// <param name="Lost">It never came back.</param>
public sealed record KeyLoan(
    long Id, string Key, string Label, string Door, string Person, string? PersonName, string Department, string Purpose, DateTimeOffset LentAt, DateTimeOffset EnteredAt,
    DateTimeOffset DueAt, string LentBy, DateTimeOffset? EndedAt, string? EndedBy, bool Lost)
{
    private const string Select = "select loan.*, key.label, key.door, people.name from key_loans loan join keys key on key.id = loan.key join people on people.id = loan.person";

    /// <summary>What a record of the loan says.</summary>
    internal JsonObject Fact => new()
    {
        ["key"] = Key,
        ["label"] = Label,
        ["person"] = Person,
        ["department"] = Department,
        ["purpose"] = Purpose,
        ["lentAt"] = LentAt.ToString("O"),
        ["dueAt"] = DueAt.ToString("O"),
    };

    public bool IsOverdue(DateTimeOffset now) => EndedAt is null && now > DueAt;

    internal static List<KeyLoan> Out(SqliteConnection store) => store.Query($"{Select} where ended_at is null order by due_at, loan.id", Row);

    /// <summary>Those of any key of a door that had not ended before that time.</summary>
    internal static List<KeyLoan> Since(SqliteConnection store, string door, DateTimeOffset at) => store.Query(
        $"{Select} where key.door = $door and (ended_at is null or ended_at >= $at) order by loan.id", Row, ("$door", door), ("$at", at));

    /// <summary>Those of which some part lies in the period, in the order of the lending.</summary>
    internal static List<KeyLoan> Within(SqliteConnection store, DateTimeOffset from, DateTimeOffset to) => store.Query(
        $"{Select} where lent_at < $to and (ended_at is null or ended_at >= $from) order by lent_at, loan.id", Row, ("$from", from), ("$to", to));

    private static KeyLoan Row(SqliteDataReader it) => new(
        it.Whole("id"), it.Text("key")!, it.Text("label")!, it.Text("door")!, it.Text("person")!, it.Text("name"), it.Text("department")!, it.Text("purpose")!, it.Time("lent_at")!.Value,
        it.Time("entered_at")!.Value, it.Time("due_at")!.Value, it.Text("lent_by")!, it.Time("ended_at"), it.Text("ended_by"), it.Flag("lost"));
}

/// <summary>A key of the register and who has it; Loan null: it is here.</summary>
public sealed record KeyState(MechanicalKey Key, KeyLoan? Loan, bool Overdue);
