using System.Globalization;

namespace PhysSec.Core.Access;

/// <summary>The one function that decides who passes a door: in the field, on the "why was I refused?" page and in tests.</summary>
public static class AccessRules
{
    /// <summary>Rule of every grant on the way out.</summary>
    public const string ExitRule = "exit";

    /// <summary>Guards top to bottom in the order of <see cref="DenialReason"/>; granting is the last line, so whatever is forgotten denies.</summary>
    /// <param name="request">What was presented where.</param>
    /// <param name="policy">Null: none is in force, and nobody enters.</param>
    /// <param name="policyAge">Since the hub last confirmed the policy (see <see cref="PolicyFreshness"/>). Null: unknown, which counts as too old.</param>
    /// <param name="siteTime">Null: the clock is unset, and nothing that depends on a schedule is decided.</param>
    /// <param name="lockdown">Commanded for this door; the policy's own lockdown counts as well.</param>
    /// <param name="journalHealthy">False: records cannot be committed; the zone's rule says whether entry is refused.</param>
    /// <param name="held">What else holds entry at this door now: blocked, interlocked or the guard service armed.</param>
    public static AccessDecision Decide(
        AccessRequest request, PolicyIndex? policy, TimeSpan? policyAge, DateTimeOffset? siteTime, bool lockdown, bool journalHealthy, DenialReason? held = null)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (policy is null) return Deny(DenialReason.NoPolicy, null, "a policy from the hub");
        if (request.Direction == Direction.Out) return Leave(request, policy);
        var known = policy.Credentials.TryGetValue(request.Credential, out var credential);
        var person = credential?.Person; // Whatever refuses a known card, the record names who stood there.
        if (!policy.Doors.TryGetValue(request.Door, out var door)) return Deny(DenialReason.DoorNotInPolicy, person, "a policy that names this door");
        var zone = policy.Zones[door.Zone];
        if (!journalHealthy && zone.OnJournalFault == JournalFaultRule.Refuse) return Deny(DenialReason.JournalFault, person, "a journal that can be written");

        if (lockdown || door.Lockdown) return Deny(DenialReason.Lockdown, person, "the end of the lockdown");
        if (held == DenialReason.DoorBlocked) return Deny(DenialReason.DoorBlocked, person, "the end of the block on entry");
        if (held == DenialReason.Interlocked) return Deny(DenialReason.Interlocked, person, "the other door of the interlock shut and locked");
        if (held == DenialReason.GuardArmed && door.Guard == GuardRule.Refuse) return Deny(DenialReason.GuardArmed, person, "the guard service disarmed");
        if (!known || credential is null) return Deny(DenialReason.UnknownCredential, null, "a registered card");
        if (credential.State == CredentialState.Lost) return Deny(DenialReason.CredentialLost, person, "a card that is not reported lost");
        if (credential.State == CredentialState.Revoked) return Deny(DenialReason.CredentialRevoked, person, "a card that is not revoked");
        if (credential.State != CredentialState.Active) return Deny(DenialReason.CredentialSuspended, person, "the end of the suspension");

        var rights = policy.RightsOf(credential.Person, zone.Id);
        if (rights.Count == 0) return Deny(DenialReason.NoRightHere, person, $"a right for zone {zone.Id}");
        if (siteTime is not { } now) return Deny(DenialReason.ClockUnset, person, "a clock that is set");
        var tooOld = policyAge is not { } age || age.TotalHours > zone.MaxAgeHours;
        if (tooOld && (policyAge is null || zone.OnTooOld == TooOldRule.Refuse))
            return Deny(DenialReason.PolicyTooOld, person, string.Create(CultureInfo.InvariantCulture, $"a policy confirmed within {zone.MaxAgeHours} h"));
        if (now < credential.ValidFrom) return Deny(DenialReason.CredentialNotYetValid, person, $"card valid from {Day(policy, credential.ValidFrom)}");
        if (now >= credential.ValidTo) return Deny(DenialReason.CredentialExpired, person, $"card was valid until {Day(policy, credential.ValidTo)}");

        var (right, denied) = Best(rights, policy, now);
        if (right is null) return denied!;

