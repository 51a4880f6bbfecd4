using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub;
using PhysSec.Hub.Broker;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Ingest;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.Simulation.Record;

/// <summary>The hub as the program puts it together, on a folder that outlives its processes. The loops that wait for time stand still; the broker is the model's.</summary>
internal sealed class ModelHub(string folder, Turns turns, TimeProvider clock, INodeBroker broker) : IDisposable
{
    public static readonly SiteId Site = new("city");
    public static readonly DateTimeOffset Begin = new(2026, 11, 24, 10, 0, 0, TimeSpan.FromHours(9));

    private HubHome? _home;
    private ServiceProvider? _services;
    private Ingestion? _ingestion;
    private string? _backup;
    private DateTimeOffset _backupAt;

    public Life Life { get; private set; } = new(turns);

    public bool Running => _home is not null;

    public Store Store => _home!.Store;

    public ECDsa Key => _home!.Keys.Signing;

    public X509Certificate2 Authority => _home!.Authority.Trust[0];

    public bool HasBackup => _backup is not null;

    /// <summary>When each of its processes began.</summary>
    public List<DateTimeOffset> Starts { get; } = [];

    /// <summary>What the ledger held of nodes when it was replaced by a backup, and when that was.</summary>
    public List<(DateTimeOffset At, HashSet<string> Hashes)> Restores { get; } = [];

    /// <summary>Stands between broker and ingest; a rule is taken out here. Null: nothing does.</summary>
    public Func<NodeTopic, byte[], Task<bool>>? Instead { get; set; }

    /// <summary>Told of what the hub has taken.</summary>
    public Action<NodeTopic, byte[]>? Took { get; init; }

    /// <summary>Done to the store's file before each start.</summary>
    public string? Sql { get; set; }

    public T Get<T>() where T : notnull => _services!.GetRequiredService<T>();

    public void Start()
    {
        if (Sql is not null) Change(Path.Combine(folder, "hub.db"), Sql);
        Life = new(turns);
        _home = HubHome.Open(folder, null, clock);
        var services = new ServiceCollection().AddLogging();
        services.AddSingleton(clock).AddSingleton(_home).AddSingleton(_home.Store).AddSingleton(_home.Keys).AddSingleton(_home.Configuration);
        _services = services.AddHub().BuildServiceProvider();
        Life.Turn(_ => _ingestion = Get<Ingestion>());
        Starts.Add(clock.GetUtcNow());
        Get<NodeLink>().Attach(broker);
    }

    /// <summary>Killed, wherever it is; what it had committed is there.</summary>
    public void Kill()
    {
        Life.Die();
        _services?.Dispose();
        _home?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        (_services, _home, _ingestion) = (null, null, null);
    }

    /// <summary>False: the store refused, or nobody is there.</summary>
    public Task<bool> TakeAsync(NodeTopic topic, byte[] payload, bool kept, bool twice) => Life.Begin(async () =>
    {
        try
        {
            for (var i = 0; i < (twice ? 2 : 1); i++)
                if (Instead is null || !await Instead(topic, payload)) await _ingestion!.TakeAsync(topic, payload, kept);
            Took?.Invoke(topic, payload);
            return true;
        }
        catch (SqliteException)
        {
            return false;
        }
    }) ?? Task.FromResult(false);

    /// <summary>Says on the retained topic that it is there, as its service does.</summary>
    public void SayOnline() => Life.Turn(_ => Get<NodeLink>().PublishAsync(
        Topics.Hub(Site), JsonSerializer.SerializeToUtf8Bytes(new HubState("online", Store.Read(Records.HubEpoch), [Topics.Version], clock.GetUtcNow()), WireJson.Plain.HubState), retain: true));

    public void TakeBackup()
    {
        _backup = Path.Combine(folder, "..", "backup.db");
        _backupAt = clock.GetUtcNow();
        File.Delete(_backup);
        Backup.Copy(Path.Combine(folder, "hub.db"), _backup);
    }

    /// <summary>The killed hub's store is replaced by the backup, with the backup's own code.</summary>
    public void Restore(bool raise = true)
    {
        var file = Path.Combine(folder, "hub.db");
        Restores.Add((clock.GetUtcNow(), Hashes(file)));
        foreach (var part in (string[])["-wal", "-shm"]) File.Delete(file + part);
        File.Copy(_backup!, file, overwrite: true);
        if (raise) Backup.RaiseAsync(folder, _backupAt.ToString("O", CultureInfo.InvariantCulture), "the disk died", clock.GetUtcNow()).GetAwaiter().GetResult();
    }

    public void Dispose() => Kill();

    private static HashSet<string> Hashes(string file)
    {
        using var connection = Open(file);
        return [.. connection.Query("select hash from ledger where source <> 'hub' union select hash from divergence", it => it.GetString(0))];
    }

    private static void Change(string file, string sql)
    {
        using var connection = Open(file);
        connection.Execute(sql);
    }

    private static SqliteConnection Open(string file)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ConnectionString);
        connection.Open();
        return connection;
    }
}

/// <summary>A hub's folder with enrolled nodes, made once; every round begins with a copy.</summary>
internal sealed record HubTemplate(string Folder, IReadOnlyList<TestIdentity> Nodes)
{
    public const int NodesMax = 3;

    private static readonly Lazy<HubTemplate> _made = new(Make);

    public static HubTemplate Shared => _made.Value;

    public void CopyTo(string folder)
    {
        foreach (var from in Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories))
        {
            var to = Path.Combine(folder, Path.GetRelativePath(Folder, from));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(from, to);
        }
    }

    private static HubTemplate Make()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Rounds.Folder, "template")).FullName;
        File.WriteAllText(Path.Combine(folder, "hub.json"), $$"""{ "site": "{{ModelHub.Site}}", "broker": { "port": 0 } }""");
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(ModelHub.Begin.AddDays(-1));
        var home = HubHome.Open(folder, null, clock);
        using var nodes = new Nodes(home, clock);
        var made = new List<TestIdentity>();
        for (var i = 1; i <= NodesMax; i++)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var (epoch, certificate) = nodes.EnrolAsync(RunningHub.Admin, $"node-{i}", null, new PublicKey(key)).GetAwaiter().GetResult();
            made.Add(new($"node-{i}", epoch, certificate, key.ExportPkcs8PrivateKeyPem(), home.Keys.SigningPublicPem));
        }

        home.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return new(folder, made);
    }
}
