using System.Text.Json;
using System.Text.Unicode;
using PhysSec.Core;
using PhysSec.Core.Proof;
using PhysSec.Core.Wire;

namespace PhysSec.Verify;

/// <summary>Judges the records of a pack: their places in the tree, their chains, their nodes' signatures.</summary>
internal sealed class RecordJudge(PackManifest manifest) : IDisposable
{
    private const int WrongMax = 100_000;

    private readonly List<ReadOnlyMemory<byte>> _lines = []; // Of the block that is being taken, as the next.
    private (PackLine Line, TreeHash Leaf, string? Wrong)[] _read = [];
    private readonly List<long> _places = [];
    private readonly List<TreeHash> _leaves = [];
    private readonly Dictionary<(string Source, long Epoch, string Stream), List<Link>> _streams = [];
    private readonly HashSet<PackPolicy> _policies = [];
    private readonly NodeKeys _keys = new();
    private readonly DeletionJudge _deletions = new(manifest);
    private readonly List<Finding> _wrong = [];
    private long _shown;
    private long _unchained;

    /// <summary>Where the ledger says that the hub was restored from a backup, and of what moment, by the hub epoch that then began.</summary>
    public Dictionary<long, (long Leaf, DateTimeOffset AsOf)> Restored { get; } = [];

    public bool Knows(PackPolicy policy) => _policies.Contains(policy);

    /// <summary>The root over the pack's first <paramref name="size"/> leaves, when it has them all.</summary>
    public TreeHash? RootOf(long size) => size <= _places.Count && (size == 0 || _places[(int)size - 1] == size - 1)
        ? MerkleTree.Rebuild([.. _places.Take((int)size)], [.. _leaves.Take((int)size)], [], size) : null;

    /// <summary>How many of the pack's records stand behind the ledger's first <paramref name="size"/>, and the first of them.</summary>
    public (int Count, long Leaf) Beyond(long size)
    {
        var from = _places.BinarySearch(size) is var at && at >= 0 ? at : ~at;
        return (_places.Count - from, from < _places.Count ? _places[from] : -1);
    }

    /// <summary>Takes the next lines.</summary>
    /// <param name="block">Whole lines, UTF-8, each ended by a line feed; the pack's last may lack it.</param>
    /// <returns>How many records have been taken.</returns>
    /// <exception cref="FormatException">One cannot be read.</exception>
    public long Take(ReadOnlyMemory<byte> block)
    {
        _lines.Clear();
        if (_places.Count == 0 && block.Span.StartsWith("\ufeff"u8)) block = block[3..]; // As the page's reader does.
        for (var rest = block; rest.Length > 0;)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            _lines.Add(end < 0 ? rest : rest[..end]);
            rest = end < 0 ? default : rest[(end + 1)..];
        }

        if (_read.Length < _lines.Count) _read = new (PackLine, TreeHash, string?)[_lines.Count];
        try
        {
            Parallel.For(0, _lines.Count, i => _read[i] = Read(_lines[i].Span));
        }
        catch (AggregateException fault) when (fault.InnerException is JsonException or FormatException or InvalidOperationException)
        {
            throw new FormatException(fault.InnerException.Message);
        }

        foreach (var (line, leaf, wrong) in _read.AsSpan(0, _lines.Count))
        {
            if (_places.Count > 0 && line.Leaf <= _places[^1])
                throw new FormatException($"record {line.Leaf} stands behind record {_places[^1]}");
            _places.Add(line.Leaf);
            _leaves.Add(leaf);
            if (wrong is not null) Say(wrong, line.Leaf);
            if (line.Body is null) _deletions.Miss(line);
            else if (!line.Context) _shown++;
            if (line is { Body: not null, Prev: null }) _unchained++;
            var stream = (line.Source, line.Epoch, line.Stream);
            if (!_streams.TryGetValue(stream, out var links)) _streams[stream] = links = [];
            var prev = links.Count > 0 && links[^1].Hash == line.Prev ? links[^1].Hash : line.Prev; // One text in memory and not two.
            links.Add(new(line.Seq, line.Leaf, line.Hash, prev, line.Body is not null));
            if (line is { Body: { } body, Source: "hub" }) TryTakeContext(line, body, wrong is null);
        }

