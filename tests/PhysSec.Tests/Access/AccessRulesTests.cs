using CsCheck;
using PhysSec.Core;
using PhysSec.Core.Access;
using static PhysSec.Tests.Access.TestPolicy;

namespace PhysSec.Tests.Access;

public sealed class AccessRulesTests
{
    private static readonly TimeSpan _fresh = TimeSpan.FromHours(1);

    /// <summary>One way to be refused for each reason, in the order of the guards; each leaves every later guard a reason to refuse as well.</summary>
    public static TheoryData<DenialReason> Reasons { get; } = [.. Enum.GetValues<DenialReason>().Where(it => (int)it is < 81 or > 85).Order()]; // Those are the factor desk's.

    [Theory]
    [MemberData(nameof(Reasons))]
    public void The_first_reason_that_applies_is_the_one_reported(DenialReason reason)
    {
        var (person, decision) = Refused(reason);
        var denied = Assert.IsType<AccessDecision.Denied>(decision);
        Assert.Equal(reason, denied.Reason);
        Assert.Equal(person, denied.Person);
        Assert.False(string.IsNullOrWhiteSpace(denied.WouldAllow));
        Assert.DoesNotContain(AnaCard.Value, denied.WouldAllow, StringComparison.Ordinal);
    }

    [Fact]
    public void The_order_of_the_guards_is_the_order_of_the_numbers_in_the_journal() =>
        Assert.Equal([10, 11, 12, 20, 21, 22, 25, 30, 31, 32, 33, 40, 50, 51, 60, 61, 62, 63, 64, 65, 70, 80, 81, 82, 83, 84, 85, 86, 87], Enum.GetValues<DenialReason>().Select(it => (int)it));

    [Fact]
    public void Asked_to_disarm_first_is_only_who_could_enter_otherwise()
    {
        AccessDecision Ask(CredentialToken card, Direction direction) => AccessRules.Decide(
            new(Door, direction, card), Index(Policy() with { Doors = [Policy().Doors[0] with { Guard = GuardRule.AskToDisarm }] }), _fresh, Tuesday, false, true, DenialReason.GuardArmed);
        Assert.Equal(DenialReason.GuardArmed, Reason(Ask(AnaCard, Direction.In)));
        Assert.Equal(DenialReason.UnknownCredential, Reason(Ask(StrangerCard, Direction.In)));
        Assert.IsType<AccessDecision.Granted>(Ask(AnaCard, Direction.Out));
    }

    [Fact]
    public void Who_breaks_no_rule_is_granted_and_told_by_which_rule()
    {
        var granted = Assert.IsType<AccessDecision.Granted>(Decide(AnaCard));
        Assert.Equal((Ana, "r-ana", "right r-ana, schedule weekdays", Assurance.Low, false), (granted.Person, granted.Right!.Id.Value, granted.Rule, granted.Assurance, granted.Extended));
        Assert.True(Assert.IsType<AccessDecision.Granted>(Decide(ChieCard)).Extended);
    }

    [Fact]
    public void Outside_hours_the_answer_says_which_hours_would_have_been_allowed()
    {
        var denied = Assert.IsType<AccessDecision.Denied>(Decide(AnaCard, at: At("2026-11-24T17:15:00")));
        Assert.Equal((DenialReason.OutsideHours, "schedule weekdays: Mon-Fri 08:30-17:15"), (denied.Reason, denied.WouldAllow));
    }

    [Theory]
    [InlineData("2026-11-24T09:59:59", DenialReason.RightNotYetValid)]
    [InlineData("2026-11-24T10:00:00", null)]
    [InlineData("2026-11-24T10:59:59", null)]
    [InlineData("2026-11-24T11:00:00", DenialReason.RightExpired)]
    public void A_right_holds_from_its_first_moment_to_just_before_its_last(string now, DenialReason? expected)
    {
        var right = Right("r-ana", Ana) with { ValidFrom = Tuesday, ValidTo = Tuesday.AddHours(1) };
        Assert.Equal(expected, (Decide(AnaCard, Policy() with { Rights = [right] }, At(now)) as AccessDecision.Denied)?.Reason);
    }

