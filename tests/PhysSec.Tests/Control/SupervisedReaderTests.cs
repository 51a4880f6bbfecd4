using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using PhysSec.Tests.Access;

namespace PhysSec.Tests.Control;

/// <summary>UNKNOWN-IS-NOT-OK for readers that tell by themselves that they are there.</summary>
public sealed class SupervisedReaderTests
{
    private readonly NodeCore _core = new(
        NodeProbe.Setup(TestPolicy.Policy(), ClockQuality.Synced) with { Readers = [new(NodeProbe.Door, Direction.In), new(NodeProbe.Door, Direction.Out)] }, null);

    private double _now;

    [Fact]
    public void A_reader_that_has_not_answered_ten_seconds_after_the_start_is_offline_and_one_that_has_is_not()
    {
        Do(new Tick());
        Do(new ReaderLinkChanged(NodeProbe.Door, Direction.In, null));

        Assert.Empty(After(9.95, new Tick()));
        Assert.Equal(["+reader-offline:door-a.exit"], After(0.05, new Tick()));
        Assert.Equal(["-reader-offline:door-a.exit"], Do(new ReaderLinkChanged(NodeProbe.Door, Direction.Out, null)));
    }

    [Fact]
    public void A_link_that_is_lost_is_an_alarm_once_and_ends_with_the_link()
    {
        Do(new ReaderLinkChanged(NodeProbe.Door, Direction.In, null));

        Assert.Equal(["+reader-offline:door-a.entry"], Do(new ReaderLinkChanged(NodeProbe.Door, Direction.In, "no answer for 8 s")));
        Assert.Empty(Do(new ReaderLinkChanged(NodeProbe.Door, Direction.In, "the port is gone")));
        Assert.Equal(["-reader-offline:door-a.entry"], Do(new ReaderLinkChanged(NodeProbe.Door, Direction.In, null)));
    }

    [Fact]
    public void An_open_case_is_an_alarm_until_the_reader_itself_says_otherwise()
    {
        Assert.Equal(["+tamper:door-a.entry"], Do(new ReaderCaseChanged(NodeProbe.Door, Direction.In, true, false)));
        Do(new ReaderLinkChanged(NodeProbe.Door, Direction.In, "cut"));
        Assert.Equal(["-reader-offline:door-a.entry"], Do(new ReaderLinkChanged(NodeProbe.Door, Direction.In, null)));
        Assert.Equal(["-tamper:door-a.entry"], Do(new ReaderCaseChanged(NodeProbe.Door, Direction.In, false, false)));
    }

    [Fact]
    public void An_attack_on_the_line_is_an_alarm_for_ten_minutes_after_the_last_one()
    {
        Do(new ReaderLinkChanged(NodeProbe.Door, Direction.In, null));
        Do(new ReaderLinkChanged(NodeProbe.Door, Direction.Out, null));
        Assert.Equal(["+reader-attack:door-a.exit"], Do(new ReaderAttackSeen(NodeProbe.Door, Direction.Out, "ReplayedReply")));
        Assert.Empty(After(300, new ReaderAttackSeen(NodeProbe.Door, Direction.Out, "ReplayedReply")));
        Assert.DoesNotContain("-reader-attack:door-a.exit", After(599, new Tick()));
        Assert.Contains("-reader-attack:door-a.exit", After(1, new Tick()));
    }

    [Fact]
    public void What_was_wrong_before_a_restart_stays_wrong_until_the_reader_answers()
    {
        Do(new ReaderLinkChanged(NodeProbe.Door, Direction.In, "cut"));
        var memory = new NodeMemory([], [new("reader-offline:door-a.entry", false), new("tamper:door-a.entry", false), new("reader-offline:door-z.entry", false)]);
        var again = new NodeCore(NodeProbe.Setup(TestPolicy.Policy(), ClockQuality.Synced) with { Readers = [new(NodeProbe.Door, Direction.In)] }, memory);

        var started = Alarms(again.Step(new Tick(), default, TestPolicy.Tuesday));

        Assert.Contains("-reader-offline:door-z.entry", started); // Of a reader that is no more.
        Assert.DoesNotContain("-reader-offline:door-a.entry", started);
        Assert.DoesNotContain("-tamper:door-a.entry", started);
        Assert.Contains("-reader-offline:door-a.entry", Alarms(again.Step(new ReaderLinkChanged(NodeProbe.Door, Direction.In, null), default, TestPolicy.Tuesday)));
    }

    private List<string> After(double seconds, Input input)
    {
        _now += seconds;
        return Do(input);
    }

    private List<string> Do(Input input) => Alarms(_core.Step(input, TimeSpan.FromSeconds(_now), TestPolicy.Tuesday.AddSeconds(_now)));

    /// <summary>Of readers; contacts that nobody answers for are not what this is about.</summary>
    private static List<string> Alarms(Effects effects) =>
        [.. effects.Records.Select(it => it.Fact switch
        {
            AlarmRaised raised => "+" + raised.Alarm,
            AlarmCleared cleared => "-" + cleared.Alarm,
            _ => "",
        }).Where(it => it.Contains("reader", StringComparison.Ordinal) || it.Contains("tamper:door-a.entry", StringComparison.Ordinal))];
}
