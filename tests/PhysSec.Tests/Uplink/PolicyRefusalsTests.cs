using PhysSec.Node.Control;
using PhysSec.Node.Uplink;

namespace PhysSec.Tests.Uplink;

/// <summary>Nobody fills the journal with policies that are refused, and none of them goes uncounted.</summary>
public sealed class PolicyRefusalsTests
{
    private readonly PolicyRefusals _refusals = new();

    [Fact]
    public void A_refusal_is_recorded_at_once_and_its_repeats_a_minute_later_with_their_count()
    {
        Assert.Equal(Forged(1), _refusals.Take(Forged(1), At(0)));
        for (var i = 2; i < 50; i++) Assert.Null(_refusals.Take(Forged(i), At(i)));
        Assert.Empty(_refusals.Due(At(59.9)));
        Assert.Equal([new PolicyRejected(49, "forged; 48 times since the last record")], _refusals.Due(At(60)));
        Assert.Empty(_refusals.Due(At(61)));
    }

    [Fact]
    public void An_endless_repetition_leaves_one_record_a_minute_and_all_are_counted()
    {
        var records = 0;
        long counted = 0;
        for (var second = 0; second <= 600; second++)
        {
            if (second < 600 && _refusals.Take(Forged(second), At(second)) is not null) (records, counted) = (records + 1, counted + 1);
            foreach (var it in _refusals.Due(At(second)))
            {
                records++;
                counted += long.Parse(it.Fault.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
            }
        }

        Assert.Equal((11, 600L), (records, counted));
    }

    [Fact]
    public void Another_refusal_does_not_drown_in_the_first()
    {
        _refusals.Take(Forged(1), At(0));
        Assert.NotNull(_refusals.Take(new(9, "unsound"), At(1)));
    }

    [Fact]
    public void A_refusal_that_has_been_quiet_for_a_minute_is_news_again()
    {
        _refusals.Take(Forged(1), At(0));
        Assert.Empty(_refusals.Due(At(60)));
        Assert.NotNull(_refusals.Take(Forged(2), At(61)));
    }

    [Fact]
    public void Texts_that_are_varied_fill_no_journal_either()
    {
        var recorded = Enumerable.Range(0, 1000).Count(it => _refusals.Take(new(it, $"version {it} is older"), At(0)) is not null);
        Assert.Equal(PolicyRefusals.KindsMax + 1, recorded);
        var due = Assert.Single(_refusals.Due(At(60)));
        Assert.Equal("version 999 is older; 983 policies were refused for one reason or another", due.Fault);
    }

    private static PolicyRejected Forged(long version) => new(version, "forged");

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);
}
