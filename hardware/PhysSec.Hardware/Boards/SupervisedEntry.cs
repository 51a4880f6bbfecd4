using System.Globalization;
using System.Text.Json;

namespace PhysSec.Hardware;

/// <summary>The two states of a contact.</summary>
public enum LineContact
{
    Closed,
    Open,
}

/// <summary>A contact at the end of a line whose resistors tell a cut and a short from the contact's own states, on one input of an ADS1115 that measures nothing else.</summary>
/// <param name="Id">Like "door-a.contact".</param>
/// <param name="Role">What it is for.</param>
/// <param name="Door">The door it belongs to; null for contacts of the room.</param>
/// <param name="Bus">N of /dev/i2c-N.</param>
/// <param name="Address">Of the converter.</param>
/// <param name="Channel">The live wire's input, 0 to 3.</param>
/// <param name="Reference">The input that the excitation itself is wired to; null: it is taken for 3.3 V, and the bands are wider.</param>
/// <param name="Active">The state of the contact in which the role's word is true.</param>
/// <param name="Network">The resistors.</param>
public sealed record SupervisedEntry(
    string Id, DeviceRole Role, string? Door, int Bus, int Address, int Channel, int? Reference, LineContact Active, LineNetwork Network)
    : ContactEntry(Id, "supervised", Role, Door)
{
    /// <summary>What a calibration of this line depends on.</summary>
    public string Wiring => string.Create(CultureInfo.InvariantCulture, $"{Network}, input {Channel} of 0x{Address:x2} on bus {Bus}, reference {Reference?.ToString(CultureInfo.InvariantCulture) ?? "-"}");

    /// <summary>What its shares of the excitation mean.</summary>
    public LineBands Bands() => LineBands.For(Network, Reference is null ? LineBands.UnmeasuredExcitation : LineBands.MeasuredExcitation);
}

/// <summary>The shape of a supervised line in a board file.</summary>
internal static partial class BoardParser
{
    private const string NetworkRemedy =
        "Write \"1k/1k\", \"2.2k/8.2k\" or \"10k\", or {\"seriesKohm\": 1, \"parallelKohm\": 1} with at least one of the two.";

    private static SupervisedEntry Supervised(FieldReader f, string id, DeviceRole role, string? door, List<BoardFault> faults)
    {
        var (series, parallel) = Network(f, faults);
        return new(id, role, door, Bus(f), Address(f), Channel(f, "channel") ?? -1, f.Has("reference") ? Channel(f, "reference") : Nothing(f, "reference"),
            f.Choice<LineContact>("active", required: true) ?? default,
            new(Kiloohms(f, "pullUpKohm", 2.2) ?? 2.2, series, parallel, Kiloohms(f, "returnKohm", null), Tolerance(f)));
    }

    private static int? Channel(FieldReader f, string field) => f.Integer(field, 0, 3, null, "Write the converter's input, 0 to 3.");

    private static int? Nothing(FieldReader f, string field)
    {
        f.Element(field, false, ""); // Known, and not there.
        return null;
    }

    private static double Tolerance(FieldReader f)
    {
        const string remedy = "Write the resistors' tolerance, 0.1 to 5 per cent, usually 1.";
        var percent = f.Number("tolerancePercent", 1, remedy);
        if (percent is >= 0.1 and <= 5) return percent / 100;

        f.Note("tolerancePercent", string.Create(CultureInfo.InvariantCulture, $"{percent} is outside 0.1 to 5."), remedy);
        return 0.01;
    }

    private static double? Kiloohms(FieldReader f, string field, double? fallback)
    {
        const string remedy = "Write a resistance in kΩ, 0.1 to 22, like 2.2.";
        if (!f.Has(field)) return Nothing(f, field) ?? fallback;

        var value = f.Number(field, 0, remedy);
        if (value is >= 0.1 and <= 22) return value;

        f.Note(field, string.Create(CultureInfo.InvariantCulture, $"{value} is outside 0.1 to 22."), remedy);
        return fallback;
    }

    private static (double? Series, double? Parallel) Network(FieldReader f, List<BoardFault> faults)
    {
        if (f.Element("network", true, NetworkRemedy) is not { } element) return (1, 1);

        if (element.ValueKind == JsonValueKind.String && LineNetwork.Presets.TryGetValue(element.GetString()!, out var preset)) return preset;
        if (element.ValueKind != JsonValueKind.Object)
        {
            f.Note("network", $"{FieldReader.Shown(element)} is no network of resistors.", NetworkRemedy);
            return (1, 1);
        }

        var fields = new FieldReader(element, f.At("network"), faults);
        var (series, parallel) = (Kiloohms(fields, "seriesKohm", null), Kiloohms(fields, "parallelKohm", null));
        fields.Finish();
        if (series is null && parallel is null) f.Note("network", "There is no resistor, so nothing is supervised.", NetworkRemedy);
        return (series, parallel);
    }
}
