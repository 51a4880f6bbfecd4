using System.Globalization;
using System.Text.Json;
using PhysSec.Core.Proof;

namespace PhysSec.Verify;

/// <summary>
/// Judges what is missing of the texts: each one needs a certificate of deletion that stands in the ledger, names the record, and keeps the period that the ledger itself had
/// announced. A signature of the hub is not enough: whoever has its key could certify anything.
/// </summary>
internal sealed class DeletionJudge(PackManifest manifest)
{
    private readonly List<Missed> _missed = [];
    private readonly List<(long Leaf, long At, RetentionRule Rule)> _rules = [];
    private readonly List<(long Leaf, long At, DeletionCertificate Value)> _certificates = [];
    private readonly SortedSet<long> _used = [];
    private long _deleted;

    /// <summary>The hub's own records whose texts the pack keeps back.</summary>
    public long KeptBack { get; private set; }

    /// <summary>A line without a text.</summary>
    public void Miss(PackLine line) => _missed.Add(new(line.Leaf, line.ReceivedAt, line.Source == "hub", line.Stream == "m"));

    public void TakeRule(PackLine line, JsonElement it) => _rules.Add((line.Leaf, line.ReceivedAt, new(Text(it, "class"), Whole(it, "years"), null, Number(it, "inForceAt"))));

    public void TakeCertificate(PackLine line, JsonElement it) => _certificates.Add((line.Leaf, line.ReceivedAt, new(
        Text(it, "class"), Whole(it, "years"), Number(it, "receivedBefore"), Number(it, "count"), Text(it, "numbers"), Text(it, "digest"), Number(it, "size"), Text(it, "root"))));

    /// <returns>How many texts were deleted under a good certificate.</returns>
    public long Conclude(Checkpoint checkpoint, Func<long, TreeHash?> leafAt, Action<string, long> say)
    {
        var latest = (checkpoint.At.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks + TimeSpan.TicksPerSecond) / 10; // A checkpoint has whole seconds.
        var covers = new Dictionary<long, long>();
        foreach (var (leaf, at, it) in _certificates)
        {
            if (Ranges(it) is { } ranges && at <= latest && IsGood(leaf, at, it, ranges, leafAt))
            {
                foreach (var missed in ranges.SelectMany(range => Missing(range.First - 1, range.Last - 1)))
                    if (missed.ReceivedAt < it.ReceivedBefore && Fits(it.Class, missed)) covers.TryAdd(missed.Leaf, leaf);
            }
            else
            {
                say("certificate", leaf);
            }
        }

        foreach (var it in _missed)
        {
            if (covers.TryGetValue(it.Leaf, out var by))
            {
                _deleted++;
                _used.Add(by);
            }
            else if (it.IsHub && KeepsBack(EvidencePack.Searches))
            {
                KeptBack++;
            }
            else if (!it.IsMeasurement || !KeepsBack(EvidencePack.Measurements))
            {
                say("text", it.Leaf);
            }
        }

        return _deleted;
    }

    // What a leaf says of its record: measurements have a stream of their own, and acts are the hub's. More of the class only the text would say, and it is gone.
    private static bool Fits(string name, Missed it) => name == "measurements" ? it.IsMeasurement : !it.IsMeasurement && (name != "acts" || it.IsHub);

    public Finding Said()
    {
        var numbers = string.Join(", ", _used.Take(20).Select(it => (it + 1).ToString(CultureInfo.InvariantCulture))) + (_used.Count > 20 ? ", …" : "");
        return new(
            FindingKind.Proven, "deleted", $"記録 {_deleted} 件の本文は保存期間の満了により廃棄されました(廃棄証明:台帳番号 {numbers})。要約値は台帳に残っています",
            $"the texts of {_deleted} records were deleted at the end of their retention (certificates: records {numbers}); their digests are in the ledger");
    }

    // They came in the order of the tree.
    private IEnumerable<Missed> Missing(long first, long last)
    {
        var (low, high) = (0, _missed.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_missed[middle].Leaf < first) low = middle + 1;
            else high = middle;
        }

        for (; low < _missed.Count && _missed[low].Leaf <= last; low++) yield return _missed[low];
    }

    private static IReadOnlyList<(long First, long Last)>? Ranges(DeletionCertificate it)
    {
        try
        {
            return RecordRanges.Parse(it.Numbers);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private bool IsGood(long leaf, long at, DeletionCertificate it, IReadOnlyList<(long First, long Last)> ranges, Func<long, TreeHash?> leafAt)
    {
        if (!RetentionTerms.Periods.Contains(it.Years) || it.ReceivedBefore > at - RetentionTerms.MicrosecondsOf(it.Years)) return false;
        if (!(InForce(leaf, at, it.Class) <= it.Years)) return false;
        if (it.Count != ranges.Sum(range => range.Last - range.First + 1) || ranges[^1].Last > it.Size || it.Size > leaf) return false;

        // Whoever has all its leaves can say that these were the ones.
        if (it.Count > _missed.Count) return true;
        var leaves = ranges.SelectMany(range => Numbers(range.First, range.Last)).Select(number => (number, leafAt(number - 1))).ToList();
        return leaves.Exists(one => one.Item2 is null) || DeletionCertificate.DigestOf(leaves.Select(one => (one.number, one.Item2!.Value))) == it.Digest;
    }

    // The period that was in force: the first of a class, and each shorter one, only after its announcement had stood its time.
    private int? InForce(long leaf, long at, string name)
    {
        int? years = null;
        foreach (var (_, announced, it) in _rules.Where(it => it.Leaf < leaf && it.Rule.Class == name))
        {
            var from = it.Years >= years ? it.InForceAt : Math.Max(it.InForceAt, announced + (RetentionTerms.Wait.Ticks / 10));
            if (from <= at) years = it.Years;
        }

        return years;
    }

    private bool KeepsBack(string what) => manifest.KeptBack is not { } kept || kept.Contains(what, StringComparer.Ordinal);

    private static string Text(JsonElement it, string name) => it.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null");

    private static long Number(JsonElement it, string name) => it.GetProperty(name).GetInt64();

    private static int Whole(JsonElement it, string name) => it.GetProperty(name).GetInt32();

    private static IEnumerable<long> Numbers(long first, long last)
    {
        for (var it = first; it <= last; it++) yield return it;
    }

    private readonly record struct Missed(long Leaf, long ReceivedAt, bool IsHub, bool IsMeasurement);
}
