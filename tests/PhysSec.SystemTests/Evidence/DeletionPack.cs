using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Org.BouncyCastle.Math.EC.Rfc8032;
using PhysSec.Core.Proof;
using PhysSec.Core.Wire;

namespace PhysSec.SystemTests.Evidence;

/// <summary>
/// A pack of a small ledger that lived through a retention period: as a hub makes it, or as somebody makes it who has the hub's keys and all the time, and one thing is not
/// right. Nothing here waits for years; the verifiers see texts alone.
/// </summary>
internal sealed class DeletionPack
{
    private const string Origin = "physsec/city/1";
    private static readonly DateTimeOffset _start = new(2026, 11, 2, 0, 0, 0, TimeSpan.Zero);

    private readonly List<PackLine> _lines = [];
    private readonly Dictionary<(string, string), (long Seq, string Head)> _streams = [];
    private readonly byte[] _seed = new byte[Ed25519.SecretKeySize];

    private DeletionPack(Random random) => random.NextBytes(_seed);

    /// <summary>What may be wrong with it, and the code by which a verifier must say so; the first one: nothing.</summary>
    public static IReadOnlyList<(string Mistake, string? Code)> Mistakes { get; } =
    [
        ("none", null), ("kept back", null), ("no certificate", "text"), ("a record that it does not name", "text"), ("a record that came later than it says", "text"),
        ("a measurement without one", "text"), ("an act of the hub without one", "text"), ("two years", "certificate"), ("too early", "certificate"), ("no rule", "certificate"),
        ("a rule of yesterday", "certificate"), ("a shorter rule of yesterday", "certificate"), ("a rule that came after it", "certificate"), ("another class", "certificate"),
        ("another digest", "certificate"), ("another count", "certificate"), ("more than there was", "certificate"), ("numbers out of order", "certificate"),
        ("dated after the checkpoint", "certificate"), ("a clock set ahead", "future"),
    ];

    public static (byte[] Pack, string Key, DateTimeOffset Now) Make(string mistake, Random random)
    {
        var it = new DeletionPack(random);
        var years = mistake == "a shorter rule of yesterday" ? 3 : 1;
        it.Act(_start, "ledger.began", new { nodes = Array.Empty<object>(), policies = Array.Empty<object>() });
        if (mistake is not ("no rule" or "a rule of yesterday" or "a rule that came after it")) it.Rule(_start, mistake == "another class" ? "alarms" : "access", years, _start.AddDays(7));
        var first = it._lines.Count + 1;
        var count = random.Next(3, 20);
        for (var i = 0; i < count; i++)
        {
            it.Add("node-a", Streams.Access, _start.AddDays(8).AddMinutes(i), $$"""{"n":{{i}}}""");
            if (random.Next(3) == 0) it.Add("node-a", Streams.Measurements, _start.AddDays(8).AddMinutes(i), $$"""{"m":{{i}}}""");
        }

        var due = _start.AddDays(8).AddMinutes(count).AddYears(1);
        if (mistake == "a clock set ahead") due = due.AddYears(2);
        var at = due.AddDays(mistake == "too early" ? -30 : 1);
        if (mistake is "a rule of yesterday" or "a shorter rule of yesterday") it.Rule(at.AddDays(-1), "access", 1, at.AddDays(-1));
        long[] gone = [.. it._lines.Where(line => line is { Source: "node-a", Stream: Streams.Access }).Where(_ => random.Next(4) > 0).Select(line => line.Leaf + 1)];
        if (gone.Length == 0) gone = [first];
        if (mistake != "no certificate") it.Certify(mistake, gone, at, due);
        if (mistake == "a rule that came after it") it.Rule(at.AddDays(8), "access", 1, _start.AddDays(7));
        it.Act(at.AddDays(2), "something.done", new { });
        var lost = gone.ToHashSet();
        if (mistake == "a record that it does not name") lost.Add(it._lines.First(line => line.Source == "node-a" && !lost.Contains(line.Leaf + 1) || line.Leaf + 1 == gone[0]).Leaf + 1);
        if (mistake == "a measurement without one") lost.Add(it.Add("node-a", Streams.Measurements, at, """{"m":1}"""));
        if (mistake is "an act of the hub without one" or "kept back") lost.Add(it.Act(at.AddDays(2), "log.searched", new { }));
        return it.Seal(lost, mistake == "dated after the checkpoint" ? at.AddHours(-1) : at.AddDays(9), mistake == "kept back" ? [EvidencePack.Searches] : [], at.AddDays(mistake == "a clock set ahead" ? -700 : 9));
    }

