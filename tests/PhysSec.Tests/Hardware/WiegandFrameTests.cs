using CsCheck;
using PhysSec.Hardware;

namespace PhysSec.Tests.Hardware;

public sealed class WiegandFrameTests
{
    private static readonly Gen<CardBits> _cards = Gen.Select(Gen.Int[0, 2].Select(it => it == 0 ? 26 : it == 1 ? 34 : 37), Gen.ULong)
        .Select((length, data) => WiegandFrame.WithParity(data & ((1UL << (length - 2)) - 1), length));

    [Theory]
    [InlineData(123, 45_678, 0x2F764DDUL)]
    [InlineData(1, 1, 0x2020002UL)]
    [InlineData(0, 65_535, 0x001FFFFUL)]
    public void A_26_bit_card_has_the_bits_that_the_field_publishes(int facility, int number, ulong bits)
    {
        Assert.Equal(new CardBits(bits, 26), WiegandFrame.Encode26(facility, number));
        Assert.Equal(
            (new CardBits(bits, 26), null, ReaderFault.None),
            WiegandFrame.Parse(bits, 26, CardFormat.Parity, keypad: false));
    }

    [Theory]
    [InlineData(34, 0x0UL, 0x1UL)] // No data: the odd trailing parity is the only one.
    [InlineData(34, 0xFFFF_FFFFUL, 0x1_FFFF_FFFFUL)]
    [InlineData(37, 0x0UL, 0x1UL)]
    [InlineData(37, 0x2_0000UL, 0x10_0004_0000UL)] // The middle bit counts for both parities.
    public void Longer_cards_carry_even_then_odd_parity(int length, ulong data, ulong bits) =>
        Assert.Equal(new CardBits(bits, length), WiegandFrame.WithParity(data, length));

    [Fact]
    public void Every_card_with_parity_is_read_as_it_was_sent() => _cards.Sample(card =>
        WiegandFrame.Parse(card.Value, card.Length, CardFormat.Parity, keypad: true) == (card, null, ReaderFault.None));

    [Fact]
    public void Every_single_flipped_bit_is_a_parity_fault() => Gen.Select(_cards, Gen.Int[0, 63]).Sample((card, any) =>
        WiegandFrame.Parse(card.Value ^ (1UL << (any % card.Length)), card.Length, CardFormat.Parity, keypad: false)
            == (null, null, ReaderFault.Parity));

    [Theory]
    [InlineData(26)]
    [InlineData(34)]
    [InlineData(37)]
    public void Each_bit_of_a_card_is_guarded(int length)
    {
        var card = WiegandFrame.WithParity(0x1_2345_6789UL & ((1UL << (length - 2)) - 1), length);
        for (var bit = 0; bit < length; bit++)
        {
            var (read, key, fault) = WiegandFrame.Parse(card.Value ^ (1UL << bit), length, CardFormat.Parity, keypad: false);
            Assert.Equal((null, null, ReaderFault.Parity), (read, key, fault));
        }
    }

    [Fact]
    public void Only_the_lengths_of_the_board_file_are_cards()
    {
        for (var length = 1; length <= 64; length++)
        {
            var parity = WiegandFrame.Parse(0, length, CardFormat.Parity, keypad: false).Fault;
            Assert.Equal(length is 26 or 34 or 37 ? ReaderFault.Parity : ReaderFault.BitCount, parity);
            var raw = WiegandFrame.Parse(0, length, CardFormat.Raw32, keypad: false).Fault;
            Assert.Equal(length == 32 ? ReaderFault.None : ReaderFault.BitCount, raw);
        }
    }

    [Fact]
    public void More_than_64_bits_are_an_overrun() =>
        Assert.Equal(ReaderFault.Overrun, WiegandFrame.Parse(0, 65, CardFormat.Parity, keypad: true).Fault);

    [Theory]
    [InlineData(0b0101UL, 4, 5)]
    [InlineData(0b1011UL, 4, 11)]
    [InlineData(0b1010_0101UL, 8, 5)]
    public void A_key_is_a_key_only_where_the_board_file_has_a_keypad(ulong bits, int length, int key)
    {
        Assert.Equal((null, key, ReaderFault.None), WiegandFrame.Parse(bits, length, CardFormat.Parity, keypad: true));
        Assert.Equal(ReaderFault.BitCount, WiegandFrame.Parse(bits, length, CardFormat.Parity, keypad: false).Fault);
    }

    [Fact]
    public void An_8_bit_key_with_a_flipped_bit_is_a_parity_fault()
    {
        for (var bit = 0; bit < 8; bit++)
            Assert.Equal(ReaderFault.Parity, WiegandFrame.Parse(0b1010_0101UL ^ (1UL << bit), 8, CardFormat.Parity, keypad: true).Fault);
    }

    [Fact]
    public void Cards_and_frames_never_print_their_secret()
    {
        var card = WiegandFrame.Encode26(123, 45_678);
        Assert.Equal("26 bits …", card.ToString());
        Assert.Equal("26 bits …", new ReaderFrame(7, card, null, ReaderFault.None).ToString());
        Assert.Equal("a key", new ReaderFrame(7, null, 5, ReaderFault.None).ToString());
        Assert.Equal("Parity", new ReaderFrame(7, null, null, ReaderFault.Parity).ToString());
    }

    [Fact]
    public void The_fault_numbers_are_those_of_the_journal() => Assert.Equal(
        [0, 1, 2, 3, 4, 5],
        [(int)ReaderFault.None, (int)ReaderFault.Parity, (int)ReaderFault.BitCount, (int)ReaderFault.Overrun, (int)ReaderFault.LineStuck,
            (int)ReaderFault.EdgeLost]);

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(256, 0)]
    [InlineData(0, -1)]
    [InlineData(0, 65_536)]
    public void A_number_that_does_not_fit_26_bits_is_refused(int facility, int number) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => WiegandFrame.Encode26(facility, number));
}
