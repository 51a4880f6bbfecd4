using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using PhysSec.Core.Access;

namespace PhysSec.Core.Wire;

/// <summary>The one JSON context of the wire: camelCase, enums by name, nulls written (a field that is left out is a fault, unless it was added later), Japanese readable.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Birth))]
[JsonSerializable(typeof(NodeState))]
[JsonSerializable(typeof(LiveValue))]
[JsonSerializable(typeof(DoorLive))]
[JsonSerializable(typeof(JournalBatch))]
[JsonSerializable(typeof(JournalRecord))]
[JsonSerializable(typeof(HotRecord))]
[JsonSerializable(typeof(Ack))]
[JsonSerializable(typeof(Command))]
[JsonSerializable(typeof(CommandReply))]
[JsonSerializable(typeof(PolicyMessage))]
[JsonSerializable(typeof(HubState))]
[JsonSerializable(typeof(NodeCertificate))]
[JsonSerializable(typeof(ErasureStatement))]
[JsonSerializable(typeof(Policy))]
[JsonSerializable(typeof(double))]
[JsonSerializable(typeof(bool))]
public sealed partial class WireJson : JsonSerializerContext
{
    /// <summary>Use this one: like <c>Default</c>, but it leaves Japanese text readable for a person with a plain MQTT client.</summary>
    public static WireJson Plain =>
        field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