    [Theory]
    [InlineData("2026-11-24T09:59:59", DenialReason.CredentialNotYetValid)]
    [InlineData("2026-11-24T10:00:00", null)]
    [InlineData("2026-11-24T10:59:59", null)]
    [InlineData("2026-11-24T11:00:00", DenialReason.CredentialExpired)]
    public void A_card_holds_from_its_first_moment_to_just_before_its_last(string now, DenialReason? expected)
    {
        var card = new Credential(AnaCard, Ana, CredentialState.Active, Tuesday, Tuesday.AddHours(1));
        Assert.Equal(expected, (Decide(AnaCard, Policy() with { Credentials = [card] }, At(now)) as AccessDecision.Denied)?.Reason);
    }

    [Fact]
    public void A_policy_holds_up_to_the_greatest_age_of_its_zone_and_no_longer()
    {
        Assert.IsType<AccessDecision.Granted>(AccessRules.Decide(new(Door, Direction.In, AnaCard), Index(), TimeSpan.FromHours(72), Tuesday, false, true));
        Assert.Equal(
            DenialReason.PolicyTooOld,
            Reason(AccessRules.Decide(new(Door, Direction.In, AnaCard), Index(), TimeSpan.FromHours(72) + TimeSpan.FromSeconds(1), Tuesday, false, true)));
    }

    [Fact]
    public void Of_several_rights_the_one_that_grants_decides_wherever_it_stands()
    {
        var policy = Policy() with { Rights = [Expired("r-1"), Right("r-2", Ana, "always"), Right("r-3", Ana)] };
        Assert.Equal("r-2", Assert.IsType<AccessDecision.Granted>(Decide(AnaCard, policy, At("2026-11-23T03:00:00"))).Right!.Id.Value);
    }

    [Fact]
    public void When_no_right_grants_the_reason_that_got_furthest_is_reported()
    {
        Right[] rights = [Expired("r-1"), Right("r-2", Ana), Right("r-3", Ana) with { ValidFrom = At("2027-01-01T00:00:00") }];
        Assert.Equal(DenialReason.OutsideHours, Reason(Decide(AnaCard, Policy() with { Rights = rights }, At("2026-11-24T03:00:00"))));
        Assert.Equal(DenialReason.OutsideHours, Reason(Decide(AnaCard, Policy() with { Rights = [.. rights.Reverse()] }, At("2026-11-24T03:00:00"))));
    }

    [Theory]
    [InlineData("2026-12-31T23:59:59", true)]
    [InlineData("2027-01-01T00:00:00", false)]
    public void A_low_assurance_reader_at_a_zone_that_requires_high_passes_only_under_an_unexpired_exception(string now, bool granted)
    {
        var policy = WithException(Policy(), At("2027-01-01T00:00:00")) with { Rights = [Right("r-ana", Ana, "always")] };
        var decision = Decide(AnaCard, policy, At(now));
        if (!granted) Assert.Equal(DenialReason.AssuranceTooLow, Reason(decision));
        else Assert.Equal("right r-ana, schedule always, Low assurance by exception of CIO until 2027-01-01 00:00", Assert.IsType<AccessDecision.Granted>(decision).Rule);
    }

    [Fact]
    public void A_zone_may_let_people_in_while_the_journal_fails()
    {
        var policy = Policy() with { Zones = [Policy().Zones[0] with { OnJournalFault = JournalFaultRule.ReleaseWithLocalAlarm }] };
        Assert.IsType<AccessDecision.Granted>(AccessRules.Decide(new(Door, Direction.In, AnaCard), Index(policy), _fresh, Tuesday, false, journalHealthy: false));
    }

    [Fact]
    public void A_denial_names_the_person_of_every_known_card_whatever_the_reason()
    {
        var locked = Policy() with { Doors = [Policy().Doors[0] with { Lockdown = true }] };
        AccessDecision Ask(Policy policy, string door, bool journal) =>
            AccessRules.Decide(new(new(door), Direction.In, AnaCard), Index(policy), _fresh, Tuesday, false, journal);

        Assert.Equal(new AccessDecision.Denied(DenialReason.DoorNotInPolicy, Ana, "a policy that names this door"), Ask(Policy(), "door-z", true));
        Assert.Equal(new AccessDecision.Denied(DenialReason.JournalFault, Ana, "a journal that can be written"), Ask(Policy(), Door.Value, false));
        Assert.Equal(new AccessDecision.Denied(DenialReason.Lockdown, Ana, "the end of the lockdown"), Ask(locked, Door.Value, true));
    }

