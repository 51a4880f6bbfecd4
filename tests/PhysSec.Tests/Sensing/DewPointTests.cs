using PhysSec.Core.Sensing;
using PhysSec.Core.Wire;

namespace PhysSec.Tests.Sensing;

public sealed class DewPointTests
{
    [Theory]
    [InlineData(25, 50, 13.85)]
    [InlineData(20, 50, 9.26)]
    [InlineData(18, 60, 10.11)]
    [InlineData(27, 60, 18.57)]
    [InlineData(32, 50, 20.27)]
    [InlineData(25, 8, -11.60)]
    [InlineData(21, 100, 21.00)]
    public void The_dew_point_follows_magnus(double celsius, double humidity, double expected) =>
        Assert.Equal(expected, DewPoint.Of(celsius, humidity), 0.005);

    [Theory]
    [InlineData(20, 0)]
    [InlineData(20, 100.1)]
    [InlineData(-46, 50)]
    [InlineData(61, 50)]
    [InlineData(20, -1)]
    public void Outside_its_range_there_is_no_dew_point(double celsius, double humidity) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => DewPoint.Of(celsius, humidity));

    [Fact]
    public void A_device_that_measures_both_gets_a_dew_point_and_no_other_does()
    {
        PointDescription[] points =
        [
            new(new("room.temperature"), "°C", -40, 125, "temperature", 1), new(new("room.humidity"), "%RH", 0, 100, "humidity", 1),
            new(new("rack.temperature"), "°C", -40, 125, "temperature", 1),
        ];
        var derived = DerivedPoints.WithDewPoints(points);
        Assert.Equal(points, derived.Take(3));
        Assert.Equal(new("room.dew-point"), Assert.Single(derived.Skip(3)).Point);
        Assert.Equal(derived, DerivedPoints.WithDewPoints(derived));
    }
}
