using System.Text;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Proof;
using PhysSec.Core.Wire;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;
using PhysSec.Verify;

namespace PhysSec.Tests.Ledger;

/// <summary>
/// Whatever is done to a copy of the store by somebody who has the disk, the hub's own keys and a stolen board, the pack that is made of it does not pass an auditor who kept
/// a checkpoint. PHYSSEC_TAMPERINGS sets how many random changes are tried; the seed is printed with what fails.
/// </summary>
public sealed class TamperTests
{
    private const int Usual = 400;

    private static readonly int _rounds = int.TryParse(Environment.GetEnvironmentVariable("PHYSSEC_TAMPERINGS"), out var it) ? it : Usual;

    [Fact]
    public async Task Every_random_change_of_the_store_is_found_and_the_first_record_that_it_touches_is_named()
    {
        await using var room = await EvidenceRoom.MakeAsync();
        var first = Environment.TickCount & 0xffffff;
        var found = new Dictionary<string, int>();
        for (var seed = first; seed < first + _rounds; seed++)
        {
            using var store = room.Copy();
            store.Execute("pragma foreign_keys = off");
            var (what, named) = Tamper(store, room, new Random(seed));
            var verdict = PackVerifier.Verify(room.Pack(store), room.Auditor);
            Assert.False(verdict.Good, $"seed {seed}: {what} was not found\n{EvidenceTests.Said(verdict)}");
            if (named is { } leaf) Assert.True(verdict.FirstWrong == leaf, $"seed {seed}: {what} touches record {leaf + 1}, the verdict names {verdict.FirstWrong + 1}\n{EvidenceTests.Said(verdict)}");
            found[what] = found.GetValueOrDefault(what) + 1;
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"seed {first}: {_rounds} changes, all found: {string.Join(", ", found.OrderBy(it => it.Key, StringComparer.Ordinal).Select(it => $"{it.Key} {it.Value}"))}");
        Assert.Equal(_changes.Length, found.Count); // Each kind has been tried.
    }

