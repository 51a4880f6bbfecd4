using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace PhysSec.Rig;

/// <summary>The hub's HTTP API with one role's token, as any program of the customer's would use it.</summary>
public sealed class HubApi : IDisposable
{
    private readonly HttpClient _http;

    /// <param name="address">Like <c>http://127.0.0.1:8080</c>.</param>
    /// <param name="token">A token that the hub's command line made; null = none.</param>
    public HubApi(Uri address, string? token)
    {
        Address = address;
        _http = new HttpClient { BaseAddress = new Uri(address, "/api/v1/"), Timeout = TimeSpan.FromSeconds(20) };
        if (token is not null) _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public Uri Address { get; }

    /// <summary>The items of an answer that is a list, or a page of one.</summary>
    public static IReadOnlyList<JsonNode> Items(JsonNode answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        return [.. ((answer as JsonArray) ?? answer["items"]!.AsArray()).Select(it => it!)];
    }

    /// <summary>What a record says happened. The hub keeps a record's exact text, so its body is that text.</summary>
    public static JsonNode Fact(JsonNode record)
    {
        ArgumentNullException.ThrowIfNull(record);
        return JsonNode.Parse(Body(record))!["fact"]!;
    }

    /// <summary>A record's exact text.</summary>
    public static string Body(JsonNode record)
    {
        ArgumentNullException.ThrowIfNull(record);
        return record["body"] is JsonValue text && text.TryGetValue(out string? exact) ? exact
            : throw new RigException($"a record carries no text: {record.ToJsonString()}");
    }

    /// <exception cref="RigException">The hub answered with a problem; carries its text.</exception>
    public Task<JsonNode> GetAsync(string path, CancellationToken cancel = default) => SendAsync(HttpMethod.Get, path, null, cancel);

    /// <inheritdoc cref="GetAsync"/>
    public Task<JsonNode> PutAsync(string path, JsonNode body, CancellationToken cancel = default) =>
        SendAsync(HttpMethod.Put, path, JsonContent.Create(body), cancel);

    /// <inheritdoc cref="GetAsync"/>
    public Task<JsonNode> PostAsync(string path, JsonNode body, CancellationToken cancel = default) =>
        SendAsync(HttpMethod.Post, path, JsonContent.Create(body), cancel);

    /// <summary>Posts bytes as they are, like a CSV of people in CP932.</summary>
    public Task<JsonNode> PostAsync(string path, byte[] body, string contentType, CancellationToken cancel = default)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        return SendAsync(HttpMethod.Post, path, content, cancel);
    }

    /// <summary>The plain text of an answer, like a CSV.</summary>
    public async Task<string> TextAsync(string path, CancellationToken cancel = default)
    {
        using var answer = await _http.GetAsync(new Uri(path, UriKind.Relative), cancel);
        var text = await answer.Content.ReadAsStringAsync(cancel);
        return answer.IsSuccessStatusCode ? text : throw Problem(HttpMethod.Get, path, answer.StatusCode, text);
    }

    /// <summary>Only the status of a call, for tests of what is refused.</summary>
    public async Task<(HttpStatusCode Status, string Text)> TryAsync(HttpMethod method, string path, JsonNode? body = null, CancellationToken cancel = default)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = body is null ? null : JsonContent.Create(body) };
        using var answer = await _http.SendAsync(request, cancel);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(cancel));
    }

    public void Dispose() => _http.Dispose();

    private async Task<JsonNode> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = content };
        using var answer = await _http.SendAsync(request, cancel);
        var text = await answer.Content.ReadAsStringAsync(cancel);
        if (!answer.IsSuccessStatusCode) throw Problem(method, path, answer.StatusCode, text);

        return string.IsNullOrWhiteSpace(text) ? new JsonObject() : JsonNode.Parse(text)!;
    }

    private static RigException Problem(HttpMethod method, string path, HttpStatusCode status, string text) =>
        new($"{method} {path}: the hub answered {(int)status} {status}: {(text.Length <= 600 ? text : text[..600])}");
}
