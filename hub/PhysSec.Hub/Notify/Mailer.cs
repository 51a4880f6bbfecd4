using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using PhysSec.Hub.Configuration;

namespace PhysSec.Hub.Notify;

/// <summary>Hands one message to the configured mail server.</summary>
public sealed class Mailer(SmtpConfiguration configuration, string folder)
{
    private const int LimitMilliseconds = 20_000;

    /// <summary>The configured sender, as other messages' ids end.</summary>
    public string Domain => configuration.From.Split('@')[^1].TrimEnd('>');

    /// <summary>Who receives what is not for somebody in particular.</summary>
    public IReadOnlyList<string> Usual => configuration.To;

    /// <exception cref="Exception">MailKit's, when the server does not take it.</exception>
    public async Task SendAsync(MimeMessage message, IEnumerable<string> to, CancellationToken cancel)
    {
        message.From.Add(MailboxAddress.Parse(configuration.From));
        foreach (var it in to) message.To.Add(MailboxAddress.Parse(it));
        message.Headers.Add("Auto-Submitted", "auto-generated");
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
