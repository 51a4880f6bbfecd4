using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace PhysSec.Tests.Uplink;

/// <summary>Holds the hub's certificate and speaks no MQTT: to each connection it answers with the next piece of garbage.</summary>
internal sealed class ForeignServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Task _serving;

    public ForeignServer(X509Certificate2 certificate, IReadOnlyList<byte[]> garbage)
    {
        _listener.Start();
        _serving = ServeAsync(certificate, garbage);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public TaskCompletionSource AllTold { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async ValueTask DisposeAsync()
    {
        if (_serving.IsCompleted) return;
        await _end.CancelAsync();
        _listener.Stop();
        await _serving;
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task ServeAsync(X509Certificate2 certificate, IReadOnlyList<byte[]> garbage)
    {
        var next = 0;
        while (!_end.IsCancellationRequested)
        {
            try
            {
                using var client = await _listener.AcceptTcpClientAsync(_end.Token);
                await using var tls = new SslStream(client.GetStream(), false, (_, client, _, _) => client is not null);
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate, ClientCertificateRequired = true }, _end.Token);
                await tls.ReadAtLeastAsync(new byte[8192], 1, throwOnEndOfStream: false, _end.Token); // CONNECT
                await tls.WriteAsync(garbage[next++ % garbage.Count], _end.Token);
                await tls.FlushAsync(_end.Token);
                await tls.ReadAtLeastAsync(new byte[8192], 1, throwOnEndOfStream: false, _end.Token).AsTask().WaitAsync(TimeSpan.FromSeconds(1), _end.Token);
            }
            catch (Exception fault) when (fault is IOException or SocketException or OperationCanceledException or TimeoutException or ObjectDisposedException)
            {
                // The other side hung up, waits, or the test is over.
            }

            if (next >= garbage.Count) AllTold.TrySetResult();
        }
    }
}
