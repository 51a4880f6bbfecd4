using PhysSec.Node.Health;

namespace PhysSec.Tests.Health;

/// <summary>What an installer may conclude from health.json.</summary>
public sealed class HealthReportTests
{
    private const string BootId = "0f8a3c11-9d0e-4a57-8d54-0e0d5be4e2a1";
    private static readonly TimeSpan _now = TimeSpan.FromSeconds(1000);

    private static readonly HealthReport _well = new(
        "1.2.3", "fukaya", "n1", "one-room", false, "0f8a3c11-4711", 999.5, null, 999.4, true, 1, 7, true, [new("d1", "Locked", false, false)], []);

    [Fact]
    public void A_node_that_ticks_records_has_a_policy_and_an_acknowledgement_is_well() => Assert.Empty(_well.Wrong(_now, BootId, linked: true));

    [Fact]
    public void Each_thing_that_is_missing_is_named()
    {
        Assert.Contains("control loop", Assert.Single((_well with { LoopTickedUp = 990 }).Wrong(_now, BootId, false)), StringComparison.Ordinal);
        Assert.Contains("journal", Assert.Single((_well with { JournalOpen = false }).Wrong(_now, BootId, false)), StringComparison.Ordinal);
        Assert.Contains("policy", Assert.Single((_well with { PolicyVersion = 0 }).Wrong(_now, BootId, false)), StringComparison.Ordinal);
        Assert.Contains("hub", Assert.Single((_well with { HubAcknowledged = false }).Wrong(_now, BootId, true)), StringComparison.Ordinal);
        Assert.Empty((_well with { HubAcknowledged = false }).Wrong(_now, BootId, false));
    }

    [Fact]
    public void A_report_of_another_boot_or_from_before_is_no_running_node()
    {
        Assert.True(_well.Gone(_now, "ffffffff-9d0e-4a57-8d54-0e0d5be4e2a1"));
        Assert.True(_well.Gone(_now + TimeSpan.FromSeconds(10), BootId));
        Assert.True(_well.Gone(TimeSpan.FromSeconds(3), BootId));
        Assert.False(_well.Gone(_now, BootId));
    }

    [Theory]
    [InlineData("Locked", false, false, true)]
    [InlineData("Locked", false, null, true)]
    [InlineData("Locked", true, false, false)]
    [InlineData("Released", true, false, false)]
    [InlineData("Open", false, true, false)]
    [InlineData("HeldOpen", false, true, false)]
    [InlineData("Forced", false, true, false)]
    [InlineData("Locked", false, true, false)]
    public void A_node_may_be_stopped_only_while_every_door_is_locked_and_shut(string phase, bool released, bool? leafOpen, bool idle) =>
        Assert.Equal(idle, (_well with { Doors = [new("d1", phase, released, leafOpen)] }).Busy().Count == 0);
}
