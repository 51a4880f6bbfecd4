using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using PhysSec.Core.Doors;
using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;
using PhysSec.Node.Readers;
using PhysSec.Rig;

namespace PhysSec.Benchmarks.Door;

/// <summary>
/// A room whose readers speak OSDP, around the node of an instance: the node is a process of its own and comes through its serial calls; line, lock and clock are in this process, so that one clock
/// stamps both ends. Keys are installed already. Each reader is the entry of a door of its own; the first is the one that has a lock.
/// </summary>
internal sealed class ReaderRoom : IAsyncDisposable
{
    private const string Lock = "door-a.lock", Port = "readers.pty";
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(30), _look = TimeSpan.FromMilliseconds(10);
    private static readonly CardBits _card = WiegandFrame.Encode26(DemoPerson.Facility, DemoPerson.All[0].Number);

    private readonly Instance _instance;
    private readonly string _socket;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _serving;
    private readonly VirtualReaders? _line;
    private readonly OsdpReceiver _commands = new(OsdpReceiver.StandardGap);
    private readonly Dictionary<byte, List<long>> _polls = [];
    private readonly System.Threading.Lock _gate = new();
    private TaskCompletionSource<long> _switched = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _awaited;
    private long _sent, _polled;

    private ReaderRoom(Instance instance, int baud, int readers)
    {
        (_instance, _socket) = (instance, Path.Combine(instance.State, "bench.sock"));
        OsdpKey[] keys = [.. Enumerable.Range(0, readers).Select(_ => NewKey())];
        WriteBoard(baud, readers);
        WriteKeys(keys);

        var board = BoardFile.Load(Path.Combine(instance.NodeFolder, "board.json"));
        if (readers > 0)
        {
            var settings = keys.Select((key, i) => new PeripheralSettings { Address = (byte)i, Key = key, Identity = new(0x00_5053, 1, 2, 1_000u + (uint)i, 0x01_0000) });
            _line = new VirtualReaders([.. settings], baud, TimeProvider.System, Path.Combine(instance.NodeFolder, Port));
            _line.Tapped += OnBytes;
        }

        // The line is this program's, so that it can listen; the room has everything else.
        var parameters = RoomParameters.For(board) with { Devices = [.. board.Devices.Where(it => it is not OsdpEntry)] };
        var server = new RoomServer(_socket, parameters, DemoPerson.Badges, TimeProvider.System);
        server.Switched += OnSwitched;
        _serving = server.RunAsync(_end.Token);
    }

    /// <summary>What the node's process has taken of the processors until now.</summary>
    public TimeSpan Cpu
    {
        get
        {
            using var process = Process.GetProcessById(_instance.Node.Pid);
            return process.TotalProcessorTime;
        }
    }

    /// <summary>Starts the instance's node anew at such a board; returns once every reader is secured and the hub has the node online.</summary>
    public static async Task<ReaderRoom> StartAsync(Instance instance, int baud, int readers, CancellationToken cancel)
    {
        await instance.KillNodeAsync();
        var room = new ReaderRoom(instance, baud, readers);
        try
        {
            instance.StartNode();
            await instance.NodeReadyAsync(cancel);
            await UntilAsync("every reader to be secured", () => Task.FromResult(room._line?.With((bus, _) => bus.Readers.All(bus.IsSecured)) ?? true), cancel);
            return room;
        }
        catch
        {
            await room.DisposeAsync();
            throw;
        }
    }

    /// <summary>A card is held to the first reader.</summary>
    /// <returns>From there until the last byte of the reader's reply is on the wire, and from that until the lock's output is on.</returns>
    public async Task<(TimeSpan ToReply, TimeSpan ToLock)> BadgeAsync(CancellationToken cancel)
    {
        var released = Expect(on: true);
        var shown = Stopwatch.GetTimestamp();
        _line!.With((bus, _) =>
        {
            bus.Readers[0].Present(_card);
            return 0;
        });
        var at = await InTimeAsync(
            () => $"the lock output to come on; the reader has {(Interlocked.Read(ref _sent) > shown ? "told the card" : "not told the card")} and is {(_line.With((bus, _) => bus.IsSecured(bus.Readers[0])) ? "secured" : "not secured")}. {_instance.Node.Tail()}",
            released, cancel);
        var sent = Interlocked.Read(ref _sent);
        if (sent < shown) throw new RigException("the lock came on before any card was told");
        return (Stopwatch.GetElapsedTime(shown, sent), Stopwatch.GetElapsedTime(sent, at));
    }

    /// <summary>Somebody goes in; returns when the node has the door locked and shut again, and has nothing more to show at the reader: an order goes before a poll.</summary>
    public async Task PassAsync(CancellationToken cancel)
    {
        var locked = Expect(on: false);
        await ActAsync("open", cancel);
        await InTimeAsync(() => "the door to lock again", locked, cancel);
        await SeenAsync(DoorPhase.Open, cancel); // What the hub shows may be from before.
        await ActAsync("close", cancel);
        await SeenAsync(DoorPhase.Locked, cancel);
        var since = Stopwatch.GetTimestamp();
        await UntilAsync("the reader to be polled", () => Task.FromResult(Interlocked.Read(ref _polled) > since), cancel);
    }

