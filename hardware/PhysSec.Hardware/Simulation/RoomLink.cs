using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace PhysSec.Hardware.Simulation;

/// <summary>
/// The board's end of the wire to a simulated room: one request at a time, one answer each, and edges pushed in between.
/// A lost room is looked for five times a second.
/// </summary>
internal sealed class RoomLink : IDisposable
{
    public const string Greeting = "board 1";

    private static readonly TimeSpan _answerWithin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(200);

    private readonly Lock _turn = new();
    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<(int Line, bool High)> _edges = Channel.CreateBounded<(int, bool)>(
        new BoundedChannelOptions(1_024) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private Socket? _socket;
    private TaskCompletionSource<string>? _pending;
    private bool _disposed;

    private RoomLink(string path, TimeProvider clock) => (_path, _clock) = (path, clock);

    /// <summary>An edge on a watched line. Raised on one driver thread, in order.</summary>
    public event Action<int, bool>? Edge;

    /// <summary>The room is back: whoever holds lines opens them again.</summary>
    public event Action? Restored;

    /// <summary>Connects once, so that a missing room stops the start.</summary>
    /// <exception cref="IOException">Nothing answers at the socket.</exception>
    [SuppressMessage("Reliability", "CA2025", Justification = "The receiving task ends because the socket is disposed.")]
    public static RoomLink Open(string path, TimeProvider clock)
    {
        var link = new RoomLink(path, clock);
        try
        {
            var socket = Connect(path);
            link.Use(socket);
            _ = Task.Run(() => link.ReceiveForEverAsync(socket));
            _ = Task.Run(link.DeliverEdgesAsync);
            return link;
        }
        catch (Exception failure) when (failure is SocketException or ArgumentException)
        {
            link.Dispose();
            throw new IOException($"No simulated room answers at {path}: {failure.Message}", failure);
        }
    }

    /// <summary>Asks and waits for the answer without its "ok".</summary>
    /// <exception cref="IOException">The room is gone, or refuses; the message says which.</exception>
    public string Request(string line)
    {
        lock (_turn)
        {
            var answer = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            Socket socket;
            lock (_gate)
            {
                socket = _socket ?? throw new IOException("Error 19 (The simulated room is gone).");
                _pending = answer;
            }

            try
            {
                Send(socket, line);
                var reply = answer.Task.WaitAsync(_answerWithin, _clock).GetAwaiter().GetResult();
                if (reply == "ok") return "";
                if (reply.StartsWith("ok ", StringComparison.Ordinal)) return reply[3..];

                throw new IOException(reply.StartsWith("error ", StringComparison.Ordinal) ? $"E{reply[1..]}" : $"The room answered \"{reply}\".");
            }
            catch (Exception failure) when (failure is SocketException or TimeoutException or ObjectDisposedException)
            {
                socket.Dispose(); // An answer that comes too late would be taken for the next one.
                throw new IOException($"Error 110 ({failure.Message}).", failure);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
        }

        _stop.Cancel();
        Drop();
        _edges.Writer.TryComplete();
        _stop.Dispose();
    }

    private static Socket Connect(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            Send(socket, Greeting);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void Send(Socket socket, string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line + "\n");
        for (var sent = 0; sent < bytes.Length;) sent += socket.Send(bytes.AsSpan(sent));
    }

    private void Use(Socket socket)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _socket = socket;
        }
    }

    private async Task ReceiveForEverAsync(Socket first)
    {
        var stop = _stop.Token;
        for (var socket = first; ;)
        {
            await ReceiveAsync(socket);
            Drop();
            do
            {
                if (_disposed) return;
                try
                {
                    await Task.Delay(_lookAgain, _clock, stop);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
            while (!TryReconnect(out socket));

            _ = Task.Run(() => Restored?.Invoke());
        }
    }

    private bool TryReconnect(out Socket socket)
    {
        socket = null!;
        try
        {
            socket = Connect(_path);
            Use(socket);
            return true;
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            socket?.Dispose();
            return false; // The room is still away; the next look is due.
        }
    }

    private async Task ReceiveAsync(Socket socket)
    {
        try
        {
            using var reader = new StreamReader(new NetworkStream(socket, ownsSocket: false), Encoding.UTF8);
            while (await reader.ReadLineAsync(_stop.Token) is { } line) Take(line);
        }
        catch (Exception end) when (end is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The end of this connection, however it came: the caller connects again.
        }
    }

    private void Take(string line)
    {
        if (line.StartsWith("edge ", StringComparison.Ordinal))
        {
            var parts = line.Split(' ');
            if (parts.Length >= 3 && int.TryParse(parts[1], CultureInfo.InvariantCulture, out var pin))
                _edges.Writer.TryWrite((pin, parts[2] == "1"));
            return;
        }

        lock (_gate)
        {
            _pending?.TrySetResult(line);
            _pending = null;
        }
    }

    private async Task DeliverEdgesAsync()
    {
        await foreach (var (line, high) in _edges.Reader.ReadAllAsync()) Edge?.Invoke(line, high);
    }

    private void Drop()
    {
        lock (_gate)
        {
            _socket?.Dispose();
            _socket = null;
            _pending?.TrySetException(new ObjectDisposedException(nameof(RoomLink), "The simulated room is gone"));
            _pending = null;
        }
    }
}
