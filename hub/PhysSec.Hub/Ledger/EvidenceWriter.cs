using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Proof;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Ledger;

/// <summary>What a pack is asked for.</summary>
/// <param name="Filter">Which records. With nothing but a period the pack has every record that the hub received in it, and proves that none is missing.</param>
/// <param name="Reason">What for; it goes on record.</param>
/// <param name="Measurements">Their texts too, and not only their digests.</param>
public sealed record EvidenceRequest(LogFilter Filter, string? Reason, bool Measurements = false);

/// <summary>Writes evidence packs; see <see cref="EvidencePack"/>. Judges nothing: what the store holds is handed over, and the verifier says what it is worth.</summary>
public sealed class EvidenceWriter(HubHome home, Checkpoints checkpoints, AccessLog log, TimeProvider clock)
{
    private const string Classification = "機密性2 (Confidentiality 2)";

    /// <summary>Makes the pack and puts on record who asked for it. The record of it is the newest that its checkpoint covers.</summary>
    /// <exception cref="InputException">The reason is missing, or the filter is wrong.</exception>
    public async Task WriteAsync(Actor actor, EvidenceRequest request, Stream target, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(actor);
        if (string.IsNullOrWhiteSpace(request.Reason)) throw new InputException("reason", "it is missing", "say what the evidence is for; it goes on record");
        log.Search(request.Filter with { Limit = 1 }); // Whatever is wrong with it is told before anything is written.
        await home.Store.WriteAsync(store => Records.Act(
            store, new Act(actor, AccessLog.EvidenceVerb, null, request.Reason.Trim(), After: AccessLog.Asked(request.Filter)), clock.GetUtcNow()), cancel);
        var head = await checkpoints.MakeAsync(cancel);
        var (site, key, now) = (home.Site.Value, home.LedgerKey.Named(head.Value.Origin), clock.GetUtcNow());
        home.Store.Read(store =>
        {
            Write(store, head, key, site, actor.Name, request, now, target, cancel);
            return 0;
        });
    }

    internal static void Write(
        SqliteConnection store, SignedCheckpoint head, NoteKey key, string site, string by, EvidenceRequest request, DateTimeOffset now, Stream target, CancellationToken cancel)
    {
        var size = head.Value.Size;
        var whole = IsPeriod(request.Filter);
        var (first, count) = whole ? Stretch(store, request.Filter, size) : (0, 0);
        long[] chosen = whole ? [.. LongRange(first + 1, count)] : [.. AccessLog.Ids(store, request.Filter).Where(it => it <= size).Order()];
        HashSet<string> nodes = [];
        using var zip = new ZipArchive(target, ZipArchiveMode.Create, leaveOpen: true);
        var seqs = new Dictionary<(string, long, string), HashSet<long>>();
        var context = store.Query(
            $"select id from ledger where id <= $size and kind in ({string.Join(", ", EvidencePack.Context.Where(it => it != "hub.policy.issued").Select(it => $"'{it}'"))})",
            it => it.GetInt64(0), ("$size", size)).ToHashSet();
        var policies = Policies(store, request.Filter, size);
        context.UnionWith(policies.Select(it => it.Record).OfType<long>());
        context.UnionWith(Certificates(store, whole, first, count, chosen, size));
        long[] ids = [.. context.Union(chosen).Order()];
        using (var records = new StreamWriter(zip.CreateEntry(EvidencePack.RecordsName, CompressionLevel.Fastest).Open(), new UTF8Encoding(false)) { NewLine = "\n" })
        {
            var inPack = chosen.ToHashSet();
            var tiles = LedgerTree.Of(store);
            foreach (var line in Lines(store, ids, tiles))
            {
                cancel.ThrowIfCancellationRequested();
                var judged = context.Contains(line.Leaf + 1);
                var asked = line.Body is not null && inPack.Contains(line.Leaf + 1) && MayShow(line, request);
                var shown = line.Body is null ? line with { Prev = null } : judged || asked ? line with { Context = !asked, BodyHash = null } : line with { Body = null, Prev = null };
                records.WriteLine(JsonSerializer.Serialize(shown, PackJson.Plain.PackLine));
                if (shown.Body is null) continue;
                var stream = (line.Source, line.Epoch, line.Stream);
                if (!seqs.TryGetValue(stream, out var its)) seqs[stream] = its = [];
                its.Add(line.Seq);
                if (line.Source != Records.Hub) nodes.Add(line.Source);
            }
        }

        var texts = policies.Where(it => it.Body.Length > 0 && nodes.Contains(it.Policy.Node)).ToList();
        foreach (var it in texts) Put(zip, $"{EvidencePack.PolicyFolder}{it.Policy.Node}-{it.Policy.Version.ToString(CultureInfo.InvariantCulture)}.json", it.Body);
        var manifest = new PackManifest(
            EvidencePack.Format, site, now, by, request.Reason!.Trim(), AccessLog.Scope(request.Filter), Classification,
            key.ToString(), head.Note, first, count, [.. MerkleTree.Rest([.. ids.Select(it => it - 1)], size, LedgerTree.Of(store)).Select(it => it.ToString())],
            Witnessed(store, head.Value), Signatures(store, seqs), [.. texts.Select(it => it.Policy)],
            [.. KeptBack(request)]);
        Put(zip, EvidencePack.ManifestName, JsonSerializer.Serialize(manifest, PackJson.Plain.PackManifest));
        Put(zip, EvidencePack.PageName, EvidencePage.Text);
        Put(zip, EvidencePack.ReadMeName, EvidencePage.ReadMe(manifest, head.Value, chosen.LongLength));
    }