    [Fact]
    public void An_unknown_state_of_a_credential_never_grants()
    {
        var index = Index();
        Assert.Throws<PolicyException>(() => Index(Policy() with { Credentials = [new(AnaCard, Ana, (CredentialState)9, null, null)] }));
        Assert.Equal(DenialReason.CredentialSuspended, Reason(AccessRules.Decide(new(Door, Direction.In, SuspendedCard), index, _fresh, Tuesday, false, true)));
    }

    /// <summary>EGRESS.</summary>
    [Fact]
    public void No_rule_holds_a_known_person_in()
    {
        var locked = WithException(Policy(), At("2020-01-01T00:00:00"));
        locked = locked with { Doors = [locked.Doors[0] with { Lockdown = true }], Rights = [] };
        CredentialToken[] cards = [AnaCard, BenCard, LostCard, RevokedCard, SuspendedCard, FutureCard, OldCard];
        foreach (var card in cards)
        {
            var decision = AccessRules.Decide(new(Door, Direction.Out, card), Index(locked), null, null, lockdown: true, journalHealthy: false);
            Assert.Equal("exit", Assert.IsType<AccessDecision.Granted>(decision).Rule);
        }
    }

    [Fact]
    public void On_the_way_out_an_unknown_card_is_only_recorded_as_such()
    {
        Assert.Equal(DenialReason.UnknownCredential, Reason(AccessRules.Decide(new(Door, Direction.Out, StrangerCard), Index(), _fresh, Tuesday, false, true)));
        Assert.Equal(DenialReason.NoPolicy, Reason(AccessRules.Decide(new(Door, Direction.Out, AnaCard), null, null, Tuesday, false, true)));
    }

    /// <summary>SECURE-BY-DEFAULT: taking any one thing away from a grant never leaves a grant.</summary>
    [Fact]
    public void No_path_leads_from_no_data_to_granted() =>
        Gen.Select(Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool).Sample((policy, age, time, lockdown, journal) =>
        {
            var decision = AccessRules.Decide(
                new(Door, Direction.In, AnaCard), policy ? Index() : null, age ? _fresh : null, time ? Tuesday : null, lockdown, journal);
            return decision is AccessDecision.Granted == (policy && age && time && !lockdown && journal);
        }, iter: 200);

    [Fact]
    public void A_decision_takes_no_longer_with_many_cards_than_with_few()
    {
        // Not a time: the index answers from dictionaries, so every one of 20,000 cards is found.
        var cards = Enumerable.Range(0, 20_000).Select(it => new Credential(new($"{it:x64}"), new($"p-{it}"), CredentialState.Active, null, null)).ToList();
        var index = Index(Policy() with { Credentials = cards, Rights = [.. cards.Select(it => Right($"r-{it.Person}", it.Person))] });
        Assert.All(cards.Where((_, i) => i % 997 == 0), it =>
            Assert.Equal(it.Person, Assert.IsType<AccessDecision.Granted>(AccessRules.Decide(new(Door, Direction.In, it.Token), index, _fresh, Tuesday, false, true)).Person));
    }

