using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using PhysSec.Tests.Access;
using static PhysSec.Tests.Access.TestPolicy;
using static PhysSec.Tests.Control.NodeProbe;

namespace PhysSec.Tests.Control;

/// <summary>Cards and codes at a door, until what the zone asks for is there.</summary>
public sealed class FactorTests
{
    private const string Code = "2468";
    private const string Duress = "1357";
    private static readonly CredentialToken _alone = Token('9');

    [Fact]
    public void A_card_waits_for_its_PIN_and_is_granted_with_it()
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin));
        var card = node.Card(AnaCard);
        Assert.Equal(("", "In More"), (Say(card), Signals(card)));
        Assert.Empty(card.Release);

        var typed = node.Type(Code);
        Assert.Equal("granted In p-ana (right r-ana, schedule weekdays, card and PIN), Locked>Released credential", Say(typed));
        Assert.Equal("In Granted, Out Granted", Signals(typed));
        Assert.True(node.Free);
        Assert.Equal(FactorRule.CardAndPin, Assert.IsType<AccessGranted>(typed.Records[0].Fact).Factors);
    }

    [Fact]
    public void A_wrong_PIN_is_refused_with_the_light_of_every_refusal_and_the_card_must_be_shown_anew()
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin));
        node.Card(AnaCard);
        var wrong = node.Type("2469");
        Assert.Equal(("denied In WrongPin 84", "In Denied"), (Say(wrong), Signals(wrong)));
        Assert.NotNull(wrong.Memory); // Counted in the same commit, before the light.
        Assert.Equal(Effects.None, node.Type(Code));
        Assert.False(node.Free);
    }

    [Theory]
    [InlineData("99*2468", true)] // * begins anew.
    [InlineData("002468", false)]
    [InlineData("246", false)]
    [InlineData("24682", false)]
    [InlineData("246824682468", false)]
    public void A_code_is_what_was_typed_since_the_star_and_ends_with_the_hash(string keys, bool granted)
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin));
        node.Card(AnaCard);
        foreach (var it in keys) Assert.Equal(Effects.None, node.Do(new KeyPressed(NodeProbe.Door, Direction.In, it == '*' ? KeyPressed.Star : it - '0')));
        node.Do(new KeyPressed(NodeProbe.Door, Direction.In, KeyPressed.Hash));
        Assert.Equal(granted, node.Free);
    }

    /// <summary>R-DEV-11: a camera, an ear or a probe on the wire learns nothing from a key.</summary>
    [Fact]
    public void Every_key_but_the_last_is_answered_by_nothing_whatever_it_is()
    {
        foreach (var rule in Enum.GetValues<FactorRule>())
            for (var key = 0; key <= KeyPressed.Star; key++)
            {
                var node = new NodeProbe(Asking(rule));
                Assert.Equal(Effects.None, node.Do(new KeyPressed(NodeProbe.Door, Direction.In, key)));
                node.Card(AnaCard);
                Assert.Equal(Effects.None, node.Do(new KeyPressed(NodeProbe.Door, Direction.In, key)));
            }
    }

    [Theory]
    [InlineData(14.9, true)]
    [InlineData(15, false)]
    public void After_the_card_there_are_fifteen_seconds_for_the_code(double seconds, bool granted)
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin));
        node.Card(AnaCard);
        var late = node.After(seconds, new Tick());
        node.Type(Code);
        Assert.Equal(granted, node.Free);
        Assert.Equal(granted ? ("", "") : ("denied In PinRequired 86", "In Denied"), (Say(late), Signals(late)));
    }

    [Fact]
    public void A_slow_typist_has_ten_seconds_for_each_key_and_a_minute_in_all()
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin), sensors: false);
        node.Card(AnaCard);
        foreach (var it in Code) Assert.Equal("", Say(node.After(9, new KeyPressed(NodeProbe.Door, Direction.In, it - '0'))));
        Assert.Equal("", Say(node.After(9, new Tick())));
        node.Do(new KeyPressed(NodeProbe.Door, Direction.In, KeyPressed.Hash));
        Assert.True(node.Free);

        var forever = new NodeProbe(Asking(FactorRule.CardAndPin), sensors: false);
        forever.Card(AnaCard);
        for (var i = 0; i < 6; i++) Assert.Equal("", Say(forever.After(9, new KeyPressed(NodeProbe.Door, Direction.In, 1))));
        Assert.Equal("denied In PinRequired 86", Say(forever.After(6, new KeyPressed(NodeProbe.Door, Direction.In, 1))));
    }

    [Fact]
    public void Keys_that_somebody_left_behind_are_forgotten_after_ten_seconds()
    {
        var node = new NodeProbe(Asking(FactorRule.PinOnly));
        node.Do(new KeyPressed(NodeProbe.Door, Direction.In, 7));
        node.After(10, new Tick());
        node.Type(Code);
        Assert.True(node.Free);
    }

    [Fact]
    public void Another_card_before_the_code_takes_the_place_of_the_first_and_that_one_is_refused()
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin));
        node.Card(AnaCard);
        Assert.Equal("", Say(node.Card(AnaCard))); // The same, held before the reader, is the same.
        Assert.Equal("denied In PinRequired 86", Say(node.Card(ChieCard)));
        node.Type(Code);
        Assert.False(node.Free); // That was Ana's.
    }

    [Fact]
    public void A_card_that_would_be_refused_anyway_is_refused_at_once_and_its_PIN_never_looked_at()
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin));
        Assert.Equal("denied In NoRightHere 40", Say(node.Card(BenCard)));
        Assert.Equal(Effects.None, node.Type("0000"));
        Assert.Equal("denied In CredentialLost 31, +lost-card:door-a!", Say(node.Card(LostCard)));
        Assert.Equal("denied In PinNotIssued 80", Say(new NodeProbe(Asking(FactorRule.CardAndPin) with { Pins = [] }).Card(AnaCard)));
    }

    [Fact]
    public void A_lockdown_between_card_and_code_holds()
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin));
        node.Card(AnaCard);
        node.Command(Verbs.Lockdown, ("door", "door-a"), ("on", "true"));
        Assert.Equal("denied In Lockdown 20", Say(node.Type(Code)));
        Assert.False(node.Free);
    }

    [Fact]
    public void A_code_that_a_broken_journal_could_not_count_is_not_looked_at_even_where_cards_may_pass()
    {
        var policy = Asking(FactorRule.CardAndPin);
        policy = policy with { Zones = [policy.Zones[0] with { OnJournalFault = JournalFaultRule.ReleaseWithLocalAlarm }] };
        var node = new NodeProbe(policy);
        node.Card(AnaCard);
        node.Do(new JournalHealthChanged(false, "full"));
        Assert.Equal("denied In JournalFault 12", Say(node.Type(Code)));
        Assert.False(node.Free);
    }

    [Fact]
    public void A_code_alone_opens_a_zone_that_asks_for_no_more_and_says_whose_it_is()
    {
        var node = new NodeProbe(Asking(FactorRule.PinOnly));
        var typed = node.Type(Code);
        Assert.Equal("granted In p-ana (right r-ana, schedule weekdays, PIN alone), Locked>Released credential", Say(typed));
        Assert.Equal((FactorRule.PinOnly, _alone), Assert.IsType<AccessGranted>(typed.Records[0].Fact) is var it ? (it.Factors, it.Credential) : default);
    }

    [Fact]
    public void A_wrong_code_alone_is_recorded_without_anything_that_was_typed()
    {
        var node = new NodeProbe(Asking(FactorRule.PinOnly));
        var wrong = node.Type("2469");
        Assert.Equal("denied In WrongPin 84", Say(wrong));
        var denied = Assert.IsType<AccessDenied>(wrong.Records[0].Fact);
        Assert.Equal((null, null), (denied.Credential, denied.Person));
        Assert.DoesNotContain("2469", Exactly(wrong), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FactorRule.Card)]
    [InlineData(FactorRule.TwoCards)]
    [InlineData(FactorRule.CardAndPin)]
    public void A_code_alone_is_nothing_where_more_is_asked_for(FactorRule rule)
    {
        var node = new NodeProbe(Asking(rule));
        Assert.Equal(Effects.None, node.Type(Code));
        Assert.False(node.Free);
    }

    [Fact]
    public void Two_people_s_cards_in_time_let_both_in()
    {
        var node = new NodeProbe(Asking(FactorRule.TwoCards));
        Assert.Equal("In More", Signals(node.Card(AnaCard)));
        var both = node.After(4.9, new CardRead(NodeProbe.Door, Direction.In, ChieCard));
        Assert.Equal(
            "granted In p-ana (right r-ana, schedule weekdays, two cards), Locked>Released credential, granted In p-chie (right r-chie, schedule weekdays, two cards)", Say(both));
        Assert.Single(both.Release);
        Assert.Equal([Chie, Ana], both.Records.Select(it => it.Fact).OfType<AccessGranted>().Select(it => it.Companion!.Value));
        Assert.Equal("Released>Open contact, passage In p-ana 1, passage In p-chie 2", Say(node.Contact("door-a.contact", true)));
    }

    [Fact]
    public void One_person_with_two_cards_is_one_person()
    {
        var second = Token('8');
        var policy = Asking(FactorRule.TwoCards);
        var node = new NodeProbe(policy with { Credentials = [.. policy.Credentials, new(second, Ana, CredentialState.Active, null, null)] });
        node.Card(AnaCard);
        Assert.Equal("denied In SecondCardSamePerson 85", Say(node.Card(second)));
        Assert.Equal("denied In NoRightHere 40", Say(node.Card(BenCard)));
        Assert.False(node.Free);
        node.Card(ChieCard); // Neither was the first one's fault: they still wait.
        Assert.True(node.Free);
    }

    [Fact]
    public void A_second_card_that_comes_too_late_is_a_first_card()
    {
        var node = new NodeProbe(Asking(FactorRule.TwoCards));
        node.Card(AnaCard);
        Assert.Equal("denied In SecondCardRequired 87", Say(node.After(5, new CardRead(NodeProbe.Door, Direction.In, ChieCard))));
        node.Card(AnaCard);
        Assert.True(node.Free);
    }

    /// <summary>SECURE-BY-DEFAULT: whoever showed the card may have walked away, so that the return of the hub must not open the door.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_card_that_owed_more_opens_nothing_when_the_rules_ask_for_less_by_now(bool another)
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin));
        node.Card(AnaCard);
        node.Do(New(Asking(FactorRule.Card)));
        var late = another ? node.Card(StrangerCard) : node.After(60, new Tick());
        Assert.StartsWith("denied In PinRequired", Say(late), StringComparison.Ordinal);
        Assert.False(node.Free);
        node.Card(AnaCard); // Who is still there shows it again.
        Assert.True(node.Free);
    }

    [Fact]
    public void A_code_opens_nothing_when_the_card_is_somebody_else_s_by_now()
    {
        var before = Asking(FactorRule.CardAndPin);
        foreach (var pins in new[] { before.Pins!, [.. before.Pins!.Where(it => it.Person != Ana)] })
        {
            var node = new NodeProbe(before);
            node.Card(AnaCard);
            node.Do(New(before with { Pins = pins, Credentials = [.. before.Credentials.Select(it => it.Token == AnaCard ? it with { Person = Chie } : it)] }));
            Assert.StartsWith("denied In PinRequired", Say(node.Type(Code)), StringComparison.Ordinal);
            Assert.False(node.Free);
        }
    }

    /// <summary>EGRESS.</summary>
    [Fact]
    public void Leaving_needs_no_code_and_no_second_card()
    {
        foreach (var rule in Enum.GetValues<FactorRule>())
        {
            var node = new NodeProbe(Asking(rule));
            Assert.Equal(Effects.None, node.Do(new KeyPressed(NodeProbe.Door, Direction.Out, KeyPressed.Hash)));
            node.Card(AnaCard, Direction.Out);
            Assert.True(node.Free);
        }
    }

    [Theory]
    [InlineData(FactorRule.CardAndPin)]
    [InlineData(FactorRule.TwoCards)]
    public void Somebody_who_leaves_does_not_take_the_place_of_somebody_who_still_owes(FactorRule rule)
    {
        var node = new NodeProbe(Asking(rule));
        node.Card(AnaCard);
        Assert.StartsWith("granted Out p-chie", Say(node.Card(ChieCard, Direction.Out)), StringComparison.Ordinal);
        Assert.StartsWith("granted In p-ana", Say(rule == FactorRule.CardAndPin ? node.Type(Code) : node.Card(ChieCard)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_right_code_calls_nobody()
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin));
        node.Card(AnaCard);
        node.Type(Code);
        Assert.Equal("", Say(node.After(0.05, new Tick())));
        Assert.Empty(node.Memory!.Codes!); // And nothing of it is left for after a restart.
    }

    [Fact]
    public void When_nothing_is_awaited_any_more_the_reader_stops_asking()
    {
        foreach (var end in (Action<NodeProbe>[])[node => node.Type("2469"), node => node.After(15, new Tick())])
        {
            var node = new NodeProbe(Asking(FactorRule.CardAndPin));
            node.Card(AnaCard);
            end(node);
            Assert.Equal("In Idle", Signals(node.After(2.1, new Tick())));
        }

        var two = new NodeProbe(Asking(FactorRule.TwoCards));
        two.Card(AnaCard);
        two.Card(ChieCard);
        Assert.Contains("In Idle", Signals(two.After(20, new Tick())), StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_at_the_exit_reader_are_nobody_s_code()
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin));
        node.Card(AnaCard);
        foreach (var it in Code) node.Do(new KeyPressed(NodeProbe.Door, Direction.Out, it - '0'));
        Assert.Equal(Effects.None, node.Do(new KeyPressed(NodeProbe.Door, Direction.Out, KeyPressed.Hash)));
        Assert.False(node.Free);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Where_a_second_card_is_awaited_a_code_is_no_answer(bool codesByNow)
    {
        var node = new NodeProbe(Asking(FactorRule.TwoCards));
        node.Card(AnaCard);
        if (codesByNow) node.Do(New(Asking(FactorRule.PinOnly)));
        Assert.Equal("", Say(node.Type(Code)));
        Assert.False(node.Free);
    }

    [Theory]
    [InlineData(FactorRule.CardAndPin)]
    [InlineData(FactorRule.PinOnly)]
    public void In_a_lockdown_no_code_is_looked_at_so_that_nobody_can_try_any(FactorRule rule)
    {
        var node = new NodeProbe(Asking(rule));
        if (rule == FactorRule.CardAndPin) node.Card(AnaCard);
        node.Command(Verbs.Lockdown, ("door", "door-a"), ("on", "true"));
        Assert.Equal("denied In Lockdown 20", Say(node.Type("0000")));
    }

    [Fact]
    public void A_hash_with_nothing_before_it_is_no_code_and_costs_no_guess()
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin));
        node.Card(AnaCard);
        Assert.Equal(Effects.None, node.Type(""));
        node.Type(Code);
        Assert.True(node.Free);
    }

    [Fact]
    public void Each_code_begins_with_nothing()
    {
        var node = new NodeProbe(Asking(FactorRule.PinOnly));
        node.Type("1111");
        node.Type(Code);
        Assert.True(node.Free);
    }

    [Fact]
    public void A_digit_too_many_makes_the_longest_code_a_wrong_one()
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin) with { Pins = [TestPins.Of(Ana, "24682468", "13571357", _alone)] });
        node.Card(AnaCard);
        Assert.Equal("denied In WrongPin 84", Say(node.Type("246824680")));
        node.Card(AnaCard);
        node.Type("24682468");
        Assert.True(node.Free);
    }

    [Fact]
    public void Keys_do_not_lengthen_the_time_for_a_second_card()
    {
        var node = new NodeProbe(Asking(FactorRule.TwoCards));
        node.Card(AnaCard);
        node.After(4, new KeyPressed(NodeProbe.Door, Direction.In, 1));
        Assert.Equal("denied In SecondCardRequired 87", Say(node.After(1, new Tick())));
    }

    [Fact]
    public void Two_cards_let_two_in_once()
    {
        var node = new NodeProbe(Asking(FactorRule.TwoCards));
        node.Card(AnaCard);
        node.Card(ChieCard);
        node.Contact("door-a.contact", true);
        node.Contact("door-a.contact", false);
        Assert.False(node.Free);
        node.Card(ChieCard);
        Assert.False(node.Free);
    }

    [Fact]
    public void A_first_card_that_was_revoked_before_the_second_came_lets_nobody_in_and_both_are_told_why()
    {
        var policy = Asking(FactorRule.TwoCards);
        var node = new NodeProbe(policy);
        node.Card(AnaCard);
        node.Do(New(policy with { Credentials = [.. policy.Credentials.Select(it => it.Token == AnaCard ? it with { State = CredentialState.Revoked } : it)] }));
        Assert.Equal("denied In CredentialRevoked 32, denied In SecondCardRequired 87", Say(node.Card(ChieCard)));
        Assert.False(node.Free);
    }

    private static PolicyArrived New(Policy policy) => new(policy with { Version = 8 }, "bb", Tuesday);

    /// <summary>Ana's code works with her card and, where the zone allows it, alone; the level fits the rule.</summary>
    internal static Policy Asking(FactorRule rule, PinLimits? limits = null) => Policy() with
    {
        Zones = [rule == FactorRule.PinOnly ? Policy().Zones[0] with { Factors = rule } : Policy().Zones[0] with { Level = 2, Required = Assurance.High, Factors = rule }],
        Doors = [Policy().Doors[0] with { ReaderAssurance = Assurance.High }],
        Credentials = [.. Policy().Credentials, new(_alone, Ana, CredentialState.Active, null, null)],
        Pins = [TestPins.Of(Ana, Code, Duress, _alone), TestPins.Of(Chie, "8080", "9191")],
        PinLimits = limits,
    };
}
