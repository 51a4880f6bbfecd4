using System.Globalization;
using PhysSec.Hardware;

namespace PhysSec.Tests.Hardware;

public sealed class LineBandsTests
{
    private const int Seed = 20_261_128;
    private static readonly LineNetwork _mercury = new(2.2, 1, 1, null, 0.01);
    private static readonly LineNetwork _sixStates = new(2.2, 1, 1, 0.47, 0.01);

    public static TheoryData<LineNetwork> Networks =>
    [
        _mercury, _sixStates, new LineNetwork(2.2, 2.2, 8.2, null, 0.01), new LineNetwork(4.7, 2.2, 8.2, 1, 0.01),
        new LineNetwork(2.2, 10, null, null, 0.01), new LineNetwork(4.7, null, 10, null, 0.05), new LineNetwork(10, 4.7, 8.2, null, 0.05),
    ];

    // One row for each state of the line that has 1 kΩ in series, 1 kΩ across, and 2.2 kΩ to the excitation; and for each guard band between two.
    [Theory]
    [InlineData(double.NaN, LineState.Unreadable)]
    [InlineData(null, LineState.Unreadable)]
    [InlineData(-0.03, LineState.ForeignVoltage)]
    [InlineData(-0.01, LineState.Shorted)]
    [InlineData(0.0, LineState.Shorted)]
    [InlineData(0.10, LineState.Shorted)]
    [InlineData(0.18, LineState.OutOfBand)]
    [InlineData(0.26, LineState.Closed)]
    [InlineData(0.3125, LineState.Closed)]
    [InlineData(0.36, LineState.Closed)]
    [InlineData(0.40, LineState.OutOfBand)]
    [InlineData(0.45, LineState.Open)]
    [InlineData(0.476, LineState.Open)]
    [InlineData(0.54, LineState.Open)]
    [InlineData(0.7, LineState.OutOfBand)]
    [InlineData(0.92, LineState.Cut)]
    [InlineData(1.0, LineState.Cut)]
    [InlineData(1.01, LineState.Cut)]
    [InlineData(1.05, LineState.ForeignVoltage)]
    public void Each_share_of_the_excitation_is_one_state_and_what_lies_between_two_is_a_fault(double? ratio, LineState expected) =>
        Assert.Equal(expected, LineBands.For(_mercury, LineBands.MeasuredExcitation).Classify(ratio));

    // Computed apart from the code: worst case of tolerance, 0 to 100 Ω of cable, 47 kΩ of leaking insulation and the excitation, widened by a quarter of each gap, at most 0.06.
    [Theory]
    [InlineData(2.2, 1.0, 1.0, null, 0.01, LineBands.MeasuredExcitation, "Shorted -0.0200 0.1044, Closed 0.2476 0.3714, Open 0.4373 0.5544, Cut 0.8925 1.0220")]
    [InlineData(2.2, 1.0, 1.0, 0.47, 0.01, LineBands.UnmeasuredExcitation, "Ground -0.0200 0.0762, Shorted 0.1374 0.2575, Closed 0.3417 0.4525, Open 0.4896 0.6201, Cut 0.8662 1.0500")]
    [InlineData(2.2, 2.2, 8.2, null, 0.01, LineBands.UnmeasuredExcitation, "Shorted -0.0200 0.1056, Closed 0.4202 0.5916, Open 0.7378 0.8723, Cut 0.9080 1.0500")]
    [InlineData(2.2, 10.0, null, null, 0.01, LineBands.UnmeasuredExcitation, "Shorted -0.0200 0.1056, Closed 0.7322 0.8680, Open 0.9065 1.0500")]
    [InlineData(4.7, null, 10.0, null, 0.05, LineBands.MeasuredExcitation, "Closed -0.0200 0.0830, Open 0.5968 0.7535, Cut 0.8503 1.0220")]
    public void The_bands_follow_from_resistors_cable_insulation_and_excitation(double pullUp, double? series, double? parallel, double? back, double tolerance, double excitation, string expected) =>
        Assert.Equal(expected, string.Join(", ", LineBands.For(new(pullUp, series, parallel, back, tolerance), excitation).Bands
            .Select(it => string.Create(CultureInfo.InvariantCulture, $"{it.State} {it.Low:0.0000} {it.High:0.0000}"))));

