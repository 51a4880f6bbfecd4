namespace PhysSec.Hardware.Simulation;

/// <summary>What the simulated room is made of.</summary>
public sealed record RoomParameters
{
    /// <summary>The wiring; by default that of the shipped one-room boards.</summary>
    public IReadOnlyList<DeviceEntry> Devices { get; init; } = OneRoom();

    /// <summary>Heat of the machines, in W.</summary>
    public double HeatWatts { get; init; } = 2_000;

    /// <summary>The most that the cooler takes away, in W.</summary>
    public double CoolingWatts { get; init; } = 5_000;

    /// <summary>Where the cooler starts, in °C; it is at full power 2 K above.</summary>
    public double CoolingFrom { get; init; } = 23;

    /// <summary>Heat that warms the room's air and furniture by 1 K, in J.</summary>
    public double JoulePerKelvin { get; init; } = 150_000;

    /// <summary>Heat through the walls for each K of difference, in W.</summary>
    public double WallWattsPerKelvin { get; init; } = 50;

    /// <summary>Outside temperature, in °C.</summary>
    public double Ambient { get; init; } = 28;

    /// <summary>Outside relative humidity, in %.</summary>
    public double AmbientHumidity { get; init; } = 60;

    /// <summary>Air of the room at the start, in °C.</summary>
    public double Temperature { get; init; } = 24;

    /// <summary>Relative humidity of the room at the start, in %.</summary>
    public double Humidity { get; init; } = 45;

    /// <summary>Room volume, in m³.</summary>
    public double Volume { get; init; } = 60;

    /// <summary>How often the room's air is exchanged with the outside, per hour.</summary>
    public double AirChangesPerHour { get; init; } = 0.3;

    /// <summary>How much faster than the clock the air changes. Doors, contacts and chips keep to the clock.</summary>
    public double Speed { get; init; } = 1;

    /// <summary>Time from one bit of a card to the next.</summary>
    public TimeSpan BitInterval { get; init; } = TimeSpan.FromMilliseconds(2);

    /// <summary>How long "exit" presses the button.</summary>
    public TimeSpan ExitPress { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>Seed of the sensor's noise.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>A room with the wiring of a board file.</summary>
    public static RoomParameters For(BoardFile board)
    {
        ArgumentNullException.ThrowIfNull(board);
        return new RoomParameters { Devices = board.Devices };
    }

    private static IReadOnlyList<DeviceEntry> OneRoom()
    {
        using var stream = typeof(RoomParameters).Assembly.GetManifestResourceStream("one-room-simulated.json")!;
        using var reader = new StreamReader(stream);
        return BoardFile.Parse(reader.ReadToEnd(), "one-room-simulated").Devices;
    }
}