    private static (PersonId?, AccessDecision) Refused(DenialReason reason)
    {
        // Everything is wrong at once; what the reasons before this one object to is put right.
        var bad = WithException(Policy(), At("2020-01-01T00:00:00"));
        bad = bad with { Doors = [bad.Doors[0] with { Lockdown = true }], Rights = [] };
        var open = bad with { Doors = [bad.Doors[0] with { Lockdown = false }] };
        var right = Right("r-ana", Ana);
        Policy With(Right it) => open with { Rights = [it] };
        AccessDecision Ask(Policy? policy, CredentialToken card, DateTimeOffset? at, TimeSpan? age, bool journal = true, string door = "door-a", DenialReason? held = null) =>
            AccessRules.Decide(new(new(door), Direction.In, card), policy is null ? null : Index(policy), age, at, false, journal, held);

        var night = At("2026-11-24T03:00:00");
        return reason switch
        {
            DenialReason.NoPolicy => (null, Ask(null, StrangerCard, null, null, false, "door-z")),
            DenialReason.DoorNotInPolicy => (null, Ask(bad, StrangerCard, null, null, false, "door-z")),
            DenialReason.JournalFault => (null, Ask(bad, StrangerCard, null, null, false)),
            DenialReason.Lockdown => (null, Ask(bad, StrangerCard, null, null, held: DenialReason.DoorBlocked)),
            DenialReason.DoorBlocked or DenialReason.Interlocked or DenialReason.GuardArmed => (null, Ask(open, StrangerCard, null, null, held: reason)),
            DenialReason.UnknownCredential => (null, Ask(open, StrangerCard, null, null)),
            DenialReason.CredentialLost => (Ana, Ask(open, LostCard, null, null)),
            DenialReason.CredentialRevoked => (Ana, Ask(open, RevokedCard, null, null)),
            DenialReason.CredentialSuspended => (Ana, Ask(open, SuspendedCard, null, null)),
            DenialReason.NoRightHere => (Ana, Ask(open, OldCard, null, null)),
            DenialReason.ClockUnset => (Ana, Ask(With(right), OldCard, null, null)),
            DenialReason.PolicyTooOld => (Ana, Ask(With(Expired("r-ana")), OldCard, night, TimeSpan.FromHours(72.1))),
            DenialReason.CredentialNotYetValid => (Ana, Ask(With(Expired("r-ana")), FutureCard, night, _fresh)),
            DenialReason.CredentialExpired => (Ana, Ask(With(Expired("r-ana")), OldCard, night, _fresh)),
            DenialReason.RightNotYetValid => (Ana, Ask(With(right with { ValidFrom = At("2027-01-01T00:00:00") }), AnaCard, night, _fresh)),
            DenialReason.RightExpired => (Ana, Ask(With(Expired("r-ana")), AnaCard, night, _fresh)),
            DenialReason.ClosedDay => (Ana, Ask(With(right), AnaCard, At("2026-11-23T10:00:00"), _fresh)),
            DenialReason.OutsideHours => (Ana, Ask(With(right), AnaCard, night, _fresh)),
            DenialReason.AssuranceTooLow => (Ana, Ask(With(right), AnaCard, Tuesday, _fresh)),
            DenialReason.PinNotIssued => (Ana, Factors(FactorRule.CardAndPin, pin: false)),
            DenialReason.PinRequired => (Ana, Factors(FactorRule.CardAndPin)),
            DenialReason.SecondCardRequired => (Ana, Factors(FactorRule.TwoCards)),
            _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "a new reason needs a row here"),
        };
    }

    private static AccessDecision Factors(FactorRule needed, bool pin = true)
    {
        var policy = Policy() with { Zones = [Policy().Zones[0] with { Factors = needed }], Pins = pin ? [TestPins.Of(Ana, "2468", "1357")] : [] };
        return AccessRules.Decide(new(Door, Direction.In, AnaCard), Index(policy), _fresh, Tuesday, false, true);
    }

    private static Policy WithException(Policy policy, DateTimeOffset expires) => policy with
    {
        Zones = [policy.Zones[0] with { Required = Assurance.High }],
        Doors = [policy.Doors[0] with { Exception = new("CIO", "old readers", "camera", expires) }],
    };

    private static Right Expired(string id) => Right(id, Ana) with { ValidTo = At("2026-05-01T00:00:00") };

    private static DenialReason Reason(AccessDecision decision) => Assert.IsType<AccessDecision.Denied>(decision).Reason;

    private static AccessDecision Decide(CredentialToken card, Policy? policy = null, DateTimeOffset? at = null) =>
        AccessRules.Decide(new(Door, Direction.In, card), Index(policy), _fresh, at ?? Tuesday, false, true);
}
