using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace PhysSec.Core.Proof;

/// <summary>
/// What a leaf of the ledger's tree says of one record: where it stands, when the hub got it, its place in its source's chain, and the digest of its text. It names no
/// person and no door, so that a proof gives away nothing, and holds on after the text itself was deleted at the end of its retention.
/// </summary>
/// <param name="Source">The node, or "hub" for what was done at the hub.</param>
/// <param name="Epoch">1 or more.</param>
/// <param name="Stream">a or m.</param>
/// <param name="Seq">1 or more.</param>
/// <param name="ReceivedAt">The hub's clock: microseconds since 1970 UTC.</param>
/// <param name="Late">It came late, or from a broker that had kept it.</param>
/// <param name="Hash">The chain's value after the record: SHA-256(the value before ‖ text), lower-case hex.</param>
/// <param name="BodyHash">SHA-256 of the record's exact text in UTF-8, lower-case hex.</param>
public sealed record LedgerLeaf(string Source, long Epoch, string Stream, long Seq, long ReceivedAt, bool Late, string Hash, string BodyHash)
{
    public static string HashOf(string body) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)));

    /// <summary>The leaf's exact data; a later form has another first line.</summary>
    public string Text => string.Create(
        CultureInfo.InvariantCulture, $"physsec-leaf/1\n{Source} {Epoch} {Stream} {Seq}\n{ReceivedAt} {(Late ? 1 : 0)}\n{Hash}\n{BodyHash}\n");

    public TreeHash TreeHash => MerkleTree.Leaf(Encoding.UTF8.GetBytes(Text));
}
