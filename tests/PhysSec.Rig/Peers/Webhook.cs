using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace PhysSec.Rig.Peers;

/// <summary>One call of the webhook.</summary>
/// <param name="Genuine">Whether the signature is that of the shared secret over the exact body.</param>
public sealed record WebhookCall(bool Genuine, string Id, JsonNode Body);

/// <summary>
/// A receiver of the alarms' webhook on the loopback address. It verifies what the Standard Webhooks specification asks a
/// receiver to: the HMAC-SHA256 of <c>id.timestamp.body</c> under the shared secret, and a timestamp that is not old.
/// </summary>
public sealed class Webhook : IAsyncDisposable
{
    private const int BodyMax = 1 << 20;
    private const int AgeMaxSeconds = 300;

    private readonly HttpListener _listener = new();
    private readonly byte[] _secret;
    private readonly ConcurrentQueue<WebhookCall> _calls = new();
    private readonly Task _loop;

    /// <param name="port">A free port.</param>
    /// <param name="secret">The shared secret, as the text in the hub's secret file.</param>
    public Webhook(int port, string secret)
    {
        _secret = Encoding.UTF8.GetBytes(secret);
        Address = new Uri($"http://127.0.0.1:{port}/alarms/");
        _listener.Prefixes.Add(Address.ToString());
        _listener.Start();
        _loop = ReceiveAsync();
    }

    public Uri Address { get; }

    public IReadOnlyCollection<WebhookCall> Calls => [.. _calls];

    /// <summary>Answer with 503 as long as this is set: a send that fails must be tried again.</summary>
    public bool Failing { get; set; }

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _loop;
    }

    private async Task ReceiveAsync()
    {
        while (true)
        {
            HttpListenerContext call;
            try
            {
                call = await _listener.GetContextAsync();
            }
            catch (Exception end) when (end is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            call.Response.StatusCode = await TakeAsync(call.Request);
            call.Response.Close();
        }
    }

    private async Task<int> TakeAsync(HttpListenerRequest request)
    {
        if (Failing) return 503;
        if (request.ContentLength64 is < 0 or > BodyMax) return 413;

        var body = new byte[request.ContentLength64];
        await request.InputStream.ReadExactlyAsync(body);
        var (id, timestamp) = (request.Headers["webhook-id"] ?? "", request.Headers["webhook-timestamp"] ?? "");
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body];
        var expected = "v1," + Convert.ToBase64String(HMACSHA256.HashData(_secret, signed));
        var given = request.Headers["webhook-signature"] ?? "";
        var fresh = long.TryParse(timestamp, CultureInfo.InvariantCulture, out var sent)
            && Math.Abs(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - sent) < AgeMaxSeconds;
        var genuine = fresh && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.ASCII.GetBytes(given));
        _calls.Enqueue(new WebhookCall(genuine, id, JsonNode.Parse(body)!));
        return genuine ? 204 : 401;
    }
}
