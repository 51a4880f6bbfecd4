using PhysSec.Hardware;

namespace PhysSec.Tests.Osdp;

/// <summary>How a reader comes by its key, and what a power cut leaves.</summary>
public sealed class OsdpKeyTests
{
    private static readonly TimeSpan _window = TimeSpan.FromSeconds(60);

    [Fact]
    public void A_new_reader_gets_its_key_in_a_window_that_an_operator_opens_and_works_with_no_other_afterwards()
    {
        var bus = Fresh();
        bus.Run(20);
        Assert.Equal(OsdpOffline.NoKey, bus.Of<OsdpEvent.Offline>().Last().Reason);
        Assert.All(bus.Commands, it => Assert.Equal(OsdpCommand.Id, it.Frame.Command));

        bus.Tell(0, new OsdpLinkInput.OpenInstallation(Line.Key, bus.Now + _window));
        bus.RunUntil(() => bus.Of<OsdpEvent.Online>().Any(), 5);
        Assert.Equal(Line.Key, bus.Readers[0].Reader.Key);
        var installed = Assert.Single(bus.Of<OsdpEvent.KeyInstalled>());
        Assert.Equal((Line.Key.Fingerprint, true), (installed.Fingerprint, installed.OverDefaultKey));
        Assert.Equal(new OsdpKeyState(Line.Key, null), bus.Disk[0]);
        Assert.False(bus.Bus.Links[0].IsBeingInstalled);
        Assert.Equal((byte)1, bus.Commands.Last(it => it.Frame.Command == OsdpCommand.Challenge).Frame.BlockData);
        Assert.Single(bus.Of<OsdpEvent.Pinned>());
    }

