using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Fleet;

/// <summary>A node as the console shows it. State is online, degraded, updating, offline, lost, never-seen or revoked.</summary>
public sealed record NodeView(
    string Id, string Name, string State, DateTimeOffset? Since, DateTimeOffset? LastSeen, DateTimeOffset EnrolledAt, DateTimeOffset? RevokedAt, long Epoch,
    string? Firmware, string? Board, bool Simulated, long ThroughAccess, long ThroughMeasurements, long? PolicyVersion, long? PolicyInForce,
    NodeHealth? Health, IReadOnlyList<string> Faults, IReadOnlyList<DoorDescription> Doors, IReadOnlyList<PointDescription> Points);

/// <summary>What ingest needs of a node.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Thumbprint">SHA-256 of the certificate in use.</param>
/// <param name="Key">Signs its batches.</param>
/// <param name="Epoch">The last one issued.</param>
/// <param name="Revoked">It may not connect.</param>
/// <param name="NotAfter">End of the certificate in use.</param>
/// <param name="Next">SHA-256 of the renewed certificate that it has yet to take up.</param>
public sealed record EnrolledNode(NodeId Id, string Thumbprint, ECDsa Key, long Epoch, bool Revoked, DateTimeOffset NotAfter, string? Next = null);

/// <summary>The enrolled nodes: their certificates, epochs and last known state.</summary>
public sealed class Nodes : IDisposable
{
    private readonly HubHome _state;
    private readonly TimeProvider _clock;
    private readonly ConcurrentDictionary<NodeId, EnrolledNode> _enrolled = new();
    private readonly ConcurrentDictionary<NodeId, (DateTimeOffset At, long Stamp)> _lastSeen = new();

    public Nodes(HubHome state, TimeProvider clock)
    {
        (_state, _clock) = (state, clock);
        foreach (var it in state.Store.Read(store => store.Query("select id, thumbprint, certificate, epoch, revoked_at, next_thumbprint from nodes", row => new EnrolledNode(
            new NodeId(row.GetString(0)), row.GetString(1), KeyOf(row.GetString(2)), row.GetInt64(3), !row.IsDBNull(4), EndOf(row.GetString(2)), row.IsDBNull(5) ? null : row.GetString(5)))))
            _enrolled[it.Id] = it;
    }

    /// <summary>Something that the node page shows has changed.</summary>
    public event Action? Changed;

    /// <summary>A node has said what it is: it is connected now.</summary>
    public event Action<NodeId>? Born;

    /// <summary>A node that may take part was revoked; the broker ends its session.</summary>
    public event Action<NodeId>? Revoked;

    public IReadOnlyList<NodeId> Active => [.. _enrolled.Values.Where(it => !it.Revoked).Select(it => it.Id)];

    public bool MayConnect(NodeId node, string thumbprint) =>
        _enrolled.TryGetValue(node, out var it) && !it.Revoked && (it.Thumbprint == thumbprint || it.Next == thumbprint);

    /// <summary>Whether a node has this name, revoked or not.</summary>
    public bool Knows(NodeId node) => _enrolled.ContainsKey(node);

    public EnrolledNode? Find(NodeId node) => _enrolled.GetValueOrDefault(node) is { Revoked: false } it ? it : null;

    public DateTimeOffset? LastSeen(NodeId node) => _lastSeen.TryGetValue(node, out var it) ? it.At : null;

    /// <summary>How long it has said nothing, by the monotonic clock; null when it has not been heard since the hub's start.</summary>
    public TimeSpan? SilentFor(NodeId node) => _lastSeen.TryGetValue(node, out var it) ? _clock.GetElapsedTime(it.Stamp) : null;

    public void Seen(NodeId node) => _lastSeen[node] = (_clock.GetUtcNow(), _clock.GetTimestamp());

