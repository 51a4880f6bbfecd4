using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;

namespace PhysSec.Node.Journal;

/// <summary>
/// The node's memory on disk: chained records in two streams, and the little that must survive with them. One SQLite file, one connection that
/// nobody else may open, one lock. Every commit is flushed before it returns. Anything read is checked against the chain again, so that a damaged
/// record is never sent as a good one.
/// </summary>
public sealed partial class JournalStore : IDisposable
{
    private const string EpochName = "epoch";
    private const string MemoryName = "memory";
    private const string BoardName = "board";
    private const string CommissioningName = "commissioning";
    private const string PolicyName = "policy-on-record";
    private const string NewestName = "newest";

    /// <summary>The latest deadline of a command whose nonce is forgotten.</summary>
    internal const string ForgottenName = "nonces-forgotten";

    private readonly Lock _gate = new();
    private readonly SqliteConnection _db;
    private readonly Dictionary<(long Epoch, string Stream), StreamState> _streams = [];
    private readonly Dictionary<string, string> _meta = [];
    private readonly HashSet<string> _unsaved = [];

    private JournalStore(string path)
    {
        _db = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 1 }.ToString());
        _db.Open();
    }

    /// <summary>Null, or what was found damaged and set aside when this journal began: belongs on record first.</summary>
    public JournalRepaired? Repaired { get; private set; }

    /// <summary>True once a read has come upon damage: what was verified at the opening no longer holds.</summary>
    public bool Damaged { get; private set; }

    /// <summary>0 while the hub has yet to give an epoch: records are kept and wait.</summary>
    public long Epoch => long.Parse(Meta(EpochName)!, CultureInfo.InvariantCulture);

    /// <summary>How the newest record in stream a ended before this opening: <c>stopped</c>, <c>interrupted</c> (power, crash, kill) or <c>none</c>.</summary>
    public string Previous { get; private set; } = "none";

    /// <summary>Site time of the newest record that has one.</summary>
    public DateTimeOffset? Newest =>
        Meta(NewestName) is { } text ? DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind) : null;

    public NodeMemory? Memory =>
        Meta(MemoryName) is { } text ? JsonSerializer.Deserialize(text, JournalJson.Default.NodeMemory) : null;

    /// <summary>Opens the journal in this folder and verifies what the hub has not acknowledged yet. A damaged one is set aside, never mended: the new one starts in epoch 0.</summary>
    /// <param name="folder">Created when missing.</param>
    /// <param name="epochIfNew">The epoch of the enrolment, used only where no journal ever stood.</param>
    /// <param name="checkBytesMax">Files up to this size are checked in full; larger ones are checked as they are read.</param>
    /// <exception cref="JournalException">The journal cannot be opened now (disk full, no permission, in use); it may be whole.</exception>
    public static JournalStore Open(string folder, long epochIfNew, long checkBytesMax = 16 << 20)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var path = Path.Combine(folder, JournalFiles.Name);
            JournalRepaired? repaired = null;
            if (File.Exists(path))
            {
                try
                {
                    return OpenAt(folder, path, null, checkBytesMax);
                }
                catch (Exception failure) when (IsDamage(failure))
                {
                    repaired = new(failure.Message, JournalFiles.SetAside(folder));
                }
            }

            var epoch = repaired is not null || JournalFiles.AnySetAside(folder) ? 0 : epochIfNew;
            var store = OpenAt(folder, path, epoch, checkBytesMax);
            store.Repaired = repaired;
            return store;
        }
        catch (Exception failure) when (failure is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw new JournalException($"the journal in {folder} cannot be opened: {failure.Message}", failure);
        }
    }

    /// <summary>Makes the records and the memory durable in one transaction, the sequence numbers taken inside it.</summary>
    /// <param name="writes">Stored in this order.</param>
    /// <param name="wanted">Asked last of all before the commit: false rolls everything back and returns null.</param>
    /// <exception cref="JournalException">Nothing was stored.</exception>
    public IReadOnlyList<IReadOnlyList<StoredRecord>>? Commit(IReadOnlyList<JournalWrite> writes, Func<bool>? wanted = null)
    {
        lock (_gate)
        {
            var stored = new List<IReadOnlyList<StoredRecord>>(writes.Count);
            var done = Change(() =>
            {
                foreach (var write in writes)
                {
                    stored.Add([.. write.Entries.Select(it => Append(Epoch, it, write.Stamp))]);
                    if (write.Memory is not null) Set(MemoryName, JsonSerializer.Serialize(write.Memory, JournalJson.Default.NodeMemory));
                    if (write.Stamp.At is { } at) Set(NewestName, at.ToString("O", CultureInfo.InvariantCulture));
                }
            }, wanted);
            return done ? stored : null;
        }
    }

    /// <summary>Stores a value under a name, durably.</summary>
    /// <exception cref="JournalException">It was not stored.</exception>
    public void Put(string name, string value)
    {
        lock (_gate) Change(() => Set(name, value));
    }

    public string? Get(string name) => Meta(name);

    /// <summary>Hash of the board file that is on record last; it becomes durable with that record.</summary>
    public string? Board => Meta(BoardName);

    /// <summary>Hash of the commissioning that is on record last.</summary>
    public string? Commissioning => Meta(CommissioningName);

    /// <summary>Hash of the policy that is on record last as applied.</summary>
    public string? PolicyOnRecord => Meta(PolicyName);

    /// <summary>Where a stream of the epoch in force stands.</summary>
    public StreamState State(string stream)
    {
        lock (_gate) return StateOf(Epoch, stream);
    }

    /// <summary>Where a stream of any epoch stands.</summary>
    public StreamState State(long epoch, string stream)
    {
        lock (_gate) return StateOf(epoch, stream);
    }

    /// <summary>Records of the epoch in force that the hub has not acknowledged.</summary>
    public long Backlog
    {
        get
        {
            lock (_gate) return Streams.Sum(it => StateOf(Epoch, it) is var state ? state.Seq - state.Acknowledged : 0);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            // An acknowledgement that is not saved is only asked for again.
            if (_db.State == System.Data.ConnectionState.Open && _unsaved.Count > 0)
            {
                try
                {
                    Change(() => { });
                }
                catch (JournalException)
                {
                    _unsaved.Clear();
                }
            }

            _db.Dispose();
        }
    }

    private static IReadOnlyList<string> Streams { get; } = [Core.Wire.Streams.Access, Core.Wire.Streams.Measurements];

    private StoredRecord Append(long epoch, Entry entry, Stamp stamp) =>
        AppendRecord(
            new JournalRecord(
                epoch, entry.Stream, 0, stamp.At, stamp.Up.Ticks / TimeSpan.TicksPerMicrosecond, stamp.Boot, stamp.Clock, stamp.Link, entry.Fact),
            entry.Hot);

    private StoredRecord AppendRecord(JournalRecord record, bool hot)
    {
        var state = StateOf(record.Epoch, record.Stream);
        if (state.Closed) state = state with { Closed = false, Acknowledged = state.Seq }; // The time without an epoch has come again; what it held before was issued again.
        var seq = state.Seq + 1;
        var body = JsonSerializer.Serialize(record with { Seq = seq }, WireJson.Plain.JournalRecord);
        var hash = Chain.Next(state.Hash, body);
        Execute(
            "insert into records (epoch, stream, seq, hash, body, at) values ($epoch, $stream, $seq, $hash, $body, $at)",
            ("$epoch", record.Epoch), ("$stream", record.Stream), ("$seq", seq), ("$hash", hash), ("$body", body),
            ("$at", record.At is { } at ? at.ToUnixTimeSeconds() : DBNull.Value));
        SetState(record.Epoch, record.Stream, state with { Seq = seq, Hash = hash });
        if (record.Fact is BoardConfigured board) Set(BoardName, board.Hash);
        if (record.Fact is BoardCommissioned proof) Set(CommissioningName, proof.Hash);
        if (record.Fact is PolicyApplied policy) Set(PolicyName, policy.Hash);
        return new(record.Epoch, record.Stream, seq, state.Hash, hash, body, hot);
    }

    private StreamState StateOf(long epoch, string stream) => _streams.GetValueOrDefault((epoch, stream), StreamState.New);

    private void SetState(long epoch, string stream, StreamState state)
    {
        _streams[(epoch, stream)] = state;
        Set(StreamName(epoch, stream), JsonSerializer.Serialize(state, JournalJson.Default.StreamState));
    }

    private static string StreamName(long epoch, string stream) => $"stream/{epoch}/{stream}";

    private string? Meta(string name)
    {
        lock (_gate) return _meta.GetValueOrDefault(name);
    }

    /// <summary>Remembers a value; the transaction under way, or the next one, makes it durable.</summary>
    private void Set(string name, string value)
    {
        _meta[name] = value;
        _unsaved.Add(name);
    }

    /// <summary>One transaction: all of it or nothing, in the file and in memory.</summary>
    private bool Change(Action work, Func<bool>? wanted = null)
    {
        var streams = _streams.ToList();
        var meta = _meta.ToList();
        var unsaved = _unsaved.ToList();
        try
        {
            using var transaction = _db.BeginTransaction();
            work();
            foreach (var name in _unsaved)
            {
                Execute(
                    "insert into meta (name, value, hash) values ($name, $value, $hash) on conflict (name) do update set value = $value, hash = $hash",
                    ("$name", name), ("$value", _meta[name]), ("$hash", MetaHash(name, _meta[name])));
            }

            if (wanted is null || wanted())
            {
                transaction.Commit();
                _unsaved.Clear();
                return true;
            }
        }
        catch (Exception failure) // Whatever it was, nothing of it may stay.
        {
            Restore(streams, meta, unsaved);
            throw new JournalException($"the journal cannot be written: {failure.Message}", failure);
        }

        Restore(streams, meta, unsaved);
        return false;
    }

    private void Restore(
        List<KeyValuePair<(long, string), StreamState>> streams, List<KeyValuePair<string, string>> meta, List<string> unsaved)
    {
        _streams.Clear();
        foreach (var (key, state) in streams) _streams[key] = state;
        _meta.Clear();
        foreach (var (name, value) in meta) _meta[name] = value;
        _unsaved.Clear();
        _unsaved.UnionWith(unsaved);
    }

    private void Execute(string sql, params ReadOnlySpan<(string Name, object Value)> values)
    {
        using var command = Command(sql, values);
        command.ExecuteNonQuery();
    }

    private SqliteCommand Command(string sql, params ReadOnlySpan<(string Name, object Value)> values)
    {
        var command = _db.CreateCommand();
#pragma warning disable CA2100 // Every caller passes a constant; values travel as parameters.
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach (var (name, value) in values) command.Parameters.AddWithValue(name, value);
        return command;
    }

    private static string MetaHash(string name, string value) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{name}\0{value}")));
}
