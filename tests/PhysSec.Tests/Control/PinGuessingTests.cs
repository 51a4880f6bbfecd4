using CsCheck;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using static PhysSec.Tests.Access.TestPolicy;
using static PhysSec.Tests.Control.FactorTests;
using static PhysSec.Tests.Control.NodeProbe;

namespace PhysSec.Tests.Control;

/// <summary>Wrong codes: how many are looked at, offline and across restarts, whatever somebody does.</summary>
public sealed class PinGuessingTests
{
    [Fact]
    public void Five_wrong_PINs_in_a_row_block_the_person_for_half_an_hour_with_an_alarm_and_the_right_one_too()
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin));
        for (var i = 0; i < 4; i++) Assert.Equal("denied In WrongPin 84", Say(Guess(node, AnaCard, "0000")));
        Assert.Equal("denied In WrongPin 84, +pin-guessing:p-ana!", string.Join(", ", Say(Guess(node, AnaCard, "0000")).Split(", ").OrderDescending().Reverse().OrderBy(it => it[0] == '+')));
        Assert.Equal("denied In PinBlocked 81", Say(Guess(node, AnaCard, "2468")));

        node.Now += 1799;
        Assert.Equal("denied In PinBlocked 81", Say(Guess(node, AnaCard, "2468")));
        node.Now += 2;
        Guess(node, AnaCard, "2468");
        Assert.True(node.Free);
    }

    [Fact]
    public void A_right_PIN_gives_the_row_back_but_not_what_bounds_the_year()
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin, PinLimits.Default with { PersonLong = new(10, 86_400) }));
        var wrong = 0;
        for (var i = 0; i < 20; i++)
        {
            for (var j = 0; j < 4; j++) wrong += Say(Guess(node, AnaCard, "0000")).Contains("WrongPin", StringComparison.Ordinal) ? 1 : 0;
            Guess(node, AnaCard, "2468");
            node.Now += 20; // The door locks again.
        }

        Assert.Equal(10, wrong);
    }

    [Fact]
    public void A_right_PIN_gives_nothing_back_to_the_reader_where_others_have_guessed()
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin, PinLimits.Default with { Reader = new(3, 3600) }));
        for (var i = 0; i < 3; i++)
        {
            Guess(node, AnaCard, "0000");
            node.After(60, new Tick());
            if (i == 1) Guess(node, AnaCard, "2468");
            node.After(60, new Tick());
        }

        Assert.Contains("ReaderPinBlocked", Say(Guess(node, ChieCard, "8080")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_blocked_person_blocks_nobody_else_and_keeps_nobody_in()
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin));
        for (var i = 0; i < 5; i++) Guess(node, AnaCard, "0000");
        Guess(node, ChieCard, "8080");
        Assert.True(node.Free);
        node.After(60, new Tick());
        node.Card(AnaCard, Direction.Out);
        Assert.True(node.Free);
    }

    [Fact]
    public void A_new_PIN_ends_the_block_for_there_is_nothing_guessed_of_it()
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin));
        for (var i = 0; i < 5; i++) Guess(node, AnaCard, "0000");
        var policy = Asking(FactorRule.CardAndPin);
        var salt = new string('f', PinKey.SaltLength);
        var pin = policy.Pins![0] with { Salt = salt, Right = Access.TestPins.Key.Verifier(salt, "7777"), Duress = Access.TestPins.Key.Verifier(salt, "6666") };
        node.Do(new PolicyArrived(policy with { Version = 8, Pins = [pin] }, "bb00", Tuesday));
        Guess(node, AnaCard, "7777");
        Assert.True(node.Free);
    }

    [Theory]
    [InlineData(FactorRule.PinOnly)]
    [InlineData(FactorRule.CardAndPin)]
    public void A_restart_gives_back_no_guess(FactorRule rule)
    {
        var limits = PinLimits.Default with { Reader = new(3, 3600) };
        var node = new NodeProbe(Asking(rule, limits));
        for (var i = 0; i < 3; i++)
        {
            Guess(node, AnaCard, "0000");
            node = new NodeProbe(Asking(rule, limits), node.Memory); // Its uptime begins anew.
        }

        Assert.Equal("denied In ReaderPinBlocked 82", Say(Guess(node, AnaCard, "2468")));
        Assert.False(node.Free);
    }

    /// <summary>Must show 5: guessing whenever it is possible, with restarts at any moment, never more than the bound in any stretch.</summary>
    [Fact]
    public void No_attacker_has_more_guesses_than_the_bound_in_any_stretch_of_time() =>
        Gen.Select(Gen.Int[1, 6], Gen.Int[60, 600], Gen.Int[0, 400].Array[200], Gen.Int[0, 9].Array[200]).Sample((burst, refill, pauses, chances) =>
        {
            var budget = new GuessBudget(burst, refill);
            var limits = PinLimits.Default with { Reader = budget };
            var node = new NodeProbe(Asking(FactorRule.PinOnly, limits), sensors: false);
            var (at, looked) = (0.0, new List<double>());
            foreach (var (pause, chance) in pauses.Zip(chances))
            {
                (at, node.Now) = (at + pause, node.Now + pause);
                if (chance == 0) node = new NodeProbe(Asking(FactorRule.PinOnly, limits), node.Memory, sensors: false); // Power cut, uptime from zero.
                if (Say(Guess(node, null, "0000")).Contains("WrongPin", StringComparison.Ordinal)) looked.Add(at);
            }

            for (var i = 0; i < looked.Count; i++)
                for (var j = i; j < looked.Count; j++)
                    Assert.True(j - i + 1 <= PinRules.GuessesIn(budget, TimeSpan.FromSeconds(looked[j] - looked[i])), $"{j - i + 1} guesses in {looked[j] - looked[i]} s with {budget}");
        }, iter: 60);

    [Fact]
    public void What_the_reader_and_the_node_have_left_is_used_by_whoever_guesses()
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin, PinLimits.Default with { Node = new(3, 3600) }));
        Guess(node, AnaCard, "0000");
        Guess(node, ChieCard, "0000");
        Assert.Contains("+pin-guessing:node!", Say(Guess(node, AnaCard, "0000")), StringComparison.Ordinal);
        Assert.Equal("denied In SitePinBlocked 83", Say(Guess(node, ChieCard, "8080")));
    }

    [Fact]
    public void Memory_holds_what_is_owed_and_forgets_what_is_whole_again()
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin));
        Guess(node, AnaCard, "0000");
        Assert.Equal(["node", "person-long:p-ana:00000000", "person:p-ana:00000000", "reader:door-a"], node.Memory!.Guesses!.Select(it => it.Key));
        node.Now += 90_000;
        node.Do(new MemoryWanted());
        Assert.Empty(node.Memory!.Guesses!);
    }

    private static Effects Guess(NodeProbe node, CredentialToken? card, string digits)
    {
        node.Do(new Tick()); // Lights that end by themselves have ended.
        if (card is { } shown) node.Card(shown);
        return node.Type(digits);
    }

    [Fact]
    public void What_was_left_of_a_block_is_counted_on_from_the_start_of_the_program_however_long_the_machine_has_run()
    {
        var (budget, day) = (new GuessBudget(1, 600), TimeSpan.FromDays(1));
        var book = new GuessBook([new("person:p-ana", 600)]);

        book.Start(day);

        Assert.Equal(TimeSpan.FromSeconds(600), book.Blocked("person:p-ana", budget, day));
        Assert.Equal(TimeSpan.Zero, book.Blocked("person:p-ana", budget, day + TimeSpan.FromSeconds(600)));
        Assert.Empty(book.Memory(day + TimeSpan.FromSeconds(600))); // What is whole again is not kept.
    }
}
