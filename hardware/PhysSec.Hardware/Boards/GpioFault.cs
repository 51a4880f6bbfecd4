using System.Device.Gpio.Drivers;

namespace PhysSec.Hardware;

/// <summary>What a GPIO driver throws when a line cannot be read or written: each generation of libgpiod has its own.</summary>
internal static class GpioFault
{
    public static bool Is(Exception failure) => failure is IOException or InvalidOperationException or GpiodException;
}
