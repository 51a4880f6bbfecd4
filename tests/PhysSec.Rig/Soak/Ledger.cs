using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace PhysSec.Rig.Soak;

/// <summary>Key of a record.</summary>
public readonly record struct RecordKey(long Epoch, string Stream, long Seq)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch}/{Stream}/{Seq}");
}

/// <summary>Compares what the node's journal holds with what the hub holds.</summary>
public sealed class Ledger(Instance instance)
{
    private readonly Dictionary<RecordKey, string> _journal = [];
    private readonly HashSet<RecordKey> _compared = [];
    private readonly Dictionary<(long Epoch, string Stream), long> _acknowledged = [];
    private readonly Dictionary<(long Epoch, string Stream), long> _forgotten = [];
    private readonly DateTimeOffset _from = TimeProvider.System.GetUtcNow().AddHours(-1);

    /// <summary>Records found in both, once.</summary>
    public int Compared => _compared.Count;

    /// <summary>What the journal's records say.</summary>
    public IEnumerable<JsonNode> Facts => _journal.Values.Select(it => JsonNode.Parse(it)!["fact"]!);

    /// <summary>How many records of the journal say this, like <c>access.granted</c>.</summary>
    public int Count(params IReadOnlyList<string> kinds) => Facts.Count(it => kinds.Contains((string?)it["kind"]));

