using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Alarms;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;
using PhysSec.Rig;

namespace PhysSec.Benchmarks.Record;

/// <summary>
/// Three years of the building's records in a hub's own store: the real schema with its indexes grown row by row, real texts, chains, signatures of the nodes over what they sent at once, and the
/// tree. Only the way in is short: one prepared statement and large transactions instead of broker, checks and group commit. A store that is kept goes on where it ended.
/// </summary>
internal sealed class LedgerFill(string folder, long records)
{
    private const int Block = 50_000;
    private const int HubActs = 100;
    private const double LateShare = 0.01;
    private static readonly TimeSpan _tell = TimeSpan.FromSeconds(5);

    public static readonly DateTimeOffset Start = new(2023, 12, 1, 0, 0, 0, TimeSpan.FromHours(9));
    public static readonly DateTimeOffset End = Start.AddYears(3);

    private readonly Dictionary<string, (EnrolledKey Key, ECDsa Signing, string Thumbprint)> _nodes = [];
    private readonly Dictionary<string, (long Seq, string Head)> _heads = [];

    private TimeSpan Step => (End - Start) / records;

    private static string Keys(string folder) => Path.Combine(folder, "bench-keys.json");

    public async Task RunAsync(CancellationToken cancel)
    {
        var start = Stopwatch.GetTimestamp();
        await PeopleAsync();
        await using var store = new SqliteConnection($"data source={Path.Combine(folder, "hub.db")};pooling=false");
        await store.OpenAsync(cancel);
        store.Execute("pragma journal_mode = wal; pragma synchronous = off; pragma cache_size = -1500000; pragma wal_autocheckpoint = 100000");
        foreach (var node in _nodes.Keys) _heads[node] = Records.Through(store, node, 1, Streams.Access);
        var first = store.Number("select max(id) from ledger");
        var blocks = Channel.CreateBounded<List<Batch>>(2);
        var making = Task.Run(() => MakeAsync(blocks.Writer, first, cancel), cancel);
        var told = start;
        await foreach (var block in blocks.Reader.ReadAllAsync(cancel))
        {
            Write(store, block);
            if (Stopwatch.GetElapsedTime(told) < _tell) continue;
            told = Stopwatch.GetTimestamp();
            var done = store.Number("select max(id) from ledger");
            var left = Stopwatch.GetElapsedTime(start) / Math.Max(1, done - first) * Math.Max(0, records - done);
            await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"bench: filling: {done:N0} of {records:N0} records, about {left.TotalSeconds:0} s to go"));
        }

        await making;
        store.Execute("pragma wal_checkpoint(truncate); pragma synchronous = full");
        foreach (var (_, signing, _) in _nodes.Values) signing.Dispose();
        var count = store.Number("select max(id) from ledger");
        await Console.Error.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"bench: {count:N0} records are there ({count - first:N0} made in {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s), {new FileInfo(Path.Combine(folder, "hub.db")).Length / 1e9:0.0} GB"));
    }

    // Nodes, zones, doors, people and cards by the hub's own code, so that they are on record as at any site.
    private async Task PeopleAsync()
    {
        var clock = new SetClock(TimeProvider.System.GetUtcNow());
        await using (var hub = BenchHub.Open(folder, clock))
        {
            if (!File.Exists(Keys(folder)))
            {
                var keys = new List<EnrolledKey>();
                for (var i = 0; i < Building.Nodes; i++) keys.Add(await hub.EnrolAsync(Building.Node(i)));
                // No hub begins, and no certificate is valid, before its program was written. What is on record of that is put at the beginning of the years that are made.
                await hub.Home.Store.WriteAsync(it => it.Execute("update ledger set at = $at, received_at = $at; delete from tiles; delete from meta where name = 'tree-size'", ("$at", Start)));
                clock.Now = Start;
                for (var i = 0; i < Building.Zones; i++) await hub.Get<Zones>().PutAsync(BenchHub.Admin, new(Building.Zone(i), $"区域{i}", $"Zone {i}", 1, 72, Assurance.Low, JournalFaultRule.Refuse));
                await Task.WhenAll(Enumerable.Range(0, Building.Doors).Select(i => PutDoorAsync(hub, i, i % Building.Zones)));
                await Task.WhenAll(Enumerable.Range(0, Building.People).Select(async i =>
                {
                    await hub.Get<People>().AddAsync(BenchHub.Admin, new(Building.Person(i), Building.Name(i), "シメイ", "情報政策課", null, "staff"));
                    await hub.Get<Credentials>().AddAsync(BenchHub.Admin, Building.Person(i), Building.Card(i));
                }));
                // A year later one door in ten is moved into the next zone.
                clock.Now = Start.AddYears(1);
                for (var i = 0; i < Building.Doors; i += 10) await PutDoorAsync(hub, i, (i + 1) % Building.Zones);
                foreach (var alarmClass in Building.Classes)
                    for (var i = 0; i < Building.Doors; i++) await hub.Home.Store.WriteAsync(it => Remember(it, alarmClass, i));
                await File.WriteAllTextAsync(Keys(folder), JsonSerializer.Serialize(keys));
            }
        }

        foreach (var key in JsonSerializer.Deserialize<List<EnrolledKey>>(await File.ReadAllTextAsync(Keys(folder)))!)
        {
            var signing = ECDsa.Create();
            signing.ImportFromPem(key.Key);
            using var certificate = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(key.Certificate);
            _nodes[key.Node] = (key, signing, certificate.GetCertHashString(HashAlgorithmName.SHA256));
        }
    }

    private static Task PutDoorAsync(BenchHub hub, int door, int zone) => hub.Get<Doors>().PutAsync(
        BenchHub.Admin, new(Building.Door(door), Building.Node(door % Building.Nodes), Building.Zone(zone), $"扉{door}", $"Door {door}", 5, 15, 20, 10, Assurance.Low));

    private static void Remember(SqliteConnection store, string alarmClass, int door)
    {
        var (node, source) = (Building.Node(door % Building.Nodes), Building.Door(door));
        var key = AlarmClasses.Key(new NodeId(node), alarmClass, source);
        store.Execute("insert into alarms (key, node, body) values ($key, $node, $body)", ("$key", key), ("$node", node),
            ("$body", JsonSerializer.Serialize(new AlarmRow(key, alarmClass, source, node, Core.Alarms.AlarmState.Quiet(false), null, null, null, null), AccessJson.Options)));
    }

    private async Task MakeAsync(ChannelWriter<List<Batch>> blocks, long first, CancellationToken cancel)
    {
        try
        {
            for (var done = first; done < records;)
            {
                var random = new Random((int)(done / 1000));
                var (block, made) = (new List<Batch>(), 0);
                while (made < Block - HubActs && done + made < records)
                {
                    var batch = Make(random, Start + (Step * (done + made)));
                    block.Add(batch);
                    made += batch.Rows.Count;
                }

                await blocks.WriteAsync(block, cancel);
                done += made + HubActs;
            }

            blocks.Complete();
        }
        catch (Exception fault)
        {
            blocks.Complete(fault);
        }
    }

    // What one node sends at once: what one person did at one of its doors.
    private Batch Make(Random random, DateTimeOffset now)
    {
        var door = Building.AnyDoor(random);
        var node = Building.Node(door % Building.Nodes);
        var (key, signing, thumbprint) = _nodes[node];
        var late = random.NextDouble() < LateShare;
        var at = late ? now.AddSeconds(-random.Next(60, 43_200)) : now.AddMilliseconds(-random.Next(100, 2_000));
        var (seq, prev) = _heads[node];
        var (from, head) = (seq + 1, prev);
        var rows = new List<Row>();
        foreach (var fact in Building.Happening(random, new DoorId(Building.Door(door))))
        {
            at = at.AddMilliseconds(200);
            var record = new JournalRecord(
                key.Epoch, Streams.Access, ++seq, at, seq * 1_000_000, "0f6b7a52-boot", ClockQuality.Synced, late ? LinkState.Down : LinkState.Up, fact);
            var body = JsonSerializer.Serialize(record, WireJson.Plain.JournalRecord);
            head = Chain.Next(head, body);
            rows.Add(new(seq, head, body, at, Columns.Of(new NodeId(node), fact)));
        }

        _heads[node] = (seq, head);
        var batch = new JournalBatch(key.Epoch, Streams.Access, from, seq, prev, head, [], "");
        return new(node, key.Epoch, now, late, rows, prev, Signing.Sign(signing, Signing.BatchText(new SiteId(BenchHub.Site), new NodeId(node), batch)), thumbprint);
    }

    private static void Write(SqliteConnection store, List<Batch> block)
    {
        store.Execute("begin immediate");
        using var insert = store.Command(
            """
            insert into ledger (id, source, epoch, stream, seq, hash, body, received_at, at, late, kind, door, direction, person, credential, outcome, reason, code, alarm)
            values ($0, $1, $2, 'a', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
            """);
        var its = Enumerable.Range(0, 18).Select(i => insert.Parameters.AddWithValue(string.Create(CultureInfo.InvariantCulture, $"${i}"), DBNull.Value)).ToArray();
        using var sign = store.Command("insert into batch_signatures values ($0, $1, 'a', $2, $3, $4, $5, $6, $7)");
        var signed = Enumerable.Range(0, 8).Select(i => sign.Parameters.AddWithValue(string.Create(CultureInfo.InvariantCulture, $"${i}"), DBNull.Value)).ToArray();
        var id = store.Number("select max(id) from ledger");
        foreach (var it in block)
        {
            foreach (var row in it.Rows)
            {
                object?[] values =
                [
                    ++id, it.Node, it.Epoch, row.Seq, row.Hash, row.Body, Rows.ToStored(it.ReceivedAt), Rows.ToStored(row.At), it.Late ? 1 : 0, row.Columns.Kind, row.Columns.Door,
                    row.Columns.Direction, row.Columns.Person, row.Columns.Credential, row.Columns.Outcome, row.Columns.Reason, row.Columns.Code, row.Columns.Alarm,
                ];
                Fill(insert, its, values);
            }

            Fill(sign, signed, [it.Node, it.Epoch, it.Rows[0].Seq, it.Rows[^1].Seq, it.Prev, it.Rows[^1].Hash, it.Signature, it.Thumbprint]);
        }

        Acts(store, block);
        foreach (var its2 in block.GroupBy(it => it.Node)) Records.SetThrough(store, its2.Key, its2.First().Epoch, Streams.Access, its2.Last().Rows[^1].Seq, its2.Last().Rows[^1].Hash);
        LedgerTree.Grow(store);
        store.Execute("commit");
    }

    private static void Fill(SqliteCommand command, SqliteParameter[] parameters, object?[] values)
    {
        for (var i = 0; i < values.Length; i++) parameters[i].Value = values[i] ?? DBNull.Value;
        command.ExecuteNonQuery();
    }

    // The hub's own: messages about alarms, an auditor's searches.
    private static void Acts(SqliteConnection store, List<Batch> block)
    {
        var random = new Random((int)block[0].Rows[0].Seq);
        var at = block[^1].ReceivedAt;
        for (var i = 0; i < HubActs; i++)
        {
            var door = random.Next(Building.Doors);
            var alarm = AlarmClasses.Key(new NodeId(Building.Node(door % Building.Nodes)), Building.Classes[random.Next(Building.Classes.Length)], Building.Door(door));
            var act = i % 5 == 0
                ? new Act(new Actor("kansa", "auditor", "console"), "log.searched", null, null, After: new JsonObject { ["person"] = Building.Person(random.Next(Building.People)) })
                : new Act(Actor.System, "notification.sent", alarm, null, null, new JsonObject { ["channel"] = "mail", ["what"] = "Raised" }, Alarm: alarm);
            Records.Act(store, act, at);
        }
    }

    private sealed record Batch(string Node, long Epoch, DateTimeOffset ReceivedAt, bool Late, IReadOnlyList<Row> Rows, string Prev, string Signature, string Thumbprint);

    private sealed record Row(long Seq, string Hash, string Body, DateTimeOffset At, Columns Columns);
}
