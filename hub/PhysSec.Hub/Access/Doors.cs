using Microsoft.Data.Sqlite;
using PhysSec.Core.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>A door; times in seconds, limits as in <see cref="DoorPolicy"/>. Lockdown is set by <see cref="Doors.SetLockdownAsync"/> alone.</summary>
public sealed record DoorSettings(
    string Id, string Node, string Zone, string NameJa, string NameEn, double ReleaseTime, double ExtendedReleaseTime, double OpenTime, double PreAlarmTime,
    Assurance ReaderAssurance, AssuranceException? Exception = null, bool Lockdown = false)
{
    internal DoorPolicy Policy => new(new(Id), new(Zone), Lockdown, ReleaseTime, ExtendedReleaseTime, OpenTime, PreAlarmTime, ReaderAssurance, Exception);
}

public sealed class Doors(Store store, TimeProvider time, PolicySignal changed)
{
    public IReadOnlyList<DoorSettings> List() => store.Read(All);

    public DoorSettings? Get(string id) => List().FirstOrDefault(it => it.Id == id);

    /// <exception cref="InputException">A field is out of its limits, or the node or the zone does not exist.</exception>
    public async Task PutAsync(Actor actor, DoorSettings door, string? reason = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(door);
        var named = door with { Id = Input.Name("id", door.Id), NameJa = Input.Filled("nameJa", door.NameJa), NameEn = Input.Filled("nameEn", door.NameEn) };
        await store.WriteAsync(it =>
        {
            NeedNode(it, named.Node);
            var before = All(it).FirstOrDefault(old => old.Id == named.Id);
            var put = named with { Lockdown = before?.Lockdown ?? false };
            Input.Check(zones: [.. Zones.All(it).Select(zone => zone.Policy)], doors: [put.Policy]);
            if (put.Exception is { } exception && exception != before?.Exception && exception.Expires <= time.GetUtcNow())
                throw new InputException("exception.expires", "it is past", "Give a day to come, or leave the exception out");
            it.Execute(
                "insert into doors (id, node, zone, body) values ($id, $node, $zone, $body) on conflict (id) do update set node = $node, zone = $zone, body = $body",
                ("$id", put.Id), ("$node", put.Node), ("$zone", put.Zone), ("$body", AccessJson.Text(put with { Lockdown = false })));
            Records.Act(it, new Act(actor, "door.put", put.Id, reason, AccessJson.Node(before), AccessJson.Node(put), Door: put.Id), time.GetUtcNow());
        }, cancel);
        changed.Raise();
    }

    /// <summary>Entry refused to everybody; leaving stays free. The flag reaches the node with its next policy, also after a restart.</summary>
    /// <exception cref="InputException">The door does not exist, or no reason is given.</exception>
    public async Task SetLockdownAsync(Actor actor, string door, bool on, string reason, CancellationToken cancel = default)
    {
        var why = Input.Filled("reason", reason);
        await store.WriteAsync(it =>
        {
            var before = All(it).FirstOrDefault(old => old.Id == door);
            if (before is null) Input.Missing("door", "door", door);
            it.Execute("update doors set lockdown = $on where id = $id", ("$on", on), ("$id", door));
            Records.Act(it, new Act(actor, on ? "door.lockdown" : "door.lockdown-ended", door, why, Door: door), time.GetUtcNow());
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
