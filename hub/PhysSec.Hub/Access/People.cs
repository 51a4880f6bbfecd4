using System.Collections.Concurrent;
using System.Net.Mail;
using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>Somebody who may hold a card. Kind is staff or contractor. Extended: the door stays released longer for them.</summary>
public sealed record Person(string Id, string Name, string Kana, string Department, string? Email, string Kind, bool Extended = false, string? Note = null);

/// <summary>The people the hub knows. Nobody is ever deleted: records name them.</summary>
public sealed class People
{
    private const string IdLetters = "abcdefghijklmnopqrstuvwxyz234567";

    private readonly Store _store;
    private readonly TimeProvider _time;
    private readonly PolicySignal _changed;
    private readonly ConcurrentDictionary<string, string> _names;

    public People(Store store, TimeProvider time, PolicySignal changed)
    {
        (_store, _time, _changed) = (store, time, changed);
        _names = new(List().Select(it => KeyValuePair.Create(it.Id, it.Name)));
    }

    /// <summary>In the order of the reading.</summary>
    /// <param name="search">Part of the id, name, reading or department; null for everybody.</param>
    public IReadOnlyList<Person> List(string? search = null)
    {
        var all = _store.Read(All);
        if (string.IsNullOrWhiteSpace(search)) return all;
        var (text, kana) = (search.Trim(), Reading(search));
        return [.. all.Where(it => Has(it.Id, text) || Has(it.Name, text) || Has(it.Department, text) || Has(it.Kana, kana))];
    }

    public Person? Find(string id) => _store.Read(store => Find(store, id));

    /// <summary>The person's name for a page or a mail; null for an id that nobody has.</summary>
    public string? NameOf(string? id) => id is not null && _names.TryGetValue(id, out var name) ? name : null;

    /// <summary>Adds a person; an empty id gets a new one.</summary>
    /// <exception cref="InputException">A field cannot be taken, or the id is another's.</exception>
    public async Task<Person> AddAsync(Actor actor, Person person, CancellationToken cancel = default)
    {
        var added = Checked(string.IsNullOrWhiteSpace(person.Id) ? person with { Id = NewId() } : person);
        await _store.WriteAsync(store =>
        {
            if (Find(store, added.Id) is not null) throw new InputException("id", $"\"{added.Id}\" exists already", "Leave the id out, or change that person");
            Save(store, actor, null, added, null);
        }, cancel);
        Committed(added);
        return added;
    }

    /// <exception cref="InputException">A field cannot be taken, or nobody has the id.</exception>
    public async Task<Person> ChangeAsync(Actor actor, Person person, string? reason = null, CancellationToken cancel = default)
    {
        var changed = Checked(person);
        await _store.WriteAsync(store =>
        {
            var before = Find(store, changed.Id);
            if (before is null) Input.Missing("id", "person", changed.Id);
            if (before != changed) Save(store, actor, before, changed, reason);
        }, cancel);
        Committed(changed);
        return changed;
    }

    internal static string NewId() => "p-" + RandomNumberGenerator.GetString(IdLetters, 10);

    internal static List<Person> All(SqliteConnection store) => store.Query("select * from people order by kana, id", Row);

    internal static Person? Find(SqliteConnection store, string id) => store.One("select * from people where id = $id", Row, ("$id", id));

    /// <exception cref="InputException">The first field that cannot be taken.</exception>
    internal static Person Checked(Person it)
    {
        var email = Input.Optional("email", it.Email);
        if (email is not null && !(MailAddress.TryCreate(email, out var address) && address.Address == email))
            throw new InputException("email", $"\"{email}\" is no mail address", "Use one like name@example.jp, or leave it out");
        return it with
        {
            Id = Input.Name("id", it.Id),
            Name = Input.Filled("name", it.Name),
            Kana = Input.Kana("kana", it.Kana),
            Department = Input.Filled("department", it.Department),
            Email = email,
            Kind = it.Kind is "staff" or "contractor" ? it.Kind : throw new InputException("kind", $"\"{it.Kind}\" is unknown", "Use staff (職員) or contractor (委託)"),
            Note = Input.Optional("note", it.Note),
        };
    }

    internal void Save(SqliteConnection store, Actor actor, Person? before, Person it, string? reason)
    {
        store.Execute(
            """
            insert into people (id, name, kana, department, email, kind, extended, note) values ($id, $name, $kana, $department, $email, $kind, $extended, $note)
            on conflict (id) do update set name = $name, kana = $kana, department = $department, email = $email, kind = $kind, extended = $extended, note = $note
            """,
            ("$id", it.Id), ("$name", it.Name), ("$kana", it.Kana), ("$department", it.Department), ("$email", it.Email), ("$kind", it.Kind), ("$extended", it.Extended), ("$note", it.Note));
        var verb = before is null ? "person.added" : "person.changed";
        Records.Act(store, new Act(actor, verb, it.Id, reason, AccessJson.Node(before), AccessJson.Node(it), Person: it.Id), _time.GetUtcNow());
    }

    internal void Committed(params IEnumerable<Person> people)
    {
        foreach (var it in people) _names[it.Id] = it.Name;
        _changed.Raise();
    }

    /// <summary>Turns half-width katakana and hiragana into full-width katakana.</summary>
    internal static string Reading(string text) =>
        string.Concat(Widths.Fold(text.Trim()).Select(Widths.Katakana));

    private static bool Has(string text, string part) => text.Contains(part, StringComparison.OrdinalIgnoreCase);

    private static Person Row(SqliteDataReader it) =>
        new(it.Text("id")!, it.Text("name")!, it.Text("kana")!, it.Text("department")!, it.Text("email"), it.Text("kind")!, it.Flag("extended"), it.Text("note"));
}
