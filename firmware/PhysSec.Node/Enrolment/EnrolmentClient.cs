using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization;
using PhysSec.Core.Wire;
using PhysSec.Node.Uplink;

namespace PhysSec.Node.Enrolment;

/// <summary>Enrolment did not come about; the message is one plain sentence with the remedy.</summary>
public sealed class EnrolmentException(string message, Exception? inner = null) : Exception(message, inner);

internal sealed record EnrolmentProblem(string? Detail);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(EnrolmentRequest))]
[JsonSerializable(typeof(Core.Wire.Enrolment))]
[JsonSerializable(typeof(EnrolmentProblem))]
internal sealed partial class EnrolmentJson : JsonSerializerContext;

/// <summary>
/// Talks to the hub's enrolment entrance. The authority is fetched first, from whoever answers, and must have the code's pin; only then, over a connection that this
/// authority vouches for, the code is told.
/// </summary>
public static class EnrolmentClient
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(20);

    /// <exception cref="EnrolmentException">Why not.</exception>
    public static async Task<Core.Wire.Enrolment> EnrolAsync(EnrolmentCode code, ECDsa key, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(code);
        try
        {
            using var authority = await AuthorityAsync(code, cancel);
            var request = new CertificateRequest("CN=enrolment", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
            // A board may have no time yet: the validity period is judged by the node once it has.
            using var client = Client(code, (certificate, errors) => HubConnection.IsTheHub(certificate, errors, authority, clockIsSet: false));
            using var answer = await client.PostAsJsonAsync("enrolment", new EnrolmentRequest(code.Secret, request), EnrolmentJson.Default.EnrolmentRequest, cancel);
            if (!answer.IsSuccessStatusCode) throw new EnrolmentException(await SentenceAsync(answer, cancel));
            var enrolled = await answer.Content.ReadFromJsonAsync(EnrolmentJson.Default.Enrolment, cancel);
            return Checked(enrolled, authority, key);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw new EnrolmentException($"The hub at {code.Hub} cannot be reached: {(failure.InnerException ?? failure).Message} Check the address, the cable and the hub.", failure);
        }
        catch (OperationCanceledException failure) when (!cancel.IsCancellationRequested)
        {
            throw new EnrolmentException($"The hub at {code.Hub} did not answer within {_limit.TotalSeconds:0} s. Try the same code again.", failure);
        }
        catch (JsonException failure)
        {
            throw new EnrolmentException($"What answered at {code.Hub} is no hub of this version. Check the address.", failure);
        }
    }

    private static async Task<X509Certificate2> AuthorityAsync(EnrolmentCode code, CancellationToken cancel)
    {
        using var client = Client(code, (_, _) => true); // Nothing secret is sent, and the pin judges what comes.
        using var answer = await client.GetAsync(new Uri("enrolment/authority", UriKind.Relative), cancel);
        if (!answer.IsSuccessStatusCode) throw new EnrolmentException($"What answers at {code.Hub} is no hub: {(int)answer.StatusCode}. Check the address.");
        try
        {
            using var authority = X509Certificate2.CreateFromPem(await answer.Content.ReadAsStringAsync(cancel));
            if (AuthorityPin.Of(authority.RawData) == code.Pin) return X509CertificateLoader.LoadCertificate(authority.RawData);
        }
        catch (CryptographicException failure)
        {
            throw new EnrolmentException($"What answers at {code.Hub} is no hub: it sent no certificate. Check the address.", failure);
        }

        throw new EnrolmentException($"What answers at {code.Hub} is not the hub that made this code: its authority has another pin. Somebody may be in between; nothing secret was sent.");
    }

    private static Core.Wire.Enrolment Checked(Core.Wire.Enrolment? answer, X509Certificate2 authority, ECDsa key)
    {
        if (answer is null) throw new EnrolmentException("The hub's answer is empty. Try the same code again.");
        try
        {
            using var root = X509Certificate2.CreateFromPem(answer.Authority);
            using var certificate = X509Certificate2.CreateFromPem(answer.Certificate);
            using var certified = certificate.GetECDsaPublicKey();
            if (root.RawData.AsSpan().SequenceEqual(authority.RawData)
                && certified is not null && certified.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
                return answer;
        }
        catch (CryptographicException failure)
        {
            throw new EnrolmentException("The hub's answer holds no certificate. Try the same code again.", failure);
        }

        throw new EnrolmentException("The hub's answer belongs to another authority or to another key; nothing was stored.");
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The client owns its handler.")]
    private static HttpClient Client(EnrolmentCode code, Func<X509Certificate?, System.Net.Security.SslPolicyErrors, bool> trusts)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, AutomaticDecompression = DecompressionMethods.None };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, errors) => trusts(certificate, errors);
        return new HttpClient(handler) { BaseAddress = new Uri(code.Hub, "/api/v1/"), Timeout = _limit, MaxResponseContentBufferSize = 1 << 20 };
    }

    private static async Task<string> SentenceAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        if (answer.StatusCode == HttpStatusCode.TooManyRequests) return "The hub takes no more codes for now. Wait a minute and try the same code again.";
        var problem = answer.Content.Headers.ContentType?.MediaType == "application/problem+json"
            ? await answer.Content.ReadFromJsonAsync(EnrolmentJson.Default.EnrolmentProblem, cancel) : null;
        return problem?.Detail is { } detail ? $"The hub refuses: {detail}." : $"The hub refuses: {(int)answer.StatusCode}.";
    }
}
