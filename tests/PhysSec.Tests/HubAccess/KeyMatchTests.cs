using PhysSec.Hub.Access;

namespace PhysSec.Tests.HubAccess;

/// <summary>R-KEY-07 as one rule, border by border.</summary>
public sealed class KeyMatchTests
{
    private static readonly DateTimeOffset _opened = new(2026, 11, 28, 2, 15, 0, TimeSpan.FromHours(9));

    // Seconds from the opening: when the key was lent, when that was entered, when it came back (null: it is out), and when the rule is asked.
    [Theory]
    [InlineData(-3_600, -3_600, null, 0, KeyVerdict.Matched)]
    [InlineData(0, 0, null, 0, KeyVerdict.Matched)] // In the moment of the lending.
    [InlineData(1, 1, null, 1, KeyVerdict.Waiting)] // Lent after the opening: another one may have been before it.
    [InlineData(1, 1, null, 901, KeyVerdict.Unmatched)]
    [InlineData(-60, -60, 0, 0, KeyVerdict.Matched)] // In the moment of the return.
    [InlineData(-60, -60, -1, 0, KeyVerdict.Waiting)]
    [InlineData(-60, -60, -1, 901, KeyVerdict.Unmatched)]
    [InlineData(-60, 300, null, 300, KeyVerdict.Matched)] // Handed out in a hurry, entered after.
    [InlineData(-60, 900, null, 900, KeyVerdict.Matched)] // 15 min 0 s.
    [InlineData(-60, 901, null, 901, KeyVerdict.Unmatched)]
    [InlineData(0, 900, 900, 900, KeyVerdict.Matched)] // Entered when it was back already.
    [InlineData(-60, -60, 60, 1_000_000, KeyVerdict.Matched)] // Heard of long after: the record's own time counts.
    public void A_loan_explains_an_opening_while_the_key_is_out_if_it_is_entered_within_15_minutes(int lent, int entered, int? returned, int now, KeyVerdict expected)
    {
        var loan = Loan(1, lent, entered, returned);
        var (verdict, loans) = KeyMatch.Judge(_opened, [loan], At(now));
        Assert.Equal((expected, expected == KeyVerdict.Matched ? 1 : 0), (verdict, loans.Count));
    }

    [Theory]
    [InlineData(0, KeyVerdict.Waiting)]
    [InlineData(900, KeyVerdict.Waiting)]
    [InlineData(901, KeyVerdict.Unmatched)]
    public void Without_a_loan_one_is_waited_for_15_minutes_and_no_longer(int now, KeyVerdict expected) => Assert.Equal(expected, KeyMatch.Judge(_opened, [], At(now)).Verdict);

    [Fact]
    public void Of_several_keys_that_are_out_each_is_named_and_no_other()
    {
        KeyLoan[] loans = [Loan(1, -600, -600, null), Loan(2, -600, -600, -300), Loan(3, -120, 60, null), Loan(4, 30, 30, null)];
        Assert.Equal([1, 3], KeyMatch.Judge(_opened, loans, At(60)).Loans.Select(it => it.Id));
    }

    private static DateTimeOffset At(int seconds) => _opened.AddSeconds(seconds);

    private static KeyLoan Loan(long id, int lent, int entered, int? returned) => new(
        id, $"key-{id}", $"K-{id}", "door-a", "p-alice", "青木 里奈", "情報政策課", "点検", At(lent), At(entered), At(lent).AddHours(4), "tanaka", returned is { } it ? At(it) : null, null, false);
}
