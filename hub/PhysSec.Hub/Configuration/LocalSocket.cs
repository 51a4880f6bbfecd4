using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace PhysSec.Hub.Configuration;

/// <summary>
/// The running hub's HTTP API on a socket in its own folder, which the service's user and root alone can enter: how the command line acts on a hub that runs. Whoever
/// reaches it could as well stop the hub and act on the store itself.
/// </summary>
internal static class LocalSocket
{
    private const string Name = "hub.sock";
    private const int LengthMax = 100; // A socket's path has 108 bytes at most.

    /// <summary>The path to listen on; what a killed hub left there is removed.</summary>
    /// <exception cref="InvalidOperationException">The path is too long for a socket.</exception>
    public static string Claim(string folder)
    {
        var path = Path.Combine(folder, Name);
        if (System.Text.Encoding.UTF8.GetByteCount(path) > LengthMax) throw new InvalidOperationException($"--state {folder}: the path is too long for a socket; use one of at most {LengthMax - Name.Length - 1} bytes");
        File.Delete(path);
        return path;
    }

    /// <summary>Posts to the hub that runs on this folder. Null: none runs there.</summary>
    /// <exception cref="InvalidOperationException">The hub refused; its own sentence.</exception>
    public static Task<JsonNode?> PostAsync(string folder, string path, JsonNode body, TimeSpan? limit = null) => SendAsync(folder, HttpMethod.Post, path, body, limit);

    public static Task<JsonNode?> GetAsync(string folder, string path) => SendAsync(folder, HttpMethod.Get, path, null, null);

    private static async Task<JsonNode?> SendAsync(string folder, HttpMethod method, string path, JsonNode? body, TimeSpan? limit)
    {
        var file = Path.Combine(Path.GetFullPath(folder), Name);
        if (!File.Exists(file)) return null;
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(file), cancel);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        using var client = new HttpClient(handler) { BaseAddress = new Uri("http://localhost/api/v1/"), Timeout = limit ?? TimeSpan.FromSeconds(20) };
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = body is null ? null : JsonContent.Create(body) };
        HttpResponseMessage answer;
        try
        {
            answer = await client.SendAsync(request);
        }
        catch (HttpRequestException fault) when (fault.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
        {
            return null; // A killed hub left its socket behind.
        }

        using (answer)
        {
            var text = await answer.Content.ReadAsStringAsync();
            var read = text.Length == 0 ? new JsonObject() : JsonNode.Parse(text);
            return answer.IsSuccessStatusCode ? read : throw new InvalidOperationException((string?)read?["detail"] ?? $"the hub answered {(int)answer.StatusCode}");
        }
    }
}
