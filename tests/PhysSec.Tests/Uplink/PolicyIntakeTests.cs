using PhysSec.Node.Control;
using PhysSec.Node.Journal;
using PhysSec.Node.Uplink;
using PhysSec.Tests.Journal;

namespace PhysSec.Tests.Uplink;

public sealed class PolicyIntakeTests : IDisposable
{
    private static readonly DateTimeOffset _at = JournalFolder.Noon;
    private readonly TestSite _site = new();
    private readonly JournalFolder _folder = new();

    public void Dispose()
    {
        _site.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_signed_policy_comes_into_force_and_survives_a_restart_with_its_newest_confirmation()
    {
        var snapshot = _site.Snapshot(_site.Policy(3, _at), _at);
        using (var store = _folder.Open())
        {
            var intake = Intake(store);
            Assert.Equal(3, Assert.IsType<PolicyArrived>(intake.Take(snapshot)).Policy.Version);
            Assert.Equal(_at.AddHours(5), Assert.IsType<PolicyConfirmed>(intake.Take(_site.Confirmation(snapshot, _at.AddHours(5)))).At);
        }

        using var again = _folder.Open();
        var loaded = Assert.IsType<PolicyArrived>(Intake(again).Load());
        Assert.Equal((3, snapshot.Hash, _at.AddHours(5)), (loaded.Policy.Version, loaded.Hash, loaded.ConfirmedAt));
    }

    [Fact]
    public void Without_a_stored_policy_there_is_none()
    {
        using var store = _folder.Open();
        Assert.Null(Intake(store).Load());
        Assert.Null(Intake(store).InForce);
    }

    [Fact]
    public void An_older_policy_never_replaces_a_newer_one()
    {
        using var store = _folder.Open();
        var intake = Intake(store);
        intake.Take(_site.Snapshot(_site.Policy(3, _at), _at));
        var refused = Assert.IsType<PolicyRejected>(intake.Take(_site.Snapshot(_site.Policy(2, _at), _at.AddDays(1))));
        Assert.Contains("older than 3", refused.Fault, StringComparison.Ordinal);
        Assert.Equal(3, intake.InForce?.Version);
    }

    [Fact]
    public void The_same_version_with_other_content_is_refused()
    {
        using var store = _folder.Open();
        var intake = Intake(store);
        intake.Take(_site.Snapshot(_site.Policy(3, _at), _at));
        Assert.IsType<PolicyRejected>(intake.Take(_site.Snapshot(_site.Policy(3, _at.AddMinutes(1)), _at)));
    }

    [Fact]
    public void A_policy_with_another_signature_body_node_or_version_is_refused()
    {
        using var store = _folder.Open();
        var intake = Intake(store);
        var good = _site.Snapshot(_site.Policy(3, _at), _at);
        using var stranger = new TestSite();
        Assert.IsType<PolicyRejected>(intake.Take(stranger.Snapshot(_site.Policy(3, _at), _at)));
        Assert.IsType<PolicyRejected>(intake.Take(good with { Body = good.Body!.Replace("p-sato", "p-mori", StringComparison.Ordinal) }));
        Assert.IsType<PolicyRejected>(intake.Take(good with { At = _at.AddYears(1) }));
        Assert.IsType<PolicyRejected>(intake.Take(_site.Snapshot(_site.Policy(3, _at) with { Node = new("node-b") }, _at)));
        Assert.IsType<PolicyRejected>(intake.Take(_site.Sign(good with { Version = 4 })));
        Assert.IsType<PolicyRejected>(intake.Take(_site.Sign(good with { Base = 2 })));
        Assert.IsType<PolicyRejected>(intake.Take(_site.Snapshot(_site.Policy(3, _at) with { TimeZone = "Mars/Base" }, _at)));
        Assert.Null(intake.InForce);
    }

    [Fact]
    public void An_old_confirmation_played_again_does_not_make_a_policy_younger()
    {
        using var store = _folder.Open();
        var intake = Intake(store);
        var snapshot = _site.Snapshot(_site.Policy(3, _at), _at);
        intake.Take(snapshot);
        intake.Take(_site.Confirmation(snapshot, _at.AddHours(2)));
        Assert.Null(intake.Take(_site.Confirmation(snapshot, _at.AddHours(1))));
        Assert.Null(intake.Take(_site.Confirmation(_site.Snapshot(_site.Policy(4, _at), _at), _at.AddHours(3))));
        Assert.Equal(_at.AddHours(2), intake.InForce?.ConfirmedAt);
    }

    [Fact]
    public void A_policy_is_in_force_at_once_and_stored_as_soon_as_the_journal_can()
    {
        JournalStore? store = null;
        var intake = new PolicyIntake(TestSite.Site, TestSite.Node, _site.HubKey, () => store);
        Assert.IsType<PolicyArrived>(intake.Take(_site.Snapshot(_site.Policy(3, _at), _at)));
        using (store = _folder.Open()) intake.Save();

        using var again = _folder.Open();
        Assert.IsType<PolicyArrived>(Intake(again).Load());
    }

    private PolicyIntake Intake(JournalStore store) => new(TestSite.Site, TestSite.Node, _site.HubKey, () => store);
}
