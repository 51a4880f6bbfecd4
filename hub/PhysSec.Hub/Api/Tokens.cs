using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using PhysSec.Core;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Api;

/// <summary>A program's token as people see it; the token itself is shown once, when it is made.</summary>
public sealed record TokenView(string Name, string Role, bool MayRelease, DateTimeOffset ExpiresAt);

/// <summary>
/// Tokens for programs. Only hashes are stored. They are made at the hub's own command line alone: a token outlives a session, asks for no second
/// factor, and an administrator alone makes no auditor.
/// </summary>
public sealed class Tokens(Store store, TimeProvider clock)
{
    public const int HoursMax = 8760;

    /// <summary>Makes a token and returns it, the only time that it can be seen.</summary>
    /// <exception cref="InputException">A field is wrong, or the actor may not make such a token.</exception>
    public async Task<string> MakeAsync(Actor actor, string? name, string? role, int hours, bool mayRelease)
    {
        if (!Names.IsPlain(name)) throw new InputException("name", $"\"{name}\" is no name", "use 1–32 of a–z, 0–9 and -");
        if (role is not ("administrator" or "operator" or "auditor" or HubApi.W)) throw new InputException("role", $"\"{role}\" is unknown", "use administrator, operator, auditor or witness");
        if (hours is < 1 or > HoursMax) throw new InputException("hours", string.Create(CultureInfo.InvariantCulture, $"{hours} is out of range"), $"use 1–{HoursMax}");
        if (!actor.AtTheMachine) throw new InputException("role", "a token outlives its maker's session, second factor and account", "use physsec-hub token at the hub's machine");
        var now = clock.GetUtcNow();
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        await store.WriteAsync(it =>
        {
            if (it.Number("select count(*) from tokens where name = $name", ("$name", name)) > 0) throw new InputException("name", $"a token is called {name} already", "choose another");
            it.Execute(
                "insert into tokens (name, hash, role, may_release, expires_at) values ($name, $hash, $role, $release, $expires)",
                ("$name", name), ("$hash", Hash(token)), ("$role", role), ("$release", mayRelease), ("$expires", now.AddHours(hours)));
            Records.Act(it, new Act(actor, "token.made", name, null, null, new JsonObject { ["role"] = role, ["hours"] = hours, ["mayRelease"] = mayRelease }), now);
        });
        return token;
    }

    /// <exception cref="InputException">No reason, no such token, or an auditor's.</exception>
    public Task RemoveAsync(Actor actor, string name, string? reason)
    {
        if (string.IsNullOrWhiteSpace(reason)) throw new InputException("reason", "it is missing", "say why the token ends");
        return store.WriteAsync(it =>
        {
            var role = it.One("select role from tokens where name = $name", row => row.GetString(0), ("$name", name))
                ?? throw new InputException("name", $"no token is called {name}", "choose one of the list");
            if (!actor.AtTheMachine && role is "auditor" or HubApi.W) throw new InputException("name", "an administrator alone ends no auditor and no witness", "wait until it expires");
            it.Execute("delete from tokens where name = $name", ("$name", name));
            Records.Act(it, new Act(actor, "token.removed", name, reason), clock.GetUtcNow());
        });
    }

    public IReadOnlyList<TokenView> List() => store.Read(it => it.Query(
        "select name, role, may_release, expires_at from tokens order by name",
        row => new TokenView(row.Text("name")!, row.Text("role")!, row.Flag("may_release"), row.Time("expires_at")!.Value)));

    /// <summary>Null when nobody has such a token.</summary>
    public TokenView? Find(string token) => store.Read(it => it.One(
        "select name, role, may_release, expires_at from tokens where hash = $hash",
        row => new TokenView(row.Text("name")!, row.Text("role")!, row.Flag("may_release"), row.Time("expires_at")!.Value), ("$hash", Hash(token))));

    // 256 random bits need no slow hash.
    private static string Hash(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
