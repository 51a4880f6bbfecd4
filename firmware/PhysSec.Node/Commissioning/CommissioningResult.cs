using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using PhysSec.Hardware;

namespace PhysSec.Node.Commissioning;

/// <summary>What came of a check.</summary>
public enum Outcome
{
    Passed = 1,
    Failed = 2,
    Skipped = 3,
}

/// <summary>One check's outcome.</summary>
/// <param name="Check">Its id.</param>
/// <param name="Outcome">What came of it.</param>
/// <param name="Seen">What the board saw, or that a person confirmed it.</param>
/// <param name="Reason">Why it failed or was left out.</param>
/// <param name="At">By the board's clock, which nobody may have set.</param>
public sealed record StepResult(string Check, Outcome Outcome, string? Seen, string? Reason, DateTimeOffset At);

/// <summary>A commissioning that is under way; kept after each check.</summary>
public sealed record CommissioningProgress(string BoardHash, string Installer, DateTimeOffset Started, IReadOnlyList<StepResult> Steps);

/// <summary>What was proved of a board, by whom. Signed with the board's own key: the one that its certificate names after enrolment.</summary>
/// <param name="Format">"physsec-commissioning-1".</param>
/// <param name="Site">Null before enrolment.</param>
/// <param name="Node">Null before enrolment.</param>
/// <param name="Board">The board file's name.</param>
/// <param name="BoardHash">SHA-256 of the board file, lower-case hex.</param>
/// <param name="Simulated">It proves nothing about a real door.</param>
/// <param name="Firmware">Version of the program that looked.</param>
/// <param name="Installer">Who stood there.</param>
/// <param name="Started">By the board's clock.</param>
/// <param name="Ended">By the board's clock.</param>
/// <param name="Complete">Every check passed.</param>
/// <param name="Steps">In the plan's order.</param>
public sealed record CommissioningResult(
    string Format, string? Site, string? Node, string Board, string BoardHash, bool Simulated, string Firmware, string Installer,
    DateTimeOffset Started, DateTimeOffset Ended, bool Complete, IReadOnlyList<StepResult> Steps)
{
    public const string Version = "physsec-commissioning-1";

    /// <summary>The signed file: <c>{"result": …, "publicKey": base64 SPKI, "signature": base64}</c>, ECDSA P-256 with SHA-256 over the result's exact bytes in the file, after a line that names the format.</summary>
    public string Sign(ECDsa key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var text = JsonSerializer.Serialize(this, CommissioningJson.Default.CommissioningResult).ReplaceLineEndings("\n");
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WritePropertyName("result");
            json.WriteRawValue(text);
            json.WriteString("publicKey", Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()));
            json.WriteString("signature", Convert.ToBase64String(key.SignData(Bound(text), HashAlgorithmName.SHA256)));
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    /// <summary>What a signed file says, and the key that signed it. Whose key that is, its certificate tells.</summary>
    /// <exception cref="InvalidDataException">It is no such file, or was changed after it was signed.</exception>
    public static (CommissioningResult Result, byte[] PublicKey) Verify(string file)
    {
        ArgumentNullException.ThrowIfNull(file);
        try
        {
            using var json = JsonDocument.Parse(file, new JsonDocumentOptions { AllowDuplicateProperties = false }); // A person may read the one and a program the other.
            var text = json.RootElement.GetProperty("result").GetRawText();
            var spki = json.RootElement.GetProperty("publicKey").GetBytesFromBase64();
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(spki, out _);
            if (!key.VerifyData(Bound(text), json.RootElement.GetProperty("signature").GetBytesFromBase64(), HashAlgorithmName.SHA256))
                throw new InvalidDataException("the signature does not fit: the file was changed after it was signed");
            var result = JsonSerializer.Deserialize(text, CommissioningJson.Default.CommissioningResult);
            return result?.Format == Version ? (result, spki) : throw new InvalidDataException("it is no commissioning of a version that this program knows");
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or CryptographicException)
        {
            throw new InvalidDataException("it is no signed commissioning", failure);
        }
    }

    /// <summary>The first 16 hex digits of the key's SHA-256, as people compare them.</summary>
    public static string Fingerprint(byte[] publicKey) => Convert.ToHexStringLower(SHA256.HashData(publicKey))[..16];

    private static byte[] Bound(string text) => Encoding.UTF8.GetBytes(Version + "\n" + text);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true, UseStringEnumConverter = true, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(CommissioningResult))]
[JsonSerializable(typeof(CommissioningProgress))]
[JsonSerializable(typeof(IReadOnlyList<LineCalibration>))]
internal sealed partial class CommissioningJson : JsonSerializerContext;
