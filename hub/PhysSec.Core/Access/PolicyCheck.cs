using PhysSec.Core.Alarms;

namespace PhysSec.Core.Access;

/// <summary>What a policy must fulfil before a door obeys it. A bad policy leaves the old one in force.</summary>
internal static class PolicyCheck
{
    private const double HoursMax = 24 * 366;
    private const double DaySeconds = 86_400;

    internal static void Throw(Policy policy)
    {
        Need(policy.Version >= 1, "version", $"{policy.Version} is below 1", "Give the compiler's running number");
        var zones = Unique(policy.Zones, "zones", it => it.Id);
        Unique(policy.Doors, "doors", it => it.Id);
        var schedules = Unique(policy.Schedules, "schedules", it => it.Id);
        Unique(policy.Rights, "rights", it => it.Id);
        Unique(policy.Credentials, "credentials", it => it.Token);
        Unique(policy.Sensing, "sensing", it => it.Point);

        foreach (var it in policy.Zones) Zone(it);
        foreach (var it in policy.Doors) Door(it, zones);
        foreach (var it in policy.Doors.Where(it => it.Interlock is not null).GroupBy(it => it.Interlock)) Mantrap(it.Key!, [.. it]);
        foreach (var it in policy.Schedules) Hours(it);
        foreach (var it in policy.Credentials) Card(it);
        foreach (var it in policy.Rights) Entitlement(it, zones, schedules);
        foreach (var it in policy.Sensing) Watch(it);
        PinCheck.Throw(policy);
    }

    private static void Zone(ZonePolicy it)
    {
        var at = $"zones[{it.Id}]";
        Range($"{at}.level", it.Level, 1, 3, "");
        Need(it.MaxAgeHours is > 0 and <= HoursMax, $"{at}.maxAgeHours", $"{it.MaxAgeHours} is not above 0 and at most {HoursMax}", "Usual: 720 at level 1, 72 at level 2, 8 at level 3");
        Defined($"{at}.required", it.Required);
        Defined($"{at}.onJournalFault", it.OnJournalFault);
        Defined($"{at}.factors", it.Factors);
        Defined($"{at}.onTooOld", it.OnTooOld);
        Need(it.Level == 1 || it.Factors != FactorRule.PinOnly, $"{at}.factors", $"a PIN alone opens no zone of level {it.Level}", "Ask for card and PIN, or two cards");
        Need(it.OnTooOld == TooOldRule.Refuse || it.Factors is FactorRule.Card or FactorRule.PinOnly, $"{at}.onTooOld", "the zone asks for two factors already", "Refuse, or shorten what is asked for while the policy is fresh");
        Range($"{at}.secondCardTime", it.SecondCardTime, 1, 60, "s");
    }

    private static void Door(DoorPolicy it, HashSet<ZoneId> zones)
    {
        var at = $"doors[{it.Id}]";
        Need(zones.Contains(it.Zone), $"{at}.zone", $"zone {it.Zone} does not exist", "Add the zone, or name one that exists");
        Range($"{at}.releaseTime", it.ReleaseTime, 3, 60, "s");
        Range($"{at}.extendedReleaseTime", it.ExtendedReleaseTime, 3, 60, "s");
        Range($"{at}.openTime", it.OpenTime, 1, 600, "s");
        Range($"{at}.preAlarmTime", it.PreAlarmTime, 1, 600, "s");
        Need(it.PreAlarmTime <= it.OpenTime, $"{at}.preAlarmTime", $"{it.PreAlarmTime} s is longer than openTime {it.OpenTime} s", "The pre-alarm sounds this long before openTime ends");
        Defined($"{at}.readerAssurance", it.ReaderAssurance);
        Defined($"{at}.interlockRule", it.InterlockRule);
        Defined($"{at}.guard", it.Guard);
        if (it.Interlock is not null) Filled($"{at}.interlock", it.Interlock);
        if (it.Exception is not { } exception) return;
        Filled($"{at}.exception.owner", exception.Owner);
        Filled($"{at}.exception.reason", exception.Reason);
        Filled($"{at}.exception.compensatingControl", exception.CompensatingControl);
    }

    private static void Mantrap(string name, IReadOnlyList<DoorPolicy> doors)
    {
        var at = $"doors[{doors[0].Id}].interlock";
        Need(doors.Count > 1, at, $"no other door of this node is in interlock {name}", "Name the same interlock at the other door of the mantrap, or leave it out");
        Need(doors.All(it => it.InterlockRule == doors[0].InterlockRule), at, $"the doors of interlock {name} have different rules", "Give all of them the same interlockRule");
    }

