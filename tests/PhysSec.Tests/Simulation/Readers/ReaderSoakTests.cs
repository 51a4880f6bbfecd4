namespace PhysSec.Tests.Simulation.Readers;

/// <summary>A small run of <c>./deploy.sh soak readers</c>; the seed stands in what it prints.</summary>
public sealed class ReaderSoakTests
{
    [Theory]
    [InlineData(20_261_128)]
    [InlineData(7)]
    public void No_frame_and_no_sample_brings_an_exception_or_an_event_that_nobody_sent(int seed)
    {
        using var said = new StringWriter();

        Assert.Null(ReaderSoak.Play(60_000, seed, 2, TimeProvider.System, said));

        Assert.Contains("Wiegand frames", said.ToString(), StringComparison.Ordinal);
    }
}
