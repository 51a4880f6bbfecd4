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

    /// <summary>Why what was to be kept of it (its key, its device) is not kept; null: it is.</summary>
    public string? StoreFault { get; private set; }

    /// <summary>Raised on the line's thread: the subscriber only enqueues.</summary>
    public event Action<OsdpReader, OsdpEvent>? Happened;

    /// <summary>Never waits; an order that cannot be given within seconds is not given at all.</summary>
    /// <param name="what">The order.</param>
    /// <param name="life">How long it may wait; null: as the link's settings say.</param>
    public void Order(OsdpOrder what, TimeSpan? life = null) => _line.Tell(Entry.Address, new OsdpLinkInput.Order(what, life));

    /// <summary>
    /// Until this uptime a reader on the default key that answers here is given a key of its own: the one that an interrupted installation may have left in it, or a new one. What comes of it is told.
    /// </summary>
    /// <param name="until">At most <see cref="OsdpLink.InstallationMax"/> from now.</param>
    /// <param name="replaces">Another device is to stand there: key and identity of the one before are forgotten.</param>
    /// <param name="random">Makes the key.</param>
    public void Install(TimeSpan until, bool replaces, OsdpRandom random)
    {
        var interrupted = replaces ? null : Link.Keys.Pending;
        _line.Tell(Entry.Address, new OsdpLinkInput.OpenInstallation(interrupted ?? OsdpKey.Make(random), until, replaces));
    }

    public void EndInstallation() => _line.Tell(Entry.Address, new OsdpLinkInput.CloseInstallation());

    /// <summary>Another random key in the place of the one that it has.</summary>
    public void ChangeKey(OsdpRandom random) => _line.Tell(Entry.Address, new OsdpLinkInput.ChangeKey(OsdpKey.Make(random)));

    /// <summary>This device, which has the key, is the right one from now on.</summary>
    public void Accept(OsdpPin device) => _line.Tell(Entry.Address, new OsdpLinkInput.AcceptIdentity(device));

    internal void Raise(OsdpEvent what) => Happened?.Invoke(this, what);

    /// <summary>The readers of one port. What concerns the line alone is told of its first reader.</summary>
    internal static IReadOnlyList<OsdpReader> Of(IReadOnlyList<OsdpEntry> entries, OsdpLine line, OsdpReaderStore store)
    {
        List<OsdpReader> readers = [.. entries.Select(it => new OsdpReader(it, line) { StoreFault = store.Fault })];
        line.Happened += (what, _) => (readers.Find(it => it.Entry.Address == what.Address) ?? readers[0]).Raise(what);
        line.Stored += (address, fault) => readers.Find(it => it.Entry.Address == address)!.StoreFault = fault;
        line.LineChanged += (fault, _) => readers.ForEach(it => it.PortFault = fault);
        return readers;
    }
}
