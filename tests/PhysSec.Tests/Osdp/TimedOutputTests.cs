using PhysSec.Hardware;

namespace PhysSec.Tests.Osdp;

/// <summary>A lock at a reader's own output, over a line in simulated time.</summary>
public sealed class TimedOutputTests
{
    private static readonly TimeSpan _longest = TimedOutput.HeldFor;

    private readonly VirtualBus _bus = new(9_600, [Line.Link(0, new OsdpKeyState(Line.Key, null))], Line.Reader(0, Line.Key));
    private readonly TimedOutput _lock = new(0, TimeSpan.Zero);
    private int _heard;

    private bool IsFree => !_bus.Readers[0].Reader.Silent && _bus.Readers[0].Reader.Output(0, _bus.Now);

    private IEnumerable<OsdpOutputAction> Ordered => _bus.Of<OsdpEvent.OrderDone>().Select(it => it.Order).OfType<OsdpOrder.Output>().Select(it => it.Action);

    [Fact]
    public void The_first_order_of_all_is_off_and_nothing_is_said_of_it_before()
    {
        Assert.Null(_lock.Fault);
        Assert.False(_lock.IsKnown);
        Run(2);
        Assert.Equal(OsdpOutputAction.PermanentOff, Assert.Single(Ordered));
        Assert.Equal((true, false, null), (_lock.IsKnown, _lock.On, _lock.Fault));
    }

    [Fact]
    public void A_release_reaches_the_reader_at_once_and_lasts_as_long_as_it_is_wanted()
    {
        Run(2);
        Set(true);
        Run(0.15);
        Assert.True(IsFree);
        for (var second = 0; second < 60; second++)
        {
            Run(1);
            Assert.True(IsFree, $"after {second} s");
        }

        Set(false);
        Run(0.15);
        Assert.False(IsFree);
        Run(10);
        Assert.Equal((0, null), (_lock.Failures, _lock.Fault));
        Assert.DoesNotContain(OsdpOutputAction.PermanentOn, Ordered);
    }

