using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;

namespace PhysSec.Tests.Osdp;

/// <summary>A line in simulated time: bytes take their time on the wire, readers answer after 3 ms, and a test may change, add or swallow any reply.</summary>
internal sealed class VirtualBus
{
    private static readonly TimeSpan _turnRound = TimeSpan.FromMilliseconds(3);

    private readonly int _baud;
    private readonly SortedList<TimeSpan, byte[]> _arriving = [];
    private TimeSpan _lineBusyUntil;

    public VirtualBus(int baud, IReadOnlyList<OsdpLink> links, params IReadOnlyList<PeripheralLink> readers) =>
        (_baud, Bus, Readers) = (baud, new OsdpBus(baud, links), readers);

    public OsdpBus Bus { get; }

    public IReadOnlyList<PeripheralLink> Readers { get; }

    public TimeSpan Now { get; private set; }

    public List<(TimeSpan At, OsdpEvent What)> Events { get; } = [];

    public List<(TimeSpan At, OsdpFrame Frame)> Commands { get; } = [];

    /// <summary>What is on disk, by address.</summary>
    public Dictionary<byte, OsdpKeyState> Disk { get; } = [];

    /// <summary>Keys are written to disk at once; else the test does it.</summary>
    public bool StoresKeys { get; set; } = true;

    /// <summary>Makes of a command and its true reply (null: none) what comes: any number of pieces, with a delay each.</summary>
    public Func<OsdpFrame, byte[]?, IEnumerable<(byte[] Bytes, int DelayMs)>>? Tamper { get; set; }

    /// <summary>Sees each command before any reader; false: it is lost.</summary>
    public Func<OsdpFrame, bool>? Passes { get; set; }

    public IEnumerable<T> Of<T>() where T : OsdpEvent => Events.Select(it => it.What).OfType<T>();

    public IEnumerable<OsdpSecurity> Alarms => Of<OsdpEvent.Security>().Select(it => it.Kind);

    public void Tell(byte address, OsdpLinkInput input) => Take(Bus.Tell(address, input, Now));

    public void Inject(byte[] bytes, int delayMs = 0) => Arrive(Now + TimeSpan.FromMilliseconds(delayMs), bytes);

    public void Run(double seconds)
    {
        var until = Now + TimeSpan.FromSeconds(seconds);
        while (true)
        {
            var received = new List<byte>();
            while (_arriving.Count > 0 && _arriving.GetKeyAtIndex(0) <= Now)
            {
                received.AddRange(_arriving.GetValueAtIndex(0));
                _arriving.RemoveAt(0);
            }

            var step = Bus.Step([.. received], Now);
            Take(step.Events);
            Assert.True(step.Send.Length > 0 || step.Next > Now, "a shell that obeys would spin");
            if (step.Send.Length > 0) Transmit(step.Send);
            var next = _arriving.Count > 0 && _arriving.GetKeyAtIndex(0) < step.Next ? _arriving.GetKeyAtIndex(0) : step.Next;
            if (step.Send.Length > 0 || next <= Now) next = Now + TimeSpan.FromTicks(1); // It may have more to do now.
            if (next > until) break;
            Now = next;
        }

        Now = until;
    }

    public void RunUntil(Func<bool> condition, double seconds)
    {
        for (var at = 0.0; at < seconds && !condition(); at += 0.01) Run(0.01);
        Assert.True(condition(), $"not within {seconds} s: {string.Join(" | ", Events.TakeLast(12))}");
    }

    private void Take(IReadOnlyList<OsdpEvent> events)
    {
        foreach (var it in events)
        {
            Events.Add((Now, it));
            if (it is not OsdpEvent.KeysChanged changed || !StoresKeys) continue;
            Disk[it.Address] = changed.Keys;
            Take(Bus.Tell(it.Address, new OsdpLinkInput.KeysStored(changed.Keys), Now));
        }
    }

    private void Transmit(ReadOnlyMemory<byte> send)
    {
        Assert.True(Now >= _lineBusyUntil + OsdpTiming.Quiet(_baud), "the line was not quiet before a command");
        Assert.Equal(OsdpFrame.Mark, send.Span[0]);
        var frame = OsdpSecureChannelTests.Parse(send[1..].ToArray());
        Commands.Add((Now, frame));
        var heard = Now + OsdpTiming.WireTime(send.Length, _baud);
        _lineBusyUntil = heard;
        if (Passes?.Invoke(frame) == false) return;

        var reply = Readers.Select(it => it.Take(frame, heard)).FirstOrDefault(it => it is not null);
        var pieces = Tamper?.Invoke(frame, reply) ?? (reply is null ? [] : [(reply, 0)]);
        foreach (var (bytes, delay) in pieces)
        {
            if (bytes.Length == 0) continue;
            var start = heard + _turnRound + TimeSpan.FromMilliseconds(delay);
            for (var at = 0; at < bytes.Length; at += 14) // As a serial port hands them over.
            {
                var end = Math.Min(at + 14, bytes.Length);
                Arrive(start + OsdpTiming.WireTime(end, _baud), bytes[at..end]);
            }

            _lineBusyUntil = delay == 0 ? start + OsdpTiming.WireTime(bytes.Length, _baud) : _lineBusyUntil;
        }
    }

    private void Arrive(TimeSpan at, byte[] bytes)
    {
        while (_arriving.ContainsKey(at)) at += TimeSpan.FromTicks(1);
        _arriving.Add(at, bytes);
    }
}

/// <summary>What the link's tests start from.</summary>
internal static class Line
{
    public static readonly OsdpKey Key = OsdpSecureChannelTests.Key("6B1F3D5A99C04E7720F8A1B3D4C5E697"), OtherKey = OsdpSecureChannelTests.Key("0A7723D5F1C94E7720F8A1B3D4C5E6FE");

    public static readonly CardBits Card = WiegandFrame.Encode26(123, 45_678);

    public static PeripheralLink Reader(byte address, OsdpKey? key, OsdpIdentity? identity = null)
    {
        var seed = new Random(address + 1);
        var settings = new PeripheralSettings { Address = address, Key = key };
        return new(new OsdpPeripheral(identity is { } it ? settings with { Identity = it } : settings), seed.NextBytes);
    }

    public static OsdpLink Link(byte address, OsdpKeyState keys, OsdpLinkSettings? settings = null)
    {
        var seed = new Random(address + 1_000);
        return new(settings ?? new OsdpLinkSettings(address), keys, seed.NextBytes);
    }

    public static OsdpKey KeyOf(byte address) => OsdpSecureChannelTests.Key($"6B1F3D5A99C04E7720F8A1B3D4C5E6{address:X2}");

    /// <summary>One reader with its key, online.</summary>
    public static VirtualBus Online(int baud = 9_600, OsdpLinkSettings? settings = null)
    {
        var bus = new VirtualBus(baud, [Link(0, new OsdpKeyState(Key, null), settings)], Reader(0, Key));
        bus.RunUntil(() => bus.Bus.Links[0].State == OsdpLinkState.Online, 2);
        bus.Run(1);
        return bus;
    }

    /// <summary>As many readers with a key each, online.</summary>
    public static VirtualBus Many(int count, int baud, int absent = 0)
    {
        var links = Enumerable.Range(0, count + absent).Select(it => Link((byte)it, new OsdpKeyState(KeyOf((byte)it), null))).ToArray();
        return new VirtualBus(baud, links, [.. Enumerable.Range(0, count).Select(it => Reader((byte)it, KeyOf((byte)it)))]);
    }
}