        var excepted = door.ReaderAssurance < zone.Required;
        if (excepted && (door.Exception is not { } exception || now >= exception.Expires))
            return Deny(DenialReason.AssuranceTooLow, person, door.Exception is null ? $"a reader of {zone.Required} assurance" : $"the assurance exception ended {Day(policy, door.Exception.Expires)}");

        if (held == DenialReason.GuardArmed) return Deny(DenialReason.GuardArmed, person, "disarming the guard service first");

        var needed = PinRules.Needed(zone, tooOld);
        if (Missing(request, policy, credential.Person, needed) is { } missing) return missing;

        var rule = $"right {right.Id}, schedule {right.Schedule}{Shown(request.Shown)}{(tooOld ? ", policy too old" : "")}"
            + (excepted ? $", {door.ReaderAssurance} assurance by exception of {door.Exception!.Owner} until {Day(policy, door.Exception.Expires)}" : "");
        return new AccessDecision.Granted(request.Credential, credential.Person, right, rule, door.ReaderAssurance, credential.Extended);
    }

    // EGRESS: no rule applies to leaving. A lost or revoked card opens from inside like any other; the caller raises the alarm.
    private static AccessDecision Leave(AccessRequest request, PolicyIndex policy)
    {
        if (!policy.Credentials.TryGetValue(request.Credential, out var credential))
            return Deny(DenialReason.UnknownCredential, null, "a registered card; the exit button and the lever need none");
        var assurance = policy.Doors.TryGetValue(request.Door, out var door) ? door.ReaderAssurance : Assurance.Low;
        return new AccessDecision.Granted(request.Credential, credential.Person, null, ExitRule, assurance, credential.Extended);
    }

    // Of several rights the one that grants; else the denial that got furthest down the guards.
    private static (Right?, AccessDecision.Denied?) Best(IReadOnlyList<Right> rights, PolicyIndex policy, DateTimeOffset now)
    {
        AccessDecision.Denied? best = null;
        foreach (var right in rights)
        {
            if (Check(right, policy, now) is not { } denied) return (right, null);
            if (best is null || denied.Reason > best.Reason) best = denied;
        }

        return (null, best);
    }

    private static AccessDecision.Denied? Check(Right right, PolicyIndex policy, DateTimeOffset now)
    {
        if (now < right.ValidFrom) return Deny(DenialReason.RightNotYetValid, right.Person, $"right {right.Id} valid from {Day(policy, right.ValidFrom)}");
        if (now >= right.ValidTo) return Deny(DenialReason.RightExpired, right.Person, $"right {right.Id} was valid until {Day(policy, right.ValidTo)}");
        var schedule = policy.Schedules[right.Schedule];
        return Schedules.Cover(schedule, policy.Local(now), policy.IsClosed) switch
        {
            Coverage.Covered => null,
            Coverage.ClosedDay => Deny(DenialReason.ClosedDay, right.Person, Schedules.Sentence(schedule)),
            _ => Deny(DenialReason.OutsideHours, right.Person, Schedules.Sentence(schedule)),
        };
    }

    private static AccessDecision.Denied? Missing(AccessRequest request, PolicyIndex policy, PersonId person, FactorRule needed)
    {
        if (needed is FactorRule.PinOnly or FactorRule.CardAndPin && !policy.Pins.ContainsKey(person)) return Deny(DenialReason.PinNotIssued, person, "a PIN issued to this person");
        if (PinRules.Satisfies(request.Shown, needed)) return null;
        return needed == FactorRule.TwoCards
            ? Deny(DenialReason.SecondCardRequired, person, "the card of a second person in time")
            : Deny(DenialReason.PinRequired, person, request.Shown == FactorRule.PinOnly ? "card and PIN" : "a PIN in time");
    }

    private static string Shown(FactorRule shown) => shown switch
    {
        FactorRule.Card => "",
        FactorRule.PinOnly => ", PIN alone",
        FactorRule.CardAndPin => ", card and PIN",
        FactorRule.TwoCards => ", two cards",
    };

    private static AccessDecision.Denied Deny(DenialReason reason, PersonId? person, string wouldAllow) => new(reason, person, wouldAllow);

    private static string Day(PolicyIndex policy, DateTimeOffset? at) =>
        at is { } it ? policy.Local(it).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) : "-";
}