    /// <summary>Certificate and epoch for a new node's key, or for a known node's whose old certificate ends with it.</summary>
    /// <param name="actor">Who let it in.</param>
    /// <param name="id">1–32 of a–z, 0–9 and -.</param>
    /// <param name="name">For people; null: the id.</param>
    /// <param name="key">Made on the board, P-256; its private half never leaves it.</param>
    /// <param name="also">Belongs to the same transaction, first; throws to call it off.</param>
    public async Task<(long Epoch, string CertificatePem)> EnrolAsync(Actor actor, string id, string? name, PublicKey key, Action<Microsoft.Data.Sqlite.SqliteConnection>? also = null)
    {
        CheckName(id);
        var now = _clock.GetUtcNow();
        var node = new NodeId(id);
        using var certificate = _state.Authority.Certify(key, id, Kinds.Node, now);
        var (pem, thumbprint) = (certificate.ExportCertificatePem(), certificate.GetCertHashString(HashAlgorithmName.SHA256));
        var epoch = await _state.Store.WriteAsync(store =>
        {
            also?.Invoke(store);
            var next = store.Number("select epoch from nodes where id = $id", ("$id", id)) + 1;
            store.Execute(
                """
                insert into nodes (id, name, thumbprint, certificate, epoch, enrolled_at) values ($id, $name, $thumbprint, $certificate, $epoch, $at)
                on conflict do update set name = $name, thumbprint = $thumbprint, certificate = $certificate, epoch = $epoch, enrolled_at = $at, revoked_at = null, state = 'never-seen',
                  next_thumbprint = null, next_certificate = null
                """,
                ("$id", id), ("$name", name ?? id), ("$thumbprint", thumbprint), ("$certificate", pem), ("$epoch", next), ("$at", now));
            Records.Act(store, new Act(actor, "node.enrolled", id, null, null, new JsonObject
            {
                ["name"] = name ?? id,
                ["epoch"] = next,
                ["thumbprint"] = thumbprint,
                ["certificate"] = pem,
            }), now);
            return next;
        });
        var known = _enrolled.ContainsKey(node);
        _enrolled[node] = new EnrolledNode(node, thumbprint, KeyOf(pem), epoch, false, EndOf(pem));
        if (known) Revoked?.Invoke(node); // The session of the old certificate ends.
        Changed?.Invoke();
        return (epoch, pem);
    }

    /// <exception cref="InputException">No node can have this name.</exception>
    public static void CheckName(string? id)
    {
        if (!Names.IsPlain(id)) throw new InputException("id", $"\"{id}\" is no name", "use 1–32 of a–z, 0–9 and -");
        if (id == Kinds.Hub) throw new InputException("id", "\"hub\" is the hub's own name", "choose another");
    }

    public async Task RevokeAsync(Actor actor, string id, string? reason)
    {
        if (string.IsNullOrWhiteSpace(reason)) throw new InputException("reason", "it is missing", "say why the node is revoked");
        if (!_enrolled.TryGetValue(new NodeId(id), out var node)) throw new InputException("id", $"no node is called {id}", "choose one of the enrolled nodes");
        var now = _clock.GetUtcNow();
        await _state.Store.WriteAsync(store =>
        {
            store.Execute("update nodes set revoked_at = $at, state = 'revoked', since = $at where id = $id", ("$id", id), ("$at", now));
            Records.Act(store, new Act(actor, "node.revoked", id, reason), now);
        });
        _enrolled[node.Id] = node with { Revoked = true };
        Revoked?.Invoke(node.Id);
        Changed?.Invoke();
    }

    /// <summary>Nodes whose certificate ends before this.</summary>
    public IReadOnlyList<EnrolledNode> EndingBefore(DateTimeOffset time) => [.. _enrolled.Values.Where(it => !it.Revoked && it.NotAfter < time)];

    /// <summary>A certificate with a new end for the same key; the old one stays good until the node has taken this one up.</summary>
    public async Task RenewAsync(NodeId id)
    {
        if (Find(id) is not { } node) return;
        var now = _clock.GetUtcNow();
        using var certificate = _state.Authority.Certify(new PublicKey(node.Key), id.Value, Kinds.Node, now);
        var (pem, thumbprint) = (certificate.ExportCertificatePem(), certificate.GetCertHashString(HashAlgorithmName.SHA256));
        await _state.Store.WriteAsync(store =>
        {
            store.Execute("update nodes set next_thumbprint = $thumbprint, next_certificate = $certificate where id = $id", ("$thumbprint", thumbprint), ("$certificate", pem), ("$id", id.Value));
            Records.Act(store, new Act(Actor.System, "node.certificate-renewed", id.Value, null, null, new JsonObject
            {
                ["thumbprint"] = thumbprint,
                ["notAfter"] = EndOf(pem).ToString("O"),
                ["certificate"] = pem,
            }), now);
        });
        _enrolled.AddOrUpdate(id, node with { Next = thumbprint }, (_, it) => it with { Next = thumbprint });
    }

    /// <summary>The renewed certificate that a node has yet to take up, in PEM.</summary>
    public string? NextCertificate(NodeId id) => Find(id)?.Next is null ? null : _state.Store.Read(store => store.One(
        "select next_certificate from nodes where id = $id", it => it.IsDBNull(0) ? "" : it.GetString(0), ("$id", id.Value))) is { Length: > 0 } pem ? pem : null;

    /// <summary>The node cannot prove continuity: what it writes from now on belongs to a new epoch.</summary>
    /// <param name="node">Which.</param>
    /// <param name="why">One sentence.</param>
    /// <param name="above">An epoch that the node has had: a hub from a backup may not know that it was issued.</param>
    /// <param name="also">Done in the same transaction.</param>
    public async Task<long> NextEpochAsync(NodeId node, string why, long above = 0, Action<SqliteConnection>? also = null)
    {
        var now = _clock.GetUtcNow();
        var epoch = await _state.Store.WriteAsync(store =>
        {
            var next = Math.Max(store.Number("select epoch from nodes where id = $id", ("$id", node.Value)), above) + 1;
            store.Execute("update nodes set epoch = $epoch where id = $id", ("$id", node.Value), ("$epoch", next));
            Records.Act(store, new Act(Actor.System, "node.new-epoch", node.Value, why, null, new JsonObject { ["epoch"] = next }), now);
            also?.Invoke(store);
            return next;
        });
        if (_enrolled.TryGetValue(node, out var it)) _enrolled[node] = it with { Epoch = epoch };
        return epoch;
    }

