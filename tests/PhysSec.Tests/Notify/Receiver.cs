using System.Collections.Concurrent;
using System.Net;
using PhysSec.Tests.Uplink;

namespace PhysSec.Tests.Notify;

/// <summary>A real HTTP server that answers with these codes, one for each request, and keeps what it got.</summary>
internal sealed class Receiver : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Queue<HttpStatusCode> _answers;

    public Receiver(params HttpStatusCode[] answers)
    {
        _answers = new(answers);
        Url = $"http://127.0.0.1:{TestHub.FreePort()}/alarms/";
        _listener.Prefixes.Add(Url);
        _listener.Start();
        _ = Task.Run(AnswerAsync);
    }

    public string Url { get; }

    public ConcurrentQueue<(IReadOnlyDictionary<string, string> Headers, string Body)> Requests { get; } = new();

    public void Dispose() => _listener.Close();

    private async Task AnswerAsync()
    {
        while (_answers.TryDequeue(out var answer))
        {
            var context = await _listener.GetContextAsync();
            using var reader = new StreamReader(context.Request.InputStream);
            var headers = context.Request.Headers;
            Requests.Enqueue((headers.AllKeys.ToDictionary(it => it!, it => headers[it]!, StringComparer.OrdinalIgnoreCase), await reader.ReadToEndAsync()));
            context.Response.StatusCode = (int)answer;
            context.Response.Close();
        }
    }
}
