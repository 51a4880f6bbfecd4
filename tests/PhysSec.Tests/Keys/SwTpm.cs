using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using PhysSec.Node.Keys;

namespace PhysSec.Tests.Keys;

/// <summary>A software TPM 2.0 of its own (swtpm, libtpms), spoken to with the bytes that a chip gets.</summary>
internal sealed class SwTpm : IDisposable
{
    private readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("physsec-tpm-");
    private readonly Process _process;
    private readonly NetworkStream _stream;
    private readonly TcpClient _client;

    public SwTpm()
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();
        _process = Process.Start(new ProcessStartInfo("swtpm", [
            "socket", "--tpm2", "--server", $"type=tcp,port={port.ToString(CultureInfo.InvariantCulture)},bindaddr=127.0.0.1", "--tpmstate", $"dir={_state.FullName}",
            "--flags", "not-need-init,startup-clear",
        ]))!;
        (_client, _stream) = Connect(port);
    }

    /// <summary>Is it installed? <c>./deploy.sh test</c> sees to it.</summary>
    public static bool IsThere => File.Exists("/usr/bin/swtpm");

    /// <summary>As the node opens the chip: each time anew, on the same connection.</summary>
    public Tpm Open() => new(new Unowned(_stream));

    public void Dispose()
    {
        _stream.Dispose();
        _client.Dispose();
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _state.Delete(recursive: true);
    }

    private (TcpClient, NetworkStream) Connect(int port)
    {
        TcpClient? client = null;
        Assert.True(SpinWait.SpinUntil(() => (client = TryConnect(port)) is not null || _process.HasExited, TimeSpan.FromSeconds(20)), "swtpm does not listen");
        Assert.NotNull(client);
        return (client, client.GetStream());
    }

    private static TcpClient? TryConnect(int port)
    {
        var client = new TcpClient();
        try
        {
            client.Connect(IPAddress.Loopback, port);
            return client;
        }
        catch (SocketException)
        {
            client.Dispose();
            return null;
        }
    }

    private sealed class Unowned(Stream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);
    }
}
