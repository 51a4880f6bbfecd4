using PhysSec.Core;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Configuration;

/// <summary>Another hub runs on this state directory.</summary>
public sealed class HubBusyException(string folder)
    : Exception($"a hub is running on {folder}; stop it first, or use its HTTP API");

/// <summary>Everything that lies under the state directory, opened once and locked against a second hub.</summary>
public sealed class HubHome : IAsyncDisposable
{
    private readonly FileStream _lock;

    private HubHome(string folder, HubConfiguration configuration, FileStream locked, TimeProvider clock)
    {
        (Folder, Configuration, _lock) = (folder, configuration, locked);
        Store = Store.Open(Path.Combine(folder, "hub.db"));
        var (pki, keys) = (Path.Combine(folder, "pki"), Path.Combine(folder, "keys"));
        if (Store.Read(it => it.Number("select count(*) from nodes")) > 0 && Missing(pki, keys) is { } missing)
        {
            throw new InvalidOperationException(
                $"{missing} is missing, but nodes are enrolled: with new keys every one of them would refuse this hub. Restore the folders pki and keys from the same backup as hub.db");
        }

        Authority = Authority.Open(pki, configuration.Site, clock.GetUtcNow());
        Keys = SiteKeys.Open(keys);
        if (!File.Exists(LedgerKey.File(keys)) && Store.Read(it => it.Number("select count(*) from checkpoints")) > 0)
        {
            throw new InvalidOperationException(
                $"{LedgerKey.File(keys)} is missing, but checkpoints were signed with it: with a new key nobody could tell this ledger from a forged one. Restore it from a backup");
        }

        LedgerKey = LedgerKey.Open(keys);
    }

    public string Folder { get; }

    /// <summary>Where hub.json lies; files that it names are relative to it.</summary>
    public string ConfigurationFolder { get; private init; } = "";

    public HubConfiguration Configuration { get; }

    public SiteId Site => new(Configuration.Site);

    public Authority Authority { get; }

    public SiteKeys Keys { get; }

    public LedgerKey LedgerKey { get; }

    public Store Store { get; }

    /// <summary>Opens the state; the first time makes the authority, the keys and the store.</summary>
    /// <exception cref="ConfigurationException">hub.json is wrong; nothing was made.</exception>
    /// <exception cref="HubBusyException">A hub is running here.</exception>
    public static HubHome Open(string folder, string? configuration, TimeProvider clock)
    {
        folder = Path.GetFullPath(folder);
        var path = configuration ?? Path.Combine(folder, "hub.json");
        var read = ConfigurationReader.Load(path);
        PrivateFiles.Folder(folder);
        FileStream locked;
        try
        {
            locked = new FileStream(Path.Combine(folder, "hub.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new HubBusyException(folder);
        }

        try
        {
            return new HubHome(folder, read, locked, clock) { ConfigurationFolder = Path.GetDirectoryName(Path.GetFullPath(path))! };
        }
        catch
        {
            locked.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        LedgerKey.Dispose();
        Keys.Dispose();
        Authority.Dispose();
        await _lock.DisposeAsync();
    }

    private static string? Missing(string pki, string keys) =>
        Authority.Files(pki).Concat(SiteKeys.Files(keys)).FirstOrDefault(it => new FileInfo(it) is not { Exists: true, Length: > 0 });
}
