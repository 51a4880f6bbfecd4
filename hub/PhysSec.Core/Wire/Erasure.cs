using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace PhysSec.Core.Wire;

/// <summary>How far a stream of the erased journal went, and how much of it the hub had.</summary>
public sealed record ErasedStream(long Epoch, string Stream, long Seq, string Head, long Acknowledged);

/// <summary>What a node says, by its own key and for the last time: these files were destroyed on it.</summary>
/// <param name="Format">"physsec-erasure-1".</param>
/// <param name="Site">Where.</param>
/// <param name="Node">Which.</param>
/// <param name="Certificate">Of the key that signs, in PEM: the hub knows which ones it has issued, also after a spare board has taken the place.</param>
/// <param name="At">By the board's clock.</param>
/// <param name="Clock">How far that clock can be trusted.</param>
/// <param name="By">Who did it.</param>
/// <param name="Reason">Why.</param>
/// <param name="Firmware">The program's version.</param>
/// <param name="Streams">The journal; null: it could not be read.</param>
/// <param name="Files">Paths of what was destroyed.</param>
public sealed record ErasureStatement(
    string Format, string Site, string Node, string Certificate, DateTimeOffset At, ClockQuality Clock, string By, string Reason, string Firmware,
    IReadOnlyList<ErasedStream>? Streams, IReadOnlyList<string> Files)
{
    public const string Version = "physsec-erasure-1";

    /// <summary><c>{"erasure": …, "signature": base64}</c>: ECDSA P-256 with SHA-256 over a line that names the format and the statement's exact text.</summary>
    public string Sign(ECDsa key)
    {
        var text = JsonSerializer.Serialize(this, WireJson.Plain.ErasureStatement);
        return $"{{\"erasure\":{text},\"signature\":\"{Signing.Sign(key, Bound(text))}\"}}";
    }

    /// <summary>What a certificate of erasure says, and the SHA-256 of the device certificate whose key has signed it.</summary>
    /// <exception cref="InvalidDataException">It is none, or was changed after it was signed.</exception>
    public static (ErasureStatement Statement, string Thumbprint) Verify(string file)
    {
        try
        {
            using var json = JsonDocument.Parse(file, new JsonDocumentOptions { AllowDuplicateProperties = false });
            var text = json.RootElement.GetProperty("erasure").GetRawText();
            if (JsonSerializer.Deserialize(text, WireJson.Plain.ErasureStatement) is not { Format: Version } statement)
                throw new InvalidDataException("it is no certificate of erasure of a version that this program knows");
            using var certificate = X509Certificate2.CreateFromPem(statement.Certificate);
            using var key = certificate.GetECDsaPublicKey() ?? throw new InvalidDataException("its device certificate has another kind of key");
            if (certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) != statement.Node || !Signing.Verify(key, Bound(text), json.RootElement.GetProperty("signature").GetString() ?? ""))
                throw new InvalidDataException("the signature does not fit: it was changed after it was signed");
            return (statement, certificate.GetCertHashString(HashAlgorithmName.SHA256));
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or CryptographicException or ArgumentException)
        {
            throw new InvalidDataException("it is no certificate of erasure", failure);
        }
    }

    private static string Bound(string text) => Version + "\n" + text;
}
