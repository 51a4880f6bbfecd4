namespace PhysSec.Core.Access;

/// <summary>Somebody presented a credential at a door, on the side that leads in or out. Shown: the factors proved so far.</summary>
public sealed record AccessRequest(DoorId Door, Direction Direction, CredentialToken Credential, FactorRule Shown = FactorRule.Card);

/// <summary>The answer, with its reason. Closed: these two and no others.</summary>
public abstract record AccessDecision
{
    private AccessDecision()
    {
    }

    /// <summary>Rule names what decided, in a short stable English form. Right is null on the way out, where none is needed. Extended: the holder needs the longer release time.</summary>
    public sealed record Granted(CredentialToken Credential, PersonId Person, Right? Right, string Rule, Assurance Assurance, bool Extended)
        : AccessDecision;

    /// <summary>Person is known when the credential is. WouldAllow is for people who have signed in, never for the door; it holds no secret.</summary>
    public sealed record Denied(DenialReason Reason, PersonId? Person, string? WouldAllow) : AccessDecision;
}