    // What is done, and the first leaf that a verifier must name; null where nobody can name one, because the whole tree was made anew.
    private static readonly (string What, Func<SqliteConnection, EvidenceRoom, Random, long?> Do)[] _changes =
    [
        ("edited text", (store, _, random) =>
        {
            var id = Any(store, random);
            store.Execute("update ledger set body = $body where id = $id", ("$body", Edited(Body(store, id), random)), ("$id", id));
            return id - 1;
        }),
        ("edited text with its chain value made anew", (store, _, random) =>
        {
            var id = Any(store, random);
            var body = Edited(Body(store, id), random);
            var prev = store.One(
                "select before.hash from ledger it join ledger before on before.source = it.source and before.epoch = it.epoch and before.seq = it.seq - 1 where it.id = $id",
                it => it.GetString(0), ("$id", id)) ?? Chain.Genesis;
            store.Execute("update ledger set body = $body, hash = $hash where id = $id", ("$body", body), ("$hash", Chain.Next(prev, body)), ("$id", id));
            return id - 1;
        }),
        ("text removed without a certificate", (store, _, random) => Without(store, random)),
        ("text removed, and a certificate forged over it", (store, room, random) =>
        {
            var (leaf, size, now) = (Without(store, random), store.Number("select max(id) from ledger"), room.Hub.Time.GetUtcNow());
            var years = RetentionTerms.Periods[random.Next(4)];
            // Of now, of a time that has not come, with a rule or without one: whoever has the hub's key can write all of it.
            var at = random.Next(2) == 0 ? now : now.AddYears(years + 1);
            var (seq, facts) = (store.Number("select max(seq) from ledger where source = 'hub'"), new List<string>());
            if (random.Next(3) > 0) facts.Add($$$"""{"verb":"{{{RetentionTerms.RuleVerb}}}","after":{"class":"access","years":{{{years}}},"inForceAt":0}}""");
            var (digest, before) = (DeletionCertificate.DigestOf([(leaf + 1, LedgerTree.Of(store)(0, leaf))]), Rows.ToStored(random.Next(2) == 0 ? at : at.AddYears(-years)));
            facts.Add($$$"""
                {"verb":"{{{RetentionTerms.DeletedVerb}}}","after":{"class":"access","years":{{{years}}},"receivedBefore":{{{before}}},"count":1,"numbers":"{{{leaf + 1}}}","digest":"{{{digest}}}","size":{{{size}}},"root":""}}
                """);
            foreach (var (fact, i) in facts.Select((it, i) => (it, i)))
            {
                Forge(store, room, size + 1 + i, "hub", seq + 1 + i, $$"""{"seq":{{seq + 1 + i}},"fact":{{fact}}}""");
                store.Execute("update ledger set received_at = $at, certificate = null where id = $id", ("$at", at), ("$id", size + 1 + i));
            }

            store.Execute("update ledger set certificate = $certificate where id = $id", ("$certificate", size + facts.Count), ("$id", leaf + 1));
            EvidenceRoom.Reseal(room.Hub, store, at);
            return at == now ? leaf : null;
        }),
        ("another time of receipt", (store, _, random) => Change(store, random, "received_at = received_at + 1")),
        ("late or not", (store, _, random) => Change(store, random, "late = 1 - late")),
        ("another number in its stream", (store, _, random) => Change(store, random, "seq = seq + 1000000")),
        ("another source", (store, _, random) => Change(store, random, "source = 'node-z'")),
        ("dropped", (store, _, random) =>
        {
            var id = Any(store, random);
            store.Execute("delete from ledger where id = $id", ("$id", id));
            return id - 1;
        }),
        ("dropped, the others moved up", (store, room, random) =>
        {
            var id = random.NextInt64(1, room.Held[^1].Value.Size); // What only newer records cover is a shorter ledger.
            store.Execute("delete from ledger where id = $id", ("$id", id));
            foreach (var later in store.Query("select id from ledger where id > $id order by id", it => it.GetInt64(0), ("$id", id)))
                store.Execute("update ledger set id = id - 1 where id = $id", ("$id", later));
            return id - 1;
        }),
        ("two in each other's place", (store, _, random) =>
        {
            var (one, two) = (Any(store, random), Any(store, random));
            if (one == two) two = one == 1 ? 2 : one - 1;
            store.Execute("update ledger set id = -1 where id = $one", ("$one", one));
            store.Execute("update ledger set id = $one where id = $two", ("$one", one), ("$two", two));
            store.Execute("update ledger set id = $two where id = -1", ("$two", two));
            return Math.Min(one, two) - 1;
        }),
        ("slipped in", (store, room, random) =>
        {
            var id = random.NextInt64(1, room.Held[^1].Value.Size);
            foreach (var later in store.Query("select id from ledger where id >= $id order by id desc", it => it.GetInt64(0), ("$id", id)))
                store.Execute("update ledger set id = id + 1 where id = $id", ("$id", later));
            Forge(store, room, id, "node-a", 5000, """{"n":1}""");
            return id - 1;
        }),
        ("a hash of the tree", (store, room, random) =>
        {
            var leaf = random.Next((int)room.Held[^1].Value.Size);
            var tile = store.One("select hashes from tiles where id = 0", it => it.GetFieldValue<byte[]>(0))!;
            tile[(leaf * TreeHash.Size) + random.Next(TreeHash.Size)] ^= (byte)(1 << random.Next(8));
            store.Execute("update tiles set hashes = $tile where id = 0", ("$tile", tile));
            return leaf;
        }),
        ("cut off and sealed anew", (store, room, random) =>
        {
            var kept = random.NextInt64(1, room.Held[^1].Value.Size);
            store.Execute("delete from ledger where id > $kept", ("$kept", kept));
            room.Reseal(store);
            return null;
        }),
        ("edited and sealed anew", (store, room, random) =>
        {
            var id = random.NextInt64(1, room.Held[^1].Value.Size + 1);
            store.Execute("update ledger set received_at = received_at - 1000000 where id = $id", ("$id", id));
            room.Reseal(store);
            return null;
        }),
        ("rewritten with the stolen key and sealed anew", (store, room, random) =>
        {
            // The thief's own visit, number 5, becomes something else; all that follows in the chain and each signature is made anew.
            var seq = random.Next(1, 60);
            var head = seq == 1 ? Chain.Genesis : store.One("select hash from ledger where source = 'node-b' and seq = $seq", it => it.GetString(0), ("$seq", seq - 1))!;
            foreach (var (id, body, at) in store.Query("select id, body, seq from ledger where source = 'node-b' and seq >= $seq order by seq", it => (it.GetInt64(0), it.GetString(1), it.GetInt64(2)), ("$seq", seq)))
            {
                var written = at == seq ? body.Replace("door-a", "door-x", StringComparison.Ordinal) : body;
                head = Chain.Next(head, written);
                store.Execute("update ledger set body = $body, hash = $hash where id = $id", ("$body", written), ("$hash", head), ("$id", id));
            }

            foreach (var (from, last) in store.Query("select first, last from batch_signatures where source = 'node-b'", it => (it.GetInt64(0), it.GetInt64(1)))) Sign(store, room, from, last);
            room.Reseal(store);
            return null;
        }),
        ("written with the stolen key after it was revoked", (store, room, random) =>
        {
            var (count, size) = (random.Next(1, 5), store.Number("select max(id) from ledger"));
            for (var i = 0; i < count; i++) Forge(store, room, size + 1 + i, "node-b", 61 + i, $$"""{"epoch":1,"stream":"a","seq":{{61 + i}}}""");
            Sign(store, room, 61, 60 + count);
            room.Reseal(store);
            return size;
        }),
        ("an older store that went on otherwise", (store, room, random) =>
        {
            var kept = random.NextInt64(1, room.Held[^1].Value.Size);
            store.Execute("delete from ledger where id > $kept", ("$kept", kept));
            for (var i = 0; i < 150; i++) Forge(store, room, kept + 1 + i, "hub", 100_000 + i, $"{{\"n\":{i}}}");
            room.Reseal(store);
            return null;
        }),
        ("a node that signed two pasts", (store, room, random) =>
        {
            var (seq, text) = (random.Next(1, 61), """{"n":2}""");
            var prev = seq == 1 ? Chain.Genesis : store.One("select hash from ledger where source = 'node-b' and seq = $seq", it => it.GetString(0), ("$seq", seq - 1))!;
            Sign(store, room, seq, seq, prev, Chain.Next(prev, text));
            return store.Number("select id from ledger where source = 'node-b' and seq = $seq", ("$seq", seq)) - 1;
        }),
        ("a signature of a node", (store, _, random) =>
        {
            var (source, last, signature) = store.Query( // The last of a node: it stands for the ones before it, which the pack leaves out.
                "select source, max(last), signature from batch_signatures group by source", it => (it.GetString(0), it.GetInt64(1), it.GetString(2)))[random.Next(2)];
            var bytes = Convert.FromBase64String(signature);
            bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            store.Execute("update batch_signatures set signature = $it where source = $source and last = $last", ("$it", Convert.ToBase64String(bytes)), ("$source", source), ("$last", last));
            return store.Number("select id from ledger where source = $source and seq = $last", ("$source", source), ("$last", last)) - 1;
        }),
        ("the checkpoint", (store, _, random) =>
        {
            var note = store.One("select note from checkpoints order by id desc limit 1", it => it.GetString(0))!;
            var lines = note.Split('\n');
            var at = lines[0].Length + lines[1].Length + 2 + random.Next(42); // In the root.
            store.Execute("update checkpoints set note = $note", ("$note", note[..at] + (note[at] == 'x' ? 'y' : 'x') + note[(at + 1)..]));
            return null;
        }),
    ];

