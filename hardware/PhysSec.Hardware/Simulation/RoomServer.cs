using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace PhysSec.Hardware.Simulation;

/// <summary>
/// A simulated room behind a Unix socket that only its owner may open. It runs in a process of its own, so that a node
/// killed at any moment leaves the world standing and its lines released. A connection that starts with the board's
/// greeting is a board; any other is a person's, one command a line, one answer a line.
/// </summary>
public sealed class RoomServer
{
    internal const int LongestLine = 4_096;
    private const int SocketPathMax = 107;
    private const int ConnectionsMax = 32;

    private static readonly TimeSpan _tick = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly RoomParameters _parameters;
    private readonly TimeProvider _clock;
    private readonly Room _room;
    private readonly Sht4xChip _chip;
    private readonly RoomWires _wires;
    private readonly RoomReaders _osdp;
    private readonly RoomCommands _commands;
    private readonly Dictionary<string, SemaphoreSlim> _readers;
    private readonly long _start;
    private long _stepped;
    private int _connections;

    /// <param name="socketPath">At most 107 bytes; created with mode 0600.</param>
    /// <param name="parameters">What the room is made of and how it is wired.</param>
    /// <param name="badges">Names that "badge NAME" knows: facility 0 to 255, number 0 to 65535.</param>
    /// <param name="clock">Time of the room.</param>
    /// <param name="readerKeys">Keys of the OSDP readers that are installed already; the others are fresh from the factory.</param>
    /// <param name="keyTaken">Told of a reader (its id) that takes a new key, before it says so on the line: what a reader would remember without power.</param>
    public RoomServer(
        string socketPath,
        RoomParameters parameters,
        IReadOnlyDictionary<string, (int Facility, int Number)> badges,
        TimeProvider clock,
        IReadOnlyDictionary<string, OsdpKey>? readerKeys = null,
        Action<string, OsdpKey>? keyTaken = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(socketPath);
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(badges);
        ArgumentNullException.ThrowIfNull(clock);
        if (Encoding.UTF8.GetByteCount(socketPath) > SocketPathMax)
        {
            throw new ArgumentException(
                $"The socket's path has more than {SocketPathMax} bytes; choose a shorter folder.", nameof(socketPath));
        }

        foreach (var (name, card) in badges)
        {
            if (card.Facility is < 0 or > 255 || card.Number is < 0 or > 65_535)
                throw new ArgumentException($"The badge of {name} is outside facility 0-255, number 0-65535.", nameof(badges));
        }

        (_path, _parameters, _clock) = (socketPath, parameters, clock);
        _room = new Room(parameters);
        _chip = new Sht4xChip(0x0FD1_5EC0, parameters.Seed);
        _wires = new RoomWires(parameters, _room, _chip);
        _osdp = new RoomReaders(parameters.Devices, readerKeys ?? new Dictionary<string, OsdpKey>(), keyTaken, clock);
        _commands = new RoomCommands(parameters, _room, _chip, badges, _wires.Lines, _osdp);
        _readers = parameters.Devices.OfType<WiegandEntry>().ToDictionary(it => it.Id, _ => new SemaphoreSlim(1));
        _start = _stepped = clock.GetTimestamp();
    }

    /// <inheritdoc cref="Room.Switched"/>
    public event Action<string, bool>? Switched
    {
        add => _room.Switched += value;
        remove => _room.Switched -= value;
    }

    private TimeSpan Uptime => _clock.GetElapsedTime(_start);

    /// <summary>Serves until cancelled; then the socket is gone.</summary>
    /// <exception cref="IOException">Another room serves this socket, or it cannot be made.</exception>
    [SuppressMessage("Reliability", "CA2025", Justification = "Each connection's task owns its socket.")]
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var listener = Listen();
        using var tick = _clock.CreateTimer(_ => Locked(() => 0), null, _tick, _tick); // Long silences stay cheap to catch up.
        try
        {
            while (true)
            {
                var socket = await listener.AcceptAsync(cancellationToken);
                if (Interlocked.Increment(ref _connections) <= ConnectionsMax) _ = ServeAsync(socket, cancellationToken);
                else Refuse(socket);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The regular end.
        }
        finally
        {
            _osdp.Close();
            File.Delete(_path);
        }
    }

