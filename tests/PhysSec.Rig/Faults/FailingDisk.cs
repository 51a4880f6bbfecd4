namespace PhysSec.Rig.Faults;

/// <summary>A disk that fails on order under one folder of one process; see failing-disk.c.</summary>
internal sealed class FailingDisk : IDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("physsec-failing-").FullName;

    private FailingDisk(string under) => Environment = new Dictionary<string, string?>
    {
        ["LD_PRELOAD"] = Library,
        ["FAILING_DISK_UNDER"] = under,
        ["FAILING_DISK_ORDER"] = OrderFile,
    };

    /// <summary>For the process that is to suffer it.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; }

    private string Library => Path.Combine(_folder, "failing-disk.so");

    private string OrderFile => Path.Combine(_folder, "order"); // Outside of what it breaks.

    /// <exception cref="RigException">There is no compiler.</exception>
    public static async Task<FailingDisk> MakeAsync(string under, CancellationToken cancel)
    {
        var disk = new FailingDisk(under);
        try
        {
            await Child.RunAsync("gcc", "gcc",
            [
                "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", disk.Library, Path.Combine(Programs.Root, "tests", "PhysSec.Rig", "Faults", "failing-disk.c"),
            ], _limit, cancel);
            disk.Heal();
            return disk;
        }
        catch
        {
            disk.Dispose();
            throw;
        }
    }

    /// <summary>From now on, like <c>fsync EIO</c>.</summary>
    public void Order(string order)
    {
        File.WriteAllText(OrderFile + ".new", order);
        File.Move(OrderFile + ".new", OrderFile, overwrite: true);
    }

    public void Heal() => Order("");

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