    /// <summary>Whatever dies first: node, cable or converter.</summary>
    [Fact]
    public void Without_the_controller_the_reader_locks_within_its_own_time()
    {
        Run(2);
        Set(true);
        Run(5.5);
        Assert.True(IsFree);
        var reader = _bus.Readers[0].Reader;
        Assert.False(reader.Output(0, _bus.Now + _longest));
        Assert.True(_longest <= TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void A_cable_that_is_cut_while_released_locks_the_door_and_is_a_fault_and_nothing_is_released_when_it_is_back()
    {
        Run(2);
        Set(true);
        Run(3);
        _bus.Passes = _ => false;
        Run(_longest.TotalSeconds);
        Assert.False(_bus.Readers[0].Reader.Output(0, _bus.Now));
        Run(4);
        Assert.Equal((false, 1), (_lock.On, _lock.Failures));
        Assert.Contains("offline", _lock.Fault, StringComparison.Ordinal);

        _bus.Passes = null;
        NeverFreeFor(40);
        Assert.Null(_lock.Fault);
        Assert.Equal(OsdpOutputAction.PermanentOff, Ordered.Last());
    }

    [Fact]
    public void A_release_of_a_reader_that_is_known_to_be_offline_is_dropped_at_once_and_never_given_late()
    {
        Run(2);
        _bus.Passes = _ => false;
        Run(12);
        Set(true);
        Assert.Equal((false, 1), (_lock.On, _lock.Failures));
        Assert.Contains("offline", _lock.LastFailure, StringComparison.Ordinal);

        _bus.Passes = null;
        NeverFreeFor(40);
    }

    /// <summary>The line is dead for a time and nobody knows it yet: at whatever moment of that the release comes, it is given within its second or not at all.</summary>
    [Theory]
    [InlineData(0.01)]
    [InlineData(0.3)]
    [InlineData(0.9)]
    [InlineData(2)]
    [InlineData(5)]
    public void A_release_that_the_line_cannot_carry_in_time_is_not_given_when_the_line_is_back(double before)
    {
        Run(2);
        _bus.Passes = _ => false;
        Run(before);
        Set(true);
        Run(TimedOutput.GivenWithin.TotalSeconds + 0.5);
        _bus.Passes = null;
        NeverFreeFor(30);
        Assert.Equal((false, 1, null), (_lock.On, _lock.Failures, _lock.Fault));
        Assert.Contains("did not answer in time", _lock.LastFailure, StringComparison.Ordinal);
    }

    /// <summary>Whoever shows a light there must know it for as long as somebody may stand there and pull.</summary>
    [Fact]
    public void A_release_that_was_dropped_is_a_fault_for_as_long_as_it_would_have_lasted_or_until_the_next_order()
    {
        Run(2);
        _bus.Passes = _ => false;
        Set(true);
        Run(TimedOutput.Patience.TotalSeconds + 0.5);
        Assert.Contains("it was not released", _lock.Fault, StringComparison.Ordinal);
        _bus.Passes = null;
        Run(2);
        Assert.Contains("it was not released", _lock.Fault, StringComparison.Ordinal); // The line is back, and the door is as shut as before.
        Set(true);
        Run(0.5);
        Assert.Equal((true, null), (IsFree, _lock.Fault));

        Set(false);
        Run(2);
        _bus.Passes = _ => false;
        Set(true);
        Run(TimedOutput.Patience.TotalSeconds + 0.5);
        _bus.Passes = null;
        Run(_longest.TotalSeconds);
        Assert.Null(_lock.Fault);
    }

    [Fact]
    public void A_release_that_waited_for_a_busy_thread_is_not_given_when_its_time_is_over()
    {
        Run(2);
        foreach (var it in _lock.Set(true, _bus.Now)) _bus.Tell(0, it with { Waited = TimedOutput.GivenWithin + TimeSpan.FromMilliseconds(1) });
        NeverFreeFor(10);
        Assert.Equal((false, 1), (_lock.On, _lock.Failures));
    }

    [Fact]
    public void An_order_that_a_replacement_of_the_reader_cuts_off_is_told_and_the_output_comes_to_rest()
    {
        Run(2);
        Set(true);
        Run(1);
        for (var sent = _bus.Commands.Count; !_bus.Commands.Skip(sent).Any(it => it.Frame.Command == OsdpCommand.Output);) Run(0.02); // A renewal is on the wire.
        _bus.Tell(0, new OsdpLinkInput.OpenInstallation(OsdpSecureChannelTests.Key("0A7723D5F1C94E7720F8A1B3D4C5E6FE"), _bus.Now + TimeSpan.FromSeconds(2), Replaces: true));
        Run(1);
        Set(false);
        Run(30);
        Assert.True(_lock.IsAtRest);
    }

    /// <summary>The reader has heard it, and its answer is lost: it is free for a moment, and everything is done to end that.</summary>
    [Fact]
    public void A_release_in_doubt_is_taken_back_as_soon_as_the_line_allows()
    {
        Run(2);
        var deaf = false;
        _bus.Tamper = (command, reply) =>
        {
            deaf |= command.Command == OsdpCommand.Output;
            return deaf ? [] : [(reply!, 0)];
        };
        Set(true);
        Run(1.5);
        Assert.True(IsFree);
        _bus.Tamper = null;
        Run(4);
        Assert.False(IsFree);
        Assert.Equal(1, _lock.Failures);
    }

    [Fact]
    public void A_reader_that_loses_its_power_for_a_moment_is_released_again_only_if_the_door_still_is()
    {
        foreach (var still in (bool[])[true, false])
        {
            Run(12);
            Set(true);
            Run(1);
            _bus.Readers[0].Reader.Silent = true;
            Run(0.5);
            if (!still) Set(false);
            Run(0.5);
            _bus.Readers[0].Reader.Silent = false;
            _bus.Readers[0].Restart();
            if (!still) NeverFreeFor(15);
            Run(5);
            Assert.Equal(still, IsFree);
            Set(false);
        }
    }

    [Fact]
    public void A_locking_that_gets_lost_is_repeated_until_the_reader_says_off()
    {
        Run(2);
        Set(true);
        Run(1);
        var lost = 3;
        _bus.Passes = it => it.Command != OsdpCommand.Output || lost-- <= 0;
        Set(false);
        Run(_longest.TotalSeconds);
        Assert.False(IsFree);
        Assert.Equal(OsdpOutputAction.PermanentOff, Ordered.Last());
    }

    [Fact]
    public void A_reader_that_refuses_the_order_or_has_no_such_output_is_a_fault()
    {
        var none = new TimedOutput(7, TimeSpan.Zero);
        Run(4, none);
        Assert.Contains("does not say how it stands", none.Fault, StringComparison.Ordinal);
        Tell(none.Set(true, _bus.Now));
        Run(1, none);
        Assert.Contains("refuses", none.LastFailure, StringComparison.Ordinal);
    }

    /// <summary>Somebody else switches it: another controller, or the reader's own mind.</summary>
    [Fact]
    public void What_the_reader_itself_says_counts()
    {
        Run(2);
        _bus.Readers[0].Reader.Do(OsdpCommand.Output, new OsdpOrder.Output(0, OsdpOutputAction.PermanentOn, 0).Data(), _bus.Now, secured: true);
        Assert.True(IsFree);
        Run(6);
        Assert.False(IsFree); // It was looked at, and ordered off.
    }

    [Fact]
    public void A_reader_that_takes_the_order_and_does_not_obey_is_a_fault_until_it_does()
    {
        Run(2);
        _bus.Events.Clear();
        _heard = 0;
        Tell(_lock.Take(new OsdpEvent.Outputs(0, [true, false]), _bus.Now)); // As one whose relay is stuck would go on saying.
        Tell(_lock.Tick(_bus.Now + TimedOutput.Patience));
        Assert.Contains("says that it is on", _lock.Fault, StringComparison.Ordinal);
        Tell(_lock.Take(new OsdpEvent.Outputs(0, [false, false]), _bus.Now));
        Assert.Null(_lock.Fault);
    }

    private void Set(bool on) => Tell(_lock.Set(on, _bus.Now));

    private void NeverFreeFor(double seconds)
    {
        for (var at = 0.0; at < seconds; at += 0.02)
        {
            Run(0.02);
            Assert.False(_bus.Readers[0].Reader.Output(0, _bus.Now), $"released {at:0.00} s after the line was back");
        }
    }

    private void Run(double seconds) => Run(seconds, _lock);

    private void Run(double seconds, TimedOutput output)
    {
        for (var left = seconds; left > 0.001; left -= 0.02)
        {
            _bus.Run(Math.Min(left, 0.02));
            for (; _heard < _bus.Events.Count; _heard++) Tell(output.Take(_bus.Events[_heard].What, _bus.Now));
            Tell(output.Tick(_bus.Now));
        }
    }

    private void Tell(IReadOnlyList<OsdpLinkInput.Order> orders)
    {
        foreach (var it in orders) _bus.Tell(0, it);
    }
}
