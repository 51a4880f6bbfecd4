using System.Device.Gpio;
using Microsoft.Extensions.Time.Testing;
using PhysSec.Hardware;

namespace PhysSec.Tests.Hardware;

public sealed class SwitchedOutputTests : IDisposable
{
    private const int Line = 24;

    private readonly FakeTimeProvider _clock = new();
    private readonly FakeGpioDriver _lines = new();
    private SwitchedOutput? _output;

    public void Dispose()
    {
        _lines.Broken = false;
        _output?.Dispose();
    }

    [Theory]
    [InlineData(Level.High, false)]
    [InlineData(Level.Low, true)]
    public void It_is_driven_off_when_opened_and_when_closed(Level active, bool off)
    {
        var output = Open(active);
        Assert.Equal((Line, off), Assert.Single(_lines.Driven));

        output.Set(true);
        output.Dispose();

        Assert.Equal([(Line, off), (Line, !off), (Line, off)], _lines.Driven);
        Assert.Empty(_lines.OpenLines);
    }

    [Fact]
    public void The_end_of_the_process_drives_it_off()
    {
        var output = Open(Level.High);
        output.Set(true);
        output.MakeSafe();

        Assert.Equal((Line, false), _lines.Driven[^1]);
        Assert.False(output.On);
    }

    [Fact]
    public void A_release_that_fails_is_dropped_and_never_made_up_for()
    {
        var output = Open(Level.High);
        _lines.Broken = true;
        output.Set(true);
        Assert.NotNull(output.Fault);
        Assert.False(output.On);

        _lines.Broken = false;
        _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Null(output.Fault);
        Assert.DoesNotContain((Line, true), _lines.Driven);
    }

    [Fact]
    public void A_release_that_fails_leaves_a_trace_even_if_the_line_takes_the_locking_after_it()
    {
        var output = Open(Level.High);
        output.Set(true);
        output.Set(false);
        Assert.Equal(0, output.Failures);

        _lines.BrokenWrites = 1;
        output.Set(true);

        Assert.Null(output.Fault);
        Assert.False(output.On);
        Assert.Equal(1, output.Failures);
    }

    [Fact]
    public void A_locking_that_fails_is_repeated_until_the_line_takes_it()
    {
        var output = Open(Level.High);
        output.Set(true);
        _lines.Broken = true;
        output.Set(false);
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.NotNull(output.Fault);
        Assert.Equal((Line, true), _lines.Driven[^1]);

        _lines.Broken = false;
        _clock.Advance(TimeSpan.FromMilliseconds(250));

        Assert.Equal((Line, false), _lines.Driven[^1]);
        Assert.Null(output.Fault);
    }

    [Fact]
    public void A_siren_that_could_not_be_switched_on_is_tried_again()
    {
        var output = Open(Level.High, DeviceRole.Siren);
        _lines.Broken = true;
        output.Set(true);
        _lines.Broken = false;
        _clock.Advance(TimeSpan.FromMilliseconds(250));

        Assert.Equal((Line, true), _lines.Driven[^1]);
        Assert.True(output.On);
    }

    /// <summary>Whatever the software above does: a loop that hangs burns no coil.</summary>
    [Fact]
    public void What_is_made_for_pulses_goes_off_by_itself()
    {
        var output = Open(Level.High, DeviceRole.Relock);
        output.Set(true);
        _clock.Advance(TimeSpan.FromSeconds(4));
        output.Set(true);
        _clock.Advance(TimeSpan.FromSeconds(4));
        Assert.True(output.On);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(output.On);
        Assert.Equal((Line, false), _lines.Driven[^1]);
    }

    [Fact]
    public void A_closed_output_cannot_be_switched()
    {
        var output = Open(Level.High);
        output.Dispose();

        Assert.Throws<ObjectDisposedException>(() => output.Set(true));
    }

    private SwitchedOutput Open(Level active, DeviceRole role = DeviceRole.Lock) => _output = new SwitchedOutput(
        new OutputEntry("door-a.lock", role, "door-a", Line, active, FailMode.FailSafe), new GpioController(_lines), _clock);
}
