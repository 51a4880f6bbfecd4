using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Wire;
using PhysSec.Hub.Storage;
using PhysSec.Rig;

namespace PhysSec.Benchmarks.Record;

/// <summary>What a load of records cost.</summary>
/// <param name="PerSecond">Records committed and acknowledged a second.</param>
/// <param name="BytesEach">On disk, all indexes and the tree with it.</param>
internal sealed record Load(double PerSecond, double BytesEach);

/// <summary>
/// A hub as a process of its own, and clients that speak the node's side of the wire with enrolled certificates: TLS, signatures, the commit with synchronous = FULL, the tree, the signed
/// acknowledgement. Beside it the same texts in a bare SQLite table with one unique key, committed as durably, 250 at a time.
/// </summary>
internal static class IngestBenchmark
{
    private static readonly TimeSpan _start = TimeSpan.FromSeconds(60);

    public static async Task RunAsync(TextWriter output, int nodes, int recordsPerNode, CancellationToken cancel)
    {
        var (hub, plain) = await MeasureAsync(nodes, recordsPerNode, cancel);
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"hub ingest from {nodes,3} node{(nodes == 1 ? " " : "s")}: {hub.PerSecond,7:N0} records/s committed and acknowledged, {hub.BytesEach:N0} bytes each; plain SQLite {plain.PerSecond,7:N0} records/s, {plain.BytesEach:N0} bytes each"));
    }

    public static async Task<(Load Hub, Load Plain)> MeasureAsync(int nodes, int recordsPerNode, CancellationToken cancel)
    {
        var folder = Directory.CreateTempSubdirectory("physsec-bench-");
        try
        {
            var ports = Ports.Free(2);
            var state = Path.Combine(folder.FullName, "hub");
            var keys = new List<EnrolledKey>();
            await using (var home = BenchHub.Open(state, TimeProvider.System, ports[0], ports[1]))
                for (var i = 1; i <= nodes; i++) keys.Add(await home.EnrolAsync(string.Create(CultureInfo.InvariantCulture, $"load-{i}")));
            var before = Size(state);
            var clients = keys.ConvertAll(it => new LoadNode(it, "127.0.0.1", ports[1]));
            var at = TimeProvider.System.GetUtcNow();
            var batches = clients.Select((it, i) => it.Prepare(recordsPerNode, at, new Random(i))).ToList();
            var seconds = await SendAsync(state, clients, batches, cancel);
            var total = (double)nodes * recordsPerNode;
            var hub = new Load(total / seconds, (Size(state) - before) / total);
            return (hub, Plain(Path.Combine(folder.FullName, "plain.db"), keys, batches));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<double> SendAsync(string state, List<LoadNode> clients, List<IReadOnlyList<byte[]>> batches, CancellationToken cancel)
    {
        await using var hub = Child.Start("hub", "dotnet", [Programs.Hub, "serve", "--state", state], null);
        await hub.LineAsync(it => it.Contains("listening http", StringComparison.Ordinal), "that it listens", _start, cancel);
        try
        {
            foreach (var client in clients) await client.ConnectAsync(cancel);
            var start = Stopwatch.GetTimestamp();
            await Task.WhenAll(clients.Zip(batches, (client, mine) => client.SendAsync(mine, cancel)));
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        finally
        {
            foreach (var client in clients) await client.DisposeAsync();
            await hub.StopAsync();
        }
    }

    // Everything in the one file, as after a quiet minute.
    private static long Size(string state)
    {
        var path = Path.Combine(state, "hub.db");
        using (var store = new SqliteConnection($"data source={path};pooling=false"))
        {
            store.Open();
            store.Execute("pragma wal_checkpoint(truncate)");
        }

        return new FileInfo(path).Length;
    }

    private static Load Plain(string path, List<EnrolledKey> keys, List<IReadOnlyList<byte[]>> batches)
    {
        // In turns, as the nodes sent them.
        var groups = Enumerable.Range(0, batches.Max(it => it.Count)).SelectMany(round => batches.Select((its, node) => (Node: keys[node], Batch: round < its.Count ? its[round] : null)))
            .Where(it => it.Batch is not null).Select(it => (it.Node, Batch: JsonSerializer.Deserialize(it.Batch!, WireJson.Plain.JournalBatch)!))
            .Select(it => (it.Node, it.Batch, Bodies: it.Batch.Records.Select(record => record.GetRawText()).ToArray())).ToList();
        double seconds;
        using (var store = new SqliteConnection($"data source={path};pooling=false"))
        {
            store.Open();
            store.Execute("pragma journal_mode = wal; pragma synchronous = full; create table records (node text, epoch integer, stream text, seq integer, body text, unique (node, epoch, stream, seq))");
            using var insert = store.CreateCommand();
            insert.CommandText = "insert into records values ($node, $epoch, $stream, $seq, $body) on conflict do nothing";
            var its = new[] { "$node", "$epoch", "$stream", "$seq", "$body" }.Select(it => insert.Parameters.AddWithValue(it, "")).ToArray();
            var start = Stopwatch.GetTimestamp();
            foreach (var (node, batch, bodies) in groups)
            {
                store.Execute("begin immediate");
                for (var i = 0; i < bodies.Length; i++)
                {
                    (its[0].Value, its[1].Value, its[2].Value, its[3].Value, its[4].Value) = (node.Node, batch.Epoch, batch.Stream, batch.First + i, bodies[i]);
                    insert.ExecuteNonQuery();
                }

                store.Execute("commit");
            }

            seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            store.Execute("pragma wal_checkpoint(truncate)");
        }

        var total = groups.Sum(it => it.Bodies.Length);
        return new(total / seconds, (double)new FileInfo(path).Length / total);
    }
}
