using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using MQTTnet;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using PhysSec.Node.Journal;

namespace PhysSec.Node.Uplink;

/// <summary>An answer to a command, and where it goes.</summary>
public sealed record Answer(CommandReply Reply, byte[]? Correlation);

/// <summary>What the hub says to the node. Everything is verified before it goes any further; nothing that arrives can throw.</summary>
internal sealed class Inbox(
    UplinkIdentity identity, PolicyIntake policies, CommandIntake commands, NodeView view, TimeProvider clock, ILogger log)
{
    private const int CorrelationsMax = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, byte[]?> _correlations = [];
    private readonly PolicyRefusals _refusals = new();
    private bool _reconnect;

    /// <summary>The connection has to be made anew, with the renewed certificate.</summary>
    public bool Reconnect
    {
        get => Volatile.Read(ref _reconnect);
        set => Volatile.Write(ref _reconnect, value);
    }

    /// <summary>What the retained message of the hub says of it; null for any other message. Only display and the records' link depend on it, so it needs no signature.</summary>
    public bool? HubIsThere(MqttApplicationMessage message)
    {
        if (message.Topic != Topics.Hub(identity.Site)) return null;
        try
        {
            return Parse(message, WireJson.Plain.HubState).State == "online";
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            log.LogWarning("{Topic}: not understood: {Fault}", message.Topic, failure.Message.ReplaceLineEndings(" "));
            return false;
        }
    }

    /// <summary>An acknowledgement for the sender, an answer to send at once, and whether the birth message no longer holds.</summary>
    public (Ack? Ack, Answer? Answer, bool BirthIsOld) Take(MqttApplicationMessage message)
    {
        try
        {
            return Topics.Parse(message.Topic) switch
            {
                { Channel: "ack" } => (TakeAck(Parse(message, WireJson.Plain.Ack)), null, false),
                { Channel: "policy" } => (null, null, TakePolicy(Parse(message, WireJson.Plain.PolicyMessage))),
                { Channel: "certificate" } => (null, null, TakeCertificate(Parse(message, WireJson.Plain.NodeCertificate))),
                { Channel: "command", Rest: var verb } => TakeCommand(Parse(message, WireJson.Plain.Command), verb, message.CorrelationData),
                _ => default,
            };
        }
        catch (Exception failure) when (failure is not OutOfMemoryException) // A message that comes again at every connect must not end each of them.
        {
            log.LogWarning("{Topic}: not understood: {Fault}", message.Topic, failure.Message.ReplaceLineEndings(" "));
            return default;
        }
    }

    /// <summary>Puts on record how often refused policies were repeated. Called about every second.</summary>
    public void CountRefusals()
    {
        foreach (var it in _refusals.Due(clock.GetElapsedTime(0))) Record(it);
    }

    public Answer AnswerTo(CommandReply reply)
    {
        commands.Remember(reply);
        lock (_gate) return new(reply, _correlations.Remove(reply.Nonce, out var correlation) ? correlation : null);
    }

    private Ack? TakeAck(Ack ack)
    {
        if (!Signing.Verify(identity.HubKey, Signing.AckText(identity.Site, identity.Node, ack), ack.Signature))
        {
            log.LogWarning("an acknowledgement without the hub's signature was ignored");
            return null;
        }

        view.Post(new HubTimeSeen(ack.HubTime, clock.GetUtcNow(), SignedAfter(ack)));
        return ack;
    }

    /// <summary>Nobody can have signed it before the record that it acknowledges was made: an old one played again gives itself away.</summary>
    private TimeSpan? SignedAfter(Ack ack)
    {
        try
        {
            return view.Journal()?.MadeAt(ack.Epoch, ack.Stream, ack.Through, view.Stamp().Boot);
        }
        catch (JournalException)
        {
            return null; // Whoever sends from it will see that too.
        }
    }

    private bool TakePolicy(PolicyMessage message)
    {
        if (policies.Take(message) is not { } input) return false;
        if (input is not PolicyRejected refused) view.Post(input);
        else if (_refusals.Take(refused, clock.GetElapsedTime(0)) is { } first) Record(first);
        return false;
    }

    private void Record(PolicyRejected refused)
    {
        log.LogWarning("policy {Version} was refused: {Fault}", refused.Version, refused.Fault);
        view.Post(refused);
    }

    private bool TakeCertificate(NodeCertificate message)
    {
        var (renewed, fault) = identity.Certificate.Take(message);
        if (fault is not null) log.LogWarning("a certificate that the hub offered was not taken: {Fault}", fault);
        if (renewed is null) return false;
        view.Post(new Noted(new Entry(Streams.Access, renewed)));
        Reconnect = true;
        return false;
    }

    private (Ack?, Answer?, bool) TakeCommand(Command command, string? verb, byte[]? correlation)
    {
        var verdict = commands.Judge(command, verb, view.Stamp().At);
        if (verdict.Fault is { } fault) log.LogWarning("a command was refused: {Fault}", fault);
        if (verdict.Record is { } record) view.Post(new Noted(record));
        if (verdict.Reply is { } reply) return (null, new(reply, correlation), false);
        if (verdict.Command is null) return default;
        if (command.Verb == Verbs.Epoch) return (null, new(BeginEpoch(command), correlation), true);

        lock (_gate)
        {
            if (_correlations.Count >= CorrelationsMax) _correlations.Clear(); // Answers still go out, without correlation.
            _correlations[command.Nonce] = correlation;
        }

        view.Post(new CommandArrived(command));
        return default;
    }

    private CommandReply BeginEpoch(Command command)
    {
        var fault = view.Journal() is not { } store ? "the journal is not open"
            : !command.Arguments.TryGetValue("epoch", out var text) || !long.TryParse(text, out var epoch) ? "the argument epoch is no number"
            : Begin(store, epoch, [.. Held(command)]);
        var reply = new CommandReply(command.Nonce, fault is null ? "done" : "refused", fault);
        commands.Remember(reply);
        view.Post(new Noted(new Entry(
            Streams.Access, new CommandExecuted(command.Verb, command.Nonce, command.Actor, command.Reason, reply.Outcome, fault))));
        return reply;
    }

    private static IEnumerable<HeldRecord> Held(Command command)
    {
        if (!command.Arguments.TryGetValue("of", out var of) || !long.TryParse(of, out var epoch)) yield break;
        foreach (var stream in (string[])[Streams.Access, Streams.Measurements])
        {
            if (command.Arguments.TryGetValue("through." + stream, out var through) && long.TryParse(through, out var seq)
                && command.Arguments.TryGetValue("head." + stream, out var hash)) yield return new(epoch, stream, seq, hash);
        }
    }

    private string? Begin(JournalStore store, long epoch, IReadOnlyList<HeldRecord> held)
    {
        try
        {
            return store.BeginEpoch(epoch, view.Stamp(), held);
        }
        catch (JournalException failure)
        {
            return failure.Message;
        }
    }

    private static T Parse<T>(MqttApplicationMessage message, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        var bytes = message.Payload.ToArray();
        return JsonSerializer.Deserialize(bytes, type) ?? throw new JsonException("the message is null");
    }
}
