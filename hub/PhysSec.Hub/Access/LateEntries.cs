using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>
/// What somebody writes into the register afterwards. With Line: the missing entry or exit of that line (or, where the line was itself written later, what it should say instead).
/// Without: a visit that no door has on record, as from a paper form; the person is registered, or named with the department.
/// </summary>
public sealed record NewLateEntry(
    long? Line = null, string? Person = null, string? Name = null, string? Department = null, string? Purpose = null, string? Door = null,
    DateTimeOffset? In = null, DateTimeOffset? Out = null, string? Escort = null, IReadOnlyList<string>? Items = null);

/// <summary>An entry made later (後日入力), as it is in force.</summary>
/// <param name="Line">The register's line it belongs to; a line of its own has the number of its first record.</param>
/// <param name="Visit">The passage whose line it completes; null: it is a line of its own.</param>
/// <param name="Record">The number of its own record.</param>
/// <param name="By">Who wrote it.</param>
/// <param name="At">When.</param>
/// <param name="Reason">Why, or from which paper.</param>
/// <param name="Value">What.</param>
public sealed record LateEntry(long Line, long? Visit, long Record, string By, DateTimeOffset At, string Reason, NewLateEntry Value)
{
    /// <summary>The line that it is by itself.</summary>
    internal Visit Whole(People people, Dictionary<string, string> departments) => new(
        Value.Person, people.NameOf(Value.Person) ?? Value.Name, Value.Department ?? (Value.Person is null ? null : departments.GetValueOrDefault(Value.Person)), Value.Purpose,
        Value.Door!, Value.In, Value.Out, Value.Escort, Value.Items ?? [], Value.Out is null ? "no-exit-recorded" : Value.In is null ? "no-entry-recorded" : null, Late: false)
    {
        Id = Line,
        Later = this,
    };

    /// <summary>Fills what the doors do not have; what they have stays as it is.</summary>
    internal Visit Complete(Visit it)
    {
        var whole = it with { In = it.In ?? Value.In, Out = it.Out ?? Value.Out, Purpose = it.Purpose ?? Value.Purpose, Escort = it.Escort ?? Value.Escort, Later = this };
        return whole with { Note = whole is { In: not null, Out: not null } && it.Note is "no-exit-recorded" or "no-entry-recorded" or "clock-unset" ? null : it.Note };
    }
}

/// <summary>Entries that people make into the register afterwards. Each is a record of its own; none changes another one or a door's.</summary>
public sealed class LateEntries(Store store, TimeProvider clock, Register register)
{
    internal const string Verb = "register.entered-later";
    private const int ItemsMax = 20;

    /// <exception cref="InputException">A field is missing or out of its limits, or the doors have the time on record.</exception>
    public async Task AddAsync(Actor actor, NewLateEntry entry, string reason, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var why = Input.Filled("reason", reason);
        var put = entry with
        {
            Purpose = Input.Optional("purpose", entry.Purpose),
            Escort = Input.Optional("escort", entry.Escort),
            Name = Input.Optional("name", entry.Name),
            Department = Input.Optional("department", entry.Department),
            Items = Things(entry.Items),
        };
        if (put is { In: null, Out: null }) throw new InputException("in", "neither entry nor exit is given", "Give the time that is missing");
        foreach (var (field, at) in new[] { ("in", put.In), ("out", put.Out) })
            if (at > clock.GetUtcNow()) throw new InputException(field, "it lies in the future", "Give the time at which it happened");
        if (put.Line is { } line) CheckLine(line, put);
        if (put is { In: { } entered, Out: { } left } && left <= entered) throw new InputException("out", "it is not after the entry", "Correct the times");

        await store.WriteAsync(it =>
        {
            if (put.Line is null || All(it).Values.Any(old => old.Line == put.Line && old.Visit is null)) CheckWhole(it, put);
            Records.Act(it, new Act(actor, Verb, put.Line is { } number ? $"{number}" : null, why, null, AccessJson.Node(put), put.Door, put.Person), clock.GetUtcNow());
        }, cancel);
    }

    /// <summary>Those in force by the line they belong to: of several for one line the last.</summary>
    internal static Dictionary<long, LateEntry> All(SqliteConnection store)
    {
        var all = new Dictionary<long, LateEntry>();
        foreach (var (id, at, body) in store.Query($"select id, at, body from ledger where kind = 'hub.{Verb}' and body_hash is null order by id", it => (it.GetInt64(0), it.Time("at")!.Value, it.GetString(2))))
        {
            var fact = JsonNode.Parse(body)!["fact"]!;
            var value = AccessJson.Read<NewLateEntry>(fact["after"]!.ToJsonString());
            var line = value.Line ?? id;
            all[line] = new(line, value.Line is null || (all.TryGetValue(line, out var old) && old.Visit is null) ? null : line, id, (string)fact["actor"]!, at, (string)fact["reason"]!, value);
        }

        return all;
    }

    // A line that is there: only what it lacks can be written into it.
    private void CheckLine(long line, NewLateEntry put)
    {
        var at = store.Read(it => it.One("select coalesce(at, received_at) as at from ledger where id = $id", row => Tuple.Create(row.Time("at")!.Value), ("$id", line)))?.Item1;
        var (written, visit) = (store.Read(All).GetValueOrDefault(line) is { Visit: null }, (Visit?)null);
        if (at is { } when && !written) visit = register.Recorded(when.AddTicks(-1), when.AddTicks(1)).FirstOrDefault(it => it.Id == line);
        if (written) return;
        if (visit is null) throw new InputException("line", $"the register has no line {line}", "Take the number from the register");
        if (visit.Note == "unidentified") throw new InputException("line", "nobody is known to have passed there", "Write the visit as a line of its own");
        if (put.In is not null && visit.In is not null) throw new InputException("in", "the door has it on record", "Leave it out: a door's record is never changed");
        if (put.Out is not null && visit.Out is not null) throw new InputException("out", "the door has it on record", "Leave it out: a door's record is never changed");
        if ((put.In ?? visit.In) is { } entered && (put.Out ?? visit.Out) is { } left && left <= entered) throw new InputException("out", "it is not after the entry", "Correct the times");
    }

    private static void CheckWhole(SqliteConnection store, NewLateEntry put)
    {
        if (put.Door is null || store.Number("select count(*) from doors where id = $id", ("$id", put.Door)) == 0) Input.Missing("door", "the door", put.Door ?? "");
        if (put.Person is null && put.Name is null) throw new InputException("name", "it is empty", "Name who came");
        if (put.Person is not null && store.Number("select count(*) from people where id = $id", ("$id", put.Person)) == 0) Input.Missing("person", "the person", put.Person);
    }

    private static List<string> Things(IReadOnlyList<string>? items)
    {
        if (items?.Count > ItemsMax) throw new InputException("items", $"there are {items.Count}", $"Give at most {ItemsMax}");
        return [.. (items ?? []).Select(it => Input.Filled("items", it))];
    }
}
