using System.IO.Compression;
using System.Text.Json;
using PhysSec.Core.Proof;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;
using PhysSec.Verify;

namespace PhysSec.Tests.Ledger;

/// <summary>What a pack proves of an honest ledger, and that nothing is proven without something to verify.</summary>
public sealed class EvidenceTests
{
    [Fact]
    public async Task A_pack_of_everything_proves_each_record_its_node_and_that_none_is_missing()
    {
        await using var room = await EvidenceRoom.MakeAsync();
        using var store = room.Copy();
        var verdict = PackVerifier.Verify(room.Pack(store), room.Auditor);
        Assert.True(verdict.Good, Said(verdict));
        Assert.Equal(["complete", "key", "note", "own", "own", "signed", "tree"], Codes(verdict, FindingKind.Proven));
        Assert.Equal(["unwitnessed"], Codes(verdict, FindingKind.Open)); // The record that the newest checkpoint has left.
        Assert.Contains(verdict.Findings, it => it.Code == "signed" && it.En.StartsWith("120 records", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_hub_puts_on_record_who_took_evidence_and_the_pack_holds_that_record_too()
    {
        await using var room = await EvidenceRoom.MakeAsync();
        using var pack = new MemoryStream();
        await room.Hub.Get<EvidenceWriter>().WriteAsync(RunningHub.Admin, EvidenceRoom.Everything with { Reason = "the case of May" }, pack, TestContext.Current.CancellationToken);
        Assert.True(PackVerifier.Verify(pack, room.Auditor) is { Good: true } good, Said(PackVerifier.Verify(pack, room.Auditor)));
        using var zip = new ZipArchive(pack, ZipArchiveMode.Read);
        using var records = new StreamReader(zip.GetEntry(EvidencePack.RecordsName)!.Open());
        Assert.Contains("the case of May", (await records.ReadToEndAsync(TestContext.Current.CancellationToken)).TrimEnd().Split('\n')[^1], StringComparison.Ordinal);
        await Assert.ThrowsAsync<InputException>(() => room.Hub.Get<EvidenceWriter>().WriteAsync(
            RunningHub.Admin, EvidenceRoom.Everything with { Reason = " " }, pack, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_period_is_proven_whole_and_shows_the_rest_of_the_ledger_by_hashes_alone()
    {
        await using var room = await EvidenceRoom.MakeAsync();
        using var store = room.Copy();
        var request = EvidenceRoom.Everything with { Filter = new LogFilter(From: room.Hub.Time.GetUtcNow(), Searches: true) };
        var verdict = PackVerifier.Verify(room.Pack(store, request), room.Auditor);
        Assert.True(verdict.Good, Said(verdict));
        Assert.Contains("complete", Codes(verdict, FindingKind.Proven));
        Assert.Contains(verdict.Findings, it => it.Code == "signed" && it.En.StartsWith("70 records", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_selection_proves_its_records_and_claims_no_completeness()
    {
        await using var room = await EvidenceRoom.MakeAsync();
        using var store = room.Copy();
        var verdict = PackVerifier.Verify(room.Pack(store, EvidenceRoom.Everything with { Filter = new LogFilter(Kind: "door.exit-request", Node: "node-a") }), room.Auditor);
        Assert.True(verdict.Good, Said(verdict));
        Assert.DoesNotContain("complete", Codes(verdict, FindingKind.Proven));
        Assert.Contains(verdict.Findings, it => it.Code == "tree" && it.En.StartsWith("60 records", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_node_s_last_signature_over_records_in_a_row_says_what_its_earlier_ones_said()
    {
        await using var room = await EvidenceRoom.MakeAsync();
        using var store = room.Copy();
        Assert.Equal(["node-a 60", "node-b 60"], Signed(EvidenceRoom.Everything));
        // A record that is not in the pack ends the row; the other signature does not reach over it.
        store.Execute("update ledger set outcome = 'chosen' where source = 'node-a' and seq <> 31");
        Assert.Equal(["node-a 30", "node-a 60"], Signed(EvidenceRoom.Everything with { Filter = new LogFilter(Outcome: "chosen") }));
        // One that tells of another record stays: it is the proof of a second story.
        store.Execute("update batch_signatures set head = replace(head, substr(head, 1, 8), '00000000') where source = 'node-b' and last = 20");
        Assert.Equal(["node-a 60", "node-b 20", "node-b 60"], Signed(EvidenceRoom.Everything));

        // Where another board's records are kept beside, no signature stands for another.
        store.Execute("insert into divergence (source, epoch, stream, seq, hash, body, received_at) values ('node-a', 1, 'a', 3, 'ab', '{}', 0)");
        Assert.Equal(["node-a 30", "node-a 60", "node-b 20", "node-b 60"], Signed(EvidenceRoom.Everything));

        IEnumerable<string> Signed(EvidenceRequest request)
        {
            using var zip = new ZipArchive(room.Pack(store, request), ZipArchiveMode.Read);
            using var text = zip.GetEntry(EvidencePack.ManifestName)!.Open();
            return JsonSerializer.Deserialize(text, PackJson.Default.PackManifest)!.Signatures.Select(it => $"{it.Source} {it.Last}").Order(StringComparer.Ordinal).ToList();
        }
    }

    /// <summary>Whoever sends such a pack wants the verifier to crash, to read for ever, or to read something else than the page does.</summary>
    [Theory]
    [InlineData("no end", "a record has no end")]
    [InlineData("no UTF-8", "a record is no UTF-8")]
    public async Task Records_that_cannot_be_read_are_a_verdict_and_no_crash(string what, string said)
    {
        await using var room = await EvidenceRoom.MakeAsync();
        using var store = room.Copy();
        using var pack = room.Pack(store);
        using (var zip = new ZipArchive(pack, ZipArchiveMode.Update, leaveOpen: true))
        {
            zip.GetEntry(EvidencePack.RecordsName)!.Delete();
            using var records = zip.CreateEntry(EvidencePack.RecordsName, CompressionLevel.Fastest).Open();
            var piece = Enumerable.Repeat((byte)' ', 1 << 20).ToArray();
            if (what == "no UTF-8") records.Write([0x7b, 0xff, 0x7d, 0x0a]);
            for (var i = 0; what == "no end" && i < 80; i++) records.Write(piece);
        }

        pack.Position = 0;
        var verdict = PackVerifier.Verify(pack, room.Auditor);
        Assert.False(verdict.Good);
        Assert.Contains(said, Assert.Single(verdict.Findings, it => it.Code == "format").En, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_two_records_with_one_number_the_earlier_in_the_ledger_stands_first_wherever_they_are()
    {
        await using var room = await EvidenceRoom.MakeAsync();
        using var store = room.Copy();
        using var pack = room.Pack(store);
        string[] lines;
        using (var zip = new ZipArchive(pack, ZipArchiveMode.Read, leaveOpen: true))
        using (var records = new StreamReader(zip.GetEntry(EvidencePack.RecordsName)!.Open()))
            lines = (await records.ReadToEndAsync(TestContext.Current.CancellationToken)).TrimEnd().Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var line = JsonSerializer.Deserialize(lines[i], PackJson.Default.PackLine)!;
            if (line.Source != "node-a" || line.Seq == 60) continue;
            var next = JsonSerializer.Serialize(line with { Seq = line.Seq + 1 }, PackJson.Default.PackLine);
            using (var zip = new ZipArchive(pack, ZipArchiveMode.Update, leaveOpen: true))
            {
                zip.GetEntry(EvidencePack.RecordsName)!.Delete();
                using var records = new StreamWriter(zip.CreateEntry(EvidencePack.RecordsName, CompressionLevel.Fastest).Open());
                await records.WriteAsync(string.Join('\n', [.. lines[..i], next, .. lines[(i + 1)..]]));
            }

            // The later one is the true bearer of the number, and what follows joins it.
            var verdict = PackVerifier.Verify(pack, room.Auditor);
            Assert.True(verdict.FirstWrong == line.Leaf && Codes(verdict, FindingKind.Wrong).Except(["fork"]).SequenceEqual(["changed", "tree", "twice"]), $"number {line.Seq}:\n{Said(verdict)}");
        }
    }

    [Fact]
    public async Task Without_a_checkpoint_or_key_of_his_own_the_verifier_is_told_what_that_leaves_open()
    {
        await using var room = await EvidenceRoom.MakeAsync();
        using var store = room.Copy();
        var verdict = PackVerifier.Verify(room.Pack(store), new([], null));
        Assert.True(verdict.Good);
        Assert.Equal(["key", "own", "unwitnessed", "witness"], Codes(verdict, FindingKind.Open));
    }

    [Fact]
    public async Task What_is_newer_than_every_checkpoint_outside_is_named_by_its_first_record()
    {
        await using var room = await EvidenceRoom.MakeAsync();
        using var store = room.Copy();
        var (older, newer, head) = (room.Held[0], room.Held[1], room.Hub.Get<Checkpoints>().Newest()!);
        Assert.Equal((older.Value.Size, true), Unwitnessed(new([older.Note], null), EvidenceRoom.Everything));
        Assert.Equal((newer.Value.Size, true), Unwitnessed(new([older.Note, newer.Note], null), EvidenceRoom.Everything));
        Assert.Equal((newer.Value.Size, false), Unwitnessed(new([], null), EvidenceRoom.Everything)); // As the hub says.
        Assert.Null(Unwitnessed(new([newer.Note, head.Note], null), EvidenceRoom.Everything));
        Assert.Null(Unwitnessed(new([newer.Note], null), EvidenceRoom.Everything with { Filter = new LogFilter(Kind: "door.exit-request", Node: "node-a") })); // All of these are older.
        store.Execute("delete from witnesses");
        Assert.Null(Unwitnessed(new([], null), EvidenceRoom.Everything)); // Nothing is covered, and that is said otherwise.

        (long Leaf, bool Compared)? Unwitnessed(Own own, EvidenceRequest request)
        {
            var verdict = PackVerifier.Verify(room.Pack(store, request), own);
            Assert.True(verdict.Good, Said(verdict));
            if (verdict.Findings.SingleOrDefault(it => it.Code == "unwitnessed") is not { } it) return null;
            Assert.StartsWith($"{head.Value.Size - it.Leaf} records of the pack (from record {it.Leaf + 1} ", it.En, StringComparison.Ordinal);
            Assert.Equal(FindingKind.Open, it.Kind);
            return (it.Leaf!.Value, it.En.Contains("that was compared", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Where_nothing_is_found_there_is_nothing_to_verify_and_that_is_no_success()
    {
        await using var room = await EvidenceRoom.MakeAsync();
        using var store = room.Copy();
        var verdict = PackVerifier.Verify(room.Pack(store, EvidenceRoom.Everything with { Filter = new LogFilter(Door: "no-such-door") }), room.Auditor);
        Assert.False(verdict.Good);
        Assert.Equal(["empty"], Codes(verdict, FindingKind.Wrong));
        Assert.False(PackVerifier.Verify(new MemoryStream(), room.Auditor).Good);
        Assert.False(PackVerifier.Verify(new MemoryStream("PK no zip"u8.ToArray()), room.Auditor).Good);
        Assert.False(PackVerifier.Verify(EmptyZip(), room.Auditor).Good);
    }

    [Theory]
    [InlineData(30, true)]
    [InlineData(61, false)] // The backup is said to be younger than the checkpoint: then the backup must hold what the checkpoint covers.
    public async Task A_hub_that_was_restored_says_what_it_lost_and_what_is_older_than_the_backup_was_not_lost_by_it(int backupMinutes, bool believed)
    {
        await using var room = await EvidenceRoom.MakeAsync();
        var (hub, cancel) = (room.Hub, TestContext.Current.CancellationToken);
        var lost = room.Held[^1];
        // The backup was older than the newest checkpoint that left.
        await hub.Store.WriteAsync(
            it =>
            {
                var kept = lost.Value.Size - 5;
                it.Execute("delete from ledger where id > $kept; delete from witnesses where checkpoint = $id; delete from checkpoints where id >= $id; delete from tiles", ("$kept", kept), ("$id", lost.Id));
                it.Execute("update meta set value = '0' where name = 'tree-size'; update meta set value = '77' where name = 'hub-epoch'");
                Records.Act(it, new Act(RunningHub.Admin, "hub.restored", null, "disk", null, new System.Text.Json.Nodes.JsonObject { ["asOf"] = room.Held[0].Value.At.AddMinutes(backupMinutes), ["hubEpoch"] = 77 }), hub.Time.GetUtcNow());
            },
            cancel);
        await hub.Get<Checkpoints>().MakeAsync(cancel);
        using var store = room.Copy();
        var verdict = PackVerifier.Verify(room.Pack(store), room.Auditor);
        Assert.Equal(believed, verdict.Good);
        Assert.Equal(believed, Codes(verdict, FindingKind.Open).Contains("given-up"));
        Assert.Single(Codes(verdict, FindingKind.Proven), it => it == "own"); // The older one, from before.
    }

    internal static string Said(Verdict verdict) => string.Join('\n', verdict.Findings.Select(it => $"{it.Kind} {it.Code} {it.En}"));

    private static string[] Codes(Verdict verdict, FindingKind kind) => [.. verdict.Findings.Where(it => it.Kind == kind).Select(it => it.Code).Order(StringComparer.Ordinal)];

    private static MemoryStream EmptyZip()
    {
        var stream = new MemoryStream();
        using (new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            // Nothing.
        }

        return stream;
    }
}
