using PhysSec.Core.Access;
using static PhysSec.Tests.Access.TestPolicy;

namespace PhysSec.Tests.Access;

public sealed class PolicyFreshnessTests
{
    private static readonly TimeSpan _boot = TimeSpan.FromSeconds(100);

    [Fact]
    public void The_age_grows_with_site_time_after_a_restart() =>
        Assert.Equal(TimeSpan.FromHours(3), PolicyFreshness.Stored(Tuesday).Age(_boot, Tuesday.AddHours(3)));

    [Fact]
    public void Within_a_boot_it_grows_without_any_wall_clock()
    {
        var heard = PolicyFreshness.Heard(Tuesday, _boot, Tuesday.AddMinutes(2));
        Assert.Equal(TimeSpan.FromMinutes(62), heard.Age(_boot + TimeSpan.FromHours(1), null));
    }

    [Fact]
    public void A_clock_that_is_set_back_does_not_make_an_old_policy_young()
    {
        var heard = PolicyFreshness.Heard(Tuesday, _boot, Tuesday);
        Assert.Equal(TimeSpan.FromHours(80), heard.Age(_boot + TimeSpan.FromHours(80), Tuesday.AddHours(1)));
        Assert.Equal(TimeSpan.FromHours(80), heard.Age(_boot + TimeSpan.FromHours(80), Tuesday.AddHours(-10)));
    }

    [Fact]
    public void An_age_that_cannot_be_known_is_unknown_and_not_zero()
    {
        Assert.Null(PolicyFreshness.Stored(Tuesday).Age(_boot, null));
        Assert.Null(PolicyFreshness.Heard(Tuesday, _boot, null).Age(_boot, null));
        Assert.Null(PolicyFreshness.Stored(Tuesday).Age(_boot, Tuesday.AddMinutes(-6)));
        Assert.Equal(TimeSpan.Zero, PolicyFreshness.Stored(Tuesday).Age(_boot, Tuesday.AddMinutes(-4)));
    }
}
