using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PhysSec.Hardware;

/// <summary>Reads the fields of one JSON object, noting every fault; what nobody asked for is a fault too.</summary>
internal sealed class FieldReader(JsonElement json, string where, List<BoardFault> faults)
{
    private readonly HashSet<string> _known = [];

    public string At(string field) => where.Length == 0 ? field : $"{where}.{field}";

    public void Note(string field, string fault, string remedy) => faults.Add(new(At(field), fault, remedy));

    public bool Has(string field) => json.TryGetProperty(field, out _);

    /// <summary>The element, or null with a fault noted when it is required and missing.</summary>
    public JsonElement? Element(string field, bool required, string remedy)
    {
        _known.Add(field);
        if (json.TryGetProperty(field, out var element)) return element;

        if (required) Note(field, "The field is missing.", remedy);
        return null;
    }

    public string? Text(string field, Regex pattern, string remedy, bool required = true)
    {
        if (Element(field, required, remedy) is not { } element) return null;

        if (element.ValueKind == JsonValueKind.String && element.GetString() is { } text && pattern.IsMatch(text))
            return text;

        Note(field, $"{Shown(element)} is not allowed.", remedy);
        return null;
    }

    /// <summary>
    /// A whole number in [min, max]; the fallback (null = required) stands for a missing field, and -1 for a faulty one.
    /// </summary>
    public int Integer(string field, int min, int max, int? fallback, string remedy)
    {
        if (Element(field, fallback is null, remedy) is not { } element) return fallback ?? -1;

        if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt32(out var value))
            Note(field, $"{Shown(element)} is not a whole number.", remedy);
        else if (value < min || value > max)
            Note(field, $"{value} is outside {min} to {max}.", remedy);
        else
            return value;

        return -1;
    }

    public double Number(string field, double fallback, string remedy)
    {
        if (Element(field, false, remedy) is not { } element) return fallback;

        if (element.ValueKind == JsonValueKind.Number && element.TryGetDouble(out var value) && double.IsFinite(value))
            return value;

        Note(field, $"{Shown(element)} is not a number.", remedy);
        return fallback;
    }

    public bool Flag(string field, bool fallback)
    {
        const string remedy = "Write true or false.";
        if (Element(field, false, remedy) is not { } element) return fallback;

        if (element.ValueKind is JsonValueKind.True or JsonValueKind.False) return element.GetBoolean();

        Note(field, $"{Shown(element)} is not true or false.", remedy);
        return fallback;
    }

    /// <summary>One of the enum's names in camelCase; null when missing or wrong (a fault is noted).</summary>
    public T? Choice<T>(string field, bool required)
        where T : struct, Enum
    {
        var remedy = $"Write one of: {string.Join(", ", Enum.GetValues<T>().Select(Camel))}.";
        if (Element(field, required, remedy) is not { } element) return null;

        if (element.ValueKind == JsonValueKind.String)
        {
            var text = element.GetString();
            foreach (var value in Enum.GetValues<T>())
                if (Camel(value) == text) return value;
        }

        Note(field, $"{Shown(element)} is unknown.", remedy);
        return null;
    }

    /// <summary>Notes every field that was never asked for.</summary>
    public void Finish()
    {
        foreach (var field in json.EnumerateObject())
            if (!_known.Contains(field.Name))
                Note(field.Name, "The field is unknown here.",
                    $"Remove it, or correct its name. Known: {string.Join(", ", _known.Order(StringComparer.Ordinal))}.");
    }

    public static string Camel<T>(T value)
        where T : struct, Enum
    {
        var name = value.ToString();
        return string.Concat(name[..1].ToLower(CultureInfo.InvariantCulture), name.AsSpan(1));
    }

    public static string Shown(JsonElement element)
    {
        var text = element.GetRawText();
        return text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 57), "...");
    }
}
