using System.Numerics;
using PhysSec.Hardware;

namespace PhysSec.Tests.Hardware;

/// <summary>Card formats as data of the board file.</summary>
public sealed class WiegandFormatTests
{
    private const int Seed = 20_261_128;

    // Three parities that cover each other, as in a corporate format of 35 bits.
    private const string City35 = """
        {"name":"city-35","length":35,"facility":"3-14","number":"15-34","parity":[
          {"bit":2,"kind":"even","over":"3-4,6-7,9-10,12-13,15-16,18-19,21-22,24-25,27-28,30-31,33-34"},
          {"bit":35,"kind":"odd","over":"2-3,5-6,8-9,11-12,14-15,17-18,20-21,23-24,26-27,29-30,32-33"},
          {"bit":1,"kind":"odd","over":"2-35"}]}
        """;

    [Fact]
    public void A_format_of_the_board_file_checks_every_one_of_its_parities()
    {
        var format = Reader($"[{City35}, \"26\"]").Format;
        var random = new Random(Seed);
        for (var round = 0; round < 500; round++)
        {
            var good = Whole(format.Of(35)!, (ulong)random.NextInt64() & ((1UL << 35) - 1));
            Assert.Equal((new CardBits(good, 35), null, ReaderFault.None), WiegandFrame.Parse(good, 35, format, keypad: false));
            for (var bit = 0; bit < 35; bit++)
                Assert.Equal(ReaderFault.Parity, WiegandFrame.Parse(good ^ (1UL << bit), 35, format, keypad: false).Fault);
        }

        var card = WiegandFrame.Encode26(123, 45_678);
        Assert.Equal(card, WiegandFrame.Parse(card.Value, 26, format, keypad: false).Card);
        Assert.Equal(ReaderFault.BitCount, WiegandFrame.Parse(0, 34, format, keypad: false).Fault); // Not of this reader.
    }

    [Theory]
    [InlineData(26)]
    [InlineData(34)]
    [InlineData(37)]
    public void The_formats_that_are_built_in_have_even_parity_in_front_and_odd_behind(int length)
    {
        var format = CardFormat.Parity.Of(length)!;

        Assert.Equal([false, true], format.Parities.Select(it => it.Odd));
        Assert.All(format.Parities, it => Assert.Equal((length + 1) / 2, BitOperations.PopCount(it.Covers)));
        Assert.Equal(length, BitOperations.PopCount(format.Parities[0].Covers | format.Parities[1].Covers));
        Assert.Equal(1UL, format.Parities[0].Covers >> (length - 1)); // The first bit is the even one's own, the last the odd one's.
        Assert.Equal(1UL, format.Parities[1].Covers & 1);
    }

    [Fact]
    public void A_reader_that_says_nothing_of_its_cards_reads_numbers()
    {
        Assert.Null(Reader("[\"26\"]").Profile);
        Assert.Equal(new ReaderProfile(ReaderProof.Number, "FeliCa IDm"), Reader("[\"26\"]", ",\"card\":\"FeliCa IDm\"").Profile);
    }

    private static WiegandEntry Reader(string formats, string more = "") => (WiegandEntry)BoardFile.Parse(
        $$"""{"hardware":{"kind":"simulated","socket":"s"},"devices":[{"id":"door-a.entry","type":"wiegand","role":"entryReader","door":"door-a","d0":17,"d1":18,"formats":{{formats}}{{more}}}]}""", "test").Devices[0];

    /// <summary>Data made whole: each parity bit set as its own rule wants it, the ones that others cover first.</summary>
    private static ulong Whole(WiegandFormat format, ulong bits)
    {
        int[] own = [33, 0, 34]; // Bits 2, 35 and 1 as they come.
        for (var i = 0; i < own.Length; i++)
            if (!format.Parities[i].Holds(bits)) bits ^= 1UL << own[i];
        return bits;
    }
}
