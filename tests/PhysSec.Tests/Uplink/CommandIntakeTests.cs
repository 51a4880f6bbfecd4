using PhysSec.Core.Wire;
using PhysSec.Node.Journal;
using PhysSec.Node.Uplink;
using PhysSec.Tests.Journal;

namespace PhysSec.Tests.Uplink;

/// <summary>FRESH: a command works once, in time, from the right hub.</summary>
public sealed class CommandIntakeTests : IDisposable
{
    private static readonly DateTimeOffset _now = JournalFolder.Noon;
    private readonly TestSite _site = new();
    private readonly JournalFolder _folder = new();

    public void Dispose()
    {
        _site.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_good_command_is_carried_out()
    {
        using var store = _folder.Open();
        var verdict = Intake(store).Judge(Release("n-1"), Verbs.Release, _now);
        Assert.Equal("n-1", verdict.Command?.Nonce);
        Assert.Null(verdict.Fault);
    }

    [Fact]
    public void A_command_changed_on_the_way_is_ignored()
    {
        using var store = _folder.Open();
        var changed = Release("n-1") with { Arguments = new Dictionary<string, string> { ["door"] = "door-b" } };
        var verdict = Intake(store).Judge(changed, Verbs.Release, _now);
        Assert.Null(verdict.Command);
        Assert.Null(verdict.Reply);
        Assert.Contains("signature", verdict.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_command_for_another_node_is_ignored()
    {
        using var store = _folder.Open();
        var other = new CommandIntake(TestSite.Site, new("node-b"), _site.HubKey, () => store);
        Assert.Contains("signature", other.Judge(Release("n-1"), Verbs.Release, _now).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_command_under_another_topic_than_its_own_is_ignored()
    {
        using var store = _folder.Open();
        Assert.NotNull(Intake(store).Judge(Release("n-1"), Verbs.Lockdown, _now).Fault);
    }

    [Fact]
    public void A_late_command_is_refused_and_recorded()
    {
        using var store = _folder.Open();
        var verdict = Intake(store).Judge(Release("n-1"), Verbs.Release, _now.AddSeconds(30.001));
        Assert.Null(verdict.Command);
        Assert.Equal("refused", verdict.Reply?.Outcome);
        Assert.Equal("the deadline has passed", (verdict.Record?.Fact as CommandExecuted)?.Fault);
    }

    [Fact]
    public void A_late_command_played_again_is_answered_and_fills_no_journal()
    {
        using var store = _folder.Open();
        var intake = Intake(store);
        var verdicts = Enumerable.Range(0, 50).Select(it => intake.Judge(Release("n-1"), Verbs.Release, _now.AddMinutes(5 + it))).ToList();
        Assert.All(verdicts, it => Assert.Equal("refused", it.Reply?.Outcome));
        Assert.Single(verdicts, it => it.Record is not null);
        Assert.NotNull(intake.Judge(Release("n-2"), Verbs.Release, _now.AddMinutes(5)).Record);
    }

    [Fact]
    public void With_an_unset_clock_every_command_is_refused()
    {
        using var store = _folder.Open();
        Assert.Contains("clock is unset", Intake(store).Judge(Release("n-1"), Verbs.Release, null).Reply?.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_command_works_once_also_over_a_restart()
    {
        using (var store = _folder.Open()) Assert.NotNull(Intake(store).Judge(Release("n-1"), Verbs.Release, _now).Command);
        using var again = _folder.Open();
        Assert.Equal("it was carried out before", Intake(again).Judge(Release("n-1"), Verbs.Release, _now).Reply?.Fault);
    }

    [Fact]
    public void A_command_that_is_delivered_twice_gets_its_first_answer_again()
    {
        using var store = _folder.Open();
        var intake = Intake(store);
        intake.Judge(Release("n-1"), Verbs.Release, _now);
        intake.Remember(new CommandReply("n-1", "done", null));
        var second = intake.Judge(Release("n-1"), Verbs.Release, _now);
        Assert.Null(second.Command);
        Assert.Equal("done", second.Reply?.Outcome);
        Assert.Null(second.Record);
    }

    [Fact]
    public void Without_a_journal_no_command_is_carried_out() =>
        Assert.Equal(
            "refused", new CommandIntake(TestSite.Site, TestSite.Node, _site.HubKey, () => null).Judge(Release("n-1"), Verbs.Release, _now).Reply?.Outcome);

    [Fact]
    public void A_deadline_in_the_far_future_is_refused()
    {
        using var store = _folder.Open();
        var forever = _site.Command(Verbs.Release, "n-1", _now.AddYears(1), ("door", "door-a"));
        Assert.Contains("more than an hour", Intake(store).Judge(forever, Verbs.Release, _now).Reply?.Fault, StringComparison.Ordinal);
    }

    private Command Release(string nonce) => _site.Command(Verbs.Release, nonce, _now.AddSeconds(30), ("door", "door-a"));

    private CommandIntake Intake(JournalStore store) => new(TestSite.Site, TestSite.Node, _site.HubKey, () => store);
}
