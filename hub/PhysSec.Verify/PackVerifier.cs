using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Org.BouncyCastle.Math.EC.Rfc8032;
using PhysSec.Core.Proof;

namespace PhysSec.Verify;

/// <summary>What whoever verifies brings along, instead of believing the pack.</summary>
/// <param name="Checkpoints">Signed notes that the verifier got earlier: the auditor's mail, a print, a file in a drop folder.</param>
/// <param name="Key">The ledger's vkey as noted earlier; null: the pack's own is taken, and said to be.</param>
/// <param name="Now">The verifier's clock: a hub whose clock runs ahead could delete what is not due yet. Null: not compared.</param>
public sealed record Own(IReadOnlyList<string> Checkpoints, string? Key, DateTimeOffset? Now = null)
{
    /// <summary>Keys of second machines; see <see cref="Cosignature"/>.</summary>
    public IReadOnlyList<string> Cosigners { get; init; } = [];
}

/// <summary>
/// Judges an evidence pack from its own bytes and what the verifier brings. No network, no database. The page in the pack does the same in a browser;
/// a test holds both to the same codes.
/// </summary>
public static class PackVerifier
{
    private const int BlockSize = 2 << 20;
    private const int BlocksWaiting = 2;
    private const int LineMax = 64 << 20; // A payload that a hub takes is a thousandth of it.
    private const int NoteMax = 1 << 20;

    /// <param name="pack">A ZIP file that can be sought in.</param>
    /// <param name="own">What the verifier brings.</param>
    /// <param name="progress">Told how many records have been read.</param>
    public static Verdict Verify(Stream pack, Own own, Action<long>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(own);
        try
        {
            using var zip = new ZipArchive(pack, ZipArchiveMode.Read, leaveOpen: true);
            return Judge(zip, own, progress);
        }
        catch (Exception fault) when (fault is InvalidDataException or FormatException or JsonException or OverflowException or DecoderFallbackException or EndOfStreamException)
        {
            return new([new(FindingKind.Wrong, "format", $"この証拠パックは読み取れません:{fault.Message}", $"this is no evidence pack that can be read: {fault.Message}")]);
        }
    }

    internal static bool Check(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        Ed25519.Verify(signature.ToArray(), 0, key.ToArray(), 0, message.ToArray(), 0, message.Length);

    private static Verdict Judge(ZipArchive zip, Own own, Action<long>? progress)
    {
        // People and other tools would open the second of two entries, and this program the first.
        if (zip.Entries.GroupBy(it => it.FullName, StringComparer.Ordinal).FirstOrDefault(it => it.Count() > 1) is { } twice) throw new FormatException($"{twice.Key} is in the pack twice");
        var manifest = JsonSerializer.Deserialize(Text(zip, EvidencePack.ManifestName), PackJson.Default.PackManifest) ?? throw new FormatException("the manifest is empty");
        if (manifest.Format != EvidencePack.Format) throw new FormatException($"form {manifest.Format} is not known to this version");
        if (manifest.Site is null || manifest.Key is null || manifest.Checkpoint is null || manifest.Rest is null || manifest.Witnessed is null || manifest.Signatures is null || manifest.Policies is null)
            throw new FormatException("the manifest lacks a part");
        var findings = new List<Finding>();
        var (checkpoint, key) = CheckpointJudge.Head(manifest, own, findings);
        using var records = new RecordJudge(manifest);
        foreach (var block in Ahead(Blocks(zip)))
        {
            var taken = records.Take(block);
            ArrayPool<byte>.Shared.Return(block.Array!); // New ones of that size would make the collector go through all that is held, each time.
            progress?.Invoke(taken);
        }

        records.Conclude(checkpoint, findings);
        Policies(zip, manifest, records, findings);
        CheckpointJudge.Witnesses(manifest, checkpoint, key, own, records, findings);
        return new(findings);
    }

    private static void Policies(ZipArchive zip, PackManifest manifest, RecordJudge records, List<Finding> findings)
    {
        var good = 0;
        foreach (var it in manifest.Policies)
        {
            var hash = Convert.ToHexStringLower(SHA256.HashData(Bytes(zip, $"{EvidencePack.PolicyFolder}{it.Node}-{it.Version}.json")));
            if (hash == it.Hash && records.Knows(it)) good++;
            else findings.Add(new(FindingKind.Wrong, "policy", $"{it.Node} の入室条件 {it.Version} 版は、記録されたものと異なります", $"policy {it.Version} of {it.Node} is not the one that is on record"));
        }

        if (good > 0) findings.Add(new(FindingKind.Proven, "policy", $"入室条件 {good} 件は、発行時に記録されたものと同一です", $"{good} policies are the very texts that were put on record when they were issued"));
    }

    // In blocks of whole lines, so that a million records need not lie in memory. Rented; whoever takes one returns it.
    private static IEnumerable<ArraySegment<byte>> Blocks(ZipArchive zip)
    {
        using var stream = Entry(zip, EvidencePack.RecordsName).Open();
        var (buffer, filled) = (ArrayPool<byte>.Shared.Rent(BlockSize), 0);
        while (true)
        {
            var read = stream.ReadAtLeast(buffer.AsSpan(filled), buffer.Length - filled, throwOnEndOfStream: false);
            var ended = read < buffer.Length - filled;
            filled += read;
            var whole = ended ? filled : buffer.AsSpan(0, filled).LastIndexOf((byte)'\n') + 1;
            if (whole == 0 && buffer.Length >= LineMax) throw new FormatException("a record has no end");
            var next = ended ? [] : ArrayPool<byte>.Shared.Rent(whole == 0 ? buffer.Length * 2 : Math.Max(BlockSize, filled - whole)); // A line as long as that: more of it.
            if (!ended) buffer.AsSpan(whole, filled - whole).CopyTo(next);
            if (whole > 0) yield return new(buffer, 0, whole);
            if (ended) yield break;
            (buffer, filled) = (next, filled - whole);
        }
    }

    // Reads on while what was read is judged.
    private static IEnumerable<ArraySegment<byte>> Ahead(IEnumerable<ArraySegment<byte>> blocks)
    {
        using var waiting = new BlockingCollection<ArraySegment<byte>>(BlocksWaiting);
        using var enough = new CancellationTokenSource();
        var reading = Task.Run(() =>
        {
            try
            {
                foreach (var block in blocks) waiting.Add(block, enough.Token);
            }
            finally
            {
                waiting.CompleteAdding();
            }
        });
        try
        {
            foreach (var block in waiting.GetConsumingEnumerable()) yield return block;
            reading.GetAwaiter().GetResult();
        }
        finally
        {
            enough.Cancel(); // Nobody wants the rest; the file is closed only after its reader has ended.
            ((IAsyncResult)reading).AsyncWaitHandle.WaitOne();
        }
    }

    private static string Text(ZipArchive zip, string name) => new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Bytes(zip, name));

    private static byte[] Bytes(ZipArchive zip, string name)
    {
        using var stream = Entry(zip, name).Open();
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    private static ZipArchiveEntry Entry(ZipArchive zip, string name) => zip.GetEntry(name) ?? throw new FormatException($"{name} is missing");

    /// <summary>Reads a note that came from outside the pack.</summary>
    internal static SignedNote Note(string text) => text.Length > NoteMax ? throw new FormatException("a checkpoint is a short text") : SignedNote.Parse(text.ReplaceLineEndings("\n").TrimEnd('\n') + "\n");
}
