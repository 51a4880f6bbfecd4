namespace PhysSec.Core.Access;

/// <summary>A policy that passed <see cref="PolicyCheck"/>, ready to be asked in constant time. Built whole, swapped with one assignment, never changed.</summary>
public sealed class PolicyIndex
{
    private static readonly TimeZoneInfo _japan =
        TimeZoneInfo.CreateCustomTimeZone("Asia/Tokyo", TimeSpan.FromHours(9), "Japan Standard Time", "Japan Standard Time");

    private readonly Dictionary<(PersonId, ZoneId), List<Right>> _rights = [];
    private readonly Dictionary<string, (CredentialToken, PinMatch)> _alone = [];
    private readonly HashSet<DateOnly> _closed;
    private readonly TimeZoneInfo _timeZone;

    private PolicyIndex(Policy policy, string hash, TimeZoneInfo timeZone)
    {
        (Policy, Hash, _timeZone) = (policy, hash, timeZone);
        Zones = policy.Zones.ToDictionary(it => it.Id);
        Doors = policy.Doors.ToDictionary(it => it.Id);
        Schedules = policy.Schedules.ToDictionary(it => it.Id);
        Sensing = policy.Sensing.ToDictionary(it => it.Point);
        Credentials = policy.Credentials.ToDictionary(it => it.Token);
        Pins = (policy.Pins ?? []).ToDictionary(it => it.Person);
        PinLimits = policy.PinLimits ?? PinLimits.Default;
        foreach (var it in Pins.Values)
        {
            if (it is not { Alone: { } token, AloneRight: { } right, AloneDuress: { } duress }) continue;
            _alone.Add(right, (token, PinMatch.Right));
            _alone.Add(duress, (token, PinMatch.Duress));
        }

        _closed = [.. policy.Closed];
        foreach (var it in policy.Rights)
        {
            if (!_rights.TryGetValue((it.Person, it.Zone), out var list)) _rights.Add((it.Person, it.Zone), list = []);
            list.Add(it);
        }
    }

    public Policy Policy { get; }

    /// <summary>SHA-256 of the policy's exact text, lower-case hex.</summary>
    public string Hash { get; }

    public IReadOnlyDictionary<ZoneId, ZonePolicy> Zones { get; }

    public IReadOnlyDictionary<DoorId, DoorPolicy> Doors { get; }

    public IReadOnlyDictionary<ScheduleId, Schedule> Schedules { get; }

    public IReadOnlyDictionary<PointId, SensingRule> Sensing { get; }

    public IReadOnlyDictionary<CredentialToken, Credential> Credentials { get; }

    public IReadOnlyDictionary<PersonId, Pin> Pins { get; }

    public PinLimits PinLimits { get; }

    /// <summary>Whose code works without a card and has this <see cref="PinKey.Tag"/>, by the token that stands for it; null: nobody's.</summary>
    public (CredentialToken Token, PinMatch Match)? Alone(string tag) => _alone.TryGetValue(tag, out var known) ? known : null;

    /// <summary>Checks everything and builds the dictionaries.</summary>
    /// <exception cref="PolicyException">The first fault found: a duplicate or dangling id, a value out of range, an applicant who approves, an unknown time zone.</exception>
    public static PolicyIndex Build(Policy policy, string hash)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentException.ThrowIfNullOrEmpty(hash);
        PolicyCheck.Throw(policy);
        return new PolicyIndex(policy, hash, FindTimeZone(policy.TimeZone));
    }

    /// <summary>A person's rights in a zone, in the policy's order; empty when there are none.</summary>
    public IReadOnlyList<Right> RightsOf(PersonId person, ZoneId zone) => _rights.TryGetValue((person, zone), out var list) ? list : [];

    /// <summary>The wall clock at the site.</summary>
    public DateTime Local(DateTimeOffset siteTime) => TimeZoneInfo.ConvertTime(siteTime, _timeZone).DateTime;

    /// <summary>True on a national holiday and on a 閉庁日 of the policy. Years outside the calendar's knowledge count as closed: no path from "no data" to "granted".</summary>
    public bool IsClosed(DateOnly date) =>
        _closed.Contains(date) || !JapaneseHolidays.Knows(date.Year) || JapaneseHolidays.IsHoliday(date);

    private static TimeZoneInfo FindTimeZone(string name)
    {
        try
        {
            return TimeZoneInfo.FindSystemTimeZoneById(name);
        }
        catch (Exception failure) when (failure is TimeZoneNotFoundException or InvalidTimeZoneException)
        {
            // A small board may lack tzdata. Japan has had one offset and no summer time since 1951.
            if (name is "Asia/Tokyo" or "Japan") return _japan;
            throw new PolicyException("timeZone", $"\"{name}\" is not a time zone that this machine knows", "Give an IANA name such as Asia/Tokyo, or install tzdata");
        }
    }
}