    /// <summary>Looks on for a while: milliseconds from one poll to the next of the same reader.</summary>
    public async Task<Percentiles> PollsAsync(TimeSpan time, CancellationToken cancel)
    {
        lock (_gate) _polls.Clear();
        await Task.Delay(time, TimeProvider.System, cancel);
        lock (_gate)
            return new(_polls.Values.SelectMany(it => it.Zip(it.Skip(1), (a, b) => Stopwatch.GetElapsedTime(a, b).TotalMilliseconds)));
    }

    public async ValueTask DisposeAsync()
    {
        await _instance.KillNodeAsync();
        _line?.Dispose();
        await _end.CancelAsync();
        await _serving;
        _end.Dispose();
    }

    private static OsdpKey NewKey() =>
        OsdpKey.Create(RandomNumberGenerator.GetBytes(OsdpKey.Length), out var key) == OsdpKeyFault.None ? key! : NewKey();

    private static string Reader(int i) => $"door-{(char)('a' + i)}.entry";

    private void WriteBoard(int baud, int readers)
    {
        var board = JsonNode.Parse(File.ReadAllText(Programs.Board("one-room-simulated")))!;
        board["hardware"]!["socket"] = _socket;
        var devices = board["devices"]!.AsArray();
        if (readers > 0) devices.Remove(devices.Single(it => (string?)it!["id"] == Reader(0)));
        for (var i = 0; i < readers; i++)
        {
            devices.Add(new JsonObject
            {
                ["id"] = Reader(i),
                ["type"] = "osdp",
                ["role"] = "entryReader",
                ["door"] = Reader(i).Split('.')[0],
                ["port"] = Port,
                ["baud"] = baud,
                ["address"] = i,
            });
        }

        Files.WriteSecret(Path.Combine(_instance.NodeFolder, "board.json"), board.ToJsonString());
    }

    private void WriteKeys(OsdpKey[] keys)
    {
        var path = Path.Combine(_instance.NodeFolder, "state", ReaderKeyFile.Name);
        File.Delete(path);
        using var file = ReaderKeyFile.Open(path); // Who has stored in it holds it.
        foreach (var (i, key) in keys.Index()) file.Store(Reader(i), new(new(key, null), null));
    }

    private Task SeenAsync(DoorPhase phase, CancellationToken cancel) => UntilAsync($"the node to have the door {phase}", async () =>
        (string?)(await _instance.Operator.GetAsync("doors", cancel)).AsArray()[0]?["live"]?["state"]?["state"] == phase.ToString(), cancel);

    private async Task ActAsync(string command, CancellationToken cancel)
    {
        var answer = await RoomClient.SendAsync(_socket, command, cancel);
        if (!answer.StartsWith("ok", StringComparison.Ordinal)) throw new RigException($"room: {command}: {answer}");
    }

    private Task<long> Expect(bool on)
    {
        lock (_gate)
        {
            (_awaited, _switched) = (on, new(TaskCreationOptions.RunContinuationsAsynchronously));
            return _switched.Task;
        }
    }

    private void OnSwitched(string output, bool on)
    {
        var now = Stopwatch.GetTimestamp();
        if (output != Lock) return;
        lock (_gate)
            if (on == _awaited) _switched.TrySetResult(now);
    }

    private void OnBytes(bool fromReaders, ReadOnlyMemory<byte> bytes)
    {
        var now = Stopwatch.GetTimestamp();
        if (fromReaders)
        {
            if (OsdpFrame.Parse(bytes.Span[1..], out var reply) == OsdpFrameFault.None && reply!.Reply == OsdpReply.CardBits) Interlocked.Exchange(ref _sent, now);
            return;
        }

        foreach (var it in _commands.Receive(bytes.Span, Stopwatch.GetElapsedTime(0, now)))
        {
            if (it.Frame is not { IsReply: false, Command: OsdpCommand.Poll } poll) continue;
            if (poll.Address == 0) Interlocked.Exchange(ref _polled, now);
            lock (_gate)
            {
                if (!_polls.TryGetValue(poll.Address, out var times)) _polls.Add(poll.Address, times = []);
                times.Add(now);
            }
        }
    }

    private static async Task<long> InTimeAsync(Func<string> what, Task<long> happens, CancellationToken cancel)
    {
        try
        {
            return await happens.WaitAsync(_limit, TimeProvider.System, cancel);
        }
        catch (TimeoutException)
        {
            throw new RigException(string.Create(CultureInfo.InvariantCulture, $"waited {_limit.TotalSeconds} s for {what()}"));
        }
    }

    private static async Task UntilAsync(string what, Func<Task<bool>> condition, CancellationToken cancel)
    {
        var start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(start) > _limit) throw new RigException(string.Create(CultureInfo.InvariantCulture, $"waited {_limit.TotalSeconds} s for {what}"));
            await Task.Delay(_look, TimeProvider.System, cancel);
        }
    }
}
