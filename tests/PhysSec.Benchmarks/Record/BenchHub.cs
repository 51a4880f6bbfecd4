using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using PhysSec.Hub;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Ledger;
using PhysSec.Rig;

namespace PhysSec.Benchmarks.Record;

/// <summary>A hub's state as the program puts it together, opened in this process while no hub serves it.</summary>
internal sealed class BenchHub : IAsyncDisposable
{
    public const string Site = "bench";
    public static readonly Actor Admin = new("bench", "administrator", "benchmark");

    private readonly ServiceProvider _services;

    private BenchHub(HubHome home, ServiceProvider services) => (Home, _services) = (home, services);

    public HubHome Home { get; }

    public static BenchHub Open(string folder, TimeProvider clock, int consolePort = 0, int brokerPort = 0)
    {
        var configuration = Path.Combine(folder, "hub.json");
        if (!File.Exists(configuration))
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(configuration, $$"""{ "site": "{{Site}}", "console": { "listen": "127.0.0.1", "port": {{consolePort}} }, "broker": { "listen": "127.0.0.1", "port": {{brokerPort}} } }""");
        }

        var home = HubHome.Open(folder, null, clock);
        var services = new ServiceCollection().AddLogging();
        services.AddSingleton(clock).AddSingleton(home).AddSingleton(home.Store).AddSingleton(home.Keys).AddSingleton(home.Configuration);
        return new(home, services.AddHub().BuildServiceProvider());
    }

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    /// <summary>Enrols a node by the hub's own code, without the one-time code that a stranger needs.</summary>
    public async Task<EnrolledKey> EnrolAsync(string node)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (epoch, certificate) = await Get<Nodes>().EnrolAsync(Admin, node, null, new PublicKey(key));
        return new(Site, node, epoch, certificate, key.ExportPkcs8PrivateKeyPem(), Home.Authority.RootPem);
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await Home.DisposeAsync();
    }
}
