using System.Globalization;
using System.Text;

namespace PhysSec.Hardware;

/// <summary>What upsd says, without any socket: lines in, variables or a fault out.</summary>
public static class UpsVariables
{
    /// <summary>The fault behind an "ERR …" line.</summary>
    public static SensorFault FaultOf(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        return line.Split(' ') switch
        {
            ["ERR", "DATA-STALE", ..] => SensorFault.Stale,
            ["ERR", "DRIVER-NOT-CONNECTED" or "UNKNOWN-UPS", ..] => SensorFault.Absent,
            ["ERR", "ACCESS-DENIED" or "FEATURE-NOT-CONFIGURED", ..] => SensorFault.Unreachable,
            _ => SensorFault.Protocol,
        };
    }

    /// <summary>Takes <c>VAR ups name "value"</c> apart; null when it is anything else.</summary>
    public static (string Name, string Value)? Variable(string line, string ups)
    {
        ArgumentNullException.ThrowIfNull(line);
        var head = $"VAR {ups} ";
        if (!line.StartsWith(head, StringComparison.Ordinal)) return null;

        var quote = line.IndexOf(" \"", head.Length, StringComparison.Ordinal);
        if (quote <= head.Length) return null;

        var value = new StringBuilder();
        for (var i = quote + 2; i < line.Length; i++)
        {
            if (line[i] == '"') return i == line.Length - 1 ? (line[head.Length..quote], value.ToString()) : null;
            if (line[i] == '\\' && ++i == line.Length) return null;
            value.Append(line[i]);
        }

        return null; // The closing quote is missing: the line was cut.
    }

    /// <summary>0 or 1 for on battery and low battery; null when the UPS does not say that it carries the load.</summary>
    public static (double? OnBattery, double? LowBattery) Status(string status)
    {
        ArgumentNullException.ThrowIfNull(status);
        var flags = status.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var onBattery = flags.Contains("OB");
        if (onBattery == flags.Contains("OL")) return (null, null); // Neither, as in bypass or off; or both.

        return (onBattery ? 1 : 0, flags.Contains("LB") ? 1 : 0);
    }

    /// <summary>A number of NUT's ("15", "230.1"); null when it is anything else.</summary>
    public static double? Number(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? value
            : null;
}
