using System.Device.Gpio;
using Microsoft.Extensions.Time.Testing;
using PhysSec.Core;
using PhysSec.Hardware;
using PhysSec.Node;
using PhysSec.Node.Control;
using PhysSec.Tests.Hardware;

namespace PhysSec.Tests.Node;

public sealed class LockWatchTests : IDisposable
{
    private static readonly DoorId _door = new("door-a");
    private static readonly LockFaultChanged _fault = new(_door, "output door-a.lock does not take what is written to it");
    private static readonly LockFaultChanged _well = new(_door, null);

    private readonly FakeTimeProvider _clock = new();
    private readonly FakeGpioDriver _lines = new();
    private readonly SwitchedOutput _output;
    private readonly LockWatch _watch;

    public LockWatchTests()
    {
        _output = new SwitchedOutput(
            new OutputEntry("door-a.lock", DeviceRole.Lock, "door-a", 24, Level.High, FailMode.FailSafe), new GpioController(_lines), _clock);
        _watch = new(_door, [_output]);
    }

    public void Dispose()
    {
        _lines.Broken = false;
        _output.Dispose();
    }

    [Fact]
    public void The_first_look_says_how_the_lock_stands_and_the_next_only_what_changed()
    {
        Assert.Equal(_well, _watch.Look());
        _output.Set(true);
        _output.Set(false);
        Assert.Null(_watch.Look());
    }

    [Fact]
    public void A_lock_that_does_not_go_back_is_a_fault_until_it_does()
    {
        _watch.Look();
        _output.Set(true);
        _lines.Broken = true;
        _output.Set(false);
        Assert.Equal(_fault, _watch.Look());
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(_watch.Look());

        _lines.Broken = false;
        Assert.Null(_watch.Look());
        _clock.Advance(TimeSpan.FromMilliseconds(250));
        Assert.Equal(_well, _watch.Look());
    }

    [Fact]
    public void A_release_that_got_lost_is_seen_although_the_lock_took_the_write_after_it()
    {
        _watch.Look();
        _lines.BrokenWrites = 1;
        _output.Set(true);
        Assert.Equal(_fault, _watch.Look());
        Assert.Equal(_well, _watch.Look());
    }

    [Fact]
    public void A_fault_that_ends_says_whether_the_lock_stands_released_by_now()
    {
        _watch.Look();
        _lines.BrokenWrites = 1;
        _output.Set(true);
        Assert.Equal(_fault, _watch.Look());
        _output.Set(true);
        Assert.Equal(_well with { On = true }, _watch.Look());
    }

    [Fact]
    public void A_lock_that_fails_before_the_first_look_is_a_fault()
    {
        _lines.Broken = true;
        _output.Set(true);
        Assert.Equal(_fault, _watch.Look());
    }

    [Fact]
    public void Of_a_lock_that_nobody_has_heard_of_yet_nothing_is_said_and_then_that_it_is_a_fault()
    {
        var unheard = new Unheard();
        var watch = new LockWatch(_door, [_output, unheard]);
        Assert.Null(watch.Look());
        unheard.Word = "output 0 of door-a.exit: the reader is offline";
        Assert.Equal(new LockFaultChanged(_door, unheard.Word), watch.Look());
        unheard.Word = null;
        Assert.Null(watch.Look()); // It clears nothing.
        unheard.Known = true;
        Assert.Equal(_well, watch.Look());
    }

    /// <summary>Its alarm from before a change of the board ends.</summary>
    [Fact]
    public void A_door_without_a_lock_is_well() => Assert.Equal(_well, new LockWatch(_door, []).Look());

    private sealed class Unheard() : BoardOutput(new ReaderOutputEntry("door-a.lock", DeviceRole.Lock, "door-a", "door-a.exit", 0, FailMode.FailSecure))
    {
        public string? Word { get; set; }

        public bool Known { get; set; }

        public override bool On => false;

        public override string? Fault => Word;

        public override long Failures => 0;

        public override string? LastFailure => null;

        public override bool IsKnown => Known;

        public override void Set(bool on)
        {
        }

        public override void Dispose()
        {
        }

        internal override void MakeSafe()
        {
        }
    }
}
