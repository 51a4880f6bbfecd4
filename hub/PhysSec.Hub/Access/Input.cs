using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using PhysSec.Core;
using PhysSec.Core.Access;

namespace PhysSec.Hub.Access;

/// <summary>How settings look in JSON, in the store and in the API alike: camelCase, enums by name, Japanese readable.</summary>
public static class AccessJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    internal static string Text<T>(T value) => JsonSerializer.Serialize(value, Options);

    internal static T Read<T>(string text) => JsonSerializer.Deserialize<T>(text, Options)!;

    internal static JsonNode? Node<T>(T? value) => value is null ? null : JsonSerializer.SerializeToNode(value, Options);
}

/// <summary>Checks of what people enter.</summary>
internal static partial class Input
{
    private const int TextMax = 200;

    public static string Name(string field, string? value) =>
        Names.IsPlain(value) ? value : throw new InputException(field, $"\"{value}\" is no name", "Use 1–32 of a–z, 0–9 and -, not beginning with -");

    /// <summary>Trimmed, 1–200 characters, one line, no 12-digit individual number (個人番号), which this system must never hold.</summary>
    public static string Filled(string field, string? value) =>
        Optional(field, value) ?? throw new InputException(field, "it is empty", "Fill it in");

    /// <summary>As <see cref="Filled"/>, but null for nothing.</summary>
    public static string? Optional(string field, string? value)
    {
        if (string.IsNullOrWhiteSpace(value)) return null;
        var text = Widths.Compose(value.Trim());
        if (text.Length > TextMax) throw new InputException(field, $"it has {text.Length} characters", $"Use at most {TextMax}");
        if (text.Any(char.IsControl)) throw new InputException(field, "it holds a control character", "Write it in one line");
        if (text.Contains('\ufffd')) throw new InputException(field, "a character could not be read", "Check the encoding, and write the character anew");
        if (IndividualNumber().IsMatch(Widths.Fold(text)))
            throw new InputException(field, "it holds twelve digits in a row, as an individual number (個人番号) has", "Leave the number out");
        return text;
    }

    /// <summary>Full-width katakana; half-width katakana and hiragana are turned into it.</summary>
    public static string Kana(string field, string? value)
    {
        var text = People.Reading(Filled(field, value));
        return text.All(c => c is >= 'ァ' and <= 'ヺ' or 'ー' or '・' or ' ')
            ? text : throw new InputException(field, $"\"{value}\" is not katakana", "Write the reading in katakana, like アオキ リナ");
    }

    /// <summary>Judges the settings by the same check that a node makes before it obeys a policy.</summary>
    /// <exception cref="InputException">What the check found.</exception>
    public static void Check(
        IReadOnlyList<ZonePolicy>? zones = null, IReadOnlyList<DoorPolicy>? doors = null, IReadOnlyList<Schedule>? schedules = null,
        IReadOnlyList<Credential>? credentials = null, IReadOnlyList<Right>? rights = null, IReadOnlyList<SensingRule>? sensing = null)
    {
        var policy = new Policy(
            1, new("check"), new("check"), DateTimeOffset.UnixEpoch, "Asia/Tokyo", zones ?? [], doors ?? [], credentials ?? [], rights ?? [], schedules ?? [], [], sensing ?? []);
        try
        {
            PolicyIndex.Build(policy, "check");
        }
        catch (PolicyException fault)
        {
            throw new InputException(fault.Field, fault.Fault, fault.Remedy);
        }
    }

    [DoesNotReturn]
    public static void Missing(string field, string what, string id) => throw new InputException(field, $"{what} {id} does not exist", "Name one that exists");

    // With whatever looks like a dash on a Japanese keyboard.
    [GeneratedRegex(@"\d{4}[ \-‐-―−ー]?\d{4}[ \-‐-―−ー]?\d{4}")]
    private static partial Regex IndividualNumber();
}