    /// <summary>How many of the node's access records are in the hub's store. Looked up in the file: whoever asks the hub is put on record himself, which a full disk refuses.</summary>
    public long AtHub()
    {
        using var db = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = Path.Combine(instance.HubFolder, "hub.db"), Pooling = false, Mode = SqliteOpenMode.ReadOnly }.ToString());
        db.Open();
        using var query = db.CreateCommand();
        query.CommandText = $"select count(*) from ledger where source = '{Instance.LiveNode}' and stream = 'a'";
        return (long)query.ExecuteScalar()!;
    }

    /// <summary>Reads a copy of the journal of a node that does not run. Every record seen before must still be the same.</summary>
    /// <exception cref="RigException">A record changed or vanished.</exception>
    public void ReadJournal()
    {
        var copy = Directory.CreateTempSubdirectory("physsec-journal-").FullName;
        try
        {
            foreach (var it in Directory.GetFiles(Path.Combine(instance.NodeFolder, "state"), "journal.db*"))
                File.Copy(it, Path.Combine(copy, Path.GetFileName(it)));
            if (Directory.GetFiles(copy, "*.corrupt-*") is { Length: > 0 })
                throw new RigException("the node set its journal aside as damaged");
            foreach (var (key, stream, seq) in Forgotten(Path.Combine(copy, "journal.db"))) _forgotten[(key, stream)] = seq;
            foreach (var (key, json) in Records(Path.Combine(copy, "journal.db")))
            {
                if (_journal.TryGetValue(key, out var before) && before != json)
                    throw new RigException($"record {key} changed in the journal");
                _journal[key] = json;
            }

            foreach (var (stream, through) in Acknowledged(Path.Combine(copy, "journal.db"))) _acknowledged[stream] = through;
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    /// <summary>To be asked between <see cref="ReadJournal"/> and the node's next start: the hub holds nothing that the journal has lost, and the journal takes nothing for held that the hub has lost.</summary>
    /// <exception cref="RigException">A record that was sent was not durable, or one that was acknowledged is gone.</exception>
    public async Task NothingIsLostAsync(CancellationToken cancel)
    {
        var hub = await HubRecordsAsync(cancel);
        foreach (var (key, body) in hub.Where(it => !_journal.ContainsKey(it.Key)))
        {
            if (key.Seq > _forgotten.GetValueOrDefault((key.Epoch, key.Stream))) throw new RigException($"the hub has record {key}, the node's journal has not: it was sent before it was durable");
            _journal[key] = body; // Forgotten to make room, as a node may what the hub holds.
        }

        var held = hub.Select(it => it.Key).ToHashSet();
        foreach (var key in _journal.Keys.Where(it => it.Stream == "a" && it.Seq <= _acknowledged.GetValueOrDefault((it.Epoch, it.Stream)) && !held.Contains(it)).Take(1))
            throw new RigException($"the node was told that record {key} is stored, and the hub does not have it");
    }

    /// <summary>Waits until the hub has everything that the journal had, and no more of it than once.</summary>
    /// <exception cref="RigException">A record is missing, twice, different, or followed by a hole.</exception>
    public async Task CompareAsync(TimeSpan limit, CancellationToken cancel)
    {
        IReadOnlyList<(RecordKey Key, string Body)> hub = [];
        List<RecordKey> missing = [];
        try
        {
            await Wait.UntilAsync("every record of the journal at the hub", async () =>
            {
                hub = await HubRecordsAsync(cancel);
                var have = hub.Select(it => it.Key).ToHashSet();
                missing = [.. _journal.Keys.Where(it => it.Stream == "a" && !have.Contains(it) && !_compared.Contains(it)).OrderBy(it => it.Epoch).ThenBy(it => it.Seq)];
                return missing.Count == 0;
            }, limit, cancel);
        }
        catch (RigException late)
        {
            var there = hub.Select(it => it.Key).OrderBy(it => it.Epoch).ThenBy(it => it.Seq).LastOrDefault();
            throw new RigException($"{late.Message}; {missing.Count} are missing, the first is {missing.FirstOrDefault()}, the last that is there {there}; the node says: {instance.Node.Tail()}; the hub says: {instance.Hub.Tail()}");
        }

        foreach (var twice in hub.GroupBy(it => it.Key).Where(it => it.Count() > 1))
            throw new RigException($"the hub has record {twice.Key} {twice.Count()} times");
        foreach (var epoch in hub.GroupBy(it => (it.Key.Epoch, it.Key.Stream)))
        {
            var seqs = epoch.Select(it => it.Key.Seq).Order().ToArray();
            for (var i = 1; i < seqs.Length; i++)
                if (seqs[i] != seqs[i - 1] + 1) throw new RigException($"the hub has a hole between {seqs[i - 1]} and {seqs[i]}");
        }

        foreach (var (key, body) in hub)
        {
            if (!_journal.TryGetValue(key, out var json)) continue; // Written after the restart: compared in the next round.
            if (json != body) throw new RigException($"record {key} differs: journal {json}, hub {body}");
            _compared.Add(key);
        }
    }

    private static IEnumerable<((long Epoch, string Stream) Stream, long Through)> Acknowledged(string file)
    {
        using var db = Open(file);
        using var query = db.CreateCommand();
        query.CommandText = "select name, value from meta where name like 'stream/%'";
        using var reader = query.ExecuteReader();
        while (reader.Read())
        {
            var parts = reader.GetString(0).Split('/');
            yield return ((long.Parse(parts[1], CultureInfo.InvariantCulture), parts[2]), (long)JsonNode.Parse(reader.GetString(1))!["acknowledged"]!);
        }
    }

    private static IEnumerable<(long Epoch, string Stream, long Through)> Forgotten(string file)
    {
        using var db = Open(file);
        using var query = db.CreateCommand();
        query.CommandText = "select epoch, stream, max(seq) from records where body is null group by epoch, stream";
        using var reader = query.ExecuteReader();
        while (reader.Read()) yield return (reader.GetInt64(0), reader.GetString(1), reader.GetInt64(2));
    }

    private static SqliteConnection Open(string file)
    {
        var db = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString());
        db.Open();
        return db;
    }

    private static IEnumerable<(RecordKey Key, string Json)> Records(string file)
    {
        using var db = Open(file);
        using var check = db.CreateCommand();
        check.CommandText = "pragma integrity_check";
        if ((string?)check.ExecuteScalar() != "ok") throw new RigException("the journal's database is damaged");

        using var query = db.CreateCommand();
        query.CommandText = "select epoch, stream, seq, body from records where body is not null order by epoch, stream, seq";
        using var reader = query.ExecuteReader();
        while (reader.Read())
            yield return (new RecordKey(reader.GetInt64(0), reader.GetString(1), reader.GetInt64(2)), reader.GetString(3));
    }

    private async Task<IReadOnlyList<(RecordKey Key, string Body)>> HubRecordsAsync(CancellationToken cancel)
    {
        var found = new List<(RecordKey, string)>();
        string? cursor = null;
        do
        {
            var from = Uri.EscapeDataString(_from.ToString("O", CultureInfo.InvariantCulture));
            var more = cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}";
            var page = await instance.Auditor.GetAsync($"records?node={Instance.LiveNode}&from={from}&limit=500{more}", cancel);
            foreach (var it in page["items"]!.AsArray())
                if (it!["stream"]?.ToString() == "a") found.Add((new RecordKey((long)it["epoch"]!, "a", (long)it["seq"]!), HubApi.Body(it)));
            cursor = page["next"]?.ToString();
        }
        while (cursor is not null);

        return found;
    }
}
