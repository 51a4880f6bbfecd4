using PhysSec.Core.Access;
using static PhysSec.Core.Access.FactorRule;
using static PhysSec.Tests.Access.TestPolicy;

namespace PhysSec.Tests.Access;

/// <summary>How long codes must be (R-ACC-09), what each zone asks for, and what a code leaves behind.</summary>
public sealed class PinRulesTests
{
    [Theory]
    [InlineData(1, 4)]
    [InlineData(10, 4)]
    [InlineData(11, 5)]
    [InlineData(100, 5)]
    [InlineData(101, 6)]
    [InlineData(1000, 6)]
    [InlineData(1001, 7)]
    [InlineData(100_001, 9)]
    public void Beside_every_code_that_opens_alone_there_are_a_thousand_that_do_not(int codes, int digits) => Assert.Equal(digits, PinRules.DigitsAlone(codes));

    [Theory]
    [InlineData(5, 4, true)]
    [InlineData(6, 4, false)] // Six people have twelve codes that open.
    [InlineData(6, 5, true)]
    [InlineData(50, 5, true)]
    [InlineData(51, 5, false)]
    public void A_policy_whose_codes_are_too_short_for_their_number_never_comes_into_force(int people, int digits, bool holds)
    {
        var policy = Policy() with
        {
            Credentials = [.. Enumerable.Range(0, people).Select(it => new Credential(new($"{it:x64}"), new($"p-{it}"), CredentialState.Active, null, null))],
            Pins = [.. Enumerable.Range(0, people).Select(it => TestPins.Of(
                new($"p-{it}"), it.ToString("D" + digits, null), (1000 + it).ToString("D" + digits, null), new($"{it:x64}")))],
        };
        var fault = Record.Exception(() => Index(policy));
        Assert.Equal(holds, fault is null);
        if (!holds) Assert.EndsWith(".digits", Assert.IsType<PolicyException>(fault).Field, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Card, Card, true)]
    [InlineData(PinOnly, Card, false)]
    [InlineData(CardAndPin, Card, true)]
    [InlineData(TwoCards, Card, true)]
    [InlineData(Card, PinOnly, false)]
    [InlineData(PinOnly, PinOnly, true)]
    [InlineData(CardAndPin, PinOnly, true)]
    [InlineData(TwoCards, PinOnly, false)]
    [InlineData(Card, CardAndPin, false)]
    [InlineData(PinOnly, CardAndPin, false)]
    [InlineData(CardAndPin, CardAndPin, true)]
    [InlineData(TwoCards, CardAndPin, false)]
    [InlineData(Card, TwoCards, false)]
    [InlineData(PinOnly, TwoCards, false)]
    [InlineData(CardAndPin, TwoCards, false)]
    [InlineData(TwoCards, TwoCards, true)]
    public void What_was_shown_must_be_what_is_needed(FactorRule shown, FactorRule needed, bool enough)
    {
        Assert.Equal(enough, PinRules.Satisfies(shown, needed));

        var policy = Policy() with { Zones = [Policy().Zones[0] with { Factors = needed }], Pins = [TestPins.Of(Ana, "1234", "5678")] };
        var decision = AccessRules.Decide(new(Door, Direction.In, AnaCard, shown), Index(policy), TimeSpan.Zero, Tuesday, false, true);
        Assert.Equal(enough, decision is AccessDecision.Granted);
        Assert.IsType<AccessDecision.Granted>(AccessRules.Decide(new(Door, Direction.Out, AnaCard), Index(policy), null, null, true, false)); // EGRESS
    }

    [Theory]
    [InlineData(TooOldRule.Refuse, 72, Card, null)]
    [InlineData(TooOldRule.Refuse, 73, CardAndPin, DenialReason.PolicyTooOld)]
    [InlineData(TooOldRule.SecondFactor, 72, Card, null)]
    [InlineData(TooOldRule.SecondFactor, 73, Card, DenialReason.PinRequired)]
    [InlineData(TooOldRule.SecondFactor, 73, CardAndPin, null)]
    [InlineData(TooOldRule.SecondFactor, -1, CardAndPin, DenialReason.PolicyTooOld)] // An age that nobody knows is no age.
    public void Past_the_greatest_age_a_zone_refuses_or_asks_for_a_second_factor(TooOldRule rule, int hours, FactorRule shown, DenialReason? expected)
    {
        var policy = Policy() with { Zones = [Policy().Zones[0] with { OnTooOld = rule }], Pins = [TestPins.Of(Ana, "1234", "5678")] };
        var decision = AccessRules.Decide(new(Door, Direction.In, AnaCard, shown), Index(policy), hours < 0 ? null : TimeSpan.FromHours(hours), Tuesday, false, true);
        Assert.Equal(expected, (decision as AccessDecision.Denied)?.Reason);
        if (decision is AccessDecision.Granted granted) Assert.Equal(hours == 73, granted.Rule.EndsWith(", card and PIN, policy too old", StringComparison.Ordinal));
    }

