using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Doors;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Live;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Fleet;

/// <summary>What came of a command: done, refused (with the node's sentence) or no-answer.</summary>
public sealed record CommandResult(string Outcome, string? Fault);

/// <summary>Signed commands to nodes: each works once, within five seconds, and is on record before it is sent.</summary>
public sealed class DoorCommands(HubHome state, NodeLink link, LiveBoard live, TimeProvider clock, ILogger<DoorCommands> log)
{
    private const int MinutesMax = 24 * 60;
    private static readonly TimeSpan _life = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _answer = _life + TimeSpan.FromSeconds(1); // Who is told that it has expired must not see it work afterwards.

    private readonly ConcurrentDictionary<string, TaskCompletionSource<CommandReply>> _waiting = new();

    /// <summary>Releases a door once for its release time. Not while entry is held: it would open the room from the corridor.</summary>
    public Task<CommandResult> ReleaseAsync(Actor actor, string door, string? reason) =>
        OperateAsync(actor, door, "door.release", Verbs.Release, reason, new() { ["door"] = door }, store => NotHeld(store, door));

    /// <summary>連続解錠: free for everybody for so many minutes; then the node locks by itself. Not while entry is held.</summary>
    /// <param name="actor">Who ordered it.</param>
    /// <param name="door">The door.</param>
    /// <param name="minutes">1–1440.</param>
    /// <param name="reason">Why.</param>
    /// <param name="second">Who agreed to it; null where one person is enough.</param>
    public Task<CommandResult> UnlockAsync(Actor actor, string door, int minutes, string? reason, Actor? second = null) =>
        OverrideAsync(actor, door, "door.unlock", DoorModes.Unlocked, minutes, reason, second, store => NotHeld(store, door));

    /// <summary>入室停止: nobody is let in for so many minutes (1–1440); leaving stays free.</summary>
    public Task<CommandResult> BlockAsync(Actor actor, string door, int minutes, string? reason) => OverrideAsync(actor, door, "door.block", DoorModes.Blocked, minutes, reason);

    /// <summary>Ends a timed override before its time.</summary>
    public Task<CommandResult> EndOverrideAsync(Actor actor, string door, string? reason) =>
        OperateAsync(actor, door, "door.override-end", Verbs.Mode, reason, new() { ["door"] = door, ["mode"] = DoorModes.Normal });

    /// <summary>A person has looked: a door that fire, broken glass or shaking freed may lock again. The node refuses while any such contact is active.</summary>
    public Task<CommandResult> ConfirmReleaseAsync(Actor actor, string door, string? reason) =>
        OperateAsync(actor, door, "door.release-confirm", Verbs.ConfirmRelease, reason, new() { ["door"] = door });

    /// <summary>Entry refused to everybody; exit stays free. Also written into the policy, so that it holds after the node starts anew.</summary>
    public async Task<CommandResult> LockdownAsync(Actor actor, string door, bool on, string? reason)
    {
        var result = await OperateAsync(
            actor, door, on ? "door.lockdown" : "door.lockdown-end", Verbs.Lockdown, reason, new() { ["door"] = door, ["on"] = on ? "true" : "false" },
            store => _ = store.Execute("update doors set lockdown = $on where id = $door", ("$on", on), ("$door", door)));
        LockdownChanged?.Invoke();
        return result;
    }

    /// <summary>The policy has to say it too.</summary>
    public event Action? LockdownChanged;

    /// <summary>Empties the list of who is inside; for when people left in a way that no sensor saw.</summary>
    public Task<CommandResult> ResetPresenceAsync(Actor actor, string door, string? reason) =>
        OperateAsync(actor, door, "door.presence-reset", Verbs.ResetPresence, reason, new() { ["door"] = door });

