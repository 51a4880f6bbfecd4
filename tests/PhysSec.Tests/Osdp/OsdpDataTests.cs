using CsCheck;
using PhysSec.Hardware;
using static PhysSec.Tests.Osdp.OsdpFrameTests;

namespace PhysSec.Tests.Osdp;

/// <summary>What commands and replies carry.</summary>
public sealed class OsdpDataTests
{
    public static TheoryData<OsdpOrder, string> Orders() => new()
    {
        { new OsdpOrder.Output(0, OsdpOutputAction.TemporaryOn, 30), "00 05 1E 00" },
        { new OsdpOrder.Led(1, new OsdpBlink(2, 3, OsdpColour.Green, OsdpColour.Red), 300, OsdpBlink.Steady(OsdpColour.Blue)), "00 01 02 02 03 02 01 2C 01 01 01 00 04 00" },
        { new OsdpOrder.Led(0, null, 0, null, CancelTemporary: true), "00 00 01 00 00 00 00 00 00 00 00 00 00 00" },
        { new OsdpOrder.Buzzer(OsdpTone.Default, 1, 2, 3), "00 02 01 02 03" },
        { new OsdpOrder.Text(OsdpTextAction.Temporary, 5, 1, 2, "Aé"), "00 03 05 01 02 02 41 3F" },
        { new OsdpOrder.CommunicationSet(5, 115_200), "05 00 C2 01 00" },
        { new OsdpOrder.ReceiveSize(1_440), "A0 05" },
        { new OsdpOrder.KeepActive(1_000), "E8 03" },
        { OsdpOrder.Status.Readers, "" },
    };

    [Theory]
    [MemberData(nameof(Orders))]
    public void SIA_060_09_to_060_21_an_order_is_these_bytes(OsdpOrder order, string data)
    {
        Assert.Equal(Hex(data), order.Data());
        object? again = order switch
        {
            OsdpOrder.Output => Assert.Single(OsdpOrder.Output.Parse(order.Data())!),
            OsdpOrder.Led => Assert.Single(OsdpOrder.Led.Parse(order.Data())!),
            OsdpOrder.Buzzer => OsdpOrder.Buzzer.Parse(order.Data()),
            OsdpOrder.Text text => OsdpOrder.Text.Parse(order.Data())! with { Characters = text.Characters },
            OsdpOrder.CommunicationSet => OsdpCommunication.Parse(order.Data()) is { } it ? new OsdpOrder.CommunicationSet(it.Address, it.Baud) : null,
            OsdpOrder.ReceiveSize => OsdpOrder.ReceiveSize.Parse(order.Data()),
            OsdpOrder.KeepActive => OsdpOrder.KeepActive.Parse(order.Data()),
            _ => order,
        };
        Assert.Equal(order, again);
    }

    [Theory]
    [InlineData(123, 45_678, "BD D9 37 40")]
    [InlineData(1, 1, "80 80 00 80")]
    [InlineData(0, 65_535, "00 7F FF C0")]
    public void A_card_of_26_bits_travels_left_justified(int facility, int number, string packed)
    {
        var card = WiegandFrame.Encode26(facility, number);
        byte[] wire = [0, 0, 26, 0, .. Hex(packed)];
        Assert.Equal(wire, OsdpCardRead.Of(card).Data());
        Assert.Equal(card, OsdpCardRead.Parse(wire)!.Card);
    }

    [Theory]
    [InlineData("00 00 1A 00 BD D9 37")] // A byte short.
    [InlineData("00 00 1A 00 BD D9 37 40 00")] // A byte long.
    [InlineData("00 00 1A")]
    public void A_card_whose_bytes_do_not_fit_its_bits_is_none(string data) => Assert.Null(OsdpCardRead.Parse(Hex(data)));

    [Fact]
    public void A_card_without_bits_or_with_more_than_the_system_takes_gives_no_number()
    {
        Assert.Null(OsdpCardRead.Parse(Hex("00 00 00 00"))!.Card);
        Assert.Null(OsdpCardRead.Parse([0, 0, 65, 0, .. new byte[9]])!.Card);
    }

    [Fact]
    public void Keys_are_digits_star_and_hash_and_a_frame_with_any_other_is_none_at_all()
    {
        Assert.Equal([1, 0, 9, 10, 11, 10, 11], OsdpKeys.Parse(Hex("00 07 31 30 39 7F 0D 2A 23"))!.Keys);
        Assert.Equal(Hex("00 03 35 7F 0D"), new OsdpKeys(0, [5, OsdpKeys.Star, OsdpKeys.Hash]).Data());
        Assert.Null(OsdpKeys.Parse(Hex("00 02 31 41")));
        Assert.Null(OsdpKeys.Parse(Hex("00 02 31")));
    }

    [Fact]
    public void Secrets_print_masked()
    {
        Assert.Equal("26 bits …", OsdpCardRead.Of(WiegandFrame.Encode26(123, 45_678)).ToString());
        Assert.Equal("4 keys", new OsdpKeys(0, [1, 2, 3, 4]).ToString());
    }

    [Fact]
    public void SIA_070_04_an_identity_is_these_bytes()
    {
        var wire = Hex("A1 A2 A3 B1 C1 D1 D2 D3 D4 E1 E2 E3");
        var identity = new OsdpIdentity(0xA1A2A3, 0xB1, 0xC1, 0xD4D3D2D1, 0xE1E2E3);
        Assert.Equal(identity, OsdpIdentity.Parse(wire));
        Assert.Equal(wire, identity.Data());
        Assert.True(identity.IsSameDevice(identity with { Firmware = 0, Version = 0 }));
        Assert.False(identity.IsSameDevice(identity with { Serial = 1 }));
    }

    [Fact]
    public void SIA_070_06_to_070_08_status_that_is_not_in_the_standard_is_never_read_as_normal()
    {
        Assert.Equal(new OsdpLocalStatus(true, false), OsdpLocalStatus.Parse([7, 0]));
        Assert.Null(OsdpLocalStatus.Parse([0]));
        Assert.Equal([OsdpInput.Inactive, OsdpInput.Active, OsdpInput.ShortCircuit, OsdpInput.OpenCircuit, OsdpInput.Fault, OsdpInput.Unknown, OsdpInput.Unknown], OsdpStatus.Inputs([0, 1, 2, 3, 4, 5, 0x80]));
        Assert.Equal([OsdpReaderHead.Normal, OsdpReaderHead.NotConnected, OsdpReaderHead.Tamper, OsdpReaderHead.NotConnected], OsdpStatus.Heads([0, 1, 2, 3]));
        Assert.Equal([false, true], OsdpStatus.Outputs([0, 1]));
    }

    [Fact]
    public void No_data_makes_a_parser_throw() =>
        Gen.Byte.Array[0, 30].Sample(data =>
        {
            _ = (OsdpIdentity.Parse(data), OsdpCapability.Parse(data), OsdpLocalStatus.Parse(data), OsdpStatus.Inputs(data), OsdpStatus.Heads(data), OsdpStatus.Outputs(data));
            _ = (OsdpCardRead.Parse(data)?.Card, OsdpKeys.Parse(data), OsdpCommunication.Parse(data), OsdpOrder.Output.Parse(data), OsdpOrder.Led.Parse(data));
            _ = (OsdpOrder.Buzzer.Parse(data), OsdpOrder.Text.Parse(data), OsdpOrder.ReceiveSize.Parse(data), OsdpOrder.KeepActive.Parse(data));
        });
}
