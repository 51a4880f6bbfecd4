namespace PhysSec.Core.Sensing;

/// <summary>The temperature at which the room's water begins to condense (Magnus formula, a = 17.62, b = 243.12 °C).</summary>
public static class DewPoint
{
    private const double A = 17.62;
    private const double B = 243.12;

    /// <summary>In °C.</summary>
    /// <param name="celsius">Dry-bulb temperature, −45 to 60.</param>
    /// <param name="relativeHumidity">In %RH, above 0 and at most 100.</param>
    /// <exception cref="ArgumentOutOfRangeException">Outside these ranges.</exception>
    public static double Of(double celsius, double relativeHumidity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(celsius, -45);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(celsius, 60);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(relativeHumidity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(relativeHumidity, 100);
        var gamma = Math.Log(relativeHumidity / 100) + (A * celsius / (B + celsius));
        return B * gamma / (A - gamma);
    }
}
