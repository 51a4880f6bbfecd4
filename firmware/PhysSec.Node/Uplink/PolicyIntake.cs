using System.Security.Cryptography;
using System.Text.Json;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using PhysSec.Node.Journal;

namespace PhysSec.Node.Uplink;

/// <summary>What policy is in force and when the hub last said so.</summary>
public sealed record PolicyInForce(long Version, string Hash, DateTimeOffset ConfirmedAt);

/// <summary>
/// Takes policies in: signed by this site's hub for this node, whole, sound, and never older than the one in force. The last good one and its newest
/// confirmation are stored as they came, so that the signature is verified again at every start.
/// </summary>
public sealed class PolicyIntake(SiteId site, NodeId node, ECDsa hubKey, Func<JournalStore?> journal)
{
    private const string PolicyName = "policy";
    private const string ConfirmationName = "policy-confirmation";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, string> _unsaved = [];
    private readonly Dictionary<string, string> _newest = []; // What is or will be stored, so that another journal can be given it too.

    public PolicyInForce? InForce { get; private set; }

    /// <summary>The policy stored by an earlier run; null when there is none.</summary>
    public Input? Load()
    {
        if (journal()?.Get(PolicyName) is not { } stored) return null;
        lock (_gate)
        {
            var arrived = Take(Parse(stored), store: false);
            if (journal()?.Get(ConfirmationName) is not { } confirmed || arrived is not PolicyArrived policy) return arrived;
            return Take(Parse(confirmed), store: false) is PolicyConfirmed later ? policy with { ConfirmedAt = later.At } : policy;
        }
    }

    /// <summary>Judges a policy message. Null: it says nothing new.</summary>
    public Input? Take(PolicyMessage message)
    {
        lock (_gate) return Take(message, store: true);
    }

    /// <summary>Stores what could not be stored when it came: a policy is in force at once, also while the disk is full.</summary>
    public void Save()
    {
        lock (_gate)
        {
            if (journal() is not { } store) return;
            foreach (var (name, value) in _unsaved.ToList())
            {
                try
                {
                    store.Put(name, value);
                    _unsaved.Remove(name);
                }
                catch (JournalException)
                {
                    return; // The control loop reports the journal; this is tried again.
                }
            }
        }
    }

    /// <summary>Another journal is open: it is given what the one before had.</summary>
    public void SaveAnew()
    {
        lock (_gate)
        {
            if (journal() is not { } store) return;
            foreach (var (name, value) in _newest.Where(it => store.Get(it.Key) != it.Value)) _unsaved[name] = value;
        }

        Save();
    }

    private void Keep(string name, PolicyMessage message)
    {
        _newest[name] = _unsaved[name] = JsonSerializer.Serialize(message, WireJson.Plain.PolicyMessage);
        if (name == PolicyName)
        {
            _unsaved.Remove(ConfirmationName);
            _newest.Remove(ConfirmationName);
        }

        Save();
    }

    private Input? Take(PolicyMessage message, bool store)
    {
        if (!Signing.Verify(hubKey, Signing.PolicyText(site, node, message), message.Signature))
            return new PolicyRejected(message.Version, "the signature is not this site's hub's, or not for this node");
        if (message.Body is null) return Confirm(message, store);
        if (message.Base is not null) return new PolicyRejected(message.Version, "a delta is not understood; send the policy whole");
        if (Signing.PolicyHash(message.Body) != message.Hash) return new PolicyRejected(message.Version, "the body does not fit the hash");
        if (InForce is { } current)
        {
            if (message.Version < current.Version)
                return new PolicyRejected(message.Version, $"version {message.Version} is older than {current.Version}, which is in force");
            if (message.Version == current.Version)
                return message.Hash == current.Hash
                    ? Confirm(message, store)
                    : new PolicyRejected(message.Version, $"version {message.Version} is in force with other content");
        }

        if (Read(message, out var policy) is { } fault) return new PolicyRejected(message.Version, fault);
        InForce = new(message.Version, message.Hash, message.At);
        if (store) Keep(PolicyName, message);
        else _newest[PolicyName] = JsonSerializer.Serialize(message, WireJson.Plain.PolicyMessage);
        return new PolicyArrived(policy!, message.Hash, message.At);
    }

    private PolicyConfirmed? Confirm(PolicyMessage message, bool store)
    {
        // About another version, or an old confirmation played again: it confirms nothing.
        if (InForce is not { } current || message.Version != current.Version || message.Hash != current.Hash || message.At <= current.ConfirmedAt) return null;
        InForce = current with { ConfirmedAt = message.At };
        if (store) Keep(message.Body is null ? ConfirmationName : PolicyName, message);
        return new PolicyConfirmed(message.Version, message.Hash, message.At);
    }

    private string? Read(PolicyMessage message, out Policy? policy)
    {
        policy = null;
        try
        {
            var read = JsonSerializer.Deserialize(message.Body!, WireJson.Plain.Policy);
            if (read is null) return "the body is null";
            if (read.Site != site || read.Node != node) return $"it is for {read.Site}/{read.Node}";
            if (read.Version != message.Version) return $"its body says version {read.Version}";
            PolicyIndex.Build(read, message.Hash);
            policy = read;
            return null;
        }
        catch (Exception failure) when (failure is JsonException or PolicyException)
        {
            return failure.Message;
        }
    }

    private static PolicyMessage Parse(string stored) => JsonSerializer.Deserialize(stored, WireJson.Plain.PolicyMessage)!;
}
