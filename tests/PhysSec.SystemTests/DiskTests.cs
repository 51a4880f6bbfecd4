using System.Globalization;
using PhysSec.Rig;
using PhysSec.Rig.Soak;

namespace PhysSec.SystemTests;

/// <summary>What a node does with a disk that is full and a journal that is torn.</summary>
public sealed class DiskTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(30);

    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 180_000)]
    public async Task A_full_disk_keeps_the_door_shut_says_so_and_loses_nothing_that_was_recorded()
    {
        await using var instance = await Instance.StartAsync(new InstanceOptions(), Cancel);
        var ledger = new Ledger(instance);
        await instance.KillNodeAsync();
        ledger.ReadJournal();
        var largest = new DirectoryInfo(Path.Combine(instance.NodeFolder, "state")).GetFiles().Max(it => it.Length);

        // No file may grow past this size: for the journal the same as a full disk, and it needs no rights.
        var blocks = (largest / 1_024) + 96;
        instance.StartNode(["bash", "-c",
            $"trap '' XFSZ; ulimit -f {blocks.ToString(CultureInfo.InvariantCulture)}; export DOTNET_EnableWriteXorExecute=0; exec \"$@\"", "full-disk"]);
        await instance.NodeReadyAsync(Cancel);
        await Wait.UntilAsync("the node to say that its journal cannot be written", async () =>
        {
            await instance.ActAsync("badge alice", Cancel);
            await instance.ActAsync("close", Cancel);
            return HubApi.Items(await instance.Operator.GetAsync("nodes", Cancel)).Any(it =>
                (string?)it["id"] == Instance.LiveNode && (string?)it["state"] == "degraded" && it.ToJsonString().Contains("journal", StringComparison.OrdinalIgnoreCase));
        }, TimeSpan.FromSeconds(60), Cancel);
        await LockIsOffAsync(instance);
        await instance.ActAsync("badge alice", Cancel);
        await LockStaysOffAsync(instance);

        await instance.KillNodeAsync();
        ledger.ReadJournal();
        instance.StartNode();
        await instance.NodeReadyAsync(Cancel);
        await ledger.CompareAsync(_limit, Cancel);
        await instance.ActAsync("badge alice", Cancel);
        await Wait.UntilAsync("the door to work again", async () => (bool)(await instance.RoomAsync(Cancel))["lockOutput"]!, _limit, Cancel);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_torn_journal_is_set_aside_declared_and_never_sent_as_good()
    {
        await using var instance = await Instance.StartAsync(new InstanceOptions(), Cancel);
        await instance.ActAsync("badge mallory", Cancel);
        await instance.KillNodeAsync();
        var journal = Path.Combine(instance.NodeFolder, "state", "journal.db");
        await using (var file = new FileStream(journal, FileMode.Open, FileAccess.Write))
        {
            file.Position = Math.Max(0, file.Length / 2);
            var noise = new byte[8_192];
            new Random(99).NextBytes(noise);
            await file.WriteAsync(noise, Cancel);
        }

        foreach (var it in new[] { "-wal", "-shm" }) File.Delete(journal + it);
        await using (var file = new FileStream(journal, FileMode.Open, FileAccess.Write)) file.SetLength(file.Length - 1_000);

        instance.StartNode();
        await instance.NodeReadyAsync(Cancel);

        var declared = await Wait.ForAsync("the record of what was set aside", async () =>
            HubApi.Items(await instance.Auditor.GetAsync($"records?node={Instance.LiveNode}&limit=500", Cancel))
                .FirstOrDefault(it => (string?)it["kind"] == "journal.repaired"), _limit, Cancel);
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(instance.NodeFolder, "state"), "journal.db.corrupt-*"));
        Assert.NotNull(declared);
        await instance.ActAsync("badge alice", Cancel);
        await Wait.UntilAsync("the door to work", async () => (bool)(await instance.RoomAsync(Cancel))["lockOutput"]!, _limit, Cancel);
    }

    private async Task LockIsOffAsync(Instance instance) => await Wait.UntilAsync(
        "the lock output to be off", async () => !(bool)(await instance.RoomAsync(Cancel))["lockOutput"]!, _limit, Cancel);

    /// <summary>Watches the lock for a second: a release that comes late is a release as well.</summary>
    private async Task LockStaysOffAsync(Instance instance)
    {
        for (var i = 0; i < 20; i++)
        {
            var now = await instance.RoomAsync(Cancel);
            Assert.False((bool)now["lockOutput"]!, "the lock let go although the entry could not be recorded");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancel);
        }
    }
}
