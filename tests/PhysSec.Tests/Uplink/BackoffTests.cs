using CsCheck;
using PhysSec.Node.Uplink;

namespace PhysSec.Tests.Uplink;

public sealed class BackoffTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(6, 32)]
    [InlineData(7, 60)]
    [InlineData(1_000_000, 60)]
    public void The_longest_wait_doubles_from_one_second_to_sixty(int failures, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Backoff.Wait(failures, 1));

    [Fact]
    public void Any_part_of_it_may_be_drawn() =>
        Gen.Select(Gen.Int[1, 100], Gen.Double[0, 1]).Sample((failures, part) =>
            Backoff.Wait(failures, part) is var wait && wait >= TimeSpan.Zero && wait <= Backoff.Longest);
}
