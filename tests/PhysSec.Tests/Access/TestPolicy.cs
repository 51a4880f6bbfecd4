using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;

namespace PhysSec.Tests.Access;

/// <summary>One room, some people, written out: what the tests change is visible where they change it.</summary>
internal static class TestPolicy
{
    internal const string Hash = "aa00";

    internal static readonly DoorId Door = new("door-a");
    internal static readonly ZoneId Zone = new("server-room");
    internal static readonly PersonId Ana = new("p-ana");
    internal static readonly PersonId Ben = new("p-ben");
    internal static readonly PersonId Chie = new("p-chie");

    internal static readonly CredentialToken AnaCard = Token('a');
    internal static readonly CredentialToken BenCard = Token('b');
    internal static readonly CredentialToken ChieCard = Token('c');
    internal static readonly CredentialToken LostCard = Token('1');
    internal static readonly CredentialToken RevokedCard = Token('2');
    internal static readonly CredentialToken SuspendedCard = Token('3');
    internal static readonly CredentialToken FutureCard = Token('4');
    internal static readonly CredentialToken OldCard = Token('5');
    internal static readonly CredentialToken StrangerCard = Token('f');

    /// <summary>Tuesday 2026-11-24, ten in the morning at the site.</summary>
    internal static readonly DateTimeOffset Tuesday = At("2026-11-24T10:00:00");

    internal static CredentialToken Token(char digit) => new(new string(digit, 64));

    internal static DateTimeOffset At(string local) => new(DateTime.Parse(local, System.Globalization.CultureInfo.InvariantCulture), TimeSpan.FromHours(9));

    internal static Policy Policy(long version = 7) => new(
        version, new("fukaya"), new("node-1"), At("2026-11-24T08:00:00"), "Asia/Tokyo",
        [new(Zone, 1, 72, Assurance.Low, JournalFaultRule.Refuse)],
        [new(Door, Zone, false, 5, 15, 30, 10, Assurance.Low, null)],
        [
            new(AnaCard, Ana, CredentialState.Active, null, null),
            new(BenCard, Ben, CredentialState.Active, null, null),
            new(ChieCard, Chie, CredentialState.Active, null, null, Extended: true),
            new(LostCard, Ana, CredentialState.Lost, null, null),
            new(RevokedCard, Ana, CredentialState.Revoked, null, null),
            new(SuspendedCard, Ana, CredentialState.Suspended, null, null),
            new(FutureCard, Ana, CredentialState.Active, At("2027-01-01T00:00:00"), null),
            new(OldCard, Ana, CredentialState.Active, null, At("2026-01-01T00:00:00")),
        ],
        [Right("r-ana", Ana), Right("r-chie", Chie)],
        [
            new(new("weekdays"), [new([DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday, DayOfWeek.Friday], new(8, 30), new(17, 15), false)]),
            new(new("always"), [new(Enum.GetValues<DayOfWeek>(), new(0, 0), new(0, 0), true)]),
        ],
        [new(2026, 12, 29)],
        [TemperatureRule()]);

    internal static Right Right(string id, PersonId person, string schedule = "weekdays") => new(
        new(id), person, Zone, new(schedule), At("2026-04-01T00:00:00"), At("2027-04-01T00:00:00"), "section head", "room manager", "R8-17", "operation");

    internal static SensingRule TemperatureRule() => new(
        new("room.temperature"), AlarmClasses.TemperatureHigh, AlarmClasses.TemperatureLow, 30, 10, 1, 5, 10, null, 0, AlarmClasses.TemperatureRate, 30, 0);

    internal static PolicyIndex Index(Policy? policy = null) => PolicyIndex.Build(policy ?? Policy(), Hash);
}