    private static (string What, long? Named) Tamper(SqliteConnection store, EvidenceRoom room, Random random)
    {
        var (what, change) = _changes[random.Next(_changes.Length)];
        return (what, change(store, room, random));
    }

    private static long Any(SqliteConnection store, Random random) => random.NextInt64(1, store.Number("select max(id) from ledger where id <= (select max(size) from checkpoints)") + 1);

    private static string Body(SqliteConnection store, long id) => store.One("select body from ledger where id = $id", it => it.GetString(0), ("$id", id))!;

    private static long? Change(SqliteConnection store, Random random, string set)
    {
        var id = Any(store, random);
        store.Execute($"update ledger set {set} where id = $id", ("$id", id));
        return id - 1;
    }

    private static long Without(SqliteConnection store, Random random)
    {
        var id = Any(store, random);
        store.Execute("update ledger set body = '{}', body_hash = $hash where id = $id", ("$hash", LedgerLeaf.HashOf(Body(store, id))), ("$id", id));
        return id - 1;
    }

    private static string Edited(string text, Random random)
    {
        var edited = new StringBuilder(text);
        var at = random.Next(text.Length);
        switch (random.Next(3))
        {
            case 0: edited[at] = edited[at] == '7' ? '8' : '7'; break;
            case 1: edited.Remove(at, 1); break;
            default: edited.Insert(at, '0'); break;
        }

        return edited.ToString();
    }

    private static void Forge(SqliteConnection store, EvidenceRoom room, long id, string source, long seq, string body)
    {
        var prev = store.One("select hash from ledger where source = $source and seq = $seq", it => it.GetString(0), ("$source", source), ("$seq", seq - 1)) ?? Chain.Genesis;
        store.Execute(
            "insert into ledger (id, source, epoch, stream, seq, hash, body, received_at, kind) values ($id, $source, 1, 'a', $seq, $hash, $body, $at, 'x')",
            ("$id", id), ("$source", source), ("$seq", seq), ("$hash", Chain.Next(prev, body)), ("$body", body), ("$at", room.Hub.Time.GetUtcNow()));
    }

    private static void Sign(SqliteConnection store, EvidenceRoom room, long first, long last)
    {
        var prev = first == 1 ? Chain.Genesis : store.One("select hash from ledger where source = 'node-b' and seq = $seq", it => it.GetString(0), ("$seq", first - 1))!;
        store.Execute("delete from batch_signatures where source = 'node-b' and last = $last", ("$last", last));
        Sign(store, room, first, last, prev, store.One("select hash from ledger where source = 'node-b' and seq = $seq", it => it.GetString(0), ("$seq", last))!);
    }

    private static void Sign(SqliteConnection store, EvidenceRoom room, long first, long last, string prev, string head)
    {
        var batch = new JournalBatch(1, "a", first, last, prev, head, [], "");
        using var key = System.Security.Cryptography.ECDsa.Create();
        key.ImportFromPem(room.Stolen.Bundle.KeyPem);
        using var certificate = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(room.Stolen.Bundle.CertificatePem);
        store.Execute(
            "insert into batch_signatures values ('node-b', 1, 'a', $first, $last, $prev, $head, $signature, $thumbprint)", ("$first", first), ("$last", last), ("$prev", prev), ("$head", head),
            ("$signature", Signing.Sign(key, Signing.BatchText(Ingest.RunningHub.Site, room.Stolen.Id, batch))),
            ("$thumbprint", certificate.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256)));
    }
}
