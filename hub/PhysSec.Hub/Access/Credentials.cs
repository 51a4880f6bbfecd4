using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>A registered card. Prefix is what people see of the token.</summary>
public sealed record CredentialRow(
    string Token, string Prefix, string Person, CredentialState State, DateTimeOffset Since, string? Reason, DateTimeOffset? ValidFrom, DateTimeOffset? ValidTo);

/// <summary>The cards and who holds them. A card is never deleted: it is revoked, and a door that sees it says so.</summary>
public sealed class Credentials(Store store, TimeProvider time, SiteKeys keys, PolicySignal changed)
{
    public IReadOnlyList<CredentialRow> List(string? person = null) =>
        store.Read(it => it.Query("select * from credentials where $person is null or person = $person order by person, since, token", Row, ("$person", person)));

    public CredentialRow? Find(string token) => store.Read(it => Find(it, token));

    /// <summary>Registers a card by what is printed on it; the numbers are kept nowhere.</summary>
    /// <param name="actor">Who does it.</param>
    /// <param name="person">Whose card it is.</param>
    /// <param name="facility">0–255 at 26 bits, 0–65535 at 34.</param>
    /// <param name="number">0–65535.</param>
    /// <param name="length">26 or 34 bits.</param>
    /// <param name="validFrom">Null: at once.</param>
    /// <param name="validTo">Null: without end.</param>
    /// <param name="cancel">Gives up waiting.</param>
    /// <exception cref="InputException">A number does not fit, or the card is somebody else's.</exception>
    public Task<CredentialRow> AddAsync(
        Actor actor, string person, int facility, int number, int length, DateTimeOffset? validFrom = null, DateTimeOffset? validTo = null, CancellationToken cancel = default)
    {
        if (length is not (26 or 34)) throw new InputException("length", $"{length} bits are not supported", "Give 26 or 34");
        var most = length == 26 ? 255 : 65_535;
        if (facility < 0 || facility > most) throw new InputException("facility", "it is out of range", $"Give 0–{most} for a card of {length} bits");
        if (number is < 0 or > 65_535) throw new InputException("number", "it is out of range", "Give 0–65535");
        return AddAsync(actor, person, CredentialTokens.Of(keys.Card, length, CredentialTokens.Bits(facility, number, length)), validFrom, validTo, cancel);
    }

    /// <summary>Registers a card that was shown to a reader. A card that the person has already stays as it is.</summary>
    /// <exception cref="InputException">Nobody has the id, or the card is somebody else's, or it is the person's and opens nothing.</exception>
    public async Task<CredentialRow> AddAsync(
        Actor actor, string person, CredentialToken token, DateTimeOffset? validFrom = null, DateTimeOffset? validTo = null, CancellationToken cancel = default)
    {
        Input.Check(credentials: [new(token, new(person), CredentialState.Active, validFrom, validTo)]);
        var row = await store.WriteAsync(it =>
        {
            if (People.Find(it, person) is null) Input.Missing("person", "person", person);
            if (Find(it, token.Value) is { } owned)
            {
                if (owned.Person == person && owned.State == CredentialState.Active && !(owned.ValidTo <= time.GetUtcNow())) return owned;
                if (owned.Person == person)
                    throw new InputException("credential", "this person has the card already, and it opens nothing: it is lost, revoked, suspended or past its validity", "See the list of this person's cards, or take another card");
                throw new InputException("credential", $"the card is {People.Find(it, owned.Person)?.Name}'s ({owned.Person})", "Take another card; a card stays with its first holder");
            }

            var now = time.GetUtcNow();
            var added = new CredentialRow(token.Value, token.Prefix, person, CredentialState.Active, now, null, validFrom, validTo);
            it.Execute(
                "insert into credentials (token, person, state, since, reason, valid_from, valid_to) values ($token, $person, 'Active', $since, null, $from, $to)",
                ("$token", added.Token), ("$person", person), ("$since", now), ("$from", validFrom), ("$to", validTo));
            Records.Act(it, new Act(actor, "credential.added", token.Prefix, null, null, Shown(added), Person: person, Credential: token.Prefix), now);
            return added;
        }, cancel);
        changed.Raise();
        return row;
    }

    /// <exception cref="InputException">There is no such card, or no reason is given.</exception>
    public async Task<CredentialRow> SetStateAsync(Actor actor, string token, CredentialState state, string reason, CancellationToken cancel = default)
    {
        var why = Input.Filled("reason", reason);
        if (!Enum.IsDefined(state)) throw new InputException("state", $"\"{state}\" is unknown", "Use active, suspended, lost or revoked");
        var row = await store.WriteAsync(it =>
        {
            var before = Find(it, token) ?? throw new InputException("credential", "the card is not registered", "Choose one of the list");
            var after = before with { State = state, Reason = why, Since = time.GetUtcNow() };
            it.Execute("update credentials set state = $state, since = $since, reason = $reason where token = $token",
                ("$state", state.ToString()), ("$since", after.Since), ("$reason", why), ("$token", token));
            Records.Act(it, new Act(actor, "credential.state", before.Prefix, why, Shown(before), Shown(after), Person: before.Person, Credential: before.Prefix), after.Since);
            return after;
        }, cancel);
        changed.Raise();
        return row;
    }

    internal static CredentialRow? Find(SqliteConnection store, string token) => store.One("select * from credentials where token = $token", Row, ("$token", token));

    internal static List<CredentialRow> All(SqliteConnection store) => store.Query("select * from credentials order by token", Row);

    // The token itself stays out of the record of the act.
    private static System.Text.Json.Nodes.JsonNode? Shown(CredentialRow it) =>
        AccessJson.Node(new { it.Prefix, it.Person, it.State, it.Reason, it.ValidFrom, it.ValidTo });

    private static CredentialRow Row(SqliteDataReader it) => new(
        it.Text("token")!, new CredentialToken(it.Text("token")!).Prefix, it.Text("person")!, Enum.Parse<CredentialState>(it.Text("state")!),
        it.Time("since")!.Value, it.Text("reason"), it.Time("valid_from"), it.Time("valid_to"));
}
