using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Fleet;

/// <summary>What came of a command: done, refused (with the node's sentence) or no-answer.</summary>
public sealed record CommandResult(string Outcome, string? Fault);

/// <summary>Signed commands to nodes: each works once, within five seconds, and is on record before it is sent.</summary>
public sealed class DoorCommands(HubHome state, NodeLink link, TimeProvider clock, ILogger<DoorCommands> log)
{
    private static readonly TimeSpan _life = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _answer = _life + TimeSpan.FromSeconds(1); // Who is told that it has expired must not see it work afterwards.

    private readonly ConcurrentDictionary<string, TaskCompletionSource<CommandReply>> _waiting = new();

    /// <summary>Releases a door once for its release time.</summary>
    public Task<CommandResult> ReleaseAsync(Actor actor, string door, string? reason) =>
        OperateAsync(actor, door, "door.release", Verbs.Release, reason, new() { ["door"] = door });

    /// <summary>Entry refused to everybody; exit stays free. Also written into the policy, so that it holds after the node starts anew.</summary>
    public async Task<CommandResult> LockdownAsync(Actor actor, string door, bool on, string? reason)
    {
        var result = await OperateAsync(
            actor, door, on ? "door.lockdown" : "door.lockdown-end", Verbs.Lockdown, reason, new() { ["door"] = door, ["on"] = on ? "true" : "false" },
            store => store.Execute("update doors set lockdown = $on where id = $door", ("$on", on), ("$door", door)));
        LockdownChanged?.Invoke();
        return result;
    }

    /// <summary>The policy has to say it too.</summary>
    public event Action? LockdownChanged;

    /// <summary>Empties the list of who is inside; for when people left in a way that no sensor saw.</summary>
    public Task<CommandResult> ResetPresenceAsync(Actor actor, string door, string? reason) =>
        OperateAsync(actor, door, "door.presence-reset", Verbs.ResetPresence, reason, new() { ["door"] = door });

    /// <summary>Tells a node something in the hub's own name and does not wait.</summary>
    public void Tell(NodeId node, string verb, string reason, Dictionary<string, string> arguments) =>
        _ = TellAsync(node, verb, reason, arguments);

    public void Complete(CommandReply reply)
    {
        if (_waiting.TryRemove(reply.Nonce, out var waiting)) waiting.TrySetResult(reply);
    }

    private async Task TellAsync(NodeId node, string verb, string reason, Dictionary<string, string> arguments)
    {
        var result = await SendAsync(node, verb, "hub", reason, arguments);
        if (result.Outcome != "done") log.LogWarning("{Node} {Verb}: {Outcome} {Fault}", node, verb, result.Outcome, result.Fault);
    }

    private async Task<CommandResult> OperateAsync(
        Actor actor, string door, string act, string verb, string? reason, Dictionary<string, string> arguments, Func<Microsoft.Data.Sqlite.SqliteConnection, int>? change = null)
    {
        if (string.IsNullOrWhiteSpace(reason)) throw new InputException("reason", "it is missing", "say why; it goes on record with your name");
        if (actor.Role is not ("administrator" or "operator")) throw new InputException("role", $"a {actor.Role} may not operate doors", "ask an operator");
        var now = clock.GetUtcNow();
        var node = await state.Store.WriteAsync(store =>
        {
            var (owner, zone) = store.One("select node, zone from doors where id = $door", it => Tuple.Create(it.GetString(0), it.GetString(1)), ("$door", door))
                ?? throw new InputException("door", $"there is no door {door}", "choose one of the registered doors");
            if (!actor.Covers(zone)) throw new InputException("door", $"{door} lies outside your scope", "ask whoever is responsible for that zone");
            change?.Invoke(store);
            Records.Act(store, new Act(actor, act, door, reason, null, null, door), now);
            return owner;
        });
        var result = await SendAsync(new NodeId(node), verb, actor.Name, reason, arguments);
        await state.Store.WriteAsync(store => Records.Act(
            store, new Act(Actor.System, act + "-outcome", door, null, null, new JsonObject { ["outcome"] = result.Outcome, ["fault"] = result.Fault }, door), clock.GetUtcNow()));
        return result;
    }

    private async Task<CommandResult> SendAsync(NodeId node, string verb, string actor, string reason, IReadOnlyDictionary<string, string> arguments)
    {
        var nonce = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var command = new Command(verb, nonce, clock.GetUtcNow() + _life, actor, reason, arguments, "");
        command = command with { Signature = Signing.Sign(state.Keys.Signing, Signing.CommandText(state.Site, node, command)) };
        var waiting = new TaskCompletionSource<CommandReply>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[nonce] = waiting;
        try
        {
            var sent = await link.PublishAsync(
                Topics.Command(state.Site, node, verb), JsonSerializer.SerializeToUtf8Bytes(command, WireJson.Plain.Command), false,
                Topics.Reply(state.Site, node), Encoding.UTF8.GetBytes(nonce));
            if (!sent) return new CommandResult("no-answer", "the broker cannot be reached");
            var reply = await waiting.Task.WaitAsync(_answer, clock);
            return new CommandResult(reply.Outcome, reply.Fault);
        }
        catch (TimeoutException)
        {
            return new CommandResult("no-answer", $"{node} did not answer within {_answer.TotalSeconds:0} s; the command has expired");
        }
        finally
        {
            _waiting.TryRemove(nonce, out _);
        }
    }
}