    private void Certify(string mistake, long[] gone, DateTimeOffset at, DateTimeOffset due)
    {
        var named = mistake == "a record that it does not name" ? gone[1..] : gone;
        if (named.Length == 0) named = [_lines.Count];
        var digest = DeletionCertificate.DigestOf(named.Select(n => (n, _lines[(int)n - 1].AsLeaf.TreeHash)));
        var numbers = mistake == "numbers out of order" ? $"{named[^1] + 5},{RecordRanges.Text(named)}" : RecordRanges.Text(named);
        Act(at, RetentionTerms.DeletedVerb, new DeletionCertificate(
            "access", mistake == "two years" ? 2 : 1, Micros(mistake == "a record that came later than it says" ? _start : mistake == "too early" ? due : at.AddYears(-1)),
            named.Length + (mistake == "another count" ? 1 : 0), numbers, mistake == "another digest" ? digest.Replace(digest[0], digest[0] == '0' ? '1' : '0') : digest,
            _lines.Count + (mistake == "more than there was" ? 5 : 0), ""));
    }

    private void Rule(DateTimeOffset at, string name, int years, DateTimeOffset inForce) => Act(at, RetentionTerms.RuleVerb, new RetentionRule(name, years, null, Micros(inForce)));

    private long Act<T>(DateTimeOffset at, string verb, T after) => Add("hub", Streams.Access, at, JsonSerializer.Serialize(
        new { at, fact = new { kind = "hub.act", verb, actor = "hub", after } }, JsonSerializerOptions.Web));

    private long Add(string source, string stream, DateTimeOffset at, string body)
    {
        var (seq, head) = _streams.GetValueOrDefault((source, stream), (0, Chain.Genesis));
        var line = new PackLine(_lines.Count, source, 1, stream, seq + 1, Micros(at), false, Chain.Next(head, body), head, body, null, "", false);
        _lines.Add(line with { TreeHash = line.AsLeaf.TreeHash.ToString() });
        _streams[(source, stream)] = (seq + 1, line.Hash);
        return _lines.Count;
    }

    private (byte[] Pack, string Key, DateTimeOffset Now) Seal(HashSet<long> lost, DateTimeOffset at, string[] keptBack, DateTimeOffset now)
    {
        var size = _lines.Count;
        var head = new Checkpoint(Origin, size, MerkleTree.Rebuild([.. _lines.Select(it => it.Leaf)], [.. _lines.Select(it => it.AsLeaf.TreeHash)], [], size)!.Value, at);
        var key = new byte[Ed25519.PublicKeySize];
        Ed25519.GeneratePublicKey(_seed, 0, key, 0);
        var note = SignedNote.Sign(head.Text, new(Origin, key), text =>
        {
            var signature = new byte[Ed25519.SignatureSize];
            Ed25519.Sign(_seed, 0, text, 0, text.Length, signature, 0);
            return signature;
        });
        var named = new NoteKey(Origin, key).ToString();
        var manifest = new PackManifest(1, "city", at, "test", "test", "all", "2", named, note.ToString(), 0, size, [], [], [], [], keptBack);
        using var pack = new MemoryStream();
        using (var zip = new ZipArchive(pack, ZipArchiveMode.Create, leaveOpen: true))
        {
            Put(zip, EvidencePack.ManifestName, JsonSerializer.Serialize(manifest, PackJson.Plain.PackManifest));
            var lines = _lines.Select(it => lost.Contains(it.Leaf + 1) ? it with { Body = null, Prev = null, BodyHash = LedgerLeaf.HashOf(it.Body!) } : it);
            Put(zip, EvidencePack.RecordsName, string.Concat(lines.Select(it => JsonSerializer.Serialize(it, PackJson.Plain.PackLine) + "\n")));
        }

        return (pack.ToArray(), named, now);
    }

    private static void Put(ZipArchive zip, string name, string text)
    {
        using var writer = new StreamWriter(zip.CreateEntry(name).Open(), new UTF8Encoding(false));
        writer.Write(text);
    }

    private static long Micros(DateTimeOffset at) => (at.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / 10;
}
