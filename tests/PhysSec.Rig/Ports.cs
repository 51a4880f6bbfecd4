using System.Net;
using System.Net.Sockets;

namespace PhysSec.Rig;

/// <summary>Free ports on the loopback address.</summary>
public static class Ports
{
    /// <summary>So many different ports that nobody listens on now.</summary>
    public static int[] Free(int count)
    {
        var sockets = new List<Socket>();
        try
        {
            for (var i = 0; i < count; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                sockets.Add(socket);
                socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            }

            return [.. sockets.Select(it => ((IPEndPoint)it.LocalEndPoint!).Port)];
        }
        finally
        {
            foreach (var it in sockets) it.Dispose();
        }
    }
}
