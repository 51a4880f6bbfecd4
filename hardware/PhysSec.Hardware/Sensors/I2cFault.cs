using System.Globalization;

namespace PhysSec.Hardware;

/// <summary>What an I2C exception means. The framework gives the errno only in its message.</summary>
public static class I2cFault
{
    private const int NoDevice = 6, TimedOut = 110, RemoteIo = 121;

    /// <summary>Absent for what adapters answer when nothing acknowledges; unreachable for the rest.</summary>
    public static SensorFault Of(IOException failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return ErrnoOf(failure.Message) is NoDevice or TimedOut or RemoteIo ? SensorFault.Absent : SensorFault.Unreachable;
    }

    /// <summary>The message as System.Device.Gpio writes it.</summary>
    public static IOException Exception(int errno, string text) =>
        new(string.Create(CultureInfo.InvariantCulture, $"Error {errno} ({text}) performing I2C data transfer."));

    private static int? ErrnoOf(string message)
    {
        const string before = "Error ";
        if (!message.StartsWith(before, StringComparison.Ordinal)) return null;

        var digits = message.AsSpan(before.Length);
        var end = digits.IndexOf(' ');
        return end > 0 && int.TryParse(digits[..end], CultureInfo.InvariantCulture, out var errno) ? errno : null;
    }
}
