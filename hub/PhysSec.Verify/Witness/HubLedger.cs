using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using PhysSec.Core.Proof;

namespace PhysSec.Verify.Witness;

/// <summary>What a witness asks of the hub.</summary>
internal sealed class HubLedger : IDisposable
{
    private const int AnswerMax = 1 << 20;
    private readonly SocketsHttpHandler _handler = new() { AllowAutoRedirect = false, UseProxy = false };
    private readonly HttpClient _client;

    /// <param name="hub">The console's address.</param>
    /// <param name="token">Of the role witness.</param>
    /// <param name="authority">PEM of the site's own authority; null: the machine's.</param>
    public HubLedger(Uri hub, string token, string? authority)
    {
        if (authority is not null)
        {
            var chain = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
            chain.CustomTrustStore.Add(X509Certificate2.CreateFromPem(authority));
            _handler.SslOptions.CertificateChainPolicy = chain;
        }

        _client = new HttpClient(_handler, disposeHandler: true) { BaseAddress = new Uri(hub, "/api/v1/ledger/"), Timeout = TimeSpan.FromSeconds(30), MaxResponseContentBufferSize = AnswerMax };
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>The newest checkpoint, as the hub signed it.</summary>
    public async Task<string> NewestAsync(CancellationToken cancel) => (await GetAsync("newest", WitnessJson.Default.NewestAnswer, cancel)).Note;

    /// <summary>The proof that one tree begins with another.</summary>
    public async Task<IReadOnlyList<TreeHash>> ConsistencyAsync(long first, long second, CancellationToken cancel)
    {
        var answer = await GetAsync(string.Create(CultureInfo.InvariantCulture, $"consistency?first={first}&second={second}"), WitnessJson.Default.ConsistencyAnswer, cancel);
        return [.. answer.Consistency.Select(it => TreeHash.TryParse(it, out var hash) ? hash : throw new HttpRequestException("the hub's proof holds what is no hash"))];
    }

    /// <summary>Hands the cosigned note over.</summary>
    public async Task HandOverAsync(SignedNote note, CancellationToken cancel)
    {
        using var content = new StringContent(note.ToString(), Encoding.UTF8, "text/plain");
        using var answer = await _client.PostAsync("cosignatures", content, cancel);
        await CheckAsync(answer, cancel);
    }

    public void Dispose() => _client.Dispose();

    private async Task<T> GetAsync<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, CancellationToken cancel)
    {
        using var answer = await _client.GetAsync(path, cancel);
        await CheckAsync(answer, cancel);
        return await answer.Content.ReadFromJsonAsync(type, cancel) ?? throw new HttpRequestException("the hub gave an empty answer");
    }

    private static async Task CheckAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        if (answer.IsSuccessStatusCode) return;
        var said = await answer.Content.ReadAsStringAsync(cancel);
        string? detail = null;
        try
        {
            detail = JsonSerializer.Deserialize(said, WitnessJson.Default.ProblemAnswer)?.Detail;
        }
        catch (JsonException)
        {
            // The code says it.
        }

        if (answer.StatusCode == HttpStatusCode.Conflict) throw new RefusedException($"the hub cannot prove its own ledger: {detail}. Tell the auditor");
        throw new HttpRequestException(answer.StatusCode switch
        {
            HttpStatusCode.Unauthorized => "the hub does not know the token, or it has expired",
            HttpStatusCode.Forbidden => "the hub allows this token no such thing: it needs the role witness",
            var code => $"the hub answers {(int)code}: {detail}",
        });
    }
}

internal sealed record NewestAnswer(string Note);

internal sealed record ConsistencyAnswer(IReadOnlyList<string> Consistency);

internal sealed record ProblemAnswer(string? Detail);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(NewestAnswer))]
[JsonSerializable(typeof(ConsistencyAnswer))]
[JsonSerializable(typeof(ProblemAnswer))]
internal sealed partial class WitnessJson : JsonSerializerContext;
