namespace PhysSec.Hardware;

/// <summary>Why a point has no value. The numbers go to the journal and never change.</summary>
public enum SensorFault
{
    None = 0,

    /// <summary>Nothing answers at the address (errno 6, 110 or 121, depending on the adapter), or the driver is gone.</summary>
    Absent = 1,

    /// <summary>The check value does not fit the data.</summary>
    BadChecksum = 2,

    /// <summary>The value lies outside what the device can measure.</summary>
    OutOfRange = 3,

    /// <summary>No answer in time.</summary>
    Timeout = 4,

    /// <summary>The answer makes no sense.</summary>
    Protocol = 5,

    /// <summary>The bus or the server cannot be reached.</summary>
    Unreachable = 6,

    /// <summary>The source says itself that its data are old.</summary>
    Stale = 7,
}

/// <summary>What a point measures.</summary>
/// <param name="Id">Like "room.temperature".</param>
/// <param name="Unit">"°C", "%RH", "bool" (0 or 1), "%", "s", "V" …</param>
/// <param name="Min">Least value that the device can give.</param>
/// <param name="Max">Greatest value that the device can give.</param>
/// <param name="Quantity">"temperature", "humidity", "upsOnBattery", "upsLowBattery", "upsCharge", "upsRuntime" …</param>
public sealed record PointInfo(string Id, string Unit, double Min, double Max, string Quantity);

/// <summary>A value, or a fault; never both, never an old value.</summary>
public readonly record struct PointReading(string Point, double? Value, SensorFault Fault);

/// <summary>A device that is asked for its values.</summary>
public abstract class Sensor : IDisposable
{
    public abstract string Id { get; }

    public abstract DeviceRole Role { get; }

    public abstract IReadOnlyList<PointInfo> Points { get; }

    /// <summary>How often to ask.</summary>
    public abstract TimeSpan Period { get; }

    /// <summary>
    /// One reading for each point. Blocks on input and output for at most 1 s; never throws for a device fault. Not to be
    /// called by two threads at once.
    /// </summary>
    public abstract IReadOnlyList<PointReading> Sample();

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);

    /// <summary>The same fault for every point.</summary>
    protected IReadOnlyList<PointReading> All(SensorFault fault) =>
        [.. Points.Select(it => new PointReading(it.Id, null, fault))];

    /// <summary>A value, unless the device cannot have measured it.</summary>
    protected static PointReading InRange(PointInfo point, double value)
    {
        ArgumentNullException.ThrowIfNull(point);
        return value >= point.Min && value <= point.Max
            ? new(point.Id, value, SensorFault.None)
            : new(point.Id, null, SensorFault.OutOfRange);
    }
}
