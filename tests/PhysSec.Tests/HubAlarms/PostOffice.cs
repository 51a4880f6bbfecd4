using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using MimeKit;

namespace PhysSec.Tests.HubAlarms;

/// <summary>A real SMTP server for one mail per connection. Each connection meets the next answer to AUTH or to the mail's end; the last answer stays.</summary>
internal sealed class PostOffice : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Queue<string> _answers;
    private readonly bool _asksWho;

    public PostOffice(bool asksWho, params string[] answers)
    {
        (_asksWho, _answers) = (asksWho, new(answers));
        _listener.Start();
        _ = Task.Run(ServeAsync);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Whom the envelope names, and the message, of every mail that arrived whole, taken or not.</summary>
    public ConcurrentQueue<(IReadOnlyList<string> To, MimeMessage Message)> Mails { get; } = new();

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync()
    {
        while (true)
        {
            using var client = await _listener.AcceptTcpClientAsync();
            try
            {
                await ConverseAsync(client.GetStream(), _answers.Count > 1 ? _answers.Dequeue() : _answers.Peek());
            }
            catch (IOException)
            {
                // The client went without QUIT, as it may after a refusal; the next one is served.
            }
        }
    }

    private async Task ConverseAsync(NetworkStream stream, string answer)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8);
        await using var writer = new StreamWriter(stream, new UTF8Encoding(false)) { NewLine = "\r\n", AutoFlush = true };
        await writer.WriteLineAsync("220 post.example.jp ESMTP");
        var to = new List<string>();
        while (await reader.ReadLineAsync() is { } line)
        {
            switch (line.Split(' ', ':')[0].ToUpperInvariant())
            {
                case "EHLO":
                    await writer.WriteLineAsync(_asksWho ? "250-post.example.jp\r\n250 AUTH PLAIN" : "250 post.example.jp");
                    break;
                case "AUTH":
                    await writer.WriteLineAsync(answer);
                    break;
                case "RCPT":
                    to.Add(line["RCPT TO:<".Length..line.IndexOf('>', StringComparison.Ordinal)]);
                    await writer.WriteLineAsync("250 OK");
                    break;
                case "DATA":
                    await writer.WriteLineAsync("354 go on");
                    Mails.Enqueue((to, await ReadMailAsync(reader)));
                    await writer.WriteLineAsync(answer);
                    break;
                case "QUIT":
                    await writer.WriteLineAsync("221 bye");
                    return;
                default:
                    await writer.WriteLineAsync("250 OK");
                    break;
            }
        }
    }

    private static async Task<MimeMessage> ReadMailAsync(StreamReader reader)
    {
        var text = new StringBuilder();
        while (await reader.ReadLineAsync() is { } line && line != ".") text.Append(line.StartsWith('.') ? line[1..] : line).Append("\r\n");
        using var bytes = new MemoryStream(Encoding.UTF8.GetBytes(text.ToString()));
        return await MimeMessage.LoadAsync(bytes);
    }
}
