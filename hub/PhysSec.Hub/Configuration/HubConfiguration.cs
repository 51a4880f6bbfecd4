using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using PhysSec.Core.Proof;

namespace PhysSec.Hub.Configuration;

/// <summary>hub.json as written. Checked once, whole, before anything runs.</summary>
public sealed record HubConfiguration
{
    public string Site { get; init; } = "";

    public string TimeZone { get; init; } = "Asia/Tokyo";

    /// <summary>Names or addresses by which nodes and browsers reach this machine, the one to be told to nodes first; they stand in the hub's certificates.</summary>
    public IReadOnlyList<string> Names { get; init; } = ["localhost"];

    public ConsoleConfiguration Console { get; init; } = new();

    public BrokerConfiguration Broker { get; init; } = new();

    public NotifyConfiguration Notify { get; init; } = new();

    public LedgerConfiguration Ledger { get; init; } = new();

    public RetentionConfiguration Retention { get; init; } = new();

    public ReviewConfiguration Review { get; init; } = new();

    public DoorsConfiguration Doors { get; init; } = new();
}

/// <summary>After how many years (1, 3, 5 or 7) the records of a class lose their text. What a proof needs is kept for ever.</summary>
public sealed record RetentionConfiguration
{
    /// <summary>Entries, exits, refusals and the register.</summary>
    public int Access { get; init; } = 3;

    /// <summary>Alarms and their messages.</summary>
    public int Alarms { get; init; } = 3;

    public int Measurements { get; init; } = 1;

    /// <summary>What people did at the hub: also who gave which right, which outlives the entries made by it.</summary>
    public int Acts { get; init; } = 5;
}

/// <summary>How the record's checkpoints leave this machine.</summary>
public sealed record LedgerConfiguration
{
    /// <summary>A checkpoint is made every so many minutes (1–1440).</summary>
    public int CheckpointMinutes { get; init; } = 10;

    /// <summary>Each checkpoint is written here as a file: a folder on another machine, better one to which this one can only add.</summary>
    public string? DropFolder { get; init; }

    /// <summary>Who receives the daily checkpoint by mail; nobody named: those who receive the alarms.</summary>
    public IReadOnlyList<string> Auditors { get; init; } = [];

    /// <summary>From which hour of the site's day (0–23).</summary>
    public int MailHour { get; init; } = 8;

    /// <summary>Keys of the machines whose cosignatures are taken (<c>physsec-verify witness</c> prints its own).</summary>
    public IReadOnlyList<string> Cosigners { get; init; } = [];
}

/// <summary>Plain HTTP is served only on a loopback address; anywhere else HTTPS with a certificate of the hub's own authority.</summary>
public sealed record ConsoleConfiguration
{
    public string Listen { get; init; } = "127.0.0.1";

    public int Port { get; init; } = 8080;

    /// <summary>HTTPS on a loopback address too; anywhere else it is always on.</summary>
    public bool Https { get; init; }

    internal bool IsSecure => Https || !IPAddress.IsLoopback(IPAddress.Parse(Listen));
}

public sealed record BrokerConfiguration
{
    /// <summary>embedded or external.</summary>
    public string Kind { get; init; } = "embedded";

    public string Listen { get; init; } = "127.0.0.1";

    public string Host { get; init; } = "localhost";

    public int Port { get; init; } = 8883;

    /// <summary>External only: the broker publishes its log below $SYS/broker/log, and the hub records whom it refused.</summary>
    public bool LogTopic { get; init; }
}

public sealed record NotifyConfiguration
{
    public SmtpConfiguration? Smtp { get; init; }

    public WebhookConfiguration? Webhook { get; init; }

    /// <summary>An unacknowledged alarm is sent again after this many seconds (10–86400).</summary>
    public int RepeatSeconds { get; init; } = 300;

    /// <summary>Which language stands first in a mail: ja or en.</summary>
    public string Language { get; init; } = "ja";
}

public sealed record SmtpConfiguration
{
    public string Host { get; init; } = "";

    public int Port { get; init; } = 25;

    public string From { get; init; } = "";

