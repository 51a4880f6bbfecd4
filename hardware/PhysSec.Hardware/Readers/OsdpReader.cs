namespace PhysSec.Hardware;

/// <summary>An OSDP reader of a board, on a line that it may share.</summary>
public sealed class OsdpReader
{
    private readonly OsdpLine _line;

    internal OsdpReader(OsdpEntry entry, OsdpLine line) => (Entry, _line) = (entry, line);

    public OsdpEntry Entry { get; }

    /// <summary>To look at: state and statistics.</summary>
    public OsdpLink Link => _line.Links.First(it => it.Address == Entry.Address);

    /// <summary>Why its port is not open; null: it is.</summary>
    public string? PortFault { get; internal set; }

    /// <summary>Raised on the line's thread: the subscriber only enqueues.</summary>
    public event Action<OsdpReader, OsdpEvent>? Happened;

    /// <summary>Never waits; an order that cannot be given within seconds is not given at all.</summary>
    /// <param name="what">The order.</param>
    /// <param name="life">How long it may wait; null: as the link's settings say.</param>
    public void Order(OsdpOrder what, TimeSpan? life = null) => _line.Tell(Entry.Address, new OsdpLinkInput.Order(what, life));

    internal void Raise(OsdpEvent what) => Happened?.Invoke(this, what);

    /// <summary>The readers of one port. What concerns the line alone is told of its first reader.</summary>
    internal static IReadOnlyList<OsdpReader> Of(IReadOnlyList<OsdpEntry> entries, OsdpLine line)
    {
        List<OsdpReader> readers = [.. entries.Select(it => new OsdpReader(it, line))];
        line.Happened += (what, _) => (readers.Find(it => it.Entry.Address == what.Address) ?? readers[0]).Raise(what);
        line.LineChanged += (fault, _) => readers.ForEach(it => it.PortFault = fault);
        return readers;
    }
}
