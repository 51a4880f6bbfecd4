using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hub.Alarms;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>Takes a policy message to a node, or throws when it cannot.</summary>
public delegate Task PolicySender(NodeId node, PolicyMessage message, CancellationToken cancel);

/// <summary>A version of a node's policy as the store holds it. Body is its exact text, empty for an old one of which only the hash is kept.</summary>
public sealed record PolicyRow(long Version, string Hash, string Body, DateTimeOffset IssuedAt, DateTimeOffset? InForceAt);

/// <summary>
/// Owns the numbering of every node's policy. Changes that come together make one version; a version whose content is the old one's is not made. Nodes that are
/// online hear every minute that their policy still holds, unless the newest rules cannot be made into one: that is an alarm, and the old policy is left to its age.
/// </summary>
public sealed partial class PolicyPublisher(
    Store store, TimeProvider time, SiteKeys keys, HubConfiguration configuration, PolicySignal changed, AlarmBoard alarms, ILogger<PolicyPublisher> log) : BackgroundService
{
    /// <summary>Changes within this time make one version.</summary>
    public static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(100);

    /// <summary>How often an online node hears that its policy holds.</summary>
    public static readonly TimeSpan Confirming = TimeSpan.FromSeconds(60);

    /// <summary>So many of the newest are kept whole, and the one in force; of the others only the hash.</summary>
    public const int KeptWhole = 10;

    private const string LastInForce = "node = $node and in_force_at is not null order by in_force_at desc, version desc limit 1";

    private readonly Channel<bool> _requests = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly SemaphoreSlim _one = new(1);
    private readonly HashSet<NodeId> _unmade = []; // Whose policy does not say what the rules say; guarded by _one.
    private readonly SiteId _site = new(configuration.Site);

    /// <summary>Set once by whoever holds the broker's connection; before that versions are made and stored, and sent at the node's birth.</summary>
    public PolicySender? Sender { get; set; }

    /// <summary>Has every node's policy compiled anew, soon.</summary>
    public void RequestAll() => _requests.Writer.TryWrite(true);

    /// <summary>The newest version of a node's policy; null before the first.</summary>
    public PolicyRow? Newest(NodeId node) => store.Read(it => Newest(it, node));

    /// <summary>The version that the node last said it obeys; null when it has said nothing yet.</summary>
    public PolicyRow? InForce(NodeId node) => store.Read(it => it.One(
        $"select * from policies where {LastInForce}", Row, ("$node", node.Value)));

    /// <summary>Notes that the node obeys this version (its record says so); one that says so once more, without having been enrolled anew, has obeyed it all the time.</summary>
    public static void MarkInForce(SqliteConnection store, NodeId node, long version, DateTimeOffset at) => store.Execute(
        $"""
        update policies set in_force_at = $at where node = $node and version = $version and not (
          version is (select version from policies where {LastInForce}) and in_force_at >= (select enrolled_at from nodes where id = $node))
        """,
        ("$at", at), ("$node", node.Value), ("$version", version));

    /// <summary>A node obeys a newer policy (first) than this hub knows (second): the hub's store was set back. Null for the second: an administrator has let it go on.</summary>
    public event Action<NodeId, long, long?>? Ahead;

    /// <summary>At a node's birth: confirms the version it obeys, or sends the newest.</summary>
    /// <param name="node">The node that came.</param>
    /// <param name="versionInForce">What it says; 0 for none. Above the newest, the hub's store was set back: cards that were revoked since would work again, so nothing is sent.</param>
    /// <param name="cancel">Ends the sending.</param>
    public async Task ResendAsync(NodeId node, long versionInForce, CancellationToken cancel)
    {
        await _one.WaitAsync(cancel);
        try
        {
            var known = Newest(node)?.Version ?? 0;
            if (versionInForce > known)
            {
                await store.WriteAsync(it => it.Execute("update nodes set policy_ahead = $version where id = $id", ("$version", versionInForce), ("$id", node.Value)), cancel);
                Ahead?.Invoke(node, versionInForce, known);
                return;
            }

            if (await TryRenewAsync(node, versionInForce, cancel) is { } it) await SendAsync(node, it.Policy, whole: it.Policy.Version != versionInForce, cancel);
            else if (Newest(node) is { } old && old.Version > versionInForce) await SendAsync(node, old, whole: true, cancel);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>An administrator has looked at what the backup lacks (cards lost or revoked since): the node is given this hub's policy, under a higher number.</summary>
    /// <exception cref="InputException">No reason, no such node, or it waits for nothing.</exception>
    public async Task ReleaseAsync(Actor actor, string id, string? reason)
    {
        if (string.IsNullOrWhiteSpace(reason)) throw new InputException("reason", "it is missing", "say that the cards and rights were compared with what was changed since the backup");
        var node = new NodeId(id);
        var now = time.GetUtcNow();
        var ahead = await store.WriteAsync(it =>
        {
            var version = it.Number("select policy_ahead from nodes where id = $id", ("$id", id));
            if (version == 0) throw new InputException("id", $"{id} is no node whose policy is newer than this hub's", "choose the one that the alarm names");
            it.Execute("update nodes set policy_ahead = null where id = $id", ("$id", id));
            Records.Act(it, new Act(actor, "policy.released", id, reason), now);
            return version;
        });
        await _one.WaitAsync();
        try
        {
            if (await RenewAsync(node, ahead, CancellationToken.None) is { } newest) await TrySendAsync(node, newest.Policy, whole: true, CancellationToken.None);
        }
        finally
        {
            _one.Release();
        }

        Ahead?.Invoke(node, ahead, null);
    }

    /// <summary>Compiles for every enrolled node and sends what is new.</summary>
    public async Task PublishAllAsync(CancellationToken cancel)
    {
        await _one.WaitAsync(cancel);
        try
        {
            var nodes = Nodes("revoked_at is null and policy_ahead is null");
            _unmade.UnionWith(nodes);
            foreach (var node in nodes)
            {
                if (await TryRenewAsync(node, 0, cancel) is { Made: true } made) await TrySendAsync(node, made.Policy, whole: true, cancel);
            }

            foreach (var gone in Nodes("revoked_at is not null")) await alarms.ClearAsync(AlarmClasses.PolicyNotMade, gone.Value);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Tells every online node that its policy holds; one that never took the newest gets it again.</summary>
    public async Task ConfirmAllAsync(CancellationToken cancel)
    {
        await _one.WaitAsync(cancel);
        try
        {
            foreach (var node in Nodes("revoked_at is null and policy_ahead is null and state in ('online', 'degraded')"))
            {
                if (!_unmade.Contains(node) && Newest(node) is { } newest) await TrySendAsync(node, newest, whole: newest.InForceAt is null, cancel);
            }
        }
        finally
        {
            _one.Release();
        }
    }

    public override void Dispose()
    {
        _one.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        changed.Raised += RequestAll;
        RequestAll();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        Task[] loops = [PublishLoopAsync(end.Token), ConfirmLoopAsync(end.Token)];
        try
        {
            await await Task.WhenAny(loops); // When one fails the service fails and the host stops: nobody goes on confirming what nobody renews.
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The hub stops.
        }
        finally
        {
            changed.Raised -= RequestAll;
            await end.CancelAsync();
            await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task PublishLoopAsync(CancellationToken cancel)
    {
        await foreach (var _ in _requests.Reader.ReadAllAsync(cancel))
        {
            await Task.Delay(Gathering, time, cancel);
            _requests.Reader.TryRead(out var _);
            try
            {
                await PublishAllAsync(cancel);
            }
            catch (SqliteException fault)
            {
                StoreFault(log, fault); // The next minute tries again.
            }
        }
    }

    private async Task ConfirmLoopAsync(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(Confirming, time);
        while (await timer.WaitForNextTickAsync(cancel))
        {
            RequestAll(); // The year may have changed, or the last attempt failed.
            try
            {
                await ConfirmAllAsync(cancel);
            }
            catch (SqliteException fault)
            {
                StoreFault(log, fault);
            }
        }
    }

    // Null: it cannot be made, whatever the reason, which is an alarm and keeps nothing from the other nodes.
    private async Task<(PolicyRow Policy, bool Made)?> TryRenewAsync(NodeId node, long least, CancellationToken cancel)
    {
        _unmade.Add(node);
        try
        {
            var it = await RenewAsync(node, least, cancel);
            _unmade.Remove(node);
            await alarms.ClearAsync(AlarmClasses.PolicyNotMade, node.Value);
            return it;
        }
        catch (Exception fault) when (fault is not (SqliteException or OperationCanceledException or OutOfMemoryException))
        {
            var said = fault is PolicyException ? fault.Message : $"{fault.GetType().Name}: {fault.Message}";
            NotCompiled(log, node, said);
            await alarms.RaiseAsync(AlarmClasses.PolicyNotMade, node.Value, node, said);
            return null;
        }
    }

    // The newest version, made now if the content has changed or the node is ahead of the store.
    private async Task<(PolicyRow Policy, bool Made)> RenewAsync(NodeId node, long least, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var (newest, policy) = store.Read(it => (Newest(it, node), PolicyCompiler.Compile(it, node, 1, now, _site, configuration.TimeZone)));
        if (newest is not null && newest.Version >= least && Same(policy, newest)) return (newest, false);

        var version = Math.Max(newest?.Version ?? 0, least) + 1;
        var body = Body(policy with { Version = version });
        var made = new PolicyRow(version, Signing.PolicyHash(body), body, now, null);
        await store.WriteAsync(it =>
        {
            it.Execute(
                "insert into policies (node, version, hash, body, issued_at) values ($node, $version, $hash, $body, $at)",
                ("$node", node.Value), ("$version", version), ("$hash", made.Hash), ("$body", body), ("$at", now));
            it.Execute(
                $"""
                update policies set body = '' where node = $node and body <> ''
                  and version not in (select version from policies where node = $node order by version desc limit $kept)
                  and version not in (select version from policies where {LastInForce})
                """,
                ("$node", node.Value), ("$kept", KeptWhole));
            Records.Act(it, new Act(Actor.System, "policy.issued", node.Value, null, null, new JsonObject { ["version"] = version, ["hash"] = made.Hash }), now);
        }, cancel);
        return (made, true);
    }

    private async Task TrySendAsync(NodeId node, PolicyRow policy, bool whole, CancellationToken cancel)
    {
        try
        {
            await SendAsync(node, policy, whole, cancel);
        }
        catch (Exception fault) when (fault is not OperationCanceledException || !cancel.IsCancellationRequested)
        {
            NotSent(log, node, policy.Version, fault.Message); // Its birth or the next minute sends it again.
        }
    }

    private Task SendAsync(NodeId node, PolicyRow policy, bool whole, CancellationToken cancel)
    {
        if (Sender is not { } send) return Task.CompletedTask;
        var message = new PolicyMessage(policy.Version, null, policy.Hash, time.GetUtcNow(), whole ? policy.Body : null, "");
        return send(node, message with { Signature = Signing.Sign(keys.Signing, Signing.PolicyText(_site, node, message)) }, cancel);
    }

    private List<NodeId> Nodes(string where) => store.Read(it => it.Query($"select id from nodes where {where} order by id", row => new NodeId(row.GetString(0))));

    private static string Body(Policy policy) => JsonSerializer.Serialize(policy, WireJson.Plain.Policy);

    private static bool Same(Policy policy, PolicyRow newest)
    {
        try
        {
            var issuedAt = JsonSerializer.Deserialize(newest.Body, WireJson.Plain.Policy)!.IssuedAt;
            return Body(policy with { Version = newest.Version, IssuedAt = issuedAt }) == newest.Body;
        }
        catch (JsonException)
        {
            return false; // Written by another release: what this one cannot read it makes anew, or fails to make.
        }
    }

    private static PolicyRow? Newest(SqliteConnection store, NodeId node) =>
        store.One("select * from policies where node = $node order by version desc limit 1", Row, ("$node", node.Value));

    private static PolicyRow Row(SqliteDataReader it) =>
        new(it.Whole("version"), it.Text("hash")!, it.Text("body")!, it.Time("issued_at")!.Value, it.Time("in_force_at"));

    [LoggerMessage(Level = LogLevel.Error, Message = "The policy of {Node} cannot be made; its old one stays until it is too old: {Fault}")]
    private static partial void NotCompiled(ILogger log, NodeId node, string fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Policy {Version} did not reach {Node}: {Fault}")]
    private static partial void NotSent(ILogger log, NodeId node, long version, string fault);

    [LoggerMessage(Level = LogLevel.Error, Message = "The store refused while policies were made")]
    private static partial void StoreFault(ILogger log, Exception fault);
}