    /// <summary>By hand: HKDF-Expand's first block is one HMAC, and the verifier another.</summary>
    [Fact]
    public void A_verifier_is_a_keyed_hash_of_salt_and_digits_under_a_key_of_its_own()
    {
        byte[] siteKey = [.. Enumerable.Repeat((byte)7, 32)];
        var own = System.Security.Cryptography.HMACSHA256.HashData(siteKey, (byte[])[.. "physsec pin 1"u8, 1]);
        string Mac(string text) => Convert.ToHexStringLower(System.Security.Cryptography.HMACSHA256.HashData(own, System.Text.Encoding.ASCII.GetBytes(text)));

        Assert.Equal(Mac("person ab12 0042"), TestPins.Key.Verifier("ab12", "0042"));
        Assert.Equal(Mac("alone 0042"), TestPins.Key.Tag("0042"));
    }

    [Fact]
    public void Only_the_two_codes_match_and_each_as_itself()
    {
        var pin = TestPins.Of(Ana, "0042", "9137");
        var matches = Enumerable.Range(0, 10_000).Select(it => it.ToString("D4", null)).ToLookup(it => TestPins.Key.Match(pin, it));
        Assert.Equal(["0042"], matches[PinMatch.Right]);
        Assert.Equal(["9137"], matches[PinMatch.Duress]);
        Assert.All(["", "42", "00420", "000000042"], it => Assert.Equal(PinMatch.None, TestPins.Key.Match(pin, it)));
        Assert.Equal(PinMatch.None, TestPins.Key.Match(pin with { Salt = new('1', PinKey.SaltLength) }, "0042"));
    }

    /// <summary>SECRETS.</summary>
    [Fact]
    public void Nothing_of_a_code_is_ever_printed()
    {
        var pin = TestPins.Of(Ana, "0042", "9137", AnaCard);
        var said = $"{pin} {TestPins.Key} {new PhysSec.Node.Control.KeyPressed(Door, Direction.In, 7)} {new PhysSec.Hub.Access.IssuedPin("0042", "9137")} {new PhysSec.Node.Control.KeypadEntry()}";
        Assert.DoesNotMatch("0042|9137|7|" + pin.Right + "|" + pin.AloneRight + "|" + pin.Salt, said.Replace("p-ana", "", StringComparison.Ordinal));
    }

    /// <summary>Must show 5: the bound that holds whatever an attacker does, with one node.</summary>
    [Fact]
    public void The_bound_of_guesses_is_as_the_README_prints_it()
    {
        var limits = PinLimits.Default;
        (string Of, GuessBudget Budget)[] rows = [("a person's PIN", limits.PersonLong), ("one reader", limits.Reader), ("one node", limits.Node)];
        var (day, year) = (TimeSpan.FromDays(1), TimeSpan.FromDays(365));
        string[] lines =
        [
            .. rows.Select(it => FormattableString.Invariant($"| {it.Of} | {PinRules.GuessesIn(it.Budget, day):N0} | {PinRules.GuessesIn(it.Budget, year):N0} |")),
            FormattableString.Invariant($"finds one of its two codes with {2 * PinRules.GuessesIn(limits.PersonLong, year) / 1e6:P3} (6 digits"),
            FormattableString.Invariant($"or {2 * PinRules.GuessesIn(limits.PersonLong, year) / 1e4:P1} (4)"),
            FormattableString.Invariant($"opens up to {(double)PinRules.GuessesIn(limits.Reader, year) / PinRules.SpacePerCode:N1} times"),
        ];
        var readme = File.ReadAllText(Path.Combine(Root(), "hub", "README.md")).ReplaceLineEndings(" ");
        foreach (var line in lines) TestContext.Current.TestOutputHelper?.WriteLine(line);
        Assert.All(lines, it => Assert.Contains(it, readme, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1, 50, 86_400, 60, 1200)]
    [InlineData(2, 25, 172_800, 30, 2400)]
    [InlineData(60, 5, 2_678_400, 1, 72_000)]
    [InlineData(0, 50, 86_400, 60, 1200)]
    public void What_belongs_to_the_site_is_divided_among_its_nodes(int nodes, int person, double personSeconds, int node, double nodeSeconds)
    {
        var share = PinLimits.Default.ShareOf(nodes);
        Assert.Equal((new GuessBudget(person, personSeconds), new GuessBudget(node, nodeSeconds)), (share.PersonLong, share.Node));
        Assert.Equal((PinLimits.Default.Person, PinLimits.Default.Reader), (share.Person, share.Reader));
        Index(Policy() with { PinLimits = share });
    }

    private static string Root([System.Runtime.CompilerServices.CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", ".."));
}
