using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;

namespace PhysSec.Hub.Notify;

/// <summary>E-mail over SMTP. One message to all recipients.</summary>
public sealed class MailChannel(SmtpConfiguration configuration, string folder, string language, TimeSpan siteOffset)
{
    private const int LimitMilliseconds = 20_000;

    /// <exception cref="Exception">MailKit's, when the server does not take it.</exception>
    public async Task SendAsync(Due it, CancellationToken cancel)
    {
        using var message = new MimeMessage();
        message.From.Add(MailboxAddress.Parse(configuration.From));
        foreach (var to in configuration.To) message.To.Add(MailboxAddress.Parse(to));
        message.Subject = Letter.Subject(it.Alarm, it.Kind);
        message.MessageId = string.Create(CultureInfo.InvariantCulture, $"physsec-{it.Id}-{it.MadeAt.ToUnixTimeMilliseconds()}@{configuration.From.Split('@')[^1].TrimEnd('>')}");
        message.Date = it.MadeAt.ToOffset(siteOffset);
        message.Headers.Add("Auto-Submitted", "auto-generated");
        if (it.Alarm.Priority is "critical" or "high") message.Importance = MessageImportance.High;
        message.Body = new TextPart("plain") { Text = Letter.Body(it.Alarm, it.Kind, language, siteOffset) };

        using var client = new SmtpClient { Timeout = LimitMilliseconds };
        await client.ConnectAsync(configuration.Host, configuration.Port, configuration.Security switch
        {
            "tls" => SecureSocketOptions.SslOnConnect,
            "starttls" => SecureSocketOptions.StartTls,
            _ => SecureSocketOptions.None,
        }, cancel);
        if (configuration is { User: { } user, PasswordFile: { } file })
            await client.AuthenticateAsync(user, (await File.ReadAllTextAsync(Path.Combine(folder, file), cancel)).Trim(), cancel);
        await client.SendAsync(message, cancel);
        await client.DisconnectAsync(quit: true, cancel);
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