    public async Task BornAsync(NodeId node, Birth birth, string json)
    {
        var takenUp = birth.Certificate is { } used && Find(node)?.Next == used;
        await ChangeAsync(node, store =>
        {
            store.Execute("update nodes set birth = $birth where id = $id", ("$birth", json), ("$id", node.Value));
            if (!takenUp) return;
            store.Execute(
                "update nodes set thumbprint = next_thumbprint, certificate = next_certificate, next_thumbprint = null, next_certificate = null where id = $id and next_thumbprint = $used",
                ("$id", node.Value), ("$used", birth.Certificate));
        });
        if (takenUp && _state.Store.Read(store => store.One("select certificate from nodes where id = $id", it => it.GetString(0), ("$id", node.Value))) is { } pem
            && _enrolled.TryGetValue(node, out var before))
            _enrolled[node] = before with { Thumbprint = birth.Certificate!, NotAfter = EndOf(pem), Next = null };
        Born?.Invoke(node);
    }

    /// <summary>Stores a state message. Returns the state before.</summary>
    public async Task<string> StateAsync(NodeId node, NodeState state, string json)
    {
        var now = _clock.GetUtcNow();
        var before = "";
        await ChangeAsync(node, store =>
        {
            before = store.One("select state from nodes where id = $id", it => it.GetString(0), ("$id", node.Value)) ?? "never-seen";
            store.Execute(
                "update nodes set state = $state, since = case when state = $state then since else $at end, last_seen = $at, health = $health where id = $id and revoked_at is null",
                ("$state", state.State), ("$at", now), ("$health", json), ("$id", node.Value));
        });
        return before;
    }

    public Birth? BirthOf(NodeId node) => _state.Store.Read(store =>
        store.One("select birth from nodes where id = $id", it => it.IsDBNull(0) ? "" : it.GetString(0), ("$id", node.Value))) is { Length: > 0 } json
        ? JsonSerializer.Deserialize(json, WireJson.Plain.Birth) : null;

    public IReadOnlyList<NodeView> List() => _state.Store.Read(store => store.Query(
        """
        select n.*, (select max(version) from policies where node = n.id) as pushed,
          (select max(version) from policies where node = n.id and in_force_at is not null) as in_force,
          (select through from streams where source = n.id and epoch = n.epoch and stream = 'a') as through_a,
          (select through from streams where source = n.id and epoch = n.epoch and stream = 'm') as through_m
        from nodes n order by id
        """,
        row =>
        {
            var birth = row.Text("birth") is { } json ? JsonSerializer.Deserialize(json, WireJson.Plain.Birth) : null;
            var state = row.Text("health") is { } health ? JsonSerializer.Deserialize(health, WireJson.Plain.NodeState) : null;
            var revoked = row.Time("revoked_at");
            return new NodeView(
                row.Text("id")!, row.Text("name")!, revoked is null ? row.Text("state")! : "revoked", row.Time("since"),
                LastSeen(new NodeId(row.Text("id")!)) ?? row.Time("last_seen"), row.Time("enrolled_at")!.Value, revoked, row.Whole("epoch"),
                birth?.Firmware, birth?.Board, birth?.Simulated ?? false, Number(row, "through_a") ?? 0, Number(row, "through_m") ?? 0,
                Number(row, "pushed"), Number(row, "in_force"), state?.Health, state?.Faults ?? [], birth?.Doors ?? [], birth?.Points ?? []);
        }));

    public void Dispose()
    {
        foreach (var it in _enrolled.Values) it.Key.Dispose();
    }

    private static long? Number(Microsoft.Data.Sqlite.SqliteDataReader row, string column) =>
        row.GetOrdinal(column) is var i && row.IsDBNull(i) ? null : row.GetInt64(i);

    private static ECDsa KeyOf(string pem)
    {
        using var certificate = X509Certificate2.CreateFromPem(pem);
        return certificate.GetECDsaPublicKey() ?? throw new CryptographicException("the node's certificate has no ECDSA key");
    }

    private static DateTimeOffset EndOf(string pem)
    {
        using var certificate = X509Certificate2.CreateFromPem(pem);
        return new DateTimeOffset(certificate.NotAfter.ToUniversalTime(), TimeSpan.Zero);
    }

    private async Task ChangeAsync(NodeId node, Action<Microsoft.Data.Sqlite.SqliteConnection> work)
    {
        Seen(node);
        await _state.Store.WriteAsync(work);
        Changed?.Invoke();
    }
}
