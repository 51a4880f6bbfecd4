using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace PhysSec.Rig.Peers;

/// <summary>One call of the webhook.</summary>
/// <param name="Genuine">Whether the signature is that of the shared secret over the exact body.</param>
public sealed record WebhookCall(bool Genuine, string Signature, JsonNode Body);

/// <summary>
/// A receiver of the alarms' webhook on the loopback address. It verifies the signature as a customer's receiver must:
/// header <c>X-PhysSec-Signature</c>, HMAC-SHA256 of the exact body under the shared secret.
/// </summary>
public sealed class Webhook : IAsyncDisposable
{
    private const int BodyMax = 1 << 20;

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
        var signature = request.Headers["X-PhysSec-Signature"] ?? "";
        var expected = Convert.ToHexStringLower(HMACSHA256.HashData(_secret, body));
        var given = signature.Replace("sha256=", "", StringComparison.Ordinal);
        var signed = CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.ASCII.GetBytes(given));
        _calls.Enqueue(new WebhookCall(signed, signature, JsonNode.Parse(body)!));
        return signed ? 204 : 401;
    }
}
