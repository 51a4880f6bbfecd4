namespace PhysSec.Hardware.Simulation;

/// <summary>
/// The physics of one room with one door: pure and deterministic. The software's outputs come in through
/// <see cref="SetOutput"/>; everything else is the world.
/// </summary>
public sealed class Room(RoomParameters parameters)
{
    private const double StepSeconds = 1;
    private const double CoilCelsius = 10; // Surface of the cooler: moisture above its dew point drips off.

    private readonly HashSet<string> _on = [];
    private double _grams = SaturatedGrams(parameters.Temperature) * parameters.Humidity / 100;

    /// <summary>Air, in °C.</summary>
    public double Temperature { get; private set; } = parameters.Temperature;

    /// <summary>0 to 100 %.</summary>
    public double Humidity => Math.Min(100, 100 * _grams / SaturatedGrams(Temperature));

    public double HeatWatts { get; set; } = parameters.HeatWatts;

    public double CoolingCapacity { get; set; } = parameters.CoolingWatts;

    public bool CoolingOn { get; set; } = true;

    /// <summary>What the cooler takes away now, in W. It hangs on the mains, the machines on the UPS.</summary>
    public double CoolingWatts => CoolingOn && Mains
        ? CoolingCapacity * Math.Clamp((Temperature - parameters.CoolingFrom) / 2, 0, 1)
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

    public bool LeafOpen { get; private set; }

    public bool ExitPressed { get; set; }

    public bool DoorTampered { get; set; }

    public bool EnclosureTampered { get; set; }

    /// <summary>The fire panel calls.</summary>
    public bool Fire { get; set; }

    /// <summary>The break glass at the door is used.</summary>
    public bool GlassBroken { get; set; }

    /// <summary>The seismic device calls.</summary>
    public bool Shaking { get; set; }

    /// <summary>The guard service is armed.</summary>
    public bool GuardArmed { get; set; }

    /// <summary>Bolt or magnet hold the leaf; a thing in the frame keeps an open leaf from it.</summary>
    public bool Secured => !LockFree && !LeafOpen;

    private bool _withdrawn; // The bolt of a lock that is driven by pulses.

    private OutputEntry? LockEntry =>
        parameters.Devices.OfType<OutputEntry>().FirstOrDefault(it => it.Role == DeviceRole.Lock);

    /// <summary>
    /// Whether the lock lets the leaf go. Exit button, fire panel and break glass cut the lock's power in hardware: that frees a fail-safe lock
    /// whatever the software says, never frees a fail-secure one, and leaves one that is driven by pulses as it is.
    /// </summary>
    public bool LockFree => LockEntry switch
    {
        null => true,
        { OnAtMost: not null } => _withdrawn,
        { FailMode: FailMode.FailSecure } it => IsOn(it.Id) && !PowerCut,
        { } it => IsOn(it.Id) || PowerCut,
    };

    private bool PowerCut => ExitPressed || Fire || GlassBroken;

    /// <summary>How often the software has released the lock since the room began: what an observer who never looks away would count.</summary>
    public int LockReleases { get; private set; }

    /// <summary>An output (its id) goes on or off; raised as it happens, so the subscriber only notes it.</summary>
    public event Action<string, bool>? Switched;

    public bool IsOn(string output) => _on.Contains(output);

    public bool IsOn(DeviceRole role) => parameters.Devices.Any(it => it.Role == role && _on.Contains(it.Id));

    public void SetOutput(string output, bool on)
    {
        if (!(on ? _on.Add(output) : _on.Remove(output))) return;

        if (on && output == LockEntry?.Id) (LockReleases, _withdrawn) = (LockReleases + 1, true);
        if (on && parameters.Devices.Any(it => it.Id == output && it.Role == DeviceRole.Relock)) _withdrawn = false;
        Switched?.Invoke(output, on);
    }

    /// <summary>Somebody pulls the leaf from outside; false = the lock holds it.</summary>
    public bool Pull()
    {
        if (!LeafOpen && !LockFree) return false;

        LeafOpen = true;
        return true;
    }

    /// <summary>The lever inside, or a crowbar outside: no lock holds the leaf.</summary>
    public void OpenLeaf() => LeafOpen = true;

    public void CloseLeaf() => LeafOpen = false;

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
        var exchange = parameters.AirChangesPerHour * (LeafOpen ? 10 : 1) / 3_600;
        var walls = parameters.WallWattsPerKelvin * (parameters.Ambient - Temperature);
        var air = exchange * parameters.Volume * 1_200 * (parameters.Ambient - Temperature); // 1.2 kJ for each m³ and K.
        var outside = SaturatedGrams(parameters.Ambient) * parameters.AmbientHumidity / 100;
        var dripping = Math.Max(0, _grams - SaturatedGrams(CoilCelsius)) * cooling / 20_000_000;
        var drying = Leak ? Math.Max(0, SaturatedGrams(Temperature) - _grams) / 3_600 : 0;

        Temperature += (HeatWatts - cooling + walls + air) * seconds / parameters.JoulePerKelvin;
        _grams += ((exchange * (outside - _grams)) + drying - dripping) * seconds;
        _grams = Math.Clamp(_grams, 0.1, SaturatedGrams(Temperature));
    }
}
