using System.Globalization;
using PhysSec.Core;
using PhysSec.Core.Wire;

namespace PhysSec.Rig.Peers;

/// <summary>
/// Debian's Mosquitto as the external broker: TLS 1.3, a client certificate of the hub's authority for everybody, the
/// certificate's name as user name and client id, and an access list made from the same rules as the embedded broker's.
/// </summary>
public sealed class Mosquitto : IAsyncDisposable
{
    private const string Program = "/usr/sbin/mosquitto";

    /// <summary>What an observer may watch. Named one by one: a door that is added later is then not told, and no list is to be kept of what names persons.</summary>
    public static readonly IReadOnlyList<PointId> Observed =
        [new("room.temperature"), new("room.humidity"), new("mains"), new("leak"), new("ups.on-battery"), new("ups.low-battery"), new("ups.charge"), new("ups.runtime")];

    /// <summary>A certificate of this name hears all of the site; no customer's broker has such a line.</summary>
    public const string Eavesdropper = "eavesdropper";

    private readonly Child _child;

    private Mosquitto(Child child, int port, string log) => (_child, Port, LogFile) = (child, port, log);

    public int Port { get; }

    public int Pid => _child.Pid;

    /// <summary>Mosquitto keeps what it denies to a connected client here only: such lines never go to its log topic.</summary>
    public string LogFile { get; }

    /// <param name="folder">Holds the configuration and what the broker keeps.</param>
    /// <param name="certificates">Folder with <c>ca.crt</c>, <c>broker.crt</c> and <c>broker.key</c>.</param>
    public static async Task<Mosquitto> StartAsync(
        string folder, SiteId site, int port, BrokerFiles certificates, CancellationToken cancel)
    {
        if (!File.Exists(Program)) throw new RigException("mosquitto is missing; install Debian's mosquitto");

        Files.Folder(folder);
        Files.WriteSecret(Path.Combine(folder, "acl"), AccessList(site));
        var configuration = Path.Combine(folder, "mosquitto.conf");
        Files.WriteSecret(configuration, Configuration(folder, port, certificates));
        var child = Child.Start("mosquitto", Program, ["-c", configuration]);
        try
        {
            await child.LineAsync(it => it.Contains(" running", StringComparison.Ordinal), "that it runs", TimeSpan.FromSeconds(10), cancel);
            return new Mosquitto(child, port, Path.Combine(folder, "mosquitto.log"));
        }
        catch
        {
            await child.DisposeAsync();
            throw;
        }
    }

    /// <summary>kill -9. A new one in the same folder goes on from what this one had saved.</summary>
    public Task KillAsync() => _child.KillAsync();

    public ValueTask DisposeAsync() => _child.DisposeAsync();

    /// <summary>Each certificate's rights: the hub all of the site, a node its own topics, an observer what may be observed.</summary>
    public static string AccessList(SiteId site)
    {
        var self = new NodeId("%u"); // Mosquitto puts the certificate's name in its place.
        var any = new PointId("+");
        string[] writes =
        [
            Topics.Birth(site, self), Topics.State(site, self), Topics.Live(site, self, any), Topics.Journal(site, self, Streams.Access),
            Topics.Journal(site, self, Streams.Measurements), Topics.Hot(site, self), Topics.Reply(site, self),
        ];
        var all = new NodeId("+");
        string[] observed = [Topics.Birth(site, all), Topics.State(site, all), Topics.Hub(site), .. Observed.Select(it => Topics.Live(site, all, it))];
        return string.Join('\n',
        [
            "user hub",
            $"topic readwrite {Topics.Hub(site)[..^"hub".Length]}#",
            "topic read $SYS/#",
            "user observer.tool",
            .. observed.Select(it => $"topic read {it}"),
            $"user observer.{Eavesdropper}",
            $"topic read {Topics.Hub(site)[..^"hub".Length]}#",
            .. writes.Select(it => $"pattern write {it}"),
            .. Topics.NodeReads(site, self).Select(it => $"pattern read {it}"),
            "",
        ]);
    }

    private static string Configuration(string folder, int port, BrokerFiles files) => string.Create(CultureInfo.InvariantCulture, $"""
        user {Environment.UserName}
        log_dest stderr
        log_dest topic
        log_dest file {folder}/mosquitto.log
        log_type debug
        log_type error
        log_type warning
        log_type notice
        log_type information
        connection_messages true
        persistence true
        persistence_location {folder}/
        autosave_on_changes true
        autosave_interval 1
        max_packet_size 1048576
        max_queued_messages 10000
        listener {port} 127.0.0.1
        protocol mqtt
        tls_version tlsv1.3
        cafile {files.Authority}
        certfile {files.Certificate}
        keyfile {files.Key}
        require_certificate true
        use_identity_as_username true
        use_username_as_clientid true
        allow_anonymous false
        acl_file {folder}/acl

        """);
}

/// <summary>Paths of the broker's certificate, its key and the authority's certificate.</summary>
public sealed record BrokerFiles(string Authority, string Certificate, string Key);
