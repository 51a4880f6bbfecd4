using System.Device.Spi;

namespace PhysSec.Hardware.IotBindings;

/// <summary>Drivers of Iot.Device.Bindings for the device types "bme280" and "mcp3008" of a board file.</summary>
public static class IotSensors
{
    private const int Mcp3008ClockHz = 1_000_000; // 1.35 MHz at most at 2.7 V by the data sheet.

    /// <summary>Give it to <c>Board.Open(file, clock, IotSensors.Open)</c>.</summary>
    public static Sensor? Open(SensorContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Entry switch
        {
            I2cEntry { Type: "bme280" } it => new Bme280Sensor(it, context.OpenI2c(it.Bus, it.Address), context.Clock),
            AdcEntry it => new Mcp3008Sensor(it, context.OpenSpi(new SpiConnectionSettings(it.Bus, it.ChipSelect)
            {
                ClockFrequency = Mcp3008ClockHz,
                Mode = SpiMode.Mode0,
            })),
            _ => null,
        };
    }
}