    /// <summary>Bound in a folder that nobody else may enter and moved out ready: it is never open to others.</summary>
    private Socket Listen()
    {
        if (OperatingSystem.IsWindows()) throw new PlatformNotSupportedException("The simulated room needs Linux.");

        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var folder = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(_path))!, $".r{Environment.ProcessId:x}");
        try
        {
            if (SomebodyAnswers()) throw new IOException($"Another simulated room serves {_path}; stop it, or choose another path.");

            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var inside = Path.Combine(folder, "s");
            File.Delete(inside);
            socket.Bind(new UnixDomainSocketEndPoint(inside));
            File.SetUnixFileMode(inside, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            socket.Listen(ConnectionsMax);
            File.Move(inside, _path, overwrite: true);
            return socket;
        }
        catch (Exception failure)
        {
            socket.Dispose();
            if (failure is SocketException or UnauthorizedAccessException or ArgumentException)
                throw new IOException($"The room's socket cannot be made at {_path}: {failure.Message}", failure);
            throw;
        }
        finally
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }

    private bool SomebodyAnswers()
    {
        if (!File.Exists(_path)) return false;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(_path));
            return true;
        }
        catch (SocketException)
        {
            return false; // Left over from a room that was killed.
        }
    }

    private void Refuse(Socket socket)
    {
        socket.Dispose();
        Interlocked.Decrement(ref _connections);
    }

    private async Task ServeAsync(Socket socket, CancellationToken cancel)
    {
        await Task.Yield();
        try
        {
            using (socket)
            await using (var stream = new NetworkStream(socket))
            {
                var lines = new BoundedLines(stream, LongestLine);
                var first = await lines.ReadAsync(cancel);
                if (first == RoomLink.Greeting) await ServeBoardAsync(socket, stream, lines, cancel);
                else if (first is not null) await ServePersonAsync(stream, lines, first, cancel);
            }
        }
        catch (Exception end) when (end is IOException or InvalidDataException or OperationCanceledException or ObjectDisposedException)
        {
            // This connection is over; the room and the others go on.
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
        }
    }

    private async Task ServePersonAsync(Stream stream, BoundedLines lines, string first, CancellationToken cancel)
    {
        for (var line = first; line is not null; line = await lines.ReadAsync(cancel))
            await stream.WriteAsync(Encoding.UTF8.GetBytes(await ActAsync(line, cancel) + "\n"), cancel);
    }

    private async Task ServeBoardAsync(Socket socket, Stream stream, BoundedLines lines, CancellationToken cancel)
    {
        var outbox = Channel.CreateBounded<string>(new BoundedChannelOptions(4_096) { SingleReader = true });
        var end = new RoomWires.End(
            it =>
            {
                if (!outbox.Writer.TryWrite(it)) socket.Close(); // A board that does not listen for 4096 edges is dead.
            },
            () => HasHungUp(socket));
        var sending = SendAsync(outbox.Reader, stream, cancel);
        try
        {
            while (await lines.ReadAsync(cancel) is { } request)
                Locked(() => { end.Push(_wires.Answer(end, request, Uptime)); return 0; });
        }
        finally
        {
            Locked(() => { _wires.Release(end); return 0; });
            outbox.Writer.TryComplete();
            await sending;
        }
    }

    private static async Task SendAsync(ChannelReader<string> outbox, Stream stream, CancellationToken cancel)
    {
        try
        {
            await foreach (var line in outbox.ReadAllAsync(cancel))
                await stream.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), cancel);
        }
        catch (Exception end) when (end is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The reading side sees the same end and releases the lines.
        }
    }

    private static bool HasHungUp(Socket socket)
    {
        try
        {
            return socket.Poll(TimeSpan.Zero, SelectMode.SelectRead) && socket.Available == 0;
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            return true;
        }
    }

    private async Task<string> ActAsync(string command, CancellationToken cancel)
    {
        var act = Locked(() => _commands.Take(command, _wires.LinesHeld));
        if (act.PressExit is { } door)
        {
            Locked(() => door.ExitPressed = true);
            await Task.Delay(_parameters.ExitPress, _clock, cancel);
            Locked(() => door.ExitPressed = false);
        }

        if (act is { Reader: { } reader, Bits: { } bits }) await ShowAsync(reader, bits, cancel);
        foreach (var key in act.Keys)
        {
            await Task.Delay(act.Reader!.FrameGap * 4, _clock, cancel); // Nobody types faster, and the board must see where a frame ends.
            await ShowAsync(act.Reader, RoomCommands.ToBits(key), cancel);
        }

        return act.Answer;
    }

    /// <summary>Sends a card's pulses at their pace; a late wake-up is made good, never stretched over the rest.</summary>
    private async Task ShowAsync(WiegandEntry reader, bool[] bits, CancellationToken cancel)
    {
        var turn = _readers[reader.Id];
        await turn.WaitAsync(cancel);
        try
        {
            var begin = Uptime;
            for (var i = 0; i < bits.Length; i++)
            {
                var due = begin + (_parameters.BitInterval * i);
                var wait = due - Uptime;
                if (wait >= TimeSpan.FromMilliseconds(1)) await Task.Delay(wait, _clock, cancel);
                var line = bits[i] ? reader.D1 : reader.D0;
                Locked(() => { _wires.Pulse(line, due.TotalSeconds); return 0; });
            }
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Brings the air up to now, acts, and tells the boards what changed.</summary>
    private T Locked<T>(Func<T> act)
    {
        lock (_gate)
        {
            var now = _clock.GetTimestamp();
            _room.Step(_clock.GetElapsedTime(_stepped, now).TotalSeconds * _commands.Speed);
            _stepped = now;
            var result = act();
            _wires.TellChanges(Uptime.TotalSeconds);
            return result;
        }
    }
}
