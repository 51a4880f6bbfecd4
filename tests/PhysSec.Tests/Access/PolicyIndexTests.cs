using PhysSec.Core.Access;
using static PhysSec.Tests.Access.TestPolicy;

namespace PhysSec.Tests.Access;

public sealed class PolicyIndexTests
{
    private static readonly Policy _good = Policy();

    public static TheoryData<string, Policy> Faults { get; } = new()
    {
        { "version", _good with { Version = 0 } },
        { "timeZone", _good with { TimeZone = "Asia/Nowhere" } },
        { "zones[server-room]", _good with { Zones = [_good.Zones[0], _good.Zones[0]] } },
        { "zones[server-room].level", Zone(it => it with { Level = 4 }) },
        { "zones[server-room].maxAgeHours", Zone(it => it with { MaxAgeHours = 0 }) },
        { "zones[server-room].maxAgeHours", Zone(it => it with { MaxAgeHours = double.NaN }) },
        { "zones[server-room].required", Zone(it => it with { Required = (Assurance)7 }) },
        { "zones[server-room].required", Zone(it => it with { Level = 2 }) }, // A number that can be copied opens no zone above level 1 by itself.
        { "zones[server-room].onJournalFault", Zone(it => it with { OnJournalFault = (JournalFaultRule)7 }) },
        { "zones[server-room].factors", Zone(it => it with { Level = 2, Required = Assurance.High, Factors = FactorRule.PinOnly }) },
        { "zones[server-room].factors", Zone(it => it with { Factors = (FactorRule)9 }) },
        { "zones[server-room].onTooOld", Zone(it => it with { Factors = FactorRule.CardAndPin, OnTooOld = TooOldRule.SecondFactor }) },
        { "zones[server-room].secondCardTime", Zone(it => it with { SecondCardTime = 61 }) },
        { "pins[p-ana]", _good with { Pins = [TestPins.Of(Ana, "1234", "5678"), TestPins.Of(Ana, "1234", "5678")] } },
        { "pins[p-ana].digits", Pinned(it => it with { Digits = 3 }) },
        { "pins[p-ana].digits", Pinned(it => it with { Digits = 9 }) },
        { "pins[p-ana].salt", Pinned(it => it with { Salt = "ab" }) },
        { "pins[p-ana].right", Pinned(it => it with { Right = "1234" }) },
        { "pins[p-ana].duress", Pinned(it => it with { Duress = it.Right }) },
        { "pins[p-ana].alone", Pinned(it => it with { Alone = BenCard, AloneRight = it.Right, AloneDuress = it.Duress }) },
        { "pins[p-ana].aloneRight", Pinned(it => it with { Alone = AnaCard }) },
        { "pins[p-ben].alone", _good with { Pins = [TestPins.Of(Ana, "1234", "5678", AnaCard), TestPins.Of(Ben, "8765", "1234", BenCard)] } },
        { "pinLimits.person.burst", _good with { PinLimits = PinLimits.Default with { Person = new(0, 60) } } },
        { "pinLimits.node.refillSeconds", _good with { PinLimits = PinLimits.Default with { Node = new(5, 1) } } },
        { "doors[door-a]", _good with { Doors = [_good.Doors[0], _good.Doors[0]] } },
        { "doors[door-a].zone", Door(it => it with { Zone = new("attic") }) },
        { "doors[door-a].releaseTime", Door(it => it with { ReleaseTime = 2 }) },
        { "doors[door-a].extendedReleaseTime", Door(it => it with { ExtendedReleaseTime = 61 }) },
        { "doors[door-a].openTime", Door(it => it with { OpenTime = double.NaN }) },
        { "doors[door-a].preAlarmTime", Door(it => it with { PreAlarmTime = 0 }) },
        { "doors[door-a].preAlarmTime", Door(it => it with { PreAlarmTime = 31 }) },
        { "doors[door-a].exception.owner", Door(it => it with { Exception = new(" ", "why", "how", Tuesday) }) },
        { "doors[door-a].interlock", Door(it => it with { Interlock = " " }) },
        { "doors[door-a].interlockRule", Door(it => it with { InterlockRule = (InterlockRule)7 }) },
        {
            "doors[door-a].interlockRule",
            _good with { Doors = [_good.Doors[0] with { Interlock = "lobby" }, _good.Doors[0] with { Id = new("door-b"), Interlock = "lobby", InterlockRule = InterlockRule.OneOpen }] }
        },
        { "doors[door-a].guard", Door(it => it with { Guard = (GuardRule)7 }) },
        { "schedules[weekdays]", _good with { Schedules = [.. _good.Schedules, _good.Schedules[0]] } },
        { "schedules[weekdays].windows[0].days", _good with { Schedules = [new(new("weekdays"), [new([], default, default, false)]), _good.Schedules[1]] } },
        { "credentials[card aaaaaaaa…]", _good with { Credentials = [_good.Credentials[0], _good.Credentials[0]] } },
        { "credentials[aaaaaaaa…].validTo", _good with { Credentials = [_good.Credentials[0] with { ValidFrom = Tuesday, ValidTo = Tuesday }] } },
        { "credentials[aaaaaaaa…].person", _good with { Credentials = [_good.Credentials[0] with { Person = new("") }] } },
        { "rights[r-ana]", _good with { Rights = [_good.Rights[0], _good.Rights[0]] } },
        { "rights[r-ana].zone", Entitled(it => it with { Zone = new("attic") }) },
        { "rights[r-ana].schedule", Entitled(it => it with { Schedule = new("never") }) },
        { "rights[r-ana].validTo", Entitled(it => it with { ValidTo = it.ValidFrom }) },
        { "rights[r-ana].approver", Entitled(it => it with { Approver = " Section Head " }) },
        { "rights[r-ana].applicant", Entitled(it => it with { Applicant = "" }) },
        { "sensing[room.temperature]", _good with { Sensing = [TemperatureRule(), TemperatureRule()] } },
        { "sensing[room.temperature].low", Sensed(it => it with { Low = 30 }) },
        { "sensing[room.temperature].high", Sensed(it => it with { High = double.NaN }) },
        { "sensing[room.temperature].deadBand", Sensed(it => it with { DeadBand = -1 }) },
        { "sensing[room.temperature].silentAfter", Sensed(it => it with { SilentAfter = 0 }) },
        { "sensing[room.temperature].alarmClassHigh", Sensed(it => it with { AlarmClassHigh = "too-hot" }) },
        { "sensing[room.temperature].rateLimit", Sensed(it => it with { RateLimit = 0 }) },
        { "sensing[room.temperature].rateWindow", Sensed(it => it with { RateLimit = 5, RateWindow = 0 }) },
    };