        return _places.Count;
    }

    public void Conclude(Checkpoint checkpoint, List<Finding> findings)
    {
        var tree = Tree(checkpoint);
        Stretch(checkpoint);
        Links();
        var (signed, unsigned) = Signatures();
        var deleted = _deletions.Conclude(checkpoint, LeafAt, Say);
        if (_shown == 0 && deleted == 0) findings.Add(new(FindingKind.Wrong, "empty", "このパックには確かめるべき記録がありません", "the pack holds no record that could be verified"));
        if (tree && _shown > 0)
        {
            findings.Add(new(
                FindingKind.Proven, "tree", $"記録 {_shown} 件は、検証基準値({checkpoint.Size} 件)の台帳に、この内容のまま含まれています",
                $"{_shown} records are in the ledger of {checkpoint.Size} records exactly as they are shown here"));
        }

        if (manifest.Count > 0 && !_wrong.Exists(it => it.Code is "missing" or "order"))
        {
            findings.Add(new(
                FindingKind.Proven, "complete", $"台帳番号 {manifest.First + 1}~{manifest.First + manifest.Count} の間に、抜けている記録はありません",
                $"no record is missing between numbers {manifest.First + 1} and {manifest.First + manifest.Count} of the ledger"));
        }

        if (tree && deleted > 0) findings.Add(_deletions.Said());
        if (_deletions.KeptBack > 0)
        {
            findings.Add(new(
                FindingKind.Open, "kept-back", $"ハブの記録 {_deletions.KeptBack} 件は、本文がこのパックに含まれていません(監査担当者の検索記録は作成者に開示されません)",
                $"the texts of {_deletions.KeptBack} records of the hub are not in the pack (what auditors searched for is not given to whoever made it)"));
        }

        if (signed > 0)
            findings.Add(new(FindingKind.Proven, "signed", $"記録 {signed} 件は、当時有効だった制御装置の鍵で署名されています", $"{signed} records were signed by their node with a key that counted then"));
        if (unsigned > 0)
        {
            findings.Add(new(
                FindingKind.Open, "unsigned", $"記録 {unsigned} 件は、制御装置の署名をこのパックだけでは確かめられません(署名の対象となる他の記録が含まれていません)",
                $"for {unsigned} records the node's signature cannot be checked from this pack alone (it covers records that are not in it)"));
        }

        if (_unchained > 0)
            findings.Add(new(FindingKind.Open, "unchained", $"記録 {_unchained} 件は、直前の記録とのつながりが不明です", $"for {_unchained} records what stood before them in their chain is not known any more"));
        findings.AddRange(_wrong.OrderBy(it => it.Leaf ?? long.MaxValue));
    }

    public void Dispose() => _keys.Dispose();

    private static (PackLine Line, TreeHash Leaf, string? Wrong) Read(ReadOnlySpan<byte> text)
    {
        if (!Utf8.IsValid(text)) throw new FormatException("a record is no UTF-8");
        var line = JsonSerializer.Deserialize(text, PackJson.Default.PackLine) ?? throw new FormatException("a record is null");
        var leaf = line.AsLeaf;
        var hash = leaf.TreeHash;
        if (hash.ToString() != line.TreeHash) return (line, hash, "changed");
        if (line is { Body: { } body, Prev: { } prev } && (!Chain.IsHash(prev) || Chain.Next(prev, body) != line.Hash)) return (line, hash, "chain");
        return (line, hash, null);
    }

    // A record of another shape than ours gives no key and no policy; that it was changed is said elsewhere.
    private void TryTakeContext(PackLine line, string body, bool unblamed)
    {
        try
        {
            TakeContext(line, body);
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            if (unblamed) Say("changed", line.Leaf);
        }
    }

    private void TakeContext(PackLine line, string body)
    {
        using var record = JsonDocument.Parse(body);
        if (!record.RootElement.TryGetProperty("fact", out var fact) || fact.ValueKind != JsonValueKind.Object) return;
        _keys.Take(line, fact);
        if (!fact.TryGetProperty("after", out var after) || after.ValueKind != JsonValueKind.Object) return;
        switch (fact.GetProperty("verb").GetString())
        {
            case RetentionTerms.RuleVerb:
                _deletions.TakeRule(line, after);
                break;
            case RetentionTerms.DeletedVerb:
                _deletions.TakeCertificate(line, after);
                break;
            case "policy.issued":
                _policies.Add(new(fact.GetProperty("target").GetString() ?? "", after.GetProperty("version").GetInt64(), after.GetProperty("hash").GetString() ?? ""));
                break;
            case "ledger.began":
                foreach (var it in after.GetProperty("policies").EnumerateArray())
                    _policies.Add(new(it.GetProperty("node").GetString() ?? "", it.GetProperty("version").GetInt64(), it.GetProperty("hash").GetString() ?? ""));
                break;
            case "hub.restored":
                Restored.TryAdd(after.GetProperty("hubEpoch").GetInt64(), (line.Leaf, after.GetProperty("asOf").GetDateTimeOffset()));
                break;
        }
    }

    private TreeHash? LeafAt(long place) => _places.BinarySearch(place) is var at && at >= 0 ? _leaves[at] : null;

    private bool Tree(Checkpoint checkpoint)
    {
        var rest = manifest.Rest.Select(it => TreeHash.TryParse(it, out var hash) ? hash : throw new FormatException("a hash of the tree is none")).ToList();
        if (MerkleTree.Rebuild(_places, _leaves, rest, checkpoint.Size) == checkpoint.Root) return true;
        _wrong.Add(new(
            FindingKind.Wrong, "tree", "記録は、検証基準値の台帳と一致しません。内容・順序・件数のいずれかが変更されています",
            "the records do not lead to the checkpoint: content, order or number was changed"));
        return false;
    }

    private void Stretch(Checkpoint checkpoint)
    {
        if (manifest.Count == 0) return;
        if (manifest.First < 0 || manifest.Count < 0 || manifest.Count > checkpoint.Size - manifest.First) throw new FormatException("the pack's stretch lies outside the ledger");
        var from = _places.BinarySearch(manifest.First) is var at && at >= 0 ? at : ~at;
        for (long i = 0; i < manifest.Count; i++)
        {
            var place = from + (int)i;
            if (place < _places.Count && _places[place] == manifest.First + i) continue;
            Say("missing", manifest.First + i);
            return;
        }
    }

    private void Links()
    {
        foreach (var (stream, links) in _streams)
        {
            links.Sort((a, b) => a.Seq == b.Seq ? a.Leaf.CompareTo(b.Leaf) : a.Seq.CompareTo(b.Seq)); // Sort alone puts equals in any order, and the page's keeps theirs.
            for (var i = 1; i < links.Count; i++)
            {
                var (before, it) = (links[i - 1], links[i]);
                if (it.Seq == before.Seq) Say("twice", Math.Max(it.Leaf, before.Leaf));
                else if (it.Seq == before.Seq + 1 && it.Prev is not null && it.Prev != before.Hash) Say("link", Math.Max(it.Leaf, before.Leaf));
                else if (stream.Source == "hub" && it.Leaf <= before.Leaf) Say("order", it.Leaf);
            }
        }
    }

    private (long Signed, long Unsigned) Signatures()
    {
        var by = new Dictionary<(string, long, string), Dictionary<(long Last, string Head), PackSignature>>();
        foreach (var it in manifest.Signatures)
        {
            var stream = (it.Source, it.Epoch, it.Stream);
            if (At(_streams.GetValueOrDefault(stream), it.Last) is { } other && other.Hash != it.Head) Say("fork", other.Leaf);
            if (!by.TryGetValue(stream, out var its)) by[stream] = its = [];
            its[(it.Last, it.Head)] = it;
        }

        var (signed, unsigned) = (0L, 0L);
        foreach (var (stream, links) in _streams.Where(it => it.Key.Source != "hub"))
        {
            var signatures = by.GetValueOrDefault(stream);
            PackSignature? covering = null;
            for (var i = links.Count - 1; i >= 0; i--)
            {
                var it = links[i];
                var linked = i + 1 < links.Count && links[i + 1].Seq == it.Seq + 1 && links[i + 1].Prev == it.Hash && links[i + 1].Shown;
                if (!linked) covering = null;
                if (signatures?.GetValueOrDefault((it.Seq, it.Hash)) is { } found && IsGood(found, it.Leaf)) covering = found;
                if (!it.Shown) continue;
                if (covering is null)
                {
                    unsigned++;
                }
                else
                {
                    signed++;
                    if (_keys.EndOf(covering.Thumbprint) < it.Leaf) Say("revoked", it.Leaf);
                }
            }
        }

        return (signed, unsigned);
    }

    // They are in order by now.
    private static Link? At(List<Link>? links, long seq)
    {
        if (links is null) return null;
        var (low, high) = (0, links.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (links[middle].Seq < seq) low = middle + 1;
            else high = middle;
        }

        return low < links.Count && links[low].Seq == seq ? links[low] : null;
    }

    private bool IsGood(PackSignature it, long leaf)
    {
        if (_keys.Find(it.Source, it.Thumbprint) is not { } key)
        {
            Say("stranger", leaf);
            return false;
        }

        var batch = new JournalBatch(it.Epoch, it.Stream, it.First, it.Last, it.Prev, it.Head, [], "");
        if (Signing.Verify(key, Signing.BatchText(new SiteId(manifest.Site), new NodeId(it.Source), batch), it.Signature)) return true;
        Say("signature", leaf);
        return false;
    }

    private void Say(string code, long leaf)
    {
        var (ja, en) = code switch
        {
            "changed" => ("台帳に加えられた後に変更されています", "was changed after it had entered the ledger"),
            "chain" => ("直前の記録から続いていません(内容が変更されています)", "does not follow from the record before it in its chain (its text was changed)"),
            "link" => ("連番の隣り合う記録とつながっていません", "does not join its neighbour in its chain"),
            "twice" => ("同じ連番が2回あります", "has the number of another record"),
            "order" => ("ハブの記録の順序が入れ替わっています", "stands out of order among the hub's records"),
            "missing" => ("抜けています", "is missing"),
            "stranger" => ("台帳にない鍵で署名されています", "is signed with a key that the ledger does not know"),
            "fork" => ("同じ連番に対して、制御装置が別の内容にも署名しています", "shares its number with another record that its node has signed too"),
            "text" => ("本文がなく、有効な廃棄証明もありません", "has lost its text, and no good certificate of deletion covers it"),
            "certificate" => ("廃棄証明として成り立ちません(保存期間・対象・内容のいずれかが正しくありません)", "is no good certificate of deletion (its period, its records or what it says of them is wrong)"),
            "signature" => ("制御装置の署名が正しくありません", "has a wrong signature of its node"),
            _ => ("失効後の鍵で署名されています", "is signed with a key that had been revoked before"),
        };
        if (_wrong.Count < WrongMax) _wrong.Add(new(FindingKind.Wrong, code, $"台帳番号 {leaf + 1} の記録は、{ja}", $"record {leaf + 1} of the ledger {en}", leaf));
    }


    private sealed record Link(long Seq, long Leaf, string Hash, string? Prev, bool Shown);
}
