using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MimeKit;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;

namespace PhysSec.Hub.Notify;

/// <summary>E-mail over SMTP. One message to all recipients.</summary>
public sealed class MailChannel(Mailer mailer, string language, TimeSpan siteOffset)
{
    /// <exception cref="Exception">MailKit's, when the server does not take it.</exception>
    public async Task SendAsync(Due it, CancellationToken cancel)
    {
        using var message = new MimeMessage();
        message.Subject = Letter.Subject(it.Alarm, it.Kind);
        message.MessageId = string.Create(CultureInfo.InvariantCulture, $"physsec-{it.Id}-{it.MadeAt.ToUnixTimeMilliseconds()}@{mailer.Domain}");
        message.Date = it.MadeAt.ToOffset(siteOffset);
        if (it.Alarm.Priority is "critical" or "high") message.Importance = MessageImportance.High;
        message.Body = new TextPart("plain") { Text = Letter.Body(it.Alarm, it.Kind, language, siteOffset) };

        await mailer.SendAsync(message, mailer.Usual, cancel);
    }
}

/// <summary>A signed POST, after the Standard Webhooks specification: the receiver recomputes the HMAC over <c>id.timestamp.body</c>.</summary>
public sealed class WebhookChannel(WebhookConfiguration configuration, string folder, TimeProvider clock, HttpClient http)
{
    /// <exception cref="HttpRequestException">The receiver did not take it.</exception>
    public async Task SendAsync(Due it, CancellationToken cancel)
    {
        var secret = Encoding.UTF8.GetBytes((await File.ReadAllTextAsync(Path.Combine(folder, configuration.SecretFile), cancel)).Trim());
        var id = string.Create(CultureInfo.InvariantCulture, $"physsec-{it.Id}-{it.MadeAt.ToUnixTimeMilliseconds()}");
        var timestamp = clock.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var body = JsonSerializer.Serialize(new { type = $"alarm.{it.Kind.ToString().ToLowerInvariant()}", timestamp = it.MadeAt, data = it.Alarm }, AccessJson.Options);
        using var request = new HttpRequestMessage(HttpMethod.Post, configuration.Url) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", timestamp);
        request.Headers.Add("webhook-signature", "v1," + Convert.ToBase64String(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes($"{id}.{timestamp}.{body}"))));
        using var answer = await http.SendAsync(request, cancel);
        answer.EnsureSuccessStatusCode();
    }
}