    [Theory]
    [MemberData(nameof(Faults), DisableDiscoveryEnumeration = true)]
    public void A_bad_policy_names_its_field_fault_and_remedy(string field, Policy policy)
    {
        var fault = Assert.Throws<PolicyException>(() => PolicyIndex.Build(policy, Hash));
        Assert.Equal(field, fault.Field);
        Assert.Matches(@"^.+: .+\. .+\.$", fault.Message);
    }

    [Fact]
    public void A_good_policy_is_found_again_by_every_key()
    {
        var index = PolicyIndex.Build(_good, Hash);
        Assert.Equal(Hash, index.Hash);
        Assert.Same(_good.Doors[0], index.Doors[TestPolicy.Door]);
        Assert.Same(_good.Credentials[0], index.Credentials[AnaCard]);
        Assert.Same(_good.Rights[0], Assert.Single(index.RightsOf(Ana, TestPolicy.Zone)));
        Assert.Empty(index.RightsOf(Ben, TestPolicy.Zone));
        Assert.Same(_good.Sensing[0], index.Sensing[new("room.temperature")]);
    }

    [Fact]
    public void Site_time_is_the_wall_clock_of_the_policys_time_zone() =>
        Assert.Equal(new DateTime(2026, 11, 24, 10, 0, 0), PolicyIndex.Build(_good, Hash).Local(Tuesday.ToUniversalTime()));

    [Theory]
    [InlineData("2026-11-23", true)] // Labour Thanksgiving Day
    [InlineData("2026-12-29", true)] // closed by the policy
    [InlineData("2026-11-24", false)]
    [InlineData("2150-01-05", true)] // beyond what the calendar knows
    public void Holidays_and_the_policys_own_days_are_closed(string date, bool closed) =>
        Assert.Equal(closed, PolicyIndex.Build(_good, Hash).IsClosed(DateOnly.Parse(date, System.Globalization.CultureInfo.InvariantCulture)));

    private static Policy Pinned(Func<Pin, Pin> change) => _good with { Pins = [change(TestPins.Of(Ana, "1234", "5678"))] };

    private static Policy Zone(Func<ZonePolicy, ZonePolicy> change) => _good with { Zones = [change(_good.Zones[0])] };

    private static Policy Door(Func<DoorPolicy, DoorPolicy> change) => _good with { Doors = [change(_good.Doors[0])] };

    private static Policy Entitled(Func<Right, Right> change) => _good with { Rights = [change(_good.Rights[0])] };

    private static Policy Sensed(Func<SensingRule, SensingRule> change) => _good with { Sensing = [change(_good.Sensing[0])] };
}