    public IReadOnlyList<string> To { get; init; } = [];

    /// <summary>none, starttls or tls.</summary>
    public string Security { get; init; } = "starttls";

    public string? User { get; init; }

    public string? PasswordFile { get; init; }
}

public sealed record WebhookConfiguration
{
    public string Url { get; init; } = "";

    public string SecretFile { get; init; } = "";
}

public sealed record ConfigurationFault(string Field, string Fault, string Remedy)
{
    public override string ToString() => $"{Field}: {Fault}. {Remedy}.";
}

public sealed class ConfigurationException(IReadOnlyList<ConfigurationFault> faults) : Exception(string.Join('\n', faults))
{
    public IReadOnlyList<ConfigurationFault> Faults { get; } = faults;
}

/// <summary>Reads and checks hub.json.</summary>
public static class ConfigurationReader
{
    private static readonly JsonSerializerOptions _strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <exception cref="ConfigurationException">Every fault at once.</exception>
    public static HubConfiguration Load(string path)
    {
        HubConfiguration configuration;
        try
        {
            configuration = JsonSerializer.Deserialize<HubConfiguration>(File.ReadAllText(path), _strict) ?? new();
        }
        catch (JsonException fault)
        {
            throw new ConfigurationException([new(fault.Path ?? path, $"line {fault.LineNumber + 1} cannot be read: {fault.Message}", $"Mend {path}")]);
        }
        catch (IOException fault)
        {
            throw new ConfigurationException([new(path, fault.Message, "Write the hub's configuration there, or name it with --config")]);
        }

        var faults = Check(configuration, Path.GetDirectoryName(Path.GetFullPath(path))!).ToList();
        return faults.Count == 0 ? configuration : throw new ConfigurationException(faults);
    }

