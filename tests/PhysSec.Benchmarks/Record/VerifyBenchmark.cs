using System.Diagnostics;
using System.Globalization;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;
using PhysSec.Rig;

namespace PhysSec.Benchmarks.Record;

/// <summary>An evidence pack of a million records, and physsec-verify on it as a process of its own.</summary>
internal static class VerifyBenchmark
{
    private const long PackMax = 1_000_000;
    private const int BudgetSeconds = 10;
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(20);

    public static async Task RunAsync(TextWriter output, BenchHub hub, string folder, CancellationToken cancel)
    {
        var newest = hub.Home.Store.Read(it => it.Number("select max(id) from ledger"));
        var count = Math.Min(PackMax, newest / 2);
        var (from, until) = (ReceivedAt(newest - count), ReceivedAt(newest));
        var file = Path.Combine(folder, "evidence.zip");
        var start = Stopwatch.GetTimestamp();
        await using (var pack = File.Create(file))
            await hub.Get<EvidenceWriter>().WriteAsync(BenchHub.Admin, new(new(From: from, To: until, Searches: true), "benchmark"), pack, cancel);
        var made = Stopwatch.GetElapsedTime(start).TotalSeconds;

        var native = Path.Combine(Programs.Root, ".artefacts", "verify", "physsec-verify");
        var (kind, program, arguments) = File.Exists(native) ? ("one native file", native, new[] { file }) : ("framework-dependent", "dotnet", [Programs.Verify, file]);
        start = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(cancel), process.StandardError.ReadToEndAsync(cancel));
        var peak = 0L;
        while (!process.HasExited)
        {
            peak = Math.Max(peak, Peak(process.Id));
            await Task.Delay(_look, TimeProvider.System, cancel);
        }

        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var text = (await said)[0];
        if (process.ExitCode != 0) throw new RigException($"physsec-verify found something wrong: {text}");
        var size = new FileInfo(file).Length / 1e6;
        File.Delete(file);
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"evidence pack of {count:N0} records: made in {made:0.0} s, {size:N0} MB; physsec-verify ({kind}): {seconds:0.0} s, at most {peak / 1024:N0} MB   budget {BudgetSeconds} s: {(seconds <= BudgetSeconds ? "kept" : "MISSED")}"));
        foreach (var line in text.Split('\n').Where(it => it.Contains("were signed", StringComparison.Ordinal) || it.Contains("Result:", StringComparison.Ordinal))) await output.WriteLineAsync("    " + line.Trim());

        DateTimeOffset ReceivedAt(long id) => Rows.FromStored(hub.Home.Store.Read(it => it.Number("select received_at from ledger where id = $id", ("$id", id))));
    }

    private static long Peak(int pid)
    {
        try
        {
            var line = File.ReadLines($"/proc/{pid}/status").FirstOrDefault(it => it.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0; // It has ended.
        }
    }
}