    [Fact]
    public void With_a_return_resistor_earth_is_told_from_a_short()
    {
        var bands = LineBands.For(_sixStates, LineBands.MeasuredExcitation);

        Assert.Equal(LineState.Ground, bands.Classify(0));
        Assert.Equal(LineState.Shorted, bands.Classify(_sixStates.Ratio(0)));
        Assert.Equal(LineState.OutOfBand, bands.Classify(_sixStates.Ratio(0) / 2));
        Assert.Equal(
            [LineState.Ground, LineState.Shorted, LineState.Closed, LineState.Open, LineState.Cut],
            bands.Bands.Select(it => it.State));
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Whatever_the_tolerances_and_the_cable_a_state_is_never_taken_for_another(LineNetwork network)
    {
        ArgumentNullException.ThrowIfNull(network);
        foreach (var excitation in new[] { LineBands.MeasuredExcitation, LineBands.UnmeasuredExcitation })
        {
            var bands = LineBands.For(network, excitation);
            var random = new Random(Seed);
            for (var round = 0; round < 2_000; round++)
            {
                var real = new LineNetwork(Off(network.PullUp)!.Value, Off(network.Series), Off(network.Parallel), Off(network.Return), 0);
                var cable = random.NextDouble() * 0.1;
                var supply = 1 + (((random.NextDouble() * 2) - 1) * excitation);
                var open = real.Parallel is { } across ? (real.Series ?? 0) + across + cable : double.PositiveInfinity;
                Assert.Equal(LineState.Closed, bands.Classify(real.Ratio((real.Series ?? 0) + cable) * supply));
                Assert.Equal(LineState.Open, bands.Classify(real.Ratio(open) * supply));
                Assert.Equal(network.Series is null ? LineState.Closed : LineState.Shorted, bands.Classify(real.Ratio(cable) * supply));
                Assert.Equal(network.Parallel is null ? LineState.Open : LineState.Cut, bands.Classify(real.Ratio(double.PositiveInfinity) * supply));
            }

            double? Off(double? nominal) => nominal * (1 + (((random.NextDouble() * 2) - 1) * network.Tolerance));
        }
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Between_two_bands_there_is_always_room_that_belongs_to_nobody(LineNetwork network)
    {
        var bands = LineBands.For(network, LineBands.UnmeasuredExcitation).Bands;

        Assert.All(bands.Zip(bands.Skip(1)), it => Assert.True(it.Second.Low - it.First.High >= LineBands.GapMin / 2, $"{it.First} {it.Second}"));
    }

    [Fact]
    public void Resistors_that_lie_too_near_each_other_are_refused()
    {
        var refused = Assert.Throws<ArgumentException>(() => LineBands.For(new(2.2, 1, 0.1, null, 0.01), LineBands.MeasuredExcitation));

        Assert.Contains("Closed and Open", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_calibration_draws_the_contact_s_bands_close_and_never_wider()
    {
        var bands = LineBands.For(_mercury, LineBands.MeasuredExcitation);
        var near = bands.Around(new("x", "", 0.32, 0.48));
        var wild = bands.Around(new("x", "", 0.25, 0.55));

        Assert.Equal(LineState.Closed, bands.Classify(0.27));
        Assert.Equal(LineState.OutOfBand, near.Classify(0.27)); // Another resistor than the one that was measured.
        Assert.Equal((LineState.Closed, LineState.Open), (near.Classify(0.32), near.Classify(0.48)));
        Assert.Equal((LineState.Shorted, LineState.Cut), (near.Classify(0), near.Classify(1)));
        for (var ratio = -0.1; ratio < 1.1; ratio += 0.001)
            Assert.True(wild.Classify(ratio) == bands.Classify(ratio) || wild.Classify(ratio) == LineState.OutOfBand);
    }

    [Fact]
    public void A_calibration_leaves_a_band_as_wide_as_it_was_that_stands_for_a_short_or_a_cut_too()
    {
        var unseenShort = LineBands.For(new(4.7, null, 10, null, 0.05), LineBands.MeasuredExcitation).Around(new("x", "", 0.04, 0.66));
        var unseenCut = LineBands.For(new(2.2, 10, null, null, 0.01), LineBands.MeasuredExcitation).Around(new("x", "", 0.82, 0.99));

        Assert.Equal((LineState.Closed, LineState.Closed), (unseenShort.Classify(0), unseenShort.Classify(0.08)));
        Assert.Equal((LineState.Open, LineState.Open), (unseenCut.Classify(0.95), unseenCut.Classify(1.01)));
    }

    [Theory]
    [InlineData(0.32, 0.48, 0.0, null)]
    [InlineData(0.48, 0.32, 0.0, "Closed: the line is Open")]
    [InlineData(0.32, 0.32, 0.0, "Open: the line is Closed")]
    [InlineData(0.0, 0.48, 0.0, "Closed: the line is Shorted")]
    [InlineData(0.32, 1.0, 0.0, "Open: the line is Cut")]
    [InlineData(0.32, 0.40, 0.0, "Open: the line is OutOfBand")]
    [InlineData(0.32, 0.48, 0.03, "Closed: the line is not steady")]
    [InlineData(double.NaN, 0.48, 0.0, "Closed: the line could not be measured")]
    public void A_calibration_that_makes_no_sense_is_refused(double closed, double open, double noise, string? refusal)
    {
        var entry = new SupervisedEntry("door-a.contact", DeviceRole.DoorContact, "door-a", 1, 0x49, 0, 3, LineContact.Open, _mercury);
        double?[] Samples(double at) => [.. Enumerable.Range(0, LineCalibration.Samples).Select(it => double.IsNaN(at) && it == 7 ? (double?)null : (double.IsNaN(at) ? 0.32 : at) + (it % 2 * noise))];

        var (calibration, why) = LineCalibration.Judge(entry, entry.Bands(), Samples(closed), Samples(open));

        Assert.Equal(refusal is null, calibration is not null);
        if (refusal is null) Assert.Equal((0.32, 0.48, entry.Wiring), (calibration!.Closed, calibration.Open, calibration.Wiring));
        else Assert.StartsWith(refusal, why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_calibration_rests_on_twenty_samples_all_of_which_were_measured_and_takes_their_middle()
    {
        var entry = new SupervisedEntry("door-a.contact", DeviceRole.DoorContact, "door-a", 1, 0x49, 0, 3, LineContact.Open, _mercury);
        double?[] open = [.. Enumerable.Repeat<double?>(0.48, 20)], closed = [.. Enumerable.Range(0, 21).Select(it => (double?)(0.31 + (it * 0.0005)))];

        Assert.Equal(0.315, LineCalibration.Judge(entry, entry.Bands(), closed, open).Value!.Closed, 1e-9);
        Assert.Null(LineCalibration.Judge(entry, entry.Bands(), closed[..19], open).Value);
        Assert.Null(LineCalibration.Judge(entry, entry.Bands(), [.. closed, null], open).Value);
    }
}
