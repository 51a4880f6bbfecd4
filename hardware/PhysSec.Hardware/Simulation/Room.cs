namespace PhysSec.Hardware.Simulation;

/// <summary>
/// The physics of one room with its doors: pure and deterministic. The software's outputs come in through
/// <see cref="SetOutput"/>; everything else is the world.
/// </summary>
public sealed class Room
{
    private const double StepSeconds = 1;
    private const double CoilCelsius = 10; // Surface of the cooler: moisture above its dew point drips off.

    private readonly RoomParameters _parameters;
    private readonly HashSet<string> _on = [];
    private double _grams;

    /// <param name="parameters">What it is made of and how it is wired.</param>
    public Room(RoomParameters parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        _parameters = parameters;
        (_grams, Temperature) = (SaturatedGrams(parameters.Temperature) * parameters.Humidity / 100, parameters.Temperature);
        (HeatWatts, CoolingCapacity) = (parameters.HeatWatts, parameters.CoolingWatts);
        Doors = [.. parameters.Devices.Where(it => it.Door is not null).GroupBy(it => it.Door!).Select(it => new RoomDoor(this, it.Key, it))];
    }

    /// <summary>In the order of the board file.</summary>
    public IReadOnlyList<RoomDoor> Doors { get; }

    /// <summary>Air, in °C.</summary>
    public double Temperature { get; private set; }

    /// <summary>0 to 100 %.</summary>
    public double Humidity => Math.Min(100, 100 * _grams / SaturatedGrams(Temperature));

    public double HeatWatts { get; set; }

    public double CoolingCapacity { get; set; }

    public bool CoolingOn { get; set; } = true;

    /// <summary>What the cooler takes away now, in W. It hangs on the mains, the machines on the UPS.</summary>
    public double CoolingWatts => CoolingOn && Mains
        ? CoolingCapacity * Math.Clamp((Temperature - _parameters.CoolingFrom) / 2, 0, 1)
        : 0;

    public bool Mains { get; set; } = true;

    /// <summary>What the locks' supply gives, in V: its charger while the mains are there, else the battery alone.</summary>
    public double SupplyVolts => Mains ? 13.8 : BatteryVolts;

    /// <summary>The battery without its charger, in V.</summary>
    public double BatteryVolts { get; set; } = 12.7;

    /// <summary>Volts at an input of a converter: what its board file would make the supply's voltage of, or ground where nothing is connected.</summary>
    public double VoltsAt(AnalogI2cEntry converter, int input) =>
        converter.Channels.FirstOrDefault(it => it.Channel == input) is { Scale: > 0 } it ? (SupplyVolts - it.Offset) / it.Scale : 0;

    public bool Leak { get; set; }

    public bool EnclosureTampered { get; set; }

    /// <summary>The fire panel calls.</summary>
    public bool Fire { get; set; }

    /// <summary>The seismic device calls.</summary>
    public bool Shaking { get; set; }

    /// <summary>The guard service is armed.</summary>
    public bool GuardArmed { get; set; }

    /// <summary>An output (its id) goes on or off; raised as it happens, so the subscriber only notes it.</summary>
    public event Action<string, bool>? Switched;

    public bool IsOn(string output) => _on.Contains(output);

    public bool IsOn(DeviceRole role) => _parameters.Devices.Any(it => it.Role == role && _on.Contains(it.Id));

    public void SetOutput(string output, bool on)
    {
        if (!(on ? _on.Add(output) : _on.Remove(output))) return;

        if (on && _parameters.Devices.FirstOrDefault(it => it.Id == output)?.Door is { } door) Doors.First(it => it.Id == door).TurnedOn(output);
        Switched?.Invoke(output, on);
    }

    /// <summary>Lets the air change for a time, in seconds of room time.</summary>
    public void Step(double seconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(seconds);
        for (var left = seconds; left > 0; left -= StepSeconds) StepAir(Math.Min(left, StepSeconds));
    }

    /// <summary>Water vapour that saturates a cubic metre of air, in g (Magnus formula).</summary>
    private static double SaturatedGrams(double celsius) =>
        216.7 * 6.112 * Math.Exp(17.62 * celsius / (243.12 + celsius)) / (273.15 + celsius);

    private void StepAir(double seconds)
    {
        var cooling = CoolingWatts;
        var exchange = _parameters.AirChangesPerHour * (Doors.Any(it => it.LeafOpen) ? 10 : 1) / 3_600;
        var walls = _parameters.WallWattsPerKelvin * (_parameters.Ambient - Temperature);
        var air = exchange * _parameters.Volume * 1_200 * (_parameters.Ambient - Temperature); // 1.2 kJ for each m³ and K.
        var outside = SaturatedGrams(_parameters.Ambient) * _parameters.AmbientHumidity / 100;
        var dripping = Math.Max(0, _grams - SaturatedGrams(CoilCelsius)) * cooling / 20_000_000;
        var drying = Leak ? Math.Max(0, SaturatedGrams(Temperature) - _grams) / 3_600 : 0;

        Temperature += (HeatWatts - cooling + walls + air) * seconds / _parameters.JoulePerKelvin;
        _grams += ((exchange * (outside - _grams)) + drying - dripping) * seconds;
        _grams = Math.Clamp(_grams, 0.1, SaturatedGrams(Temperature));
    }
}
