using System.Globalization;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Wire;

namespace PhysSec.Node.Journal;

/// <summary>How a journal is opened and what is proved before anything is added to it.</summary>
public sealed partial class JournalStore
{
    private const int Corrupt = 11;
    private const int NotADatabase = 26;
    private const int SchemaError = 1;

    private static bool IsDamage(Exception failure) => failure
        is JournalCorruptException or FormatException or InvalidCastException or InvalidOperationException or OverflowException or JsonException
        or SqliteException { SqliteErrorCode: Corrupt or NotADatabase or SchemaError };

    private static JournalStore OpenAt(string folder, string path, long? newEpoch, long checkBytesMax)
    {
        var store = new JournalStore(path);
        try
        {
            // Exclusive: no second process, and no shared-memory file that a full disk could break. FULL: a commit is flushed before it returns.
            store.Execute("pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = off");
            if (newEpoch is { } epoch) store.Create(epoch);
            store.Verify(new FileInfo(path).Length <= checkBytesMax);
            if (newEpoch is not null) JournalFiles.FlushFolder(folder);
            store.Previous = store.HowItEnded();
            return store;
        }
        catch
        {
            store._unsaved.Clear();
            store.Dispose();
            throw;
        }
    }

    private void Create(long epoch)
    {
        Execute(
            """
            create table if not exists records (
              epoch integer not null, stream text not null, seq integer not null, hash text not null, body text, at integer,
              primary key (epoch, stream, seq)) without rowid;
            create table if not exists meta (name text not null primary key, value text not null, hash text not null) without rowid;
            """);
        Change(() => Set(EpochName, epoch.ToString(CultureInfo.InvariantCulture)));
    }

    private void Verify(bool full)
    {
        if (full)
        {
            using var check = Command("pragma integrity_check(1)");
            if (check.ExecuteScalar() as string is var verdict && verdict != "ok") throw new JournalCorruptException($"the integrity check says: {verdict}");
        }

        LoadMeta();
        if (!_meta.ContainsKey(EpochName)) throw new JournalCorruptException("the journal has lost its epoch");
        foreach (var ((epoch, stream), state) in _streams)
        {
            if (!state.Closed || state.Refill) VerifyStream(epoch, stream, state);
        }

        foreach (var stream in Streams.Where(it => !_streams.ContainsKey((Epoch, it))))
        {
            if (ReadRow(Epoch, stream, 0) is not null) throw new JournalCorruptException($"stream {stream} of epoch {Epoch} has lost its head");
        }
    }

    private string HowItEnded()
    {
        var state = StateOf(Epoch, Core.Wire.Streams.Access);
        if (state.Seq == 0) return "none";
        return ReadRow(Epoch, Core.Wire.Streams.Access, state.Seq) is { Body: { } body }
            && JsonSerializer.Deserialize(body, WireJson.Plain.JournalRecord)?.Fact is NodeStopped ? "stopped" : "interrupted";
    }

    /// <summary>The first row at or after this number.</summary>
    private (long Seq, string? Body)? ReadRow(long epoch, string stream, long from)
    {
        using var command = Command(
            "select seq, body from records where epoch = $epoch and stream = $stream and seq >= $from order by seq limit 1",
            ("$epoch", epoch), ("$stream", stream), ("$from", from));
        using var rows = command.ExecuteReader();
        return rows.Read() ? (rows.GetInt64(0), rows.IsDBNull(1) ? null : rows.GetString(1)) : null;
    }

    private void LoadMeta()
    {
        using var all = Command("select name, value, hash from meta");
        using var rows = all.ExecuteReader();
        while (rows.Read())
        {
            var (name, value) = (rows.GetString(0), rows.GetString(1));
            if (rows.GetString(2) != MetaHash(name, value)) throw new JournalCorruptException($"the stored value '{name}' does not fit its hash");
            _meta[name] = value;
            if (name.Split('/') is ["stream", var epoch, var stream])
                _streams[(long.Parse(epoch, CultureInfo.InvariantCulture), stream)] =
                    JsonSerializer.Deserialize(value, JournalJson.Default.StreamState)!;
        }
    }

    /// <summary>From the last acknowledged record on, the chain must lead to the head that was stored with it.</summary>
    private void VerifyStream(long epoch, string stream, StreamState state)
    {
        var (seq, hash) = (state.Acknowledged, state.Acknowledged == 0 ? Chain.Genesis : null);
        using var command = Command(
            "select seq, hash, body, epoch, stream from records where epoch = $epoch and stream = $stream and seq >= $from order by seq",
            ("$epoch", epoch), ("$stream", stream), ("$from", state.Acknowledged));
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            var at = rows.GetInt64(0);

            // A walk passes over a damaged key in the middle of the tree; a search for what stands before it would go astray.
            if (rows.GetInt64(3) != epoch || rows.GetString(4) != stream) throw new JournalCorruptException($"record {epoch}/{stream}/{at} is filed under another key");
            var body = rows.IsDBNull(2) ? null : rows.GetString(2);
            var anchor = body is null || at == state.Acknowledged; // What is left of a removed stretch, or where the hub's proof ends.
            if (!anchor && (at != seq + 1 || hash is null)) throw new JournalCorruptException($"record {epoch}/{stream}/{seq + 1} is missing");
            if (!anchor && Chain.Next(hash!, body!) != rows.GetString(1)) throw new JournalCorruptException($"record {epoch}/{stream}/{at} does not fit the chain");
            (seq, hash) = (at, rows.GetString(1));
        }

        if (seq != state.Seq || (hash ?? Chain.Genesis) != state.Hash)
            throw new JournalCorruptException($"stream {stream} of epoch {epoch} ends at {seq}, not at {state.Seq} as stored");
    }
}
