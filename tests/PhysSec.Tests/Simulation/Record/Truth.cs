using PhysSec.Core;
using PhysSec.Node.Journal;

namespace PhysSec.Tests.Simulation.Record;

/// <summary>Where a record stands in a journal.</summary>
internal readonly record struct Place(NodeId Node, long Epoch, string Stream, long Seq, string Hash);

/// <summary>Something that happened once at one board, however often and under whichever keys it was written down.</summary>
/// <param name="No">Counts everything that happened at all boards.</param>
/// <param name="By">Where.</param>
/// <param name="Stream">In which of its streams.</param>
/// <param name="Text">Its record without epoch and number: the same wherever it is issued again.</param>
internal sealed record Happening(long No, Board By, string Stream, string Text)
{
    public List<Place> Places { get; } = [];

    /// <summary>When a fault took it off a board's disk.</summary>
    public List<DateTimeOffset> DestroyedAt { get; } = [];

    /// <summary>The disk was full, and the board itself gave it up.</summary>
    public bool Thinned { get; set; }
}

/// <summary>What the boards' journals have held: read from each of them as soon as it is durable there.</summary>
internal sealed class Truth
{
    private readonly Dictionary<(NodeId, string), Happening> _all = [];
    private readonly Dictionary<Place, Happening> _places = [];
    private readonly Dictionary<Place, Board> _writers = [];
    private readonly Dictionary<string, string> _before = []; // The chain, from each record to the one before it.

    public IReadOnlyCollection<Happening> All => _all.Values;

    public Happening? At(Place place) => _places.GetValueOrDefault(place);

    /// <summary>The board in whose journal this place was first.</summary>
    public Board? Writer(Place place) => _writers.GetValueOrDefault(place);

    public Happening? Of(NodeId node, string body) => _all.GetValueOrDefault((node, Text(body)));

    /// <summary>The chain value on which this record was written.</summary>
    public string? Before(string hash) => _before.GetValueOrDefault(hash);

    /// <summary>Somebody outside has heard of this record: and so of every one before it.</summary>
    public void Tell(HashSet<string> told, string hash)
    {
        for (var it = hash; _before.TryGetValue(it, out var before) && told.Add(it);) it = before;
    }

    /// <summary>Reads what is new in this board's journal.</summary>
    public void Look(Board board)
    {
        if (board.Store is not { } store) return;
        foreach (var it in store.AllStreams())
        {
            var key = (it.Epoch, it.Stream);
            for (var from = board.Seen.GetValueOrDefault(key) + 1; from <= it.Seq;)
            {
                IReadOnlyList<StoredRecord> run;
                try
                {
                    run = store.Read(it.Epoch, it.Stream, from, it.Seq, 1000, int.MaxValue);
                }
                catch (JournalException)
                {
                    return; // Damage that a fault has done: what cannot be read was destroyed.
                }

                foreach (var record in run) Note(board, record);
                from = run.Count == 0 ? it.Seq + 1 : run[^1].Seq + 1;
                board.Seen[key] = from - 1;
            }
        }
    }

    /// <summary>A fault has changed the board's disk: what it held and holds no more is destroyed there.</summary>
    public void Missing(Board board, DateTimeOffset now, bool thinned = false)
    {
        var before = board.Holds.ToList();
        board.Holds.Clear();
        board.Seen.Clear();
        Look(board);
        foreach (var place in before.Where(it => !board.Holds.Contains(it)))
        {
            var it = _places[place];
            if (board.Holds.Overlaps(it.Places)) continue; // It was issued again.
            it.DestroyedAt.Add(now);
            it.Thinned |= thinned;
        }
    }

    private void Note(Board board, StoredRecord record)
    {
        var place = new Place(board.Node, record.Epoch, record.Stream, record.Seq, record.Hash);
        board.Holds.Add(place);
        _before[record.Hash] = record.Prev;
        if (_places.ContainsKey(place)) return;
        var key = (board.Node, Text(record.Body));
        if (!_all.TryGetValue(key, out var it)) _all[key] = it = new(_all.Count, board, record.Stream, key.Item2);
        it.Places.Add(place);
        _writers[place] = board;
        _places[place] = it;
    }

    /// <summary>Epoch and number are the first and the third value of every record.</summary>
    public static string Text(string body)
    {
        var stream = body.IndexOf(",\"stream\"", StringComparison.Ordinal);
        var seq = body.IndexOf(",\"seq\"", StringComparison.Ordinal);
        var rest = body.IndexOf(',', seq + 1);
        return string.Concat(body.AsSpan(stream, seq - stream), body.AsSpan(rest));
    }
}
