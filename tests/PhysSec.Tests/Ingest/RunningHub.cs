using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub;
using PhysSec.Hub.Alarms;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Ingest;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Tests.Ingest;

/// <summary>A hub as the program puts it together, with a real store, real certificates and, when asked for, its real broker; only the loops that wait for time stand still.</summary>
internal sealed class RunningHub : IAsyncDisposable
{
    public static readonly Actor Admin = new("tanaka", "administrator", "test");
    public static readonly SiteId Site = new("city");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("physsec-hub-");
    private readonly ServiceProvider _services;
    private HubService? _broker;

    /// <param name="start">Certificates are judged by the machine's clock at a client: whoever connects one begins there.</param>
    /// <param name="notify">The section of hub.json.</param>
    /// <param name="broker">The section of hub.json.</param>
    /// <param name="ledger">The section of hub.json.</param>
    /// <param name="retention">The section of hub.json.</param>
    /// <param name="review">The section of hub.json.</param>
    /// <param name="doors">The section of hub.json.</param>
    private RunningHub(DateTimeOffset start, string notify, string broker = """{ "port": 0 }""", string ledger = "{}", string retention = "{}", string review = "{}", string doors = "{}")
    {
        Time = new(start);
        File.WriteAllText(Path.Combine(_folder.FullName, "webhook.key"), "a-secret-of-at-least-32-characters");
        File.WriteAllText(Path.Combine(_folder.FullName, "hub.json"), $$"""{ "site": "{{Site}}", "broker": {{broker}}, "notify": {{notify}}, "ledger": {{ledger}}, "retention": {{retention}}, "review": {{review}}, "doors": {{doors}} }""");
        Home = HubHome.Open(_folder.FullName, null, Time);
        var services = new ServiceCollection().AddLogging();
        services.AddSingleton<TimeProvider>(Time).AddSingleton(Home).AddSingleton(Home.Store).AddSingleton(Home.Keys).AddSingleton(Home.Configuration);
        _services = services.AddHub().BuildServiceProvider();
    }

    public FakeTimeProvider Time { get; }

    public HubHome Home { get; }

    public Store Store => Home.Store;

    public Nodes Nodes => Get<Nodes>();

    public AlarmBoard Alarms => Get<AlarmBoard>();

    public TurnedAway TurnedAway => Get<TurnedAway>();

    public DoorCommands Commands => Get<DoorCommands>();

    public int Port => Get<NodeLink>().Port;

    public static RunningHub WithoutBroker(string notify = "{}", string ledger = "{}", string retention = "{}", string review = "{}", string doors = "{}") =>
        new(new(2026, 11, 2, 9, 0, 0, TimeSpan.FromHours(9)), notify, ledger: ledger, retention: retention, review: review, doors: doors);

    /// <summary>Made to use a broker of somebody else's at this port; certificates count from now.</summary>
    public static RunningHub WithoutBroker(int external) => new(
        TimeProvider.System.GetUtcNow(), "{}", $$"""{ "kind": "external", "host": "localhost", "port": {{external.ToString(System.Globalization.CultureInfo.InvariantCulture)}} }""");

    public static async Task<RunningHub> StartAsync()
    {
        var hub = new RunningHub(TimeProvider.System.GetUtcNow(), "{}");
        hub._broker = hub._services.GetServices<IHostedService>().OfType<HubService>().Single();
        await hub._broker.StartAsync(TestContext.Current.CancellationToken);
        return hub;
    }

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    public async Task<SignedNode> EnrolAsync(string id)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (epoch, certificate) = await Nodes.EnrolAsync(Admin, id, null, new PublicKey(key));
        return new(new TestIdentity(id, epoch, certificate, key.ExportPkcs8PrivateKeyPem(), Home.Keys.SigningPublicPem));
    }

    /// <summary>Hands a payload to the ingest as the broker does.</summary>
    public Task TakeAsync(SignedNode node, string channel, string? rest, byte[] payload, bool kept = false) =>
        Get<Ingestion>().TakeAsync(new NodeTopic(Site, node.Id, channel, rest), payload, kept);

    public Task TakeBatchAsync(SignedNode node, long first, long last) => TakeAsync(node, "journal", Streams.Access, node.Batch(first, last));

    /// <summary>What the ledger holds of a node, in order of its keys.</summary>
    public List<(long Seq, string Body)> Ledger(SignedNode node) => Store.Read(it => it.Query(
        "select seq, body from ledger where source = $node order by epoch, stream, seq", row => (row.GetInt64(0), row.GetString(1)), ("$node", node.Id.Value)));

    public (long Seq, string Head) Through(SignedNode node) => Store.Read(it => Records.Through(it, node.Id.Value, node.Epoch, Streams.Access));

    public long Count(string table) => Store.Read(it => it.Number($"select count(*) from {table}"));

    public async ValueTask DisposeAsync()
    {
        if (_broker is not null) await _broker.StopAsync(CancellationToken.None);
        await _services.DisposeAsync();
        await Home.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
