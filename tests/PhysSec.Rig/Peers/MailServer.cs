using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net.Sockets;
using MimeKit;

namespace PhysSec.Rig.Peers;

/// <summary>
/// Debian's exim4 as the mail server that receives the alarms' e-mails: its own configuration, spool and process, a free
/// port on the loopback address, one mbox file. It takes mail for example.jp and nothing else.
/// </summary>
public sealed class MailServer : IAsyncDisposable
{
    private const string Program = "/usr/sbin/exim4";

    private readonly Child _child;
    private readonly string? _elsewhere;

    private MailServer(Child child, int port, string mbox, string? elsewhere) =>
        (_child, Port, Mbox, _elsewhere) = (child, port, mbox, elsewhere);

    public int Port { get; }

    /// <summary>Where the mails arrive.</summary>
    public string Mbox { get; }

    public int Pid => _child.Pid;

    public static async Task<MailServer> StartAsync(string folder, int port, CancellationToken cancel)
    {
        if (!File.Exists(Program)) throw new RigException("exim4 is missing; install Debian's exim4-daemon-light");

        // Started by root, exim delivers as its own user, who must be able to reach the file.
        var asRoot = Environment.IsPrivilegedProcess;
        var (user, group) = asRoot ? ("Debian-exim", "Debian-exim") : (Environment.UserName, await GroupAsync(cancel));
        string? elsewhere = null;
        if (asRoot && !OthersMayEnter(folder))
        {
            elsewhere = Directory.CreateTempSubdirectory("physsec-mail-").FullName;
            folder = elsewhere;
        }

        Directory.CreateDirectory(folder);
        foreach (var it in new[] { "spool", "log", "mail" }) Directory.CreateDirectory(Path.Combine(folder, it));
        var configuration = Path.Combine(folder, "exim.conf");
        var mbox = Path.Combine(folder, "mail", "alarms.mbox");
        await File.WriteAllTextAsync(configuration, Configuration(folder, mbox, user, group), cancel);
        if (asRoot)
        {
            await Child.RunAsync("chown", "chown", ["-R", $"{user}:{group}", folder], TimeSpan.FromSeconds(10), cancel);
            await Child.RunAsync("chown", "chown", ["root", configuration], TimeSpan.FromSeconds(10), cancel);
            File.SetUnixFileMode(folder, (UnixFileMode)0b111_000_001);
        }

        var address = string.Create(CultureInfo.InvariantCulture, $"[127.0.0.1]:{port}");
        var child = Child.Start("mail", Program, ["-C", configuration, "-bdf", "-oX", address]);
        try
        {
            await Wait.UntilAsync("the mail server", () => AnswersAsync(child, port), TimeSpan.FromSeconds(10), cancel);
            return new MailServer(child, port, mbox, elsewhere);
        }
        catch
        {
            await child.DisposeAsync();
            throw;
        }
    }

    /// <summary>The mails received so far, as a mail program would show them.</summary>
    public IReadOnlyList<(string Subject, string Text)> Mails()
    {
        if (!File.Exists(Mbox)) return [];

        using var file = File.OpenRead(Mbox);
        var parser = new MimeParser(file, MimeFormat.Mbox);
        var mails = new List<(string, string)>();
        while (!parser.IsEndOfStream)
        {
            using var mail = parser.ParseMessage();
            mails.Add((mail.Subject ?? "", mail.TextBody ?? ""));
        }

        return mails;
    }

    public async ValueTask DisposeAsync()
    {
        await _child.DisposeAsync();
        if (_elsewhere is not null) Directory.Delete(_elsewhere, recursive: true);
    }

    private static bool OthersMayEnter(string folder)
    {
        for (var it = new DirectoryInfo(folder); it is not null; it = it.Parent)
            if (it.Exists && !it.UnixFileMode.HasFlag(UnixFileMode.OtherExecute)) return false;
        return true;
    }

    private static Task<string> GroupAsync(CancellationToken cancel) =>
        Child.RunAsync("id", "id", ["-gn"], TimeSpan.FromSeconds(5), cancel);

    [SuppressMessage("Design", "CA1031", Justification = "Any failure to connect means: not ready.")]
    private static async Task<bool> AnswersAsync(Child child, int port)
    {
        if (child.Ended.IsCompleted) throw new RigException($"the mail server ended. {child.Tail()}");
        try
        {
            using var probe = new TcpClient();
            await probe.ConnectAsync("127.0.0.1", port);
            using var reader = new StreamReader(probe.GetStream());
            return (await reader.ReadLineAsync())?.StartsWith("220", StringComparison.Ordinal) == true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static string Configuration(string folder, string mbox, string user, string group) => $"""
        exim_path = {Program}
        exim_user = {user}
        exim_group = {group}
        admin_groups = {group}
        local_interfaces = 127.0.0.1
        spool_directory = {folder}/spool
        log_file_path = {folder}/log/%slog
        pid_file_path = {folder}/exim.pid
        primary_hostname = mail.example.jp
        qualify_domain = example.jp
        domainlist local_domains = example.jp
        tls_advertise_hosts =
        acl_smtp_rcpt = only_local
        queue_run_max = 1
        keep_environment =
        begin acl
        only_local:
          accept domains = +local_domains
          deny
        begin routers
        all:
          driver = accept
          transport = file
        begin transports
        file:
          driver = appendfile
          file = {mbox}
          mode = 0644
          user = {user}
          group = {group}
        begin retry
        * * F,2h,1m

        """;
}
