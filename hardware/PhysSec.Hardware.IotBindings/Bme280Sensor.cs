using System.Device.I2c;
using Iot.Device.Bmxx80;
using Iot.Device.Bmxx80.PowerMode;

namespace PhysSec.Hardware.IotBindings;

/// <summary>Bosch BME280 on I2C: temperature, relative humidity and air pressure.</summary>
public sealed class Bme280Sensor : Sensor
{
    private readonly I2cEntry _entry;
    private readonly I2cDevice _device;
    private readonly TimeProvider _clock;
    private readonly PointInfo _temperature;
    private readonly PointInfo _humidity;
    private readonly PointInfo _pressure;
    private Bme280? _chip;

    public Bme280Sensor(I2cEntry entry, I2cDevice device, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(entry);
        (_entry, _device, _clock) = (entry, device, clock);
        _temperature = new($"{entry.Id}.temperature", "°C", -40, 85, "temperature");
        _humidity = new($"{entry.Id}.humidity", "%RH", 0, 100, "humidity");
        _pressure = new($"{entry.Id}.pressure", "hPa", 300, 1_100, "pressure");
        Points = [_temperature, _humidity, _pressure];
    }

    public override string Id => _entry.Id;

    public override DeviceRole Role => _entry.Role;

    public override IReadOnlyList<PointInfo> Points { get; }

    public override TimeSpan Period => _entry.Period;

    public override IReadOnlyList<PointReading> Sample()
    {
        try
        {
            // The package's constructor already talks to the chip: an absent one is a fault of this sample, not of the start.
            _chip ??= new Bme280(_device);
            _chip.SetPowerMode(Bmx280PowerMode.Forced);
            Task.Delay(TimeSpan.FromMilliseconds(_chip.GetMeasurementDuration() + 2), _clock).Wait();
            return
            [
                _chip.TryReadTemperature(out var temperature)
                    ? InRange(_temperature, temperature.DegreesCelsius)
                    : Nothing(_temperature),
                _chip.TryReadHumidity(out var humidity) ? InRange(_humidity, humidity.Percent) : Nothing(_humidity),
                _chip.TryReadPressure(out var pressure) ? InRange(_pressure, pressure.Hectopascals) : Nothing(_pressure),
            ];
        }
        catch (IOException failure)
        {
            _chip = null; // It may have lost power, and with it its settings: begin again.
            return All(I2cFault.Of(failure));
        }
    }

    /// <summary>The chip without its driver, so that an absent one is closed as well.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _device.Dispose();
    }

    private static PointReading Nothing(PointInfo point) => new(point.Id, null, SensorFault.Protocol);
}
