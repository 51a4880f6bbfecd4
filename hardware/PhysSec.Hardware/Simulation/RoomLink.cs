using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace PhysSec.Hardware.Simulation;

/// <summary>An edge of a simulated room.</summary>
/// <param name="Line">The line.</param>
/// <param name="High">Its new level.</param>
/// <param name="Wire">When it happened on the wire, in nanoseconds of the room's clock.</param>
/// <param name="Count">Counts this line's edges of this kind as they arrive, those that are dropped too.</param>
internal readonly record struct RoomEdge(int Line, bool High, long Wire, uint Count);

/// <summary>
/// The board's end of the wire to a simulated room: one request at a time, one answer each, and edges pushed in between.
/// Two threads of its own, one that receives and one that delivers, so that a crowded thread pool delays no edge. A lost
/// room is looked for five times a second.
/// </summary>
internal sealed class RoomLink : IDisposable
{
    public const string Greeting = "board 1";

    private const int Returned = -1;
    private static readonly TimeSpan _answerWithin = TimeSpan.FromSeconds(3); // A crowded machine is not a dead room.
    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(200);

    private readonly Lock _turn = new();
    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly ManualResetEventSlim _stop = new();
    private readonly BlockingCollection<RoomEdge> _edges = new(1_024);
    private readonly Dictionary<(int Line, bool High), uint> _counts = [];

    private Socket? _socket;
    private TaskCompletionSource<string?>? _pending;

    private RoomLink(string path) => _path = path;

    /// <summary>A line's level as the room tells it, at once and in order; callbacks belong into <see cref="Edge"/>.</summary>
    public event Action<int, bool>? LevelTold;

    /// <summary>An edge. Raised on the delivering thread, in order.</summary>
    public event Action<RoomEdge>? Edge;

    /// <summary>The room is back: whoever holds lines opens them again. Raised on the delivering thread.</summary>
    public event Action? Restored;

    public bool Up
    {
        get
        {
            lock (_gate) return _socket is not null;
        }
    }

    /// <summary>Connects once, so that a missing room stops the start.</summary>
    /// <exception cref="IOException">Nothing answers at the socket.</exception>
    public static RoomLink Open(string path)
    {
        var link = new RoomLink(path);
        try
        {
            link.Connect();
        }
        catch (Exception failure) when (failure is SocketException or ArgumentException)
        {
            link.Dispose();
            throw new IOException($"No simulated room answers at {path}: {failure.Message}", failure);
        }

        new Thread(link.ReceiveForEver) { IsBackground = true, Name = "room link" }.Start();
        new Thread(link.DeliverForEver) { IsBackground = true, Name = "room edges" }.Start();
        return link;
    }

    /// <summary>Asks and waits for the answer, given without its "ok".</summary>
    /// <exception cref="IOException">The room is gone, or refuses; the message says which.</exception>
    public string Request(string line)
    {
        lock (_turn)
        {
            var answer = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
            Socket socket;
            lock (_gate)
            {
                socket = _socket ?? throw Gone();
                _pending = answer;
            }

            try
            {
                Send(socket, line);
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
            {
                throw Gone();
            }

            if (!answer.Task.Wait(_answerWithin))
            {
                socket.Dispose(); // An answer that comes too late would be taken for the next one.
                throw new IOException("Error 110 (The simulated room does not answer).");
            }

            return answer.Task.Result switch
            {
                null => throw Gone(),
                "ok" => "",
                var it when it.StartsWith("ok ", StringComparison.Ordinal) => it[3..],
                var it when it.StartsWith("error ", StringComparison.Ordinal) => throw new IOException($"E{it[1..]}"),
                var it => throw new IOException($"Error 71 (The room answered \"{it}\")."),
            };
        }
    }

    public void Dispose()
    {
        if (_stop.IsSet) return;
        _stop.Set();
        Drop();
        _edges.CompleteAdding();
    }

    private static IOException Gone() => new("Error 19 (The simulated room is gone).");

    private static void Send(Socket socket, string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line + "\n");
        for (var sent = 0; sent < bytes.Length;) sent += socket.Send(bytes.AsSpan(sent));
    }

    private void Connect()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(_path));
            Send(socket, Greeting);
            lock (_gate) _socket = socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void ReceiveForEver()
    {
        while (!_stop.IsSet)
        {
            Receive();
            Drop();
            while (!_stop.Wait(_lookAgain) && !TryReconnect())
            {
            }
        }
    }

    private bool TryReconnect()
    {
        try
        {
            Connect();
            _edges.TryAdd(new(Returned, false, 0, 0));
            return true;
        }
        catch (Exception failure) when (failure is SocketException or InvalidOperationException)
        {
            return false; // The room is still away, or this board is closing; the next look is due.
        }
    }

    private void Receive()
    {
        Socket? socket;
        lock (_gate) socket = _socket;
        if (socket is null) return;
        try
        {
            using var reader = new StreamReader(new NetworkStream(socket, ownsSocket: false), Encoding.UTF8);
            while (reader.ReadLine() is { } line) Take(line);
        }
        catch (Exception end) when (end is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The end of this connection, however it came: the caller connects again.
        }
    }

    private void Take(string line)
    {
        if (line.StartsWith("edge ", StringComparison.Ordinal))
        {
            var parts = line.Split(' ');
            if (parts.Length < 3 || !int.TryParse(parts[1], CultureInfo.InvariantCulture, out var pin)) return;
            var high = parts[2] == "1";
            LevelTold?.Invoke(pin, high);
            var wire = parts.Length > 3 && decimal.TryParse(parts[3], NumberStyles.Number, CultureInfo.InvariantCulture, out var seconds) ? seconds : 0;
            var count = _counts[(pin, high)] = _counts.GetValueOrDefault((pin, high)) + 1;
            _edges.TryAdd(new(pin, high, (long)(wire * 1_000_000_000), count)); // Full means nobody looks any more: like the kernel, it drops.
            return;
        }

        lock (_gate)
        {
            _pending?.TrySetResult(line);
            _pending = null;
        }
    }

    private void DeliverForEver()
    {
        foreach (var it in _edges.GetConsumingEnumerable())
        {
            if (it.Line == Returned) Restored?.Invoke();
            else Edge?.Invoke(it);
        }
    }

    private void Drop()
    {
        lock (_gate)
        {
            _socket?.Dispose();
            _socket = null;
            _pending?.TrySetResult(null);
            _pending = null;
        }
    }
}
