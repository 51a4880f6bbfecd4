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
}
