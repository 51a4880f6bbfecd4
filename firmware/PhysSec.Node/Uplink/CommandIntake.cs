using System.Security.Cryptography;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using PhysSec.Node.Journal;

namespace PhysSec.Node.Uplink;

/// <summary>FRESH: a command works once, in time, from the right hub. What comes out of here has proved all three.</summary>
public sealed class CommandIntake(SiteId site, NodeId node, ECDsa hubKey, Func<JournalStore?> journal)
{
    private const int RepliesMax = 100;
    private const int RefusedMax = 1_000;
    private const int NonceLengthMax = 64;
    private static readonly TimeSpan _farthest = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, CommandReply> _replies = [];
    private readonly Queue<string> _order = new();
    private readonly HashSet<(string Nonce, string Fault)> _refused = []; // On record already: an old command can be played again for ever.
    private readonly Queue<(string Nonce, string Fault)> _refusedOrder = new();

    /// <summary>Judges a command.</summary>
    /// <param name="command">As it arrived.</param>
    /// <param name="topicVerb">The verb in its topic: must be the signed one.</param>
    /// <param name="now">Site time, null while the clock is unset.</param>
    /// <returns>The command to carry out, or the answer and what belongs on record.</returns>
    public CommandVerdict Judge(Command command, string? topicVerb, DateTimeOffset? now)
    {
        if (command.Verb != topicVerb) return CommandVerdict.Ignore($"the topic says '{topicVerb}', the command another verb");
        if (!Signing.Verify(hubKey, Signing.CommandText(site, node, command), command.Signature))
            return CommandVerdict.Ignore("the signature is not this site's hub's, or not for this node");
        if (command.Nonce.Length is 0 or > NonceLengthMax) return CommandVerdict.Ignore("the nonce is empty or too long");
        if (Answered(command.Nonce) is { } earlier) return CommandVerdict.Repeat(earlier); // MQTT may deliver twice.
        if (now is not { } time) return Refuse(command, "the node's clock is unset, so the deadline cannot be checked");
        if (command.NotAfter < time) return Refuse(command, "the deadline has passed");
        if (command.NotAfter > time + _farthest) return Refuse(command, "the deadline is more than an hour away");
        if (journal() is not { } store) return Refuse(command, "the journal cannot remember the command");

        try
        {
            if (!store.TakeNonce(command.Nonce, command.NotAfter, time)) return Refuse(command, "it was carried out before");
        }
        catch (JournalException failure)
        {
            return Refuse(command, failure.Message);
        }

        return CommandVerdict.Carry(command);
    }

    /// <summary>Remembers the answer, for a command that is delivered twice.</summary>
    public void Remember(CommandReply reply)
    {
        lock (_gate)
        {
            if (!_replies.TryAdd(reply.Nonce, reply)) return;
            _order.Enqueue(reply.Nonce);
            if (_order.Count > RepliesMax) _replies.Remove(_order.Dequeue());
        }
    }

    private CommandReply? Answered(string nonce)
    {
        lock (_gate) return _replies.GetValueOrDefault(nonce);
    }

    private CommandVerdict Refuse(Command command, string fault) => new(
        null,
        new CommandReply(command.Nonce, "refused", fault),
        IsNews(command.Nonce, fault)
            ? new Entry(Streams.Access, new CommandExecuted(command.Verb, command.Nonce, command.Actor, command.Reason, "refused", fault))
            : null,
        fault);

    private bool IsNews(string nonce, string fault)
    {
        lock (_gate)
        {
            if (!_refused.Add((nonce, fault))) return false;
            _refusedOrder.Enqueue((nonce, fault));
            if (_refusedOrder.Count > RefusedMax) _refused.Remove(_refusedOrder.Dequeue());
            return true;
        }
    }
}

/// <summary>What to do with a command: carry it out, answer it, put it on record, log why not.</summary>
public sealed record CommandVerdict(Command? Command, CommandReply? Reply, Entry? Record, string? Fault)
{
    public static CommandVerdict Carry(Command command) => new(command, null, null, null);

    public static CommandVerdict Repeat(CommandReply reply) => new(null, reply, null, null);

    /// <summary>Not from the hub: no answer and no record, or anybody could fill the journal.</summary>
    public static CommandVerdict Ignore(string fault) => new(null, null, null, fault);
}
