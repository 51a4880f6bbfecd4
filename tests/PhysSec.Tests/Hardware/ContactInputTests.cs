using System.Device.Gpio;
using Microsoft.Extensions.Time.Testing;
using PhysSec.Hardware;

namespace PhysSec.Tests.Hardware;

public sealed class ContactInputTests : IDisposable
{
    private const int Line = 5;

    private readonly FakeTimeProvider _clock = new();
    private readonly FakeGpioDriver _lines = new();
    private readonly List<(bool Active, long At)> _changes = [];
    private readonly List<ContactInput> _open = [];
    private int _unknown;

    public void Dispose() => _open.ForEach(it => it.Dispose());

    [Theory]
    [InlineData(Level.High, true)]
    [InlineData(Level.Low, false)]
    public void It_is_unknown_until_the_first_debounced_read(Level active, bool expected)
    {
        var input = Open(active);
        _clock.Advance(Ms(29));
        Assert.Null(input.Active);

        _clock.Advance(Ms(1));

        Assert.Equal(expected, input.Active);
        Assert.Equal(expected, Assert.Single(_changes).Active);
    }

    [Fact]
    public void A_change_counts_after_the_quiet_time_and_carries_the_time_of_its_first_edge()
    {
        var input = Settled(Level.Low);
        var edge = _clock.GetTimestamp();
        _lines.Put(Line, false);
        _clock.Advance(Ms(29));
        Assert.Empty(_changes);

        _clock.Advance(Ms(1));

        Assert.Equal((true, edge), Assert.Single(_changes));
        Assert.True(input.Active);
    }

    [Fact]
    public void Bounces_are_one_change()
    {
        Settled(Level.Low);
        foreach (var high in (bool[])[false, true, false, true, false])
        {
            _lines.Put(Line, high);
            _clock.Advance(Ms(5));
        }

        _clock.Advance(Ms(60));

        Assert.True(Assert.Single(_changes).Active);
    }

    [Fact]
    public void The_quiet_time_begins_anew_with_each_bounce_and_the_first_edge_is_the_one_that_is_told()
    {
        Settled(Level.Low);
        var edge = _clock.GetTimestamp();
        foreach (var high in (bool[])[false, true, false])
        {
            _lines.Put(Line, high);
            _clock.Advance(Ms(18)); // The bounce is in force when the first quiet time ends.
        }

        Assert.Empty(_changes);
        _clock.Advance(Ms(12));
        Assert.Equal((true, edge), Assert.Single(_changes));
    }

    [Fact]
    public void A_spike_shorter_than_the_quiet_time_changes_nothing()
    {
        Settled(Level.Low);
        _lines.Put(Line, false);
        _clock.Advance(Ms(10));
        _lines.Put(Line, true);
        _clock.Advance(Ms(200));

        Assert.Empty(_changes);
    }

    [Fact]
    public void A_contact_that_chatters_for_ever_is_still_read()
    {
        Settled(Level.Low);
        var high = true;
        for (var ms = 0; ms < 2_000; ms += 10)
        {
            _lines.Put(Line, high = !high);
            _clock.Advance(Ms(10));
        }

        Assert.NotEmpty(_changes);
    }

    [Fact]
    public void An_edge_that_the_kernel_dropped_is_made_good_by_the_next_look()
    {
        Settled(Level.Low);
        _lines.Put(Line, false, lost: true);
        Pass(300);

        Assert.True(Assert.Single(_changes).Active);
    }

    [Fact]
    public void What_the_next_look_finds_settles_like_an_edge()
    {
        Settled(Level.Low);
        _lines.Put(Line, false, lost: true);
        Pass(230); // 270 ms after the start; the look was at 250.
        Assert.Empty(_changes);

        Pass(10);

        Assert.True(Assert.Single(_changes).Active);
    }

    [Fact]
    public void A_look_while_a_contact_settles_changes_nothing()
    {
        Settled(Level.Low);
        _clock.Advance(Ms(200)); // 240 ms after the start; the look is due at 250.
        var edge = _clock.GetTimestamp();
        _lines.Put(Line, false);
        Pass(30);

        Assert.Equal((true, edge), Assert.Single(_changes));
    }

    [Fact]
    public void A_line_that_cannot_be_read_is_unknown_and_says_so_once()
    {
        var input = Settled(Level.Low);
        _lines.Broken = true;
        _clock.Advance(Ms(1_000));

        Assert.Null(input.Active);
        Assert.Equal(1, _unknown);

        _lines.Broken = false;
        Pass(300);

        Assert.False(input.Active);
        Assert.False(Assert.Single(_changes).Active); // Known again is a change that the listener must hear.
    }

    private static TimeSpan Ms(int ms) => TimeSpan.FromMilliseconds(ms);

    /// <summary>In steps: one long jump would let every timer see only its end.</summary>
    private void Pass(int ms)
    {
        for (var i = 0; i < ms; i += 10) _clock.Advance(Ms(10));
    }

    private ContactInput Open(Level active)
    {
        var entry = new InputEntry("door-a.contact", DeviceRole.DoorContact, "door-a", Line, active, Pull.Up, Ms(30));
        var input = new ContactInput(entry, new GpioController(_lines), _clock);
        input.Changed += (_, on, at) => _changes.Add((on, at));
        input.BecameUnknown += (_, _) => _unknown++;
        _open.Add(input);
        return input;
    }

    private ContactInput Settled(Level active)
    {
        var input = Open(active);
        _clock.Advance(Ms(40));
        _changes.Clear();
        return input;
    }
}
