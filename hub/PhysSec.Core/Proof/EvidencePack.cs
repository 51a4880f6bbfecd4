using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PhysSec.Core.Proof;

/// <summary>
/// What an evidence pack is: a ZIP file with a manifest, the records one to a line, the policies that were in force, and pages for people. Everything that a verifier
/// judges by is in the first three.
/// </summary>
public static class EvidencePack
{
    public const int Format = 1;
    public const string ManifestName = "manifest.json";
    public const string RecordsName = "records.ndjson";
    public const string PolicyFolder = "policies/";
    public const string PageName = "verify.html";
    public const string ReadMeName = "README.txt";

    /// <summary>Kinds of the hub's records that every pack carries, because others are judged by them: which keys counted when, and what was signed with them.</summary>
    public static IReadOnlyList<string> Context { get; } =
    [
        "hub.ledger.began", "hub.node.enrolled", "hub.node.certificate-renewed", "hub.node.revoked", "hub.node.replaced", "hub.node.new-epoch", "hub.hub.restored", "hub.policy.issued",
        "hub." + RetentionTerms.RuleVerb,
    ];

    /// <summary>What a pack keeps back: the texts of measurements that nobody asked for.</summary>
    public const string Measurements = "measurements";

    /// <summary>What a pack keeps back: which auditor searched for what.</summary>
    public const string Searches = "searches";
}

/// <summary>The pack's own description of itself. Nothing in it is believed that does not lead to the checkpoint.</summary>
/// <param name="Format">1.</param>
/// <param name="Site">Whose ledger.</param>
/// <param name="MadeAt">The hub's clock.</param>
/// <param name="MadeBy">Who asked for it.</param>
/// <param name="Reason">What for.</param>
/// <param name="Scope">What was asked for, in words of the search.</param>
/// <param name="Classification">機密性 label for the file as a whole.</param>
/// <param name="Key">The vkey that signs the checkpoint.</param>
/// <param name="Checkpoint">The signed note over the whole tree.</param>
/// <param name="First">First leaf of a stretch in which every leaf is in the pack, at least by its digest.</param>
/// <param name="Count">Length of that stretch; 0: the pack is a selection.</param>
/// <param name="Rest">See <see cref="MerkleTree.Rest"/>; base64.</param>
/// <param name="Witnessed">Checkpoints that have left the hub, each with its consistency proof to the pack's own.</param>
/// <param name="Signatures">The nodes' signatures over batches.</param>
/// <param name="Policies">The policies whose text is in the pack.</param>
/// <param name="KeptBack">Which texts whoever made the pack was not given, although they are there (<see cref="EvidencePack.Measurements"/>, <see cref="EvidencePack.Searches"/>).</param>
public sealed record PackManifest(
    int Format, string Site, DateTimeOffset MadeAt, string MadeBy, string Reason, string Scope, string Classification, string Key, string Checkpoint, long First, long Count,
    IReadOnlyList<string> Rest, IReadOnlyList<PackWitness> Witnessed, IReadOnlyList<PackSignature> Signatures, IReadOnlyList<PackPolicy> Policies,
    IReadOnlyList<string>? KeptBack = null);

/// <summary>An earlier checkpoint and the proof (base64 hashes) that the pack's checkpoint begins with it; no proof for one of another hub epoch that a restore gave up.</summary>
public sealed record PackWitness(string Note, IReadOnlyList<string> Path, IReadOnlyList<string> Channels);

/// <summary>A node's signature over a batch; see <see cref="Wire.Signing.BatchText"/>. Thumbprint: SHA-256 of its certificate.</summary>
public sealed record PackSignature(string Source, long Epoch, string Stream, long First, long Last, string Prev, string Head, string Signature, string Thumbprint);

/// <summary>A policy whose exact text lies in the pack under <c>policies/{node}-{version}.json</c>.</summary>
public sealed record PackPolicy(string Node, long Version, string Hash);

/// <summary>One line of the records. Without a body it stands for a record whose text is kept back or was deleted at the end of its retention: its digest proves that it is there, and nothing more.</summary>
/// <param name="Leaf">Its place in the tree, from 0.</param>
/// <param name="Source">See <see cref="LedgerLeaf"/>, as with the next six.</param>
/// <param name="Epoch">1 or more.</param>
/// <param name="Stream">a or m.</param>
/// <param name="Seq">1 or more.</param>
/// <param name="ReceivedAt">Microseconds since 1970 UTC.</param>
/// <param name="Late">It came late.</param>
/// <param name="Hash">The chain's value after it.</param>
/// <param name="Prev">The chain's value before it; null: not known any more.</param>
/// <param name="Body">The record's exact text.</param>
/// <param name="BodyHash">Only where there is no body.</param>
/// <param name="TreeHash">The leaf's hash as the hub's tree holds it, base64: names the record that was changed.</param>
/// <param name="Context">It is in the pack to judge others by.</param>
public sealed record PackLine(
    long Leaf, string Source, long Epoch, string Stream, long Seq, long ReceivedAt, bool Late, string Hash, string? Prev, string? Body, string? BodyHash, string TreeHash, bool Context)
{
    [JsonIgnore]
    public LedgerLeaf AsLeaf => new(Source, Epoch, Stream, Seq, ReceivedAt, Late, Hash, Body is null ? BodyHash ?? "" : LedgerLeaf.HashOf(Body));
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    PropertyNameCaseInsensitive = false, AllowDuplicateProperties = false, NumberHandling = JsonNumberHandling.Strict)] // Of two spellings people would read one and the program the other.
[JsonSerializable(typeof(PackManifest))]
[JsonSerializable(typeof(PackLine))]
public sealed partial class PackJson : JsonSerializerContext
{
    /// <summary>Readable Japanese; the pack is no web page.</summary>
    public static PackJson Plain { get; } = new(new JsonSerializerOptions(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    });
}