    private static IEnumerable<ConfigurationFault> Check(HubConfiguration it, string folder)
    {
        if (!Core.Names.IsPlain(it.Site)) yield return new("site", $"\"{it.Site}\" is no name", "Use 1–32 of a–z, 0–9 and -");
        if (it.Names.Count == 0) yield return new("names", "nothing is named", "Name the host by which nodes reach the hub, like physsec.city.example.jp or 192.0.2.10");
        foreach (var name in it.Names.Where(name => Uri.CheckHostName(name) is UriHostNameType.Unknown or UriHostNameType.Basic))
            yield return new("names", $"\"{name}\" is no host name or address", "Use one like physsec.city.example.jp or 192.0.2.10");
        if (it.TimeZone != "Asia/Tokyo" && !TimeZoneInfo.TryFindSystemTimeZoneById(it.TimeZone, out _))
            yield return new("timeZone", $"\"{it.TimeZone}\" is not known here", "Use a name like Asia/Tokyo");
        if (!IPAddress.TryParse(it.Console.Listen, out _)) yield return new("console.listen", $"\"{it.Console.Listen}\" is no IP address", "Use one of this machine's, like 127.0.0.1");
        if (it.Console.Port is < 0 or > 65_535) yield return new("console.port", $"{it.Console.Port} is no port", "Use 1–65535, or 0 for any free one");
        if (it.Broker.Kind is not ("embedded" or "external")) yield return new("broker.kind", $"\"{it.Broker.Kind}\" is unknown", "Use embedded or external");
        if (it.Broker.Port is < 0 or > 65_535 || it.Broker is { Kind: "external", Port: 0 }) yield return new("broker.port", $"{it.Broker.Port} is no port", "Use 1–65535");
        if (it.Broker.Kind == "embedded" && !IPAddress.TryParse(it.Broker.Listen, out _))
            yield return new("broker.listen", $"\"{it.Broker.Listen}\" is no IP address", "Use one of this machine's, like 127.0.0.1");
        if (it.Broker.Kind == "external" && it.Broker.Host.Length == 0) yield return new("broker.host", "it is empty", "Name the broker's host");
        if (it.Ledger.CheckpointMinutes is < 1 or > 1_440) yield return new("ledger.checkpointMinutes", $"{it.Ledger.CheckpointMinutes} is out of range", "Use 1–1440");
        if (it.Ledger.MailHour is < 0 or > 23) yield return new("ledger.mailHour", $"{it.Ledger.MailHour} is no hour", "Use 0–23");
        if (it.Ledger.DropFolder is { } drop && !Path.IsPathRooted(drop)) yield return new("ledger.dropFolder", $"\"{drop}\" is no whole path", "Use one like /mnt/audit");
        foreach (var to in it.Ledger.Auditors.Where(to => !MimeKit.MailboxAddress.TryParse(to, out _)))
            yield return new("ledger.auditors", $"\"{to}\" is no mail address", "Use one like auditor@example.jp");
        if (it.Ledger.Auditors.Count > 0 && it.Notify.Smtp is null) yield return new("ledger.auditors", "there is no mail server for them", "Configure notify.smtp");
        foreach (var key in it.Ledger.Cosigners)
            if (Fault(key) is { } wrong) yield return new("ledger.cosigners", $"\"{key}\": {wrong}", "Copy the line that physsec-verify witness printed");
        foreach (var name in Retention.RecordClasses.All)
        {
            if (Retention.RecordClasses.Years(it.Retention, name) is var years && !Core.Proof.RetentionTerms.Periods.Contains(years))
                yield return new($"retention.{name}", $"{years} years are no period", $"Use {string.Join(", ", Core.Proof.RetentionTerms.Periods)}; the register is kept for a year at the least");
        }

        foreach (var fault in it.Review.Faults().Concat(it.Doors.Faults())) yield return fault;
        if (it.Notify.RepeatSeconds is < 10 or > 86_400) yield return new("notify.repeatSeconds", $"{it.Notify.RepeatSeconds} is out of range", "Use 10–86400");
        if (it.Notify.Language is not ("ja" or "en")) yield return new("notify.language", $"\"{it.Notify.Language}\" is unknown", "Use ja or en");
        if (it.Notify.Smtp is { } smtp)
        {
            if (smtp.Host.Length == 0) yield return new("notify.smtp.host", "it is empty", "Name the mail server");
            if (smtp.Port is < 1 or > 65_535) yield return new("notify.smtp.port", $"{smtp.Port} is no port", "Use 1–65535");
            if (!MimeKit.MailboxAddress.TryParse(smtp.From, out _)) yield return new("notify.smtp.from", $"\"{smtp.From}\" is no mail address", "Use one like physsec@example.jp");
            if (smtp.To.Count == 0) yield return new("notify.smtp.to", "nobody is named", "Name who receives the alarms");
            foreach (var to in smtp.To.Where(to => !MimeKit.MailboxAddress.TryParse(to, out _)))
                yield return new("notify.smtp.to", $"\"{to}\" is no mail address", "Use one like duty@example.jp");
            if (smtp.Security is not ("none" or "starttls" or "tls")) yield return new("notify.smtp.security", $"\"{smtp.Security}\" is unknown", "Use none, starttls or tls");
            if (smtp.User is not null && smtp.PasswordFile is null) yield return new("notify.smtp.passwordFile", "it is missing", "Name the file that holds the password of notify.smtp.user");
            if (smtp.PasswordFile is { } file && !File.Exists(Path.Combine(folder, file))) yield return new("notify.smtp.passwordFile", $"{file} is not there", "Write the password into it");
        }

        if (it.Notify.Webhook is { } hook)
        {
            if (!Uri.TryCreate(hook.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")) yield return new("notify.webhook.url", $"\"{hook.Url}\" is no http address", "Use one like https://host/path");
            if (hook.SecretFile.Length == 0 || !File.Exists(Path.Combine(folder, hook.SecretFile))) yield return new("notify.webhook.secretFile", $"\"{hook.SecretFile}\" is not there", "Write a secret of at least 32 characters into it");
        }
    }

    private static string? Fault(string cosigner)
    {
        try
        {
            NoteKey.Parse(cosigner, NoteAlgorithm.Cosignature);
            return null;
        }
        catch (FormatException fault)
        {
            return fault.Message;
        }
    }
}
