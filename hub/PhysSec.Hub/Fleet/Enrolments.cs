using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Fleet;

/// <summary>What an installer carries to the board: an address with a one-time code and the authority's pin. Shown once.</summary>
public sealed record Invitation(string Node, string Code, DateTimeOffset ExpiresAt);

/// <summary>
/// Lets boards in. An administrator invites a node by name; whoever brings the code within its time becomes that node, once. The key pair is made on the board and
/// stays there. A board that lost the answer may ask again with the same code and the same key.
/// </summary>
public sealed class Enrolments(HubHome state, Nodes nodes, NodeLink link, TurnedAway turnedAway, TimeProvider clock)
{
    public const int MinutesMax = 7 * 24 * 60;
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz"; // Crockford's: nothing in it can be taken for something else.
    private const int SecretLength = 20; // Letters of 5 bits each.

    /// <summary>Where the console listens; set once it does.</summary>
    public Uri? Console { get; set; }

    /// <summary>Makes the code for one node; an earlier one for the same node ends.</summary>
    /// <param name="actor">Who invites.</param>
    /// <param name="id">The node's name.</param>
    /// <param name="name">For people; null: the id, or the replaced node's.</param>
    /// <param name="minutes">How long the code is good.</param>
    /// <param name="replaces">The code is for a spare board in a known node's place, which gets that node's board file; this is why.</param>
    /// <exception cref="InputException">A field is wrong.</exception>
    public async Task<Invitation> InviteAsync(Actor actor, string? id, string? name, int minutes, string? replaces = null)
    {
        Nodes.CheckName(id);
        var known = replaces is null ? null : Replaced(id!, replaces);
        if (minutes is < 1 or > MinutesMax) throw new InputException("minutes", string.Create(CultureInfo.InvariantCulture, $"{minutes} is out of range"), $"use 1–{MinutesMax}");
        var now = clock.GetUtcNow();
        var expires = now.AddMinutes(minutes);
        var secret = RandomNumberGenerator.GetString(Alphabet, SecretLength);
        await state.Store.WriteAsync(store =>
        {
            store.Execute(
                """
                insert into invitations (node, name, hash, made_at, expires_at, replaces, made_by) values ($node, $name, $hash, $at, $expires, $replaces, $by)
                on conflict do update set name = $name, hash = $hash, made_at = $at, expires_at = $expires, used_by = null, replaces = $replaces, made_by = $by
                """,
                ("$node", id), ("$name", name ?? known ?? id), ("$hash", Hash(secret)), ("$at", now), ("$expires", expires), ("$replaces", replaces), ("$by", actor.Name));
            Records.Act(store, new Act(
                actor, "node.invited", id, replaces, null, new JsonObject { ["name"] = name ?? known ?? id, ["minutes"] = minutes, ["replace"] = replaces is not null }), now);
        });
        return new Invitation(id!, $"{Address()}#{Grouped(secret)}.{state.Authority.Pin}", expires);
    }

    /// <summary>A board comes with its code.</summary>
    /// <exception cref="InputException">The code or the request is not good; which of the code's faults it is stays at the hub.</exception>
    public async Task<Enrolment> RedeemAsync(EnrolmentRequest request, string origin)
    {
        ArgumentNullException.ThrowIfNull(request);
        var key = KeyOf(request.Request);
        var fingerprint = Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));
        var (hash, now) = (Hash(Plain(request.Code)), clock.GetUtcNow());
        var invited = state.Store.Read(store => Find(store, hash));
        var fault = invited is null ? "an unknown enrolment code was brought"
            : invited.ExpiresAt <= now ? $"the enrolment code of {invited.Node} was brought after its time"
            : invited.UsedBy is { } by && by != fingerprint ? $"the enrolment code of {invited.Node} was brought a second time, by another board"
            : null;
        if (fault is not null)
        {
            await turnedAway.RefuseAsync(origin, invited?.Node, fault);
            throw new InputException("code", "it is unknown, used or past its time", "ask an administrator for a new one: physsec-hub enroll NAME");
        }

        var actor = Actor.System with { Origin = $"enrolment from {origin}" };
        var (epoch, certificate) = await nodes.EnrolAsync(actor, invited!.Node, invited.Name, key, store =>
        {
            if (Find(store, hash) is not { } still || still.UsedBy is { } by && by != fingerprint) throw new InputException("code", "it was used meanwhile", "ask an administrator for a new one");
            store.Execute("update invitations set used_by = $key where node = $node", ("$key", fingerprint), ("$node", still.Node));
            if (still is { Replaces: { } why, UsedBy: null }) Replacement.Record(store, actor, still.Node, why, still.MadeBy, now);
        });
        return new Enrolment(
            state.Site.Value, invited.Node, epoch, certificate, state.Authority.RootPem, Convert.ToHexStringLower(state.Keys.Card), state.Keys.SigningPublicPem, Broker(),
            invited.Replaces is null ? null : state.Store.Read(store => Replacement.BoardOf(store, state, invited.Node)));
    }

    /// <summary>The name for people of a node that a spare board can replace.</summary>
    private string Replaced(string id, string why)
    {
        if (string.IsNullOrWhiteSpace(why)) throw new InputException("reason", "it is missing", "say why the board is replaced");
        return state.Store.Read(store =>
        {
            var name = store.One("select name from nodes where id = $id", row => row.GetString(0), ("$id", id))
                ?? throw new InputException("id", $"no node is called {id}", "choose one of the enrolled nodes");
            if (Replacement.BoardOf(store, state, id) is null) throw new InputException("id", $"no board file of {id} is kept here", "enrol the new board with its own board file, without --replace");
            return name;
        });
    }

    private BrokerAddress Broker() => state.Configuration.Broker is { Kind: "external" } other
        ? new(other.Host, other.Port)
        : new(state.Configuration.Names[0], link.Port == 0 ? state.Configuration.Broker.Port : link.Port);

    private string Address()
    {
        var (host, port, scheme) = (state.Configuration.Names[0], Console?.Port ?? state.Configuration.Console.Port, state.Configuration.Console.IsSecure ? "https" : "http");
        return string.Create(CultureInfo.InvariantCulture, $"{scheme}://{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{port}/enroll");
    }

    private static Invited? Find(SqliteConnection store, string hash) => store.One(
        "select node, name, expires_at, used_by, replaces, made_by from invitations where hash = $hash",
        row => new Invited(row.GetString(0), row.GetString(1), Rows.FromStored(row.GetInt64(2)), row.Text("used_by"), row.Text("replaces"), row.Text("made_by")),
        ("$hash", hash));

    private static PublicKey KeyOf(string? request)
    {
        try
        {
            // Loading verifies the request's own signature: whoever sends it holds the private key.
            var read = CertificateRequest.LoadSigningRequestPem(request ?? "", HashAlgorithmName.SHA256);
            using var key = read.PublicKey.GetECDsaPublicKey();
            if (key?.ExportParameters(false).Curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value) return read.PublicKey;
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            // Said below.
        }

        throw new InputException("request", "it is no PKCS #10 request signed by a P-256 key", "send one in PEM, as physsec-node enroll makes it");
    }

    private static string Plain(string? code) => new([.. (code ?? "").ToLowerInvariant().Where(char.IsAsciiLetterOrDigit)]);

    private static string Grouped(string secret) => string.Join('-', secret.Chunk(5).Select(it => new string(it)));

    private static string Hash(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    private sealed record Invited(string Node, string Name, DateTimeOffset ExpiresAt, string? UsedBy, string? Replaces, string? MadeBy);
}
