using PhysSec.Core.Access;
using PhysSec.Core.Wire;

namespace PhysSec.Node.Control;

/// <summary>The policy in force: which it is, and how long ago the hub confirmed it. Another is built whole before it takes its place; a bad one leaves the old one in force.</summary>
internal sealed class PolicyKeeper
{
    private PolicyFreshness? _freshness;

    internal PolicyIndex? InForce { get; private set; }

    internal long Version => InForce?.Policy.Version ?? 0;

    internal string Hash => InForce?.Hash ?? "";

    internal TimeSpan? Age(TimeSpan uptime, DateTimeOffset? siteTime) => _freshness?.Age(uptime, siteTime);

    /// <summary>The one that the last run kept.</summary>
    internal void Start(StepContext step, PolicyArrived kept) => Adopt(step, kept, PolicyFreshness.Stored(kept.ConfirmedAt));

    /// <summary>True: it is in force, and was not before.</summary>
    internal bool Take(StepContext step, PolicyArrived it)
    {
        if (it.Policy.Version == Version && it.Hash == Hash)
        {
            Confirm(step, it.Policy.Version, it.Hash, it.ConfirmedAt); // The same again is a confirmation.
            return false;
        }

        if (it.Policy.Version <= Version)
        {
            step.Record(new PolicyRefused(it.Policy.Version, $"version {it.Policy.Version} is not newer than version {Version} in force"));
            return false;
        }

        if (!Adopt(step, it, PolicyFreshness.Heard(it.ConfirmedAt, step.Uptime, step.SiteTime))) return false;
        step.Record(new PolicyApplied(it.Policy.Version, it.Hash));
        return true;
    }

    internal void Confirm(StepContext step, long version, string hash, DateTimeOffset at)
    {
        if (version != Version || hash != Hash || at <= _freshness?.At) return;
        _freshness = PolicyFreshness.Heard(at, step.Uptime, step.SiteTime);
        step.PolicyAge = Age(step.Uptime, step.SiteTime);
    }

    private bool Adopt(StepContext step, PolicyArrived it, PolicyFreshness freshness)
    {
        try
        {
            InForce = PolicyIndex.Build(it.Policy, it.Hash);
        }
        catch (PolicyException fault)
        {
            step.Record(new PolicyRefused(it.Policy.Version, fault.Message));
            return false;
        }

        _freshness = freshness;
        (step.Policy, step.PolicyAge) = (InForce, Age(step.Uptime, step.SiteTime));
        return true;
    }
}
