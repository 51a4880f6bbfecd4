using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;
using static PhysSec.Tests.Osdp.ReaderKeys;

namespace PhysSec.Tests.Osdp;

/// <summary>Another device takes a reader's place: by order, and without one.</summary>
public sealed class ReaderReplacementTests
{
    private const byte Address = 3;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(40);

    /// <summary>Where the power is cut.</summary>
    public enum Cut
    {
        BeforeTheOldKeyIsForgotten,
        BeforeTheKeyIsSent,
        BeforeTheProofIsKept,
        BeforeTheDeviceIsNoted,
    }

    [Fact]
    public void A_replacement_forgets_the_device_before_at_once_and_gives_the_new_one_a_key_and_notes_it()
    {
        var (bus, old) = Replaced(Line.Reader(0, null, Other(7)));
        bus.RunUntil(() => bus.Bus.Links[0] is { State: OsdpLinkState.Online, Keys.Current: not null }, 30);

        Assert.Equal(new OsdpKeyState(Line.OtherKey, null), bus.Bus.Links[0].Keys);
        Assert.Equal(Other(7), bus.Bus.Links[0].Pin?.Identity);
        Assert.NotEqual(old, bus.Bus.Links[0].Pin);
        Assert.Equal([OsdpKeyStep.DefaultKeyFound, OsdpKeyStep.KeyTaken], bus.Of<OsdpEvent.KeyProgress>().Select(it => it.Step));
        Assert.True(Assert.Single(bus.Of<OsdpEvent.KeysChanged>(), it => it.ForgetsDevice).Keys == new OsdpKeyState(null, Line.OtherKey));
    }

    [Fact]
    public void The_reader_that_was_there_is_sent_no_key_and_is_not_taken_again_after_the_window()
    {
        var bus = Line.Online();
        bus.Tell(0, new OsdpLinkInput.OpenInstallation(Line.OtherKey, bus.Now + TimeSpan.FromSeconds(20), Replaces: true));
        bus.Run(60);

        Assert.Equal(OsdpOffline.NoKey, bus.Of<OsdpEvent.Offline>().Last().Reason);
        Assert.DoesNotContain(bus.Commands, it => it.Frame.Command == OsdpCommand.KeySet);
        Assert.Equal(Line.Key, bus.Readers[0].Reader.Key);
        Assert.Equal(OsdpKeyState.None, bus.Bus.Links[0].Keys);
        Assert.Equal([OsdpKeyChangeFault.WindowClosed], bus.Of<OsdpEvent.KeyChangeFailed>().Select(it => it.Fault));
    }

    [Fact]
    public void What_cannot_be_kept_changes_nothing_and_can_be_ordered_again()
    {
        var bus = Line.Online();
        bus.StoresKeys = false;
        foreach (var replaces in (bool[])[true, false])
        {
            bus.Tell(0, new OsdpLinkInput.OpenInstallation(Line.OtherKey, bus.Now + _patience, replaces));
            bus.Tell(0, new OsdpLinkInput.KeysNotStored(bus.Of<OsdpEvent.KeysChanged>().Last().Keys));
        }

        bus.Run(20);
        Assert.Equal([OsdpKeyChangeFault.NotKept, OsdpKeyChangeFault.NotKept], bus.Of<OsdpEvent.KeyChangeFailed>().Select(it => it.Fault));
        Assert.Empty(bus.Of<OsdpEvent.Offline>());
        Assert.False(bus.Bus.Links[0].IsBeingInstalled);
        Assert.Equal(new OsdpKeyState(Line.Key, null), bus.Bus.Links[0].Keys);
        Assert.NotNull(bus.Bus.Links[0].Pin);

        bus.StoresKeys = true;
        bus.Tell(0, new OsdpLinkInput.ChangeKey(Line.OtherKey));
        bus.RunUntil(() => bus.Bus.Links[0].Keys == new OsdpKeyState(Line.OtherKey, null), 10);
    }

    [Fact]
    public void A_key_that_a_reader_may_have_since_an_interrupted_installation_outlives_a_window_in_which_it_is_away()
    {
        var bus = new VirtualBus(9_600, [Line.Link(0, new OsdpKeyState(null, Line.Key))], Line.Reader(0, Line.Key)) { Passes = _ => false };
        bus.Tell(0, new OsdpLinkInput.OpenInstallation(Line.Key, TimeSpan.FromSeconds(20)));
        bus.Run(30);
        Assert.Equal(new OsdpKeyState(null, Line.Key), bus.Bus.Links[0].Keys);

        bus.Passes = null;
        bus.RunUntil(() => bus.Bus.Links[0].Keys == new OsdpKeyState(Line.Key, null), 60);
    }