    // What an auditor searched for is in the pack by its digest alone, unless an auditor takes it.
    private static bool MayShow(PackLine line, EvidenceRequest request) =>
        (line.Stream != Streams.Measurements || request.Measurements)
        && (request.Filter.Searches || line.Source != Records.Hub || !AccessLog.AuditorsActs.Any(kind => line.Body!.Contains($"\"verb\":\"{kind[4..]}\"", StringComparison.Ordinal)));

    private static IEnumerable<string> KeptBack(EvidenceRequest request)
    {
        if (!request.Measurements) yield return EvidencePack.Measurements;
        if (!request.Filter.Searches) yield return EvidencePack.Searches;
    }

    // By what right a text is not there any more: the certificates of those records that are asked for.
    private static IEnumerable<long> Certificates(SqliteConnection store, bool whole, long first, long count, long[] chosen, long size)
    {
        if (whole)
        {
            return store.Query(
                "select distinct certificate from ledger where id > $first and id <= $last and certificate <= $size", it => it.GetInt64(0), ("$first", first), ("$last", first + count), ("$size", size));
        }

        var found = new HashSet<long>();
        using var command = store.Command("select certificate from ledger where id = $id and certificate <= $size", ("$id", 0L), ("$size", size));
        command.Prepare();
        foreach (var id in chosen)
        {
            command.Parameters[0].Value = id;
            if (command.ExecuteScalar() is long it) found.Add(it);
        }

        return found;
    }

    private static bool IsPeriod(LogFilter it) => it with { From = null, To = null, Limit = 100, Searches = false, Cursor = null } == new LogFilter();

    // Records are numbered as they came. A clock that was set back at the hub makes the period a little wider, never narrower.
    private static (long First, long Count) Stretch(SqliteConnection store, LogFilter filter, long size)
    {
        var first = filter.From is { } from ? store.Number("select min(id) from ledger where received_at >= $from", ("$from", from)) : 1;
        var last = filter.To is { } to ? store.Number("select max(id) from ledger where received_at < $to", ("$to", to)) : size;
        last = Math.Min(last, size);
        return first == 0 || last < first ? (0, 0) : (first - 1, last - first + 1);
    }

    private static IEnumerable<PackLine> Lines(SqliteConnection store, long[] ids, Subtree tree)
    {
        using var command = store.Command(
            """
            select it.id, it.source, it.epoch, it.stream, it.seq, it.received_at, it.late, it.hash, it.body, coalesce(
                (select hash from ledger where source = it.source and epoch = it.epoch and stream = it.stream and seq = it.seq - 1),
                (select hash from reissued where source = it.source and epoch = it.epoch and stream = it.stream and seq = it.seq - 1)),
              (select prev from batch_signatures where source = it.source and epoch = it.epoch and stream = it.stream and first = it.seq limit 1), it.body_hash
            from ledger it where it.id = $id
            """,
            ("$id", 0L));
        command.Prepare();
        foreach (var id in ids)
        {
            command.Parameters[0].Value = id;
            using var row = command.ExecuteReader();
            if (!row.Read()) continue; // The verifier says that it is missing.
            var (seq, body, digest) = (row.GetInt64(4), row.IsDBNull(11) ? row.GetString(8) : null, row.IsDBNull(11) ? null : row.GetString(11));
            var prev = seq == 1 ? Chain.Genesis : !row.IsDBNull(9) ? row.GetString(9) : !row.IsDBNull(10) ? row.GetString(10) : null;
            yield return new(
                id - 1, row.GetString(1), row.GetInt64(2), row.GetString(3), seq, row.GetInt64(5), row.GetInt64(6) != 0, row.GetString(7), prev, body, digest ?? LedgerLeaf.HashOf(body!),
                tree(0, id - 1).ToString(), false);
        }
    }

