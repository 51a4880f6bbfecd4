namespace PhysSec.Hardware.Simulation;

/// <summary>Simulated readers on one line, without the line: bytes in, bytes out.</summary>
public sealed class PeripheralBus
{
    private readonly OsdpReceiver _receiver = new(OsdpReceiver.StandardGap);
    private readonly Action<byte[]> _random;
    private readonly List<PeripheralLink> _links;

    /// <param name="readers">Each with an address of its own.</param>
    /// <param name="random">Fills the readers' random numbers.</param>
    public PeripheralBus(IReadOnlyList<PeripheralSettings> readers, Action<byte[]> random) =>
        (_random, _links) = (random, [.. readers.Select(it => new PeripheralLink(new OsdpPeripheral(it), random))]);

    /// <summary>The readers, in the order in which they were given.</summary>
    public IReadOnlyList<OsdpPeripheral> Readers => [.. _links.Select(it => it.Reader)];

    internal IReadOnlyList<PeripheralLink> Links => _links;

    /// <summary>What the readers answer to what the line brought; often nothing.</summary>
    public byte[] Take(ReadOnlySpan<byte> bytes, TimeSpan now)
    {
        List<byte> answers = [];
        foreach (var it in (IReadOnlyList<OsdpReceived>)[.. _receiver.Expire(now), .. _receiver.Receive(bytes, now)])
        {
            if (it.Frame is not { } frame) continue;
            foreach (var link in _links)
                if (link.Take(frame, now) is { } answer) answers.AddRange(answer);
        }

        return [.. answers];
    }

    /// <summary>Cuts a reader's power and gives it back: its session is gone, its key stays.</summary>
    public void Restart(OsdpPeripheral reader) => _links.First(it => it.Reader == reader).Restart();

    /// <summary>Screws a reader off and another one on.</summary>
    public void Exchange(OsdpPeripheral reader, OsdpPeripheral by) => _links[_links.FindIndex(it => it.Reader == reader)] = new(by, _random);

    /// <summary>Within a Secure Channel.</summary>
    public bool IsSecured(OsdpPeripheral reader) => _links.First(it => it.Reader == reader).Secured;
}
