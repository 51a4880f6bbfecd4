using System.Text.Json;
using System.Text.Json.Serialization;

namespace PhysSec.Core.Alarms;

public enum AlarmPriority { Critical = 0, High = 1, Medium = 2, Low = 3 }

/// <summary>
/// What an alarm means and what to do, in both languages. A class that does not say all of this does not load: an alarm without an answer is noise.
/// </summary>
/// <param name="Id">One of <see cref="AlarmClasses"/>.</param>
/// <param name="Priority">By consequence and time left.</param>
/// <param name="TitleEn">What is the matter, for a list.</param>
/// <param name="TitleJa">The same in Japanese, like every field with this ending.</param>
/// <param name="CauseEn">What usually brings it about.</param>
/// <param name="CauseJa"></param>
/// <param name="ConsequenceEn">What happens when nobody acts.</param>
/// <param name="ConsequenceJa"></param>
/// <param name="ResponseEn">What to do, in order.</param>
/// <param name="ResponseJa"></param>
/// <param name="Owner">The post that answers for it.</param>
/// <param name="TimeLimitMinutes">By when somebody must have acted; 1 to 10080.</param>
/// <param name="Latched">Stays in sight after it cleared until acknowledged.</param>
public sealed record AlarmClass(
    string Id, AlarmPriority Priority, string TitleEn, string TitleJa, string CauseEn, string CauseJa, string ConsequenceEn, string ConsequenceJa,
    string ResponseEn, string ResponseJa, string Owner, int TimeLimitMinutes, bool Latched);

/// <summary>A catalogue that must not be used. The message names class, field, fault and remedy.</summary>
public sealed class AlarmCatalogueException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>Every alarm class with its meaning.</summary>
public sealed class AlarmCatalogue
{
    private readonly Dictionary<string, AlarmClass> _classes;

    private AlarmCatalogue(IReadOnlyList<AlarmClass> classes) => (All, _classes) = (classes, classes.ToDictionary(it => it.Id));

    public IReadOnlyList<AlarmClass> All { get; }

    /// <summary>Null for a class that the catalogue does not know.</summary>
    public AlarmClass? Find(string id) => _classes.GetValueOrDefault(id);

    /// <summary>The catalogue that ships with PhysSec.</summary>
    public static AlarmCatalogue Shipped()
    {
        using var stream = typeof(AlarmCatalogue).Assembly.GetManifestResourceStream("alarm-classes.json")
            ?? throw new AlarmCatalogueException("alarm-classes.json is not part of this build; build PhysSec.Core again");
        using var reader = new StreamReader(stream);
        return Load(reader.ReadToEnd());
    }

    /// <summary>Reads a JSON array of classes.</summary>
    /// <exception cref="AlarmCatalogueException">A class twice, unknown, or with any field missing or empty.</exception>
    public static AlarmCatalogue Load(string json)
    {
        IReadOnlyList<AlarmClass>? classes;
        try
        {
            classes = JsonSerializer.Deserialize(json, AlarmJson.Default.IReadOnlyListAlarmClass);
        }
        catch (JsonException fault)
        {
            throw new AlarmCatalogueException($"the alarm catalogue cannot be read: {fault.Message} Give every field of every class.", fault);
        }

        if (classes is null or []) throw new AlarmCatalogueException("the alarm catalogue is empty; list the classes");
        var seen = new HashSet<string>();
        foreach (var it in classes) Check(it, seen);
        return new(classes);
    }

    private static void Check(AlarmClass it, HashSet<string> seen)
    {
        if (!AlarmClasses.All.Contains(it.Id)) throw Fault(it, "id", "is not a class that anything raises", "correct the spelling");
        if (!seen.Add(it.Id)) throw Fault(it, "id", "appears twice", "keep one of them");
        if (!Enum.IsDefined(it.Priority)) throw Fault(it, "priority", "is unknown", "give critical, high, medium or low");
        if (it.TimeLimitMinutes is < 1 or > 10_080) throw Fault(it, "timeLimitMinutes", "is outside 1–10080", "say by when somebody must have acted");
        (string Field, string Text)[] texts =
        [
            ("titleEn", it.TitleEn), ("titleJa", it.TitleJa), ("causeEn", it.CauseEn), ("causeJa", it.CauseJa), ("consequenceEn", it.ConsequenceEn),
            ("consequenceJa", it.ConsequenceJa), ("responseEn", it.ResponseEn), ("responseJa", it.ResponseJa), ("owner", it.Owner),
        ];
        foreach (var (field, text) in texts)
            if (string.IsNullOrWhiteSpace(text)) throw Fault(it, field, "is empty", "write it in plain words");
    }

    private static AlarmCatalogueException Fault(AlarmClass it, string field, string fault, string remedy) =>
        new($"alarm class \"{it.Id}\", {field}: it {fault}; {remedy}");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(IReadOnlyList<AlarmClass>))]
internal sealed partial class AlarmJson : JsonSerializerContext;
