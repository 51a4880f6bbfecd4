using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>That a person has a PIN. Alone: it also works without a card.</summary>
public sealed record PinRow(string Person, int Digits, bool Alone, DateTimeOffset IssuedAt);

/// <summary>Both codes, for the one moment in which they are shown. It prints masked.</summary>
public sealed record IssuedPin(string Code, string Duress)
{
    public override string ToString() => nameof(IssuedPin);
}

/// <summary>
/// PINs of the people. The hub draws both codes, so nobody chooses a birthday and the duress code follows from nothing; they are shown once and kept nowhere, only what a node needs to tell them
/// from others (<see cref="PinKey"/>).
/// </summary>
public sealed class Pins(Store store, TimeProvider time, SiteKeys keys, PolicySignal changed)
{
    /// <summary>What is drawn unless somebody asks for another length.</summary>
    public const int DigitsUsual = 6;

    private readonly PinKey _key = PinKey.Of(keys.Card);

    public PinRow? Find(string person) =>
        store.Read(it => it.One("select person, digits, alone, issued_at from pins where person = $person", Row, ("$person", person)));

    /// <summary>Draws a new PIN and a new duress code; the old ones open nothing any more, and wrong codes so far are forgotten with them.</summary>
    /// <param name="actor">Who does it.</param>
    /// <param name="person">Whose PIN it is.</param>
    /// <param name="alone">It shall also work without a card, in zones that allow it.</param>
    /// <param name="reason">Why.</param>
    /// <param name="digits">4–8; more where many codes work without a card.</param>
    /// <param name="cancel">Gives up waiting.</param>
    /// <exception cref="InputException">Nobody has the id, there is no reason, or the length does not fit.</exception>
    public async Task<IssuedPin> IssueAsync(Actor actor, string person, bool alone, string reason, int digits = DigitsUsual, CancellationToken cancel = default)
    {
        var why = Input.Filled("reason", reason);
        if (digits is < PinRules.DigitsMin or > PinRules.DigitsMax) throw new InputException("digits", $"{digits} digits are no PIN", $"Give {PinRules.DigitsMin} to {PinRules.DigitsMax}");
        var issued = await store.WriteAsync(it =>
        {
            if (People.Find(it, person) is null) Input.Missing("person", "person", person);
            var others = All(it).Where(pin => pin.Alone is not null && pin.Person.Value != person).ToList();
            if (alone)
            {
                var least = PinRules.DigitsAlone(2 * (others.Count + 1));
                if (digits < least) throw new InputException("digits", $"{digits} digits are too few for so many codes that work without a card", $"Give at least {least}");
                if (others.FirstOrDefault(pin => pin.Digits < least) is { } shorter)
                    throw new InputException("digits", $"the PIN of {People.Find(it, shorter.Person.Value)?.Name} would be too short for so many codes that work without a card", $"Issue that one anew with {least} digits first");
            }

            var (code, duress) = Draw(digits, alone ? [.. others.SelectMany(pin => new[] { pin.AloneRight!, pin.AloneDuress! })] : []);
            var salt = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(PinKey.SaltLength / 2));
            var now = time.GetUtcNow();
            var before = it.One("select person, digits, alone, issued_at from pins where person = $person", Row, ("$person", person));
            it.Execute(
                """
                insert or replace into pins (person, digits, salt, verifier, duress, alone, alone_verifier, alone_duress, issued_at)
                values ($person, $digits, $salt, $verifier, $duress, $alone, $tag, $duressTag, $at)
                """,
                ("$person", person), ("$digits", digits), ("$salt", salt), ("$verifier", _key.Verifier(salt, code)), ("$duress", _key.Verifier(salt, duress)),
                ("$alone", alone ? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)) : null), ("$tag", alone ? _key.Tag(code) : null),
                ("$duressTag", alone ? _key.Tag(duress) : null), ("$at", now));
            Records.Act(it, new Act(actor, "pin.issued", person, why, Shown(before), Shown(new(person, digits, alone, now)), Person: person), now);
            return new IssuedPin(code, duress);
        }, cancel);
        changed.Raise();
        return issued;
    }

    /// <exception cref="InputException">The person has none, or there is no reason.</exception>
    public async Task WithdrawAsync(Actor actor, string person, string reason, CancellationToken cancel = default)
    {
        var why = Input.Filled("reason", reason);
        await store.WriteAsync(it =>
        {
            var before = it.One("select person, digits, alone, issued_at from pins where person = $person", Row, ("$person", person));
            if (before is null) Input.Missing("person", "PIN", person);
            it.Execute("delete from pins where person = $person", ("$person", person));
            Records.Act(it, new Act(actor, "pin.withdrawn", person, why, Shown(before), null, Person: person), time.GetUtcNow());
        }, cancel);
        changed.Raise();
    }

    internal static List<Pin> All(SqliteConnection store) => store.Query("select * from pins order by person", it => new Pin(
        new(it.Text("person")!), (int)it.GetInt64(it.GetOrdinal("digits")), it.Text("salt")!, it.Text("verifier")!, it.Text("duress")!,
        it.Text("alone") is { } token ? new(token) : null, it.Text("alone_verifier"), it.Text("alone_duress")));

    // Two codes that differ in two places at least and not only by two neighbours changed over: a slip of the finger must not call the guard.
    private (string Code, string Duress) Draw(int digits, HashSet<string> taken)
    {
        while (true)
        {
            var code = RandomNumberGenerator.GetString("0123456789", digits);
            var duress = RandomNumberGenerator.GetString("0123456789", digits);
            if (Near(code, duress) || taken.Contains(_key.Tag(code)) || taken.Contains(_key.Tag(duress))) continue;
            return (code, duress);
        }
    }

    internal static bool Near(string one, string other)
    {
        List<int> differ = [.. Enumerable.Range(0, one.Length).Where(it => one[it] != other[it])];
        return differ.Count < 2 || (differ.Count == 2 && differ[1] == differ[0] + 1 && one[differ[0]] == other[differ[1]] && one[differ[1]] == other[differ[0]]);
    }

    private static System.Text.Json.Nodes.JsonNode? Shown(PinRow? it) => it is null ? null : AccessJson.Node(new { it.Digits, it.Alone });

    private static PinRow Row(SqliteDataReader it) => new(it.Text("person")!, (int)it.GetInt64(it.GetOrdinal("digits")), it.Text("alone") is not null, it.Time("issued_at")!.Value);
}