    private static void Hours(Schedule it)
    {
        for (var i = 0; i < it.Windows.Count; i++)
        {
            var at = $"schedules[{it.Id}].windows[{i}].days";
            Need(it.Windows[i].Days.Count > 0, at, "no day is named", "Name at least one day of the week");
            foreach (var day in it.Windows[i].Days) Defined(at, day);
        }
    }

    private static void Card(Credential it)
    {
        var at = $"credentials[{it.Token.Prefix}…]";
        Need(it.Token.Value is { Length: > 0 and <= 128 }, "credentials.token", "a token is empty or longer than 128 characters", "Give the keyed hash of the card number");
        Filled($"{at}.person", it.Person.Value);
        Defined($"{at}.state", it.State);
        Need(it.ValidFrom is null || it.ValidTo is null || it.ValidFrom < it.ValidTo, $"{at}.validTo", "it is not after validFrom", "Correct the validity");
    }

    private static void Entitlement(Right it, HashSet<ZoneId> zones, HashSet<ScheduleId> schedules)
    {
        var at = $"rights[{it.Id}]";
        Filled($"{at}.person", it.Person.Value);
        Need(zones.Contains(it.Zone), $"{at}.zone", $"zone {it.Zone} does not exist", "Add the zone, or remove the right");
        Need(schedules.Contains(it.Schedule), $"{at}.schedule", $"schedule {it.Schedule} does not exist", "Add the schedule, or name one that exists");
        Need(it.ValidFrom < it.ValidTo, $"{at}.validTo", "it is not after validFrom", "Correct the validity");
        Filled($"{at}.applicant", it.Applicant);
        Filled($"{at}.approver", it.Approver);
        Need(!string.Equals(it.Applicant.Trim(), it.Approver.Trim(), StringComparison.OrdinalIgnoreCase), $"{at}.approver", "the applicant approved their own application", "Have another person approve it");
    }

    private static void Watch(SensingRule it)
    {
        var at = $"sensing[{it.Point}]";
        Finite($"{at}.high", it.High);
        Finite($"{at}.low", it.Low);
        Need(it.High is not { } high || it.Low is not { } low || low < high, $"{at}.low", "it is not below high", "Correct the limits");
        Need(double.IsFinite(it.DeadBand) && it.DeadBand >= 0, $"{at}.deadBand", "it is below 0 or not a number", "Give 0 or more, in the point's unit");
        Range($"{at}.tripDelay", it.TripDelay, 0, DaySeconds, "s");
        Range($"{at}.clearDelay", it.ClearDelay, 0, DaySeconds, "s");
        Range($"{at}.silentAfter", it.SilentAfter, 1, DaySeconds, "s");
        Range($"{at}.stuckAfter", it.StuckAfter, 0, 30 * DaySeconds, "s");
        if (it.High is not null) Class($"{at}.alarmClassHigh", it.AlarmClassHigh);
        if (it.Low is not null) Class($"{at}.alarmClassLow", it.AlarmClassLow);
        if (it.RateLimit is not { } rate) return;
        Need(double.IsFinite(rate) && rate > 0, $"{at}.rateLimit", "it is not above 0", "Give units per hour, or leave it out");
        Range($"{at}.rateWindow", it.RateWindow, 10, DaySeconds, "s");
        Class($"{at}.alarmClassRate", it.AlarmClassRate);
    }

    internal static HashSet<TKey> Unique<T, TKey>(IReadOnlyList<T> items, string field, Func<T, TKey> key)
    {
        var seen = new HashSet<TKey>();
        foreach (var it in items)
            Need(seen.Add(key(it)), $"{field}[{key(it)}]", "it appears twice", "Keep one of them");
        return seen;
    }

    internal static void Range(string field, double value, double least, double most, string unit) =>
        Need(value >= least && value <= most, field, $"{value} {unit}".TrimEnd() + $" is outside {least}–{most}", $"Give {least} to {most} {unit}".TrimEnd());

    private static void Finite(string field, double? value) =>
        Need(value is null || double.IsFinite(value.Value), field, "it is not a number", "Give a number, or leave it out");

    private static void Filled(string field, string? value) =>
        Need(!string.IsNullOrWhiteSpace(value), field, "it is empty", "Fill it in");

    private static void Class(string field, string value) =>
        Need(AlarmClasses.All.Contains(value), field, $"\"{value}\" is not an alarm class", "Name one of the catalogue, such as temperature-high");

    private static void Defined<T>(string field, T value) where T : struct, Enum =>
        Need(Enum.IsDefined(value), field, $"{value} is not one of {string.Join(", ", Enum.GetNames<T>())}", "Name one of them");

    internal static void Need(bool holds, string field, string fault, string remedy)
    {
        if (!holds) throw new PolicyException(field, fault, remedy);
    }
}