    private static List<(PackPolicy Policy, string Body, long? Record)> Policies(SqliteConnection store, LogFilter filter, long size) => store.Query(
        """
        select it.node, it.version, it.hash, it.body, (
            select id from ledger where kind = 'hub.policy.issued' and id <= $size and body ->> '$.fact.target' = it.node and body ->> '$.fact.after.version' = it.version limit 1)
        from policies it where ($to is null or it.issued_at < $to)
          and ($from is null or not exists (select 1 from policies later where later.node = it.node and later.version > it.version and later.issued_at <= $from))
        order by it.node, it.version
        """,
        it => (new PackPolicy(it.GetString(0), it.GetInt64(1), it.GetString(2)), it.GetString(3), it.IsDBNull(4) ? (long?)null : it.GetInt64(4)),
        ("$from", filter.From), ("$to", filter.To), ("$size", size));

    private static List<PackWitness> Witnessed(SqliteConnection store, Checkpoint head)
    {
        var tree = LedgerTree.Of(store);
        return [.. Checkpoints.Witnessed(store).Where(it => it.Value.Size is var earlier && earlier > 0 && earlier <= head.Size).Select(it => new PackWitness(
            it.Note, [.. MerkleTree.Consistency(it.Value.Size, head.Size, tree).Select(step => step.ToString())], it.Witnesses))];
    }

    // A signature over records that are not in the pack proves nothing in it. A node's signature is over the head of its chain and so over all that lead there: of the records that stand in a
    // row, the last signature of each key says what the earlier ones said. One over another head than the ledger's is the proof of a second story.
    private static List<PackSignature> Signatures(SqliteConnection store, Dictionary<(string Source, long Epoch, string Stream), HashSet<long>> seqs)
    {
        var kept = new List<PackSignature>();
        foreach (var (stream, its) in seqs.Where(it => it.Key.Source != Records.Hub))
        {
            // Where two boards have written under one key, each signature may be the only one over its board's records.
            var apart = store.Number(
                "select exists (select 1 from divergence where source = $source and epoch = $epoch and stream = $stream)",
                ("$source", stream.Source), ("$epoch", stream.Epoch), ("$stream", stream.Stream)) == 1;
            var (later, reach) = ((PackSignature?)null, 0L); // Its records stand in a row from here on.
            foreach (var (it, forked) in store.Query(
                """
                select first, last, prev, head, signature, thumbprint,
                  head <> coalesce((select hash from ledger where source = it.source and epoch = it.epoch and stream = it.stream and seq = it.last), '')
                from batch_signatures it where source = $source and epoch = $epoch and stream = $stream and last between $from and $to order by last desc, first
                """,
                row => (new PackSignature(
                    stream.Source, stream.Epoch, stream.Stream, row.GetInt64(0), row.GetInt64(1), row.GetString(2), row.GetString(3), row.GetString(4), row.GetString(5)), row.GetInt64(6) != 0),
                ("$source", stream.Source), ("$epoch", stream.Epoch), ("$stream", stream.Stream), ("$from", its.Min()), ("$to", its.Max())))
            {
                if (!its.Contains(it.Last)) continue;
                while (reach > it.Last && its.Contains(reach - 1)) reach--;
                if (!forked && !apart && later?.Thumbprint == it.Thumbprint && reach <= it.Last) continue;
                kept.Add(it);
                if (!forked) (later, reach) = (it, it.Last);
            }
        }

        return kept;
    }

    private static IEnumerable<long> LongRange(long from, long count)
    {
        for (long i = 0; i < count; i++) yield return from + i;
    }

    private static void Put(ZipArchive zip, string name, string text)
    {
        using var writer = new StreamWriter(zip.CreateEntry(name, CompressionLevel.Optimal).Open(), new UTF8Encoding(false));
        writer.Write(text);
    }
}
