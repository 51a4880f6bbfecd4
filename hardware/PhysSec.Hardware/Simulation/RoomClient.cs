using System.Net.Sockets;
using System.Text;

namespace PhysSec.Hardware.Simulation;

/// <summary>Says one command to a simulated room.</summary>
public static class RoomClient
{
    /// <summary>The room's answer: "ok …" or "error: …".</summary>
    /// <exception cref="IOException">No room answers at the socket.</exception>
    public static async Task<string> SendAsync(string socketPath, string command, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (command.AsSpan().ContainsAny('\n', '\r')) return "error: a command is one line; send one after the other";

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
            await using var stream = new NetworkStream(socket);
            await stream.WriteAsync(Encoding.UTF8.GetBytes(command + "\n"), cancellationToken);
            var lines = new BoundedLines(stream, RoomServer.LongestLine);
            return await lines.ReadAsync(cancellationToken) ?? throw new IOException("The room hung up without an answer.");
        }
        catch (Exception failure) when (failure is SocketException or ArgumentException or InvalidDataException)
        {
            throw new IOException($"No simulated room answers at {socketPath}: {failure.Message}", failure);
        }
    }
}
