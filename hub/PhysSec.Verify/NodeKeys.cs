using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using PhysSec.Core.Proof;

namespace PhysSec.Verify;

/// <summary>Which key counted for which node, from which record on and up to which: as the ledger itself has it.</summary>
internal sealed class NodeKeys : IDisposable
{
    private readonly Dictionary<string, ECDsa> _keys = [];
    private readonly Dictionary<string, long> _endedAt = [];
    private readonly Dictionary<string, HashSet<string>> _ofNode = [];

    /// <summary>Takes one record of the hub, in the order of the tree.</summary>
    public void Take(PackLine line, JsonElement fact)
    {
        var after = fact.TryGetProperty("after", out var it) ? it : default;
        var target = Text(fact, "target");
        switch (Text(fact, "verb"))
        {
            case "ledger.began" when after.ValueKind == JsonValueKind.Object && after.TryGetProperty("nodes", out var nodes) && nodes.ValueKind == JsonValueKind.Array:
                foreach (var node in nodes.EnumerateArray()) Add(Text(node, "id"), Text(node, "certificate"));
                break;
            case "node.enrolled":
                End(target, line.Leaf);
                Add(target, Text(after, "certificate"));
                break;
            case "node.certificate-renewed":
                Add(target, Text(after, "certificate"));
                break;
            case "node.revoked":
                End(target, line.Leaf);
                break;
        }
    }

    /// <summary>The node's key of that certificate; null when the ledger does not know it as this node's.</summary>
    public ECDsa? Find(string node, string thumbprint) => _ofNode.TryGetValue(node, out var its) && its.Contains(thumbprint) ? _keys[thumbprint] : null;

    /// <summary>The record after which nothing of that key counts; null: it was never ended.</summary>
    public long? EndOf(string thumbprint) => _endedAt.TryGetValue(thumbprint, out var it) ? it : null;

    public void Dispose()
    {
        foreach (var it in _keys.Values) it.Dispose();
    }

    private void Add(string? node, string? pem)
    {
        if (node is null || pem is null) return;
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(pem);
            var thumbprint = certificate.GetCertHashString(HashAlgorithmName.SHA256);
            if (!_keys.ContainsKey(thumbprint) && certificate.GetECDsaPublicKey() is { } key) _keys[thumbprint] = key;
            if (!_ofNode.TryGetValue(node, out var its)) _ofNode[node] = its = new(StringComparer.Ordinal);
            if (_keys.ContainsKey(thumbprint)) its.Add(thumbprint);
        }
        catch (CryptographicException)
        {
            // What is no certificate gives no key: signatures under it stay unproven.
        }
    }

    private void End(string? node, long leaf)
    {
        if (node is null || !_ofNode.TryGetValue(node, out var its)) return;
        foreach (var it in its) _endedAt.TryAdd(it, leaf);
    }

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var it) && it.ValueKind == JsonValueKind.String ? it.GetString() : null;
}
