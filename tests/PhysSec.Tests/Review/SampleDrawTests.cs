using System.Security.Cryptography;
using System.Text;
using PhysSec.Hub.Access;
using PhysSec.Hub.Review;

namespace PhysSec.Tests.Review;

public sealed class SampleDrawTests
{
    private const string Root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";

    [Fact]
    public void The_same_seed_and_checkpoint_draw_the_same_sample_whatever_the_order_and_another_seed_or_checkpoint_another()
    {
        var population = Enumerable.Range(1, 1000).Select(it => (long)it).ToArray();
        var sample = SampleDraw.Of("2026-11", Root, population, 25);
        Assert.Equal(sample, SampleDraw.Of("2026-11", Root, population.Reverse(), 25));
        Assert.NotEqual(sample, SampleDraw.Of("2026-12", Root, population, 25));
        Assert.NotEqual(sample, SampleDraw.Of("2026-11", Root.Replace('C', 'D'), population, 25));
        Assert.Equal(25, sample.Select(it => it.Record).Distinct().Count());
    }

    [Fact]
    public void Whoever_follows_the_description_on_the_paper_draws_the_same()
    {
        long[] population = [.. Enumerable.Range(1, 500).Select(it => it * 3L)];
        var byHand = population.OrderBy(it => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"種 42\n{Root}\n" + it.ToString(System.Globalization.CultureInfo.InvariantCulture)))), StringComparer.Ordinal).Take(10);
        Assert.Equal(byHand, SampleDraw.Of("種 42", Root, population, 10).Select(it => it.Record));
    }

    [Fact]
    public void A_small_population_is_the_sample_and_nobody_is_none()
    {
        Assert.Equal([1L, 2L], SampleDraw.Of("a", Root, [1, 2], 200).Select(it => it.Record).Order());
        Assert.Empty(SampleDraw.Of("a", Root, [], 200));
    }

    [Fact]
    public void Over_many_seeds_every_record_is_drawn_equally_often()
    {
        var population = Enumerable.Range(1, 40).Select(it => (long)it).ToArray();
        var drawn = new int[41];
        for (var seed = 0; seed < 4000; seed++)
            foreach (var it in SampleDraw.Of($"seed {seed}", Root, population, 10)) drawn[it.Record]++;

        // Each is expected 1000 times; the sum of squares stays below what chance exceeds once in 10,000 (39 degrees of freedom: 78), for fixed seeds.
        Assert.True(drawn.Skip(1).Sum(it => Math.Pow(it - 1000, 2) / 1000) < 78, string.Join(' ', drawn));
    }

    [Fact]
    public void A_drawn_seed_can_always_be_given_again()
    {
        for (var i = 0; i < 20_000; i++)
        {
            var seed = SampleDraw.NewSeed();
            Assert.Equal(seed, Input.Optional("seed", seed)); // Twelve digits in a row would be taken for an individual number.
        }
    }
}
