using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;
using static PhysSec.Tests.Osdp.ReaderKeys;

namespace PhysSec.Tests.Osdp;

/// <summary>A key change survives a power cut of the control unit at each of its steps: afterwards both sides have one key, and no person is needed.</summary>
public sealed class KeyChangeTests
{
    private const byte Address = 3;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(40);

    /// <summary>Where the power is cut.</summary>
    public enum Cut
    {
        BeforeTheKeyIsKept,
        BeforeTheKeyIsSent,
        AfterTheReaderTookIt,
        BeforeTheProofIsKept,
        AfterTheProof,
    }

    [Theory]
    [InlineData(Cut.BeforeTheKeyIsKept, false)]
    [InlineData(Cut.BeforeTheKeyIsSent, true)]
    [InlineData(Cut.AfterTheReaderTookIt, true)]
    [InlineData(Cut.BeforeTheProofIsKept, true)]
    [InlineData(Cut.AfterTheProof, true)]
    public void A_power_cut_at_each_step_leaves_reader_and_control_unit_with_one_key(Cut cut, bool changes)
    {
        using var wire = new SimulatedWire(1, 9_600, new PeripheralSettings { Address = Address, Key = Key(1) });
        wire.PowerUp();
        Assert.True(wire.RunUntil(() => IsOnline(wire), _patience));

        Arrange(wire, cut);
        wire.Tell(Address, new OsdpLinkInput.ChangeKey(Key(2)));
        wire.RunUntil(() => wire.IsDead, _patience);
        Assert.True(wire.IsDead);
        wire.PowerUp();

        var expected = Key(changes ? 2 : 1);
        Assert.True(wire.RunUntil(() => IsOnline(wire) && wire.Disk(Address).Keys == new OsdpKeyState(expected, null), _patience), wire.Disk(Address).Keys.ToString());
        Assert.Equal(expected, wire.Readers.Readers[0].Key);
    }

    [Theory]
    [InlineData(Cut.BeforeTheKeyIsKept)]
    [InlineData(Cut.BeforeTheKeyIsSent)]
    [InlineData(Cut.AfterTheReaderTookIt)]
    [InlineData(Cut.BeforeTheProofIsKept)]
    [InlineData(Cut.AfterTheProof)]
    public void An_installation_that_was_cut_off_is_finished_by_the_next_with_the_key_that_the_reader_may_have(Cut cut)
    {
        using var wire = new SimulatedWire(2, 9_600, new PeripheralSettings { Address = Address });
        wire.PowerUp();

        Arrange(wire, cut);
        wire.Tell(Address, new OsdpLinkInput.OpenInstallation(Key(1), wire.Now + _patience));
        wire.RunUntil(() => wire.IsDead, _patience);
        Assert.True(wire.IsDead);
        wire.PowerUp();
        var kept = wire.Disk(Address).Keys;
        if (kept.Current is null) wire.Tell(Address, new OsdpLinkInput.OpenInstallation(kept.Pending ?? Key(2), wire.Now + _patience));

        Assert.True(wire.RunUntil(() => IsOnline(wire) && wire.Disk(Address).Keys is { Current: not null, Pending: null }, _patience), wire.Disk(Address).Keys.ToString());
        Assert.Equal(wire.Disk(Address).Keys.Current, wire.Readers.Readers[0].Key);
        Assert.Equal(Key(cut == Cut.BeforeTheKeyIsKept ? 2 : 1), wire.Readers.Readers[0].Key);
    }

    [Fact]
    public void A_reader_that_acknowledges_its_new_key_in_clear_has_it_proved_by_the_handshake()
    {
        using var wire = new SimulatedWire(3, 9_600, new PeripheralSettings { Address = Address, Key = Key(1) });
        wire.Readers.Links[0].AnswersKeySetInClear = true;
        wire.PowerUp();
        Assert.True(wire.RunUntil(() => IsOnline(wire), _patience));

        wire.Tell(Address, new OsdpLinkInput.ChangeKey(Key(2)));

        Assert.True(wire.RunUntil(() => wire.Disk(Address).Keys == new OsdpKeyState(Key(2), null), _patience));
        Assert.DoesNotContain(wire.Events, it => it is OsdpEvent.Offline or OsdpEvent.Security);
    }

    [Fact]
    public void A_lost_acknowledgement_sends_the_key_again_as_the_same_bytes_and_the_reader_takes_it_once()
    {
        using var wire = new SimulatedWire(4, 9_600, new PeripheralSettings { Address = Address, Key = Key(1) });
        wire.PowerUp();
        Assert.True(wire.RunUntil(() => IsOnline(wire), _patience));
        var lost = 0;
        wire.LosesAnswer = _ => wire.Readers.Readers[0].Key!.Equals(Key(2)) && lost++ == 0;

        wire.Tell(Address, new OsdpLinkInput.ChangeKey(Key(2)));

        Assert.True(wire.RunUntil(() => wire.Disk(Address).Keys == new OsdpKeyState(Key(2), null), _patience));
        Assert.True(lost > 0);
    }

    private static bool IsOnline(SimulatedWire wire) => wire.Control.Links[0].State == OsdpLinkState.Online;

    private static void Arrange(SimulatedWire wire, Cut cut)
    {
        var had = wire.Readers.Readers[0].Key;
        switch (cut)
        {
            case Cut.BeforeTheKeyIsKept:
                wire.DiesAt = it => it is OsdpEvent.KeysChanged { Keys.Pending: not null };
                break;
            case Cut.BeforeTheKeyIsSent:
                wire.DiesBeforeSending = it => OsdpFrame.Parse(it.AsSpan(1), out var frame) == OsdpFrameFault.None && frame!.Command == OsdpCommand.KeySet;
                break;
            case Cut.AfterTheReaderTookIt:
                wire.LosesAnswer = _ => !Equals(wire.Readers.Readers[0].Key, had);
                wire.DiesBeforeSending = _ =>
                {
                    if (Equals(wire.Readers.Readers[0].Key, had)) return false;
                    wire.LosesAnswer = null;
                    return true;
                };
                break;
            case Cut.BeforeTheProofIsKept:
                wire.DiesAt = it => it is OsdpEvent.KeysChanged { Keys.Pending: null };
                break;
            case Cut.AfterTheProof:
                wire.DiesAt = it => it is OsdpEvent.KeyInstalled;
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(cut));
        }
    }
}
