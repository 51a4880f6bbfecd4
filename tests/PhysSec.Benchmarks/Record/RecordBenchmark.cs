using System.Globalization;
using PhysSec.Hub.Storage;
using PhysSec.Rig;

namespace PhysSec.Benchmarks.Record;

/// <summary>What the record costs and how soon it answers: commits, size, searches over ten million records, verification.</summary>
/// <param name="Records">How many records to search.</param>
/// <param name="Keep">Where the filled store lies and stays, to be searched again; null: in a temporary folder that is deleted.</param>
/// <param name="Parts">Which of the parts; empty: all.</param>
internal sealed record RecordBenchmark(long Records, string? Keep, IReadOnlyList<string> Parts)
{
    public const long Standard = 10_000_000;
    private const long Least = 100_000;
    private const long BytesEach = 1_100; // Twice over while the tree of pages is written, and the pack.

    private static readonly string[] _parts = ["commit", "fill", "search", "verify"];

    /// <summary>Reads <c>--records N --keep DIR --only PART,…</c>.</summary>
    /// <exception cref="RigException">Says what is wrong.</exception>
    public static RecordBenchmark Read(IReadOnlyList<string> arguments)
    {
        var it = new RecordBenchmark(Standard, null, []);
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var value = i + 1 < arguments.Count ? arguments[i + 1] : throw new RigException($"record: {arguments[i]} has no value");
            it = arguments[i] switch
            {
                "--records" when long.TryParse(value.Replace(",", "", StringComparison.Ordinal), NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= Least and <= 100_000_000 => it with { Records = count },
                "--records" => throw new RigException($"record: --records {value}: give a number from {Least} to 100000000"),
                "--keep" => it with { Keep = Path.GetFullPath(value) },
                "--only" when value.Split(',').All(_parts.Contains) => it with { Parts = value.Split(',') },
                "--only" => throw new RigException($"record: --only {value}: choose from {string.Join(", ", _parts)}"),
                var other => throw new RigException($"record: there is no option {other}; --records N, --keep DIR, --only {string.Join(',', _parts)}"),
            };
        }

        return it;
    }

    public async Task RunAsync(TextWriter output, CancellationToken cancel)
    {
        if (Has("commit")) await CommitAsync(output, cancel);
        if (!Has("fill") && !Has("search") && !Has("verify")) return;
        var folder = Keep ?? Directory.CreateTempSubdirectory("physsec-record-").FullName;
        try
        {
            Directory.CreateDirectory(folder);
            var database = Path.Combine(folder, "hub.db");
            var free = new DriveInfo(folder).AvailableFreeSpace;
            var needed = (Records * BytesEach) - (File.Exists(database) ? new FileInfo(database).Length : 0);
            if (free < needed)
            {
                throw new RigException(string.Create(
                    CultureInfo.InvariantCulture, $"{folder} has {free / 1e9:0.0} GB free and {Records:N0} records take {needed / 1e9:0.0} GB: name a folder with more by --keep DIR, or fewer records by --records N"));
            }

            await new LedgerFill(folder, Records).RunAsync(cancel);
            await using var hub = BenchHub.Open(folder, TimeProvider.System);
            var count = hub.Home.Store.Read(it => it.Number("select max(id) from ledger"));
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"store of {count:N0} records: {new FileInfo(database).Length / (double)count:N0} bytes each, all indexes, signatures and the tree with it"));
            if (Has("search"))
            {
                var searches = new SearchBenchmark(hub, database, count);
                await searches.RunAsync(output, cancel);
                await searches.ExportAsync(output, cancel);
            }

            if (Has("verify")) await VerifyBenchmark.RunAsync(output, hub, folder, cancel);
        }
        finally
        {
            if (Keep is null) Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task CommitAsync(TextWriter output, CancellationToken cancel)
    {
        await output.WriteLineAsync($"{"committed and acknowledged, records/s",-42} {"hub",9} {"SQLite",9}   {"bytes each: hub",15} {"SQLite",9}   budget");
        foreach (var (nodes, each, budget) in new[] { (1, 100_000, 5_000), (100, 2_000, 0), (500, 500, 10_000) })
        {
            var (hub, plain) = await IngestBenchmark.MeasureAsync(nodes, each, cancel);
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{$"from {nodes} node{(nodes == 1 ? "" : "s")}, TLS, signatures checked",-42} {hub.PerSecond,9:N0} {plain.PerSecond,9:N0}   {hub.BytesEach,15:N0} {plain.BytesEach,9:N0}   {(budget == 0 ? "" : hub.PerSecond >= budget ? $"{budget:N0}: kept" : $"{budget:N0}: MISSED")}"));
        }
    }

    private bool Has(string part) => Parts.Count == 0 || Parts.Contains(part);
}
