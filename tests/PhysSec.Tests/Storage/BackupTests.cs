using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.Storage;

/// <summary>ONCE, SECURE-BY-DEFAULT: a hub that comes back from a backup asks for what it lacks and opens nothing that was closed since.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class BackupTests : IDisposable
{
    private const string Passphrase = "correct horse battery";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("physsec-backup-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string File => Path.Combine(_folder.FullName, "hub.backup");

    private string Restored => Path.Combine(_folder.FullName, "restored");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_restored_hub_has_everything_and_a_higher_epoch_however_often_it_is_restored()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(5, hub.Time.GetUtcNow());
        await hub.TakeBatchAsync(node, 1, 5);
        await TakeAsync(hub);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
        await hub.TakeAsync(node, "birth", null, node.Birth(5)); // What comes later is not in it.

        var epochs = new List<long> { hub.Store.Read(Records.HubEpoch) };
        for (var i = 0; i < 2; i++)
        {
            hub.Time.Advance(TimeSpan.FromMinutes(1));
            var said = await Backup.RestoreAsync(File, Restored, Passphrase, "the disk died", hub.Time.GetUtcNow(), Cancel);
            Assert.StartsWith("restored: site city", said, StringComparison.Ordinal);
            await using var home = HubHome.Open(Restored, null, hub.Time);
            epochs.Add(home.Store.Read(Records.HubEpoch));
            Assert.Equal(hub.Home.Authority.Pin, home.Authority.Pin);
            Assert.Equal(hub.Home.Keys.SigningPublicPem, home.Keys.SigningPublicPem);
            Assert.Equal(5, home.Store.Read(it => it.Number("select count(*) from ledger where source = 'node-a'")));
            Assert.Equal(1, home.Store.Read(it => it.Number("select count(*) from ledger where kind = 'hub.hub.restored'")));
            await home.DisposeAsync();
            Directory.Delete(Restored, recursive: true);
        }

        Assert.Equal(epochs.Distinct().Order(), epochs);
    }

    [Fact]
    public async Task A_wrong_passphrase_or_a_torn_file_restores_nothing()
    {
        await using var hub = RunningHub.WithoutBroker();
        await TakeAsync(hub);
        await Assert.ThrowsAsync<InputException>(() => Backup.RestoreAsync(File, Restored, "another passphrase", "why", hub.Time.GetUtcNow(), Cancel));
        await System.IO.File.WriteAllBytesAsync(File, (await System.IO.File.ReadAllBytesAsync(File, Cancel))[..^40], Cancel);
        await Assert.ThrowsAsync<InputException>(() => Backup.RestoreAsync(File, Restored, Passphrase, "why", hub.Time.GetUtcNow(), Cancel));
        Assert.Equal([File], _folder.GetFileSystemInfos().Select(it => it.FullName));
    }

    [Fact]
    public async Task A_backup_replaces_no_file_and_a_restore_no_folder()
    {
        await using var hub = RunningHub.WithoutBroker();
        await TakeAsync(hub);
        Assert.Equal("to", (await Assert.ThrowsAsync<InputException>(() => TakeAsync(hub))).Field);
        Assert.Equal("state", (await Assert.ThrowsAsync<InputException>(() => Backup.RestoreAsync(File, hub.Home.Folder, Passphrase, "why", hub.Time.GetUtcNow(), Cancel))).Field);
        Assert.Equal("passphrase", (await Assert.ThrowsAsync<InputException>(() => Backup.TakeAsync(hub.Home, RunningHub.Admin, File + "2", "short", hub.Time.GetUtcNow(), Cancel))).Field);
    }

    [Fact]
    public async Task A_node_with_a_newer_policy_than_the_hub_knows_keeps_it_until_an_administrator_has_looked()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await hub.EnrolAsync("node-a");
        var publisher = hub.Get<PolicyPublisher>();
        var sent = new List<long>();
        publisher.Sender = (_, message, _) =>
        {
            if (message.Body is not null) sent.Add(message.Version);
            return Task.CompletedTask;
        };
        var ahead = new List<(long Version, long? Known)>();
        publisher.Ahead += (_, version, known) => ahead.Add((version, known));
        await publisher.PublishAllAsync(Cancel);
        var known = Assert.Single(sent);

        await publisher.ResendAsync(node.Id, 50, Cancel);
        await publisher.PublishAllAsync(Cancel);
        await publisher.ConfirmAllAsync(Cancel);
        Assert.Equal([known], sent);
        Assert.Equal([(50, known)], ahead);

        await Assert.ThrowsAsync<InputException>(() => publisher.ReleaseAsync(RunningHub.Admin, "node-a", " "));
        await publisher.ReleaseAsync(RunningHub.Admin, "node-a", "compared with the paper list");
        Assert.Equal([known, 51], sent);
        Assert.Equal((50, null), ahead[^1]);
        await Assert.ThrowsAsync<InputException>(() => publisher.ReleaseAsync(RunningHub.Admin, "node-a", "again"));
    }

    private Task TakeAsync(RunningHub hub) => Backup.TakeAsync(hub.Home, RunningHub.Admin, File, Passphrase, hub.Time.GetUtcNow(), Cancel);
}