    /// <summary>Something is done to an OSDP reader: its node begins it, and what comes of it stands in the node's records and in the door's live state. Administrators alone give keys.</summary>
    /// <param name="actor">Who ordered it.</param>
    /// <param name="door">The door.</param>
    /// <param name="side">entry or exit.</param>
    /// <param name="act">One of <see cref="ReaderActs"/>.</param>
    /// <param name="minutes">Of a window, 1–15.</param>
    /// <param name="device">The <see cref="ReaderDevice.Mark"/> of the other device that is accepted.</param>
    /// <param name="reason">Why.</param>
    public Task<CommandResult> ReaderAsync(Actor actor, string door, string? side, string? act, int? minutes, string? device, string? reason)
    {
        if (actor.Role != "administrator") throw new InputException("role", $"a {actor.Role} may not give readers their keys", "ask an administrator");
        if (side is not ("entry" or "exit")) throw new InputException("side", $"\"{side}\" is no side of a door", "say entry or exit");
        var arguments = new Dictionary<string, string> { ["door"] = door, ["side"] = side, ["act"] = act ?? "" };
        switch (act)
        {
            case ReaderActs.Install or ReaderActs.Replace when minutes is not (>= 1 and <= ReaderActs.MinutesMax):
                throw new InputException("minutes", $"a window of {minutes ?? 0} min is outside 1–{ReaderActs.MinutesMax}", $"Give 1 to {ReaderActs.MinutesMax} min");
            case ReaderActs.Install or ReaderActs.Replace:
                arguments["minutes"] = minutes!.Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
                break;
            case ReaderActs.Accept:
                arguments["device"] = device ?? throw new InputException("device", "it is missing", "name the other device as the door's readers show it: vendor-model-serial");
                break;
            case ReaderActs.Rotate or ReaderActs.End:
                break;
            default:
                throw new InputException("act", $"\"{act}\" is nothing that is done to a reader", "say install, rotate, replace, accept or end");
        }

        var details = new JsonObject { ["side"] = side, ["minutes"] = arguments.ContainsKey("minutes") ? minutes : null, ["device"] = device };
        return OperateAsync(actor, door, $"door.reader-{act}", Verbs.Reader, reason, arguments, null, details);
    }

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

    private Task<CommandResult> OverrideAsync(
        Actor actor, string door, string act, string mode, int minutes, string? reason, Actor? second = null, Action<SqliteConnection>? check = null)
    {
        if (minutes is < 1 or > MinutesMax) throw new InputException("minutes", $"{minutes} min is outside 1–{MinutesMax}", $"Give 1 to {MinutesMax} min");
        return OperateAsync(
            actor, door, act, Verbs.Mode, reason, new() { ["door"] = door, ["mode"] = mode, ["seconds"] = (60 * minutes).ToString(System.Globalization.CultureInfo.InvariantCulture) },
            check, new JsonObject { ["minutes"] = minutes, ["agreedBy"] = second?.Name }, second);
    }

    // The policy's word or the node's: whichever holds entry. What the node has not said for long is asked of the node itself.
    private void NotHeld(SqliteConnection store, string door)
    {
        var ordered = store.Number("select count(*) from doors where id = $door and lockdown = 1", ("$door", door)) > 0;
        if (ordered || live.Door(door) is { Quality: "good", State.Mode: DoorModes.Lockdown or DoorModes.Blocked })
            throw new InputException("door", $"entry is held at {door}, and this would open the room from the corridor", "End the lockdown or the block first, or send the guard with the key");
    }

    /// <exception cref="InputException">There is no such door, or it lies outside the actor's scope or role.</exception>
    internal static string Within(SqliteConnection store, Actor actor, string door)
    {
        if (actor.Role is not ("administrator" or "operator")) throw new InputException("role", $"a {actor.Role} may not operate doors", "ask an operator");
        var (owner, zone) = store.One("select node, zone from doors where id = $door", it => Tuple.Create(it.GetString(0), it.GetString(1)), ("$door", door))
            ?? throw new InputException("door", $"there is no door {door}", "choose one of the registered doors");
        return actor.Covers(zone) ? owner : throw new InputException("door", $"{door} lies outside your scope", "ask whoever is responsible for that zone");
    }

    /// <exception cref="InputException">None was given.</exception>
    internal static string Reason(string? reason) =>
        string.IsNullOrWhiteSpace(reason) ? throw new InputException("reason", "it is missing", "say why; it goes on record with your name") : reason.Trim();

    private async Task<CommandResult> OperateAsync(
        Actor actor, string door, string act, string verb, string? reason, Dictionary<string, string> arguments, Action<SqliteConnection>? change = null, JsonObject? details = null,
        Actor? second = null)
    {
        var why = Reason(reason);
        var node = await state.Store.WriteAsync(store =>
        {
            var owner = Within(store, actor, door);
            change?.Invoke(store);
            Records.Act(store, new Act(actor, act, door, why, null, details, door), clock.GetUtcNow());
            return owner;
        });
        var result = await SendAsync(new NodeId(node), verb, second is null ? actor.Name : $"{actor.Name} + {second.Name}", why, arguments);
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
