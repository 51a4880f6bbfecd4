using Microsoft.Data.Sqlite;
using PhysSec.Core.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>A door; times in seconds, limits and what interlock and guard mean as in <see cref="DoorPolicy"/>. Lockdown is set by a command alone (<see cref="Fleet.DoorCommands.LockdownAsync"/>).</summary>
public sealed record DoorSettings(
    string Id, string Node, string Zone, string NameJa, string NameEn, double ReleaseTime, double ExtendedReleaseTime, double OpenTime, double PreAlarmTime,
    Assurance ReaderAssurance, AssuranceException? Exception = null, bool Lockdown = false,
    string? Interlock = null, InterlockRule InterlockRule = InterlockRule.OneUnlocked, GuardRule Guard = GuardRule.Refuse)
{
    internal DoorPolicy Policy => new(
        new(Id), new(Zone), Lockdown, ReleaseTime, ExtendedReleaseTime, OpenTime, PreAlarmTime, ReaderAssurance, Exception, Interlock, InterlockRule, Guard);
}

public sealed class Doors(Store store, TimeProvider time, PolicySignal changed)
{
    public IReadOnlyList<DoorSettings> List() => store.Read(All);

    public DoorSettings? Get(string id) => List().FirstOrDefault(it => it.Id == id);

    /// <exception cref="InputException">A field is out of its limits, or the node or the zone does not exist.</exception>
    public async Task PutAsync(Actor actor, DoorSettings door, string? reason = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(door);
        var named = door with { Id = Input.Name("id", door.Id), NameJa = Input.Filled("nameJa", door.NameJa), NameEn = Input.Filled("nameEn", door.NameEn), Interlock = string.IsNullOrWhiteSpace(door.Interlock) ? null : Input.Name("interlock", door.Interlock) };
        await store.WriteAsync(it =>
        {
            NeedNode(it, named.Node);
            var others = All(it);
            var before = others.FirstOrDefault(old => old.Id == named.Id);
            others.RemoveAll(old => old.Id == named.Id);
            var put = named with { Lockdown = before?.Lockdown ?? false };
            if (put.Interlock is { } group && others.FirstOrDefault(other => other.Interlock == group && other.Node != put.Node) is { } far)
                throw new InputException("interlock", $"{group} has {far.Id} of node {far.Node} in it, and an interlock works within one node", "Use another name, or connect both doors to one node");
            Input.Check(zones: [.. Zones.All(it).Select(zone => zone.Policy)], doors: [put.Policy, .. others.Where(other => other.Node == put.Node).Select(other => other.Policy)]);
            if (put.Exception is { } exception && exception != before?.Exception && exception.Expires <= time.GetUtcNow())
                throw new InputException("exception.expires", "it is past", "Give a day to come, or leave the exception out");
            it.Execute(
                "insert into doors (id, node, zone, body) values ($id, $node, $zone, $body) on conflict (id) do update set node = $node, zone = $zone, body = $body",
                ("$id", put.Id), ("$node", put.Node), ("$zone", put.Zone), ("$body", AccessJson.Text(put with { Lockdown = false })));
            Records.Act(it, new Act(actor, "door.put", put.Id, reason, AccessJson.Node(before), AccessJson.Node(put), Door: put.Id), time.GetUtcNow());
        }, cancel);
        changed.Raise();
    }

    internal static List<DoorSettings> All(SqliteConnection store) => store.Query(
        "select body, lockdown from doors order by id", it => AccessJson.Read<DoorSettings>(it.GetString(0)) with { Lockdown = it.GetInt64(1) != 0 });

    internal static void NeedNode(SqliteConnection store, string node)
    {
        if (store.Number("select count(*) from nodes where id = $id and revoked_at is null", ("$id", node)) == 0) Input.Missing("node", "node", node);
    }
}