    [Theory]
    [InlineData(Cut.BeforeTheOldKeyIsForgotten)]
    [InlineData(Cut.BeforeTheKeyIsSent)]
    [InlineData(Cut.BeforeTheProofIsKept)]
    [InlineData(Cut.BeforeTheDeviceIsNoted)]
    public void A_power_cut_during_a_replacement_closes_the_window_and_leaves_nothing_that_another_order_does_not_mend(Cut cut)
    {
        using var wire = new SimulatedWire(5, 9_600, new PeripheralSettings { Address = Address, Key = Key(1) });
        wire.PowerUp();
        Assert.True(wire.RunUntil(() => IsOnline(wire), _patience));
        var old = wire.Disk(Address);
        wire.Readers.Exchange(wire.Readers.Readers[0], new OsdpPeripheral(new() { Address = Address })); // Fresh from the factory.
        Arrange(wire, cut);

        wire.Tell(Address, new OsdpLinkInput.OpenInstallation(Key(2), wire.Now + _patience, Replaces: true));
        wire.RunUntil(() => wire.IsDead, _patience);
        Assert.True(wire.IsDead);
        Assert.Equal(cut == Cut.BeforeTheOldKeyIsForgotten ? old : new(new(cut == Cut.BeforeTheDeviceIsNoted ? Key(2) : null, cut == Cut.BeforeTheDeviceIsNoted ? null : Key(2)), null), wire.Disk(Address));

        wire.PowerUp();
        Assert.False(wire.Control.Links[0].IsBeingInstalled);
        if (cut <= Cut.BeforeTheKeyIsSent)
        {
            Assert.False(wire.RunUntil(() => IsOnline(wire), _patience)); // Nobody takes the default key without an order.
            wire.Tell(Address, new OsdpLinkInput.OpenInstallation(Key(3), wire.Now + _patience, Replaces: true));
        }

        Assert.True(wire.RunUntil(() => IsOnline(wire) && wire.Disk(Address) is { Keys: { Current: not null, Pending: null }, Pin: not null }, _patience), wire.Disk(Address).Keys.ToString());
        Assert.Equal(wire.Disk(Address).Keys.Current, wire.Readers.Readers[0].Key);
    }

    [Fact]
    public void Only_the_device_that_was_accepted_is_taken_and_a_third_one_is_refused_like_it_was()
    {
        var bus = Strangers(Line.Reader(0, Line.Key, Other(8)));
        bus.Tell(0, new OsdpLinkInput.AcceptIdentity(new(Other(7), null)));
        bus.Run(20);

        Assert.Empty(bus.Of<OsdpEvent.Online>());
        Assert.Equal(Other(8), bus.Bus.Links[0].Found?.Identity);
        Assert.Equal(Other(7), bus.Bus.Links[0].Pin?.Identity);
    }

    [Fact]
    public void The_right_device_that_is_put_back_is_taken_again_without_a_person()
    {
        var bus = Strangers(Line.Reader(0, Line.Key, Other(7)));
        bus.Run(5);
        Assert.Equal(Other(7), bus.Bus.Links[0].Found?.Identity);

        var back = Strangers(Line.Reader(0, Line.Key), bus.Bus.Links[0]);
        back.RunUntil(() => back.Of<OsdpEvent.Online>().Any(), 60);

        Assert.Null(back.Bus.Links[0].Found);
        Assert.Empty(back.Of<OsdpEvent.Pinned>());
    }

    private static OsdpIdentity Other(uint serial) => new PeripheralSettings { Address = 0 }.Identity with { Serial = serial };

    private static (VirtualBus Bus, OsdpPin Old) Replaced(PeripheralLink by)
    {
        var old = Assert.Single(Line.Online().Of<OsdpEvent.Pinned>()).Pin;
        var bus = new VirtualBus(9_600, [Line.Link(0, new OsdpKeyState(Line.Key, null), new OsdpLinkSettings(0) { Pin = old })], by);
        bus.Tell(0, new OsdpLinkInput.OpenInstallation(Line.OtherKey, _patience, Replaces: true));
        return (bus, old);
    }

    private static VirtualBus Strangers(PeripheralLink reader, OsdpLink? link = null)
    {
        var pin = Assert.Single(Line.Online().Of<OsdpEvent.Pinned>()).Pin;
        var bus = new VirtualBus(9_600, [link ?? Line.Link(0, new OsdpKeyState(Line.Key, null), new OsdpLinkSettings(0) { Pin = pin })], reader);
        bus.Run(5);
        return bus;
    }

    private static bool IsOnline(SimulatedWire wire) => wire.Control.Links[0].State == OsdpLinkState.Online;

    private static void Arrange(SimulatedWire wire, Cut cut)
    {
        switch (cut)
        {
            case Cut.BeforeTheOldKeyIsForgotten:
                wire.DiesAt = it => it is OsdpEvent.KeysChanged;
                break;
            case Cut.BeforeTheKeyIsSent:
                wire.DiesBeforeSending = it => OsdpFrame.Parse(it.AsSpan(1), out var frame) == OsdpFrameFault.None && frame!.Command == OsdpCommand.KeySet;
                break;
            case Cut.BeforeTheProofIsKept:
                wire.DiesAt = it => it is OsdpEvent.KeysChanged { Keys.Pending: null };
                break;
            case Cut.BeforeTheDeviceIsNoted:
                wire.DiesAt = it => it is OsdpEvent.Pinned;
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(cut));
        }
    }
}
