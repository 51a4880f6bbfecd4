namespace PhysSec.Tests.Simulation.Record;

/// <summary>
/// ONCE: every journal record is in the ledger exactly once, in order, whatever crashes, repeats, or is restored; what is truly lost is declared. A few rounds of what
/// <c>./deploy.sh soak record</c> plays ten thousand times, and the proof that each rule of store and forward is needed: without it the same model finds what is lost.
/// </summary>
public sealed class RecordModelTests
{
    private const int Seed = 20_261_128;
    private const int First = 5_000;
    private const int RoundsMax = 60;
    private static readonly int[] _foundOnce = [770_003, 770_152, 771_291, 771_367, 1_059, 1_077, 1_196, 1_298, 1_328, 5_235, 5_238, 5_253, 20_261_080, 20_261_082, 20_261_139, 20_261_209, 20_261_524, 31_001_322, 61_002_166, 61_002_623, 61_002_814, 61_003_186, 61_004_671, 61_006_853, 61_007_913, 61_009_062, 61_009_126]; // Something was lost or missed by nobody.

    [Fact]
    public void Whatever_goes_wrong_every_record_is_in_the_ledger_once_or_its_loss_is_declared()
    {
        var tally = new Tally();
        foreach (var seed in Enumerable.Range(First, 30).Concat(_foundOnce))
        {
            var findings = Rounds.Play(seed, tally);
            Assert.True(findings.Count == 0, $"seed {seed}: {string.Join('\n', findings.Take(5))}");
        }

        Assert.True(tally.Faults.Count >= 15, string.Join(", ", tally.Faults.Keys)); // Nearly every kind of fault came up.
    }

    [Fact]
    public void The_same_seed_is_the_same_round()
    {
        var (one, other) = (new Tally(), new Tally());
        Rounds.Play(Seed, one);
        Rounds.Play(Seed, other);
        Assert.Equal((one.Records, one.Taken, one.Dropped, one.Doubled), (other.Records, other.Taken, other.Dropped, other.Doubled));
        Assert.Equal(one.Faults, other.Faults);
    }

    [Fact]
    public void Without_the_epoch_in_the_key_a_node_that_began_anew_loses_records() => Finds(Removed.EpochInTheKey, "lost");

    [Fact]
    public void If_a_PUBACK_let_a_node_forget_a_broker_that_crashes_would_lose_records() => Finds(Removed.AckBeforeForgetting, "lost");

    [Fact]
    public void Without_a_higher_epoch_of_a_restored_hub_its_hole_would_stay() => Finds(Removed.HubEpoch, "lost");

    [Fact]
    public void Without_the_acknowledged_records_that_nodes_keep_a_restored_hub_would_not_be_refilled() => Finds(Removed.KeepingTheAcknowledged, "lost");

    [Fact]
    public void If_only_one_version_of_a_record_were_kept_a_cloned_card_would_lose_records() => Finds(Removed.KeepingBothVersions, "lost");

    [Fact]
    public void If_hot_records_had_a_key_of_their_own_alarms_would_stand_in_the_ledger_twice() => Finds(Removed.OneKeyForHot, "doubled");

    private static void Finds(Removed rule, string what)
    {
        for (var seed = Seed; seed < Seed + RoundsMax; seed++)
            if (Rounds.Play(seed, new Tally(), rule).Any(it => it.StartsWith(what, StringComparison.Ordinal))) return;
        Assert.Fail($"{RoundsMax} rounds without rule {rule.Rule}, and nothing was {what}");
    }
}
