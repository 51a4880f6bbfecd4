using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace PhysSec.Core.Wire;

/// <summary>ECDSA P-256 with SHA-256 over a plain text that names everything it binds. Signatures travel in base64.</summary>
public static class Signing
{
    public static string Sign(ECDsa key, string text) =>
        Convert.ToBase64String(key.SignData(Encoding.UTF8.GetBytes(text), HashAlgorithmName.SHA256));

    /// <summary>False for a wrong signature and for one that is not base64.</summary>
    public static bool Verify(ECDsa key, string text, string signature)
    {
        var bytes = new byte[signature.Length];
        return Convert.TryFromBase64String(signature, bytes, out var length)
            && key.VerifyData(Encoding.UTF8.GetBytes(text), bytes.AsSpan(0, length), HashAlgorithmName.SHA256);
    }

    public static string BatchText(SiteId site, NodeId node, JournalBatch batch) =>
        Join("physsec-batch-1", site, node, batch.Epoch, batch.Stream, batch.First, batch.Last, batch.Prev, batch.Head);

    public static string HotText(SiteId site, NodeId node, string prev, string hash) =>
        Join("physsec-hot-1", site, node, prev, hash);

    public static string AckText(SiteId site, NodeId node, Ack ack) =>
        Join("physsec-ack-1", site, node, ack.HubEpoch, ack.Epoch, ack.Stream, ack.Through,
            string.Join(',', ack.Resend.Select(it => $"{it.First}-{it.Last}")), Time(ack.HubTime));

    public static string CommandText(SiteId site, NodeId node, Command command) =>
        Join("physsec-command-1", site, node, command.Verb, command.Nonce, Time(command.NotAfter), Escape(command.Actor), Escape(command.Reason),
            string.Join('&', command.Arguments.OrderBy(it => it.Key, StringComparer.Ordinal).Select(it => $"{Escape(it.Key)}={Escape(it.Value)}")));

    public static string PolicyText(SiteId site, NodeId node, PolicyMessage policy) =>
        Join("physsec-policy-1", site, node, policy.Version, policy.Base ?? 0, policy.Hash, Time(policy.At), policy.Body is null ? "confirm" : "snapshot");

    /// <summary>The policy's hash: SHA-256 of its exact UTF-8 text, lower-case hex.</summary>
    public static string PolicyHash(string body) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)));

    private static string Join(params object[] parts) =>
        string.Join('\n', parts.Select(it => Convert.ToString(it, CultureInfo.InvariantCulture)));

    private static string Time(DateTimeOffset at) => at.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture);

    private static string Escape(string text) => Uri.EscapeDataString(text);
}

/// <summary>The journal's hash chain: h₀ = 64 zeros, hᵢ = SHA-256(hᵢ₋₁ ‖ the record's exact UTF-8 bytes), lower-case hex.</summary>
public static class Chain
{
    public static readonly string Genesis = new('0', 64);

    /// <summary>Whether this is a SHA-256 in lower-case hex.</summary>
    public static bool IsHash(string? text) => text is { Length: 2 * SHA256.HashSizeInBytes } && text.All(char.IsAsciiHexDigitLower);

    public static string Next(string previous, ReadOnlySpan<byte> record)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Convert.FromHexString(previous));
        hash.AppendData(record);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public static string Next(string previous, string record) => Next(previous, Encoding.UTF8.GetBytes(record));
}
