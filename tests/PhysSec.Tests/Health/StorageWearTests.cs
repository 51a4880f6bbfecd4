using PhysSec.Core.Wire;
using PhysSec.Node.Health;

namespace PhysSec.Tests.Health;

public sealed class StorageWearTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("wear").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("/var/lib/physsec-node", "179:2")]
    [InlineData("/var/lib", "179:2")]
    [InlineData("/run/physsec-node", "0:24")]
    [InlineData("/data x/state", "8:1")]
    [InlineData("/database", "179:2")] // Not below /data.
    public void The_memory_is_the_one_of_the_nearest_mount(string folder, string number) => Assert.Equal(number, StorageWear.DeviceNumber(
    [
        "21 1 179:2 / / rw,noatime - ext4 /dev/root rw",
        "24 21 0:24 / /run rw - tmpfs tmpfs rw",
        "30 21 8:1 / /data\\040x rw - ext4 /dev/sda1 rw",
        "31 21 8:2 / /data rw - ext4 /dev/sda2 rw",
        "short",
    ], folder));

    [Theory]
    [InlineData("0x02 0x01", "0x01", 20, false)]
    [InlineData("0x01 0x09", "0x01", 90, true)]
    [InlineData("0x0b 0x0b", "0x01", 110, true)]
    [InlineData("0x01 0x01", "0x02", 10, true)] // The reserve is used up.
    [InlineData("0x00 0x00", "0x00", null, false)] // The controller does not tell.
    public void The_controller_s_own_count_is_believed(string life, string reserve, int? percent, bool nearEnd)
    {
        Write("sys/dev/block/mmcblk0/device/life_time", life + "\n");
        Write("sys/dev/block/mmcblk0/device/pre_eol_info", reserve + "\n");

        Assert.Equal(new StorageHealth("mmcblk0", 512_000, percent, nearEnd), OfPartition());
    }

    [Fact]
    public void A_card_that_tells_nothing_of_its_age_is_reported_by_what_was_written() =>
        Assert.Equal(new StorageHealth("mmcblk0", 512_000, null, false), OfPartition());

    [Theory]
    [InlineData("nonsense")]
    [InlineData("1 2 3")]
    [InlineData("1 2 3 4 5 6 99999999999999999999999")]
    public void What_a_kernel_writes_differently_is_no_reason_to_fail(string stat)
    {
        OfPartition();
        Write("sys/dev/block/mmcblk0/stat", stat);

        Assert.Null(StorageWear.Of("/var/lib/physsec-node", Path.Combine(_root, "proc"), Path.Combine(_root, "sys")));
    }

    [Fact]
    public void This_machine_s_own_memory_is_found_or_there_is_none() =>
        Assert.True(StorageWear.Of(_root) is null or { WrittenBytes: >= 0, Device.Length: > 0 });

    private StorageHealth? OfPartition()
    {
        Write("proc/self/mountinfo", "21 1 179:2 / / rw,noatime - ext4 /dev/root rw\n");
        Write("sys/dev/block/mmcblk0/stat", " 10 0 20 30 40 50 1000 60 0 0 0\n");
        Write("sys/dev/block/mmcblk0/mmcblk0p2/partition", "2\n");
        var link = Path.Combine(_root, "sys/dev/block/179:2");
        if (!Path.Exists(link)) Directory.CreateSymbolicLink(link, "mmcblk0/mmcblk0p2");
        return StorageWear.Of("/var/lib/physsec-node", Path.Combine(_root, "proc"), Path.Combine(_root, "sys"));
    }

    private void Write(string path, string text)
    {
        var full = Path.GetFullPath(Path.Combine(_root, path));
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }
}