    [Fact]
    public void No_key_leaves_before_it_is_on_disk()
    {
        var bus = Fresh();
        bus.StoresKeys = false;
        bus.Tell(0, new OsdpLinkInput.OpenInstallation(Line.Key, _window));
        bus.Run(10);
        Assert.DoesNotContain(bus.Commands, it => it.Frame.Command is OsdpCommand.KeySet or OsdpCommand.Challenge);

        bus.Tell(0, new OsdpLinkInput.KeysStored(new OsdpKeyState(null, Line.OtherKey))); // Another one than was asked for.
        bus.Run(10);
        Assert.DoesNotContain(bus.Commands, it => it.Frame.Command == OsdpCommand.KeySet);

        bus.StoresKeys = true;
        bus.Tell(0, new OsdpLinkInput.KeysStored(Assert.Single(bus.Of<OsdpEvent.KeysChanged>()).Keys));
        bus.RunUntil(() => bus.Of<OsdpEvent.KeyInstalled>().Any(), 5);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_key_is_changed_within_a_session_and_proved_before_the_old_one_is_forgotten(bool acknowledgedInClear)
    {
        var bus = Line.Online();
        bus.Readers[0].AnswersKeySetInClear = acknowledgedInClear;
        bus.Tell(0, new OsdpLinkInput.ChangeKey(Line.OtherKey));
        Assert.Equal(new OsdpKeyState(Line.Key, Line.OtherKey), bus.Disk[0]);
        bus.RunUntil(() => bus.Of<OsdpEvent.KeyInstalled>().Any(), 2);
        Assert.Equal(new OsdpKeyState(Line.OtherKey, null), bus.Disk[0]);
        Assert.False(Assert.Single(bus.Of<OsdpEvent.KeyInstalled>()).OverDefaultKey);
        Assert.True(bus.Commands.Single(it => it.Frame.Command == OsdpCommand.KeySet).Frame.Block == OsdpBlock.CommandEncrypted);
        bus.Run(1);
        bus.Readers[0].Reader.Present(Line.Card);
        bus.Run(1);
        Assert.Single(bus.Of<OsdpEvent.CardRead>());
        Assert.Empty(bus.Alarms);
        Assert.Empty(bus.Of<OsdpEvent.Offline>());
    }

    [Fact]
    public void A_power_cut_of_the_controller_at_any_moment_of_a_key_change_loses_no_reader() =>
        Assert.All(Enumerable.Range(0, 60), step =>
        {
            var bus = Line.Online();
            bus.Disk[0] = new OsdpKeyState(Line.Key, null);
            bus.Tell(0, new OsdpLinkInput.ChangeKey(Line.OtherKey));
            bus.Run(step * 0.01);
            HasItsKeyAfterARestart(bus.Disk[0], bus.Readers[0], bus.Now);
        });

    [Fact]
    public void A_power_cut_of_the_controller_at_any_moment_of_an_installation_loses_no_reader() =>
        Assert.All(Enumerable.Range(0, 80), step =>
        {
            var bus = Fresh();
            bus.Disk[0] = OsdpKeyState.None;
            bus.Tell(0, new OsdpLinkInput.OpenInstallation(Line.Key, _window));
            bus.Run(step * 0.01);
            if (bus.Readers[0].Reader.Key is null) return; // It is as it was: the operator opens the window again.
            HasItsKeyAfterARestart(bus.Disk[0], bus.Readers[0], bus.Now);
        });

    [Fact]
    public void A_key_whose_acknowledgement_is_lost_is_proved_all_the_same()
    {
        var bus = Line.Online();
        bus.Tamper = (command, reply) => command.Command == OsdpCommand.KeySet || reply is null ? [] : [(reply, 0)];
        bus.Tell(0, new OsdpLinkInput.ChangeKey(Line.OtherKey));
        bus.RunUntil(() => bus.Of<OsdpEvent.KeyInstalled>().Any(), 6);
        Assert.Equal(new OsdpKeyState(Line.OtherKey, null), bus.Disk[0]);
    }

    [Fact]
    public void A_key_that_does_not_reach_the_reader_is_sent_again_and_then_given_up_with_the_old_one_in_force()
    {
        var bus = Line.Online();
        bus.Passes = command => command.Command != OsdpCommand.KeySet;
        bus.Tell(0, new OsdpLinkInput.ChangeKey(Line.OtherKey));
        bus.RunUntil(() => bus.Of<OsdpEvent.KeyChangeFailed>().Any(), 60);
        Assert.Equal(OsdpKeyChangeFault.Refused, Assert.Single(bus.Of<OsdpEvent.KeyChangeFailed>()).Fault);
        Assert.Equal(new OsdpKeyState(Line.Key, null), bus.Disk[0]);
        bus.RunUntil(() => bus.Bus.Links[0].State == OsdpLinkState.Online, 30);
    }

    [Fact]
    public void A_replaced_reader_on_the_default_key_is_never_given_a_key_by_itself()
    {
        var bus = new VirtualBus(9_600, [Line.Link(0, new OsdpKeyState(Line.Key, null))], Line.Reader(0, null));
        bus.Run(120);
        Assert.All(bus.Commands.Where(it => it.Frame.Command == OsdpCommand.Challenge), it => Assert.Equal(1, it.Frame.BlockData));
        Assert.DoesNotContain(bus.Commands, it => it.Frame.Command == OsdpCommand.KeySet);
        Assert.Equal(OsdpOffline.KeyRefused, bus.Of<OsdpEvent.Offline>().Last().Reason);

        bus.Tell(0, new OsdpLinkInput.OpenInstallation(Line.OtherKey, bus.Now + _window));
        bus.RunUntil(() => bus.Of<OsdpEvent.Online>().Any(), 10);
        Assert.Equal(new OsdpKeyState(Line.OtherKey, null), bus.Disk[0]);
    }

    [Fact]
    public void A_key_change_that_cannot_be_is_refused_with_its_reason()
    {
        var bus = Line.Many(2, 38_400);
        bus.Tell(0, new OsdpLinkInput.ChangeKey(Line.Key));
        bus.RunUntil(() => bus.Bus.Links.All(it => it.State == OsdpLinkState.Online), 3);
        bus.Tell(0, new OsdpLinkInput.ChangeKey(Line.KeyOf(0)));
        bus.Tell(0, new OsdpLinkInput.ChangeKey(Line.KeyOf(1)));
        bus.Tell(0, new OsdpLinkInput.OpenInstallation(Line.KeyOf(1), _window));
        bus.Tell(0, new OsdpLinkInput.OpenInstallation(Line.OtherKey, _window));
        bus.Tell(1, new OsdpLinkInput.OpenInstallation(Line.Key, _window)); // One reader at a time.
        Assert.Equal(
            [OsdpKeyChangeFault.NotOnline, OsdpKeyChangeFault.SameKey, OsdpKeyChangeFault.OtherReadersKey, OsdpKeyChangeFault.OtherReadersKey, OsdpKeyChangeFault.Busy],
            bus.Of<OsdpEvent.KeyChangeFailed>().Select(it => it.Fault));
    }

    [Fact]
    public void Another_device_with_the_right_key_is_an_alarm_and_waits_for_a_person()
    {
        var first = Line.Online();
        var pin = Assert.Single(first.Of<OsdpEvent.Pinned>()).Pin;
        var other = pin.Identity with { Serial = 4_711 };
        var bus = new VirtualBus(9_600, [Line.Link(0, new OsdpKeyState(Line.Key, null), new OsdpLinkSettings(0) { Pin = pin })], Line.Reader(0, Line.Key, other));
        bus.Run(30);
        Assert.Empty(bus.Of<OsdpEvent.Online>());
        Assert.Equal([OsdpSecurity.IdentityChanged], bus.Alarms);
        Assert.Equal(OsdpOffline.IdentityChanged, bus.Of<OsdpEvent.Offline>().Last().Reason);

        var found = Assert.Single(bus.Of<OsdpEvent.OtherDevice>()).Pin;
        Assert.Equal(other, found.Identity);
        bus.Tell(0, new OsdpLinkInput.AcceptIdentity(found));
        bus.RunUntil(() => bus.Of<OsdpEvent.Online>().Any(), 2);
        Assert.Equal(other, Assert.Single(bus.Of<OsdpEvent.Pinned>()).Pin.Identity);
    }

    private static VirtualBus Fresh() => new(9_600, [Line.Link(0, OsdpKeyState.None)], Line.Reader(0, null));

    private static void HasItsKeyAfterARestart(OsdpKeyState disk, PhysSec.Hardware.Simulation.PeripheralLink reader, TimeSpan elapsed)
    {
        var again = new VirtualBus(9_600, [Line.Link(0, disk)], reader);
        again.Run(elapsed.TotalSeconds); // The reader's clock goes on.
        again.RunUntil(() => again.Bus.Links[0] is { State: OsdpLinkState.Online, Keys.Pending: null }, 20);
        Assert.Equal(reader.Reader.Key, again.Bus.Links[0].Keys.Current);
    }
}
