using PhysSec.Core.Wire;

namespace PhysSec.Core.Sensing;

/// <summary>Points that no chip measures but that follow from two that are.</summary>
public static class DerivedPoints
{
    public const string Temperature = "temperature";
    public const string Humidity = "humidity";
    public const string DewPointQuantity = "dewPoint";

    /// <summary>The same points, and after them a dew point <c>{device}.dew-point</c> for each device that measures temperature and humidity.</summary>
    public static IReadOnlyList<PointDescription> WithDewPoints(IReadOnlyList<PointDescription> points)
    {
        ArgumentNullException.ThrowIfNull(points);
        var added = points
            .Where(it => it.Quantity == Temperature && Sibling(points, it, Humidity) is not null && Sibling(points, it, DewPointQuantity) is null)
            .Select(it => new PointDescription(new($"{Device(it.Point)}.dew-point"), "°C", -100, it.Max, DewPointQuantity, it.PeriodSeconds));
        return [.. points, .. added];
    }

    /// <summary>The point of the same device with another quantity, or null.</summary>
    public static PointDescription? Sibling(IReadOnlyList<PointDescription> points, PointDescription point, string quantity)
    {
        ArgumentNullException.ThrowIfNull(points);
        ArgumentNullException.ThrowIfNull(point);
        return points.FirstOrDefault(it => it.Quantity == quantity && Device(it.Point) == Device(point.Point));
    }

    private static string Device(PointId point) =>
        point.Value.LastIndexOf('.') is > 0 and var cut ? point.Value[..cut] : point.Value;
}
