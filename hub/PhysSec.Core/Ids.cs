using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PhysSec.Core;

/// <summary>An identity that people and configuration files spell: 1–32 of a–z, 0–9 and '-'; points and devices may have up to three such parts joined by '.'.</summary>
public interface IName<T> where T : struct, IName<T>
{
    string Value { get; }

    static abstract T From(string value);
}

[JsonConverter(typeof(NameConverter<SiteId>))]
public readonly record struct SiteId(string Value) : IName<SiteId>
{
    public static SiteId From(string value) => new(value);

    public override string ToString() => Value;
}

[JsonConverter(typeof(NameConverter<NodeId>))]
public readonly record struct NodeId(string Value) : IName<NodeId>
{
    public static NodeId From(string value) => new(value);

    public override string ToString() => Value;
}

[JsonConverter(typeof(NameConverter<ZoneId>))]
public readonly record struct ZoneId(string Value) : IName<ZoneId>
{
    public static ZoneId From(string value) => new(value);

    public override string ToString() => Value;
}

[JsonConverter(typeof(NameConverter<DoorId>))]
public readonly record struct DoorId(string Value) : IName<DoorId>
{
    public static DoorId From(string value) => new(value);

    public override string ToString() => Value;
}

[JsonConverter(typeof(NameConverter<PointId>))]
public readonly record struct PointId(string Value) : IName<PointId>
{
    public static PointId From(string value) => new(value);

    public override string ToString() => Value;
}

[JsonConverter(typeof(NameConverter<PersonId>))]
public readonly record struct PersonId(string Value) : IName<PersonId>
{
    public static PersonId From(string value) => new(value);

    public override string ToString() => Value;
}

[JsonConverter(typeof(NameConverter<RightId>))]
public readonly record struct RightId(string Value) : IName<RightId>
{
    public static RightId From(string value) => new(value);

    public override string ToString() => Value;
}

[JsonConverter(typeof(NameConverter<ScheduleId>))]
public readonly record struct ScheduleId(string Value) : IName<ScheduleId>
{
    public static ScheduleId From(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>The keyed hash of a card number (HMAC-SHA256 under the site's key, 64 hex digits). It stands for the card everywhere outside the reader's driver.</summary>
[JsonConverter(typeof(NameConverter<CredentialToken>))]
public readonly record struct CredentialToken(string Value) : IName<CredentialToken>
{
    public static CredentialToken From(string value) => new(value);

    /// <summary>The first eight digits: enough to tell two cards apart in a list, not enough to look one up.</summary>
    public string Prefix => Value.Length > 8 ? Value[..8] : Value;

    public override string ToString() => $"card {Prefix}…";
}

/// <summary>Reads and writes an <see cref="IName{T}"/> as a plain JSON string, also as a dictionary key.</summary>
public sealed class NameConverter<T> : JsonConverter<T> where T : struct, IName<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        T.From(reader.GetString() ?? throw new JsonException($"{typeof(T).Name} is null; give a name"));

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Value);

    public override T ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        T.From(reader.GetString()!);

    public override void WriteAsPropertyName(Utf8JsonWriter writer, [DisallowNull] T value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value.Value);
}

/// <summary>What a name may look like.</summary>
public static class Names
{
    public const int LengthMax = 32;

    /// <summary>True for 1–32 of a–z, 0–9 and '-', not starting with '-'.</summary>
    public static bool IsPlain([NotNullWhen(true)] string? value) =>
        value is { Length: >= 1 and <= LengthMax } && value[0] != '-'
        && value.All(c => c is >= 'a' and <= 'z' or >= '0' and <= '9' or '-');

    /// <summary>True for one to three plain names joined by '.'.</summary>
    public static bool IsDotted([NotNullWhen(true)] string? value) =>
        value is not null && value.Split('.') is { Length: <= 3 } parts && parts.All(IsPlain);
}
