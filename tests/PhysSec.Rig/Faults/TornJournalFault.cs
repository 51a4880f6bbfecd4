using System.Globalization;
using PhysSec.Core.Wire;
using PhysSec.Node.Journal;

namespace PhysSec.Rig.Faults;

/// <summary>
/// The files that a killed node leaves, cut at every byte of their last page, as a disk does that breaks its word. A journal that ends too early can look whole by
/// itself; the hub's first word then tells.
/// </summary>
internal static class TornJournalFault
{
    private const int Page = 4_096;
    private const string Database = "journal.db";
    private const string Log = "journal.db-wal";

    public static IReadOnlyList<FaultScenario> All { get; } =
        [new("torn-journal", "the journal of a killed node cut at every byte of its last page, file and log", PlayAsync)];

    private enum Outcome { Kept, SetAside, HubTells, FoundWhenRead }

    private static async Task<string> PlayAsync(FaultRun run)
    {
        await using var trial = await Trial.StartAsync(new InstanceOptions(), run);
        await trial.UnderBadgesAsync(() => Task.Delay(TimeSpan.FromSeconds(4), TimeProvider.System, run.Cancel));
        await trial.JudgeAsync();
        await trial.UnderBadgesAsync(() => Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, run.Cancel));
        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, run.Cancel); // The hub has acknowledged all of it.
        await trial.Room.KillNodeAsync();
        await trial.ReadAsync("after the kill");

        var state = Path.Combine(trial.Room.NodeFolder, "state");
        var files = new[] { Database, Log }.ToDictionary(it => it, it => File.ReadAllBytes(Path.Combine(state, it)));
        using var folder = new Scratch();
        var truth = Truth(folder, files);
        var through = Math.Min(trial.Ledger.AtHub(), truth.Count);
        if (through < truth.Count - 5) throw new RigException($"the hub holds {through} of {truth.Count} records after two quiet seconds");

        var counts = new Dictionary<Outcome, int>();
        foreach (var (name, left) in new[] { (Database, files), (Log, files), (Database, Folded(folder, files)) })
        {
            for (var length = Math.Max(0, left[name].Length - Page); length < left[name].Length; length++)
            {
                run.Cancel.ThrowIfCancellationRequested();
                var outcome = Judge(folder, left, name, length, truth, through);
                counts[outcome] = counts.GetValueOrDefault(outcome) + 1;
            }

            run.Progress($"{name}{(left.Count == 1 ? " with its log folded in" : "")}: {counts.Values.Sum()} cuts in all");
        }

        var (kept, aside, tells, read) = (counts.GetValueOrDefault(Outcome.Kept), counts.GetValueOrDefault(Outcome.SetAside), counts.GetValueOrDefault(Outcome.HubTells), counts.GetValueOrDefault(Outcome.FoundWhenRead));
        return string.Create(CultureInfo.InvariantCulture,
            $"{kept + aside + tells + read} cuts of a journal with {truth.Count} records: {kept} kept all that the hub holds, {aside} were set aside and declared, {tells} were found out by the hub's first word, {read} had lost what the hub holds and say so when it is read, 0 silent");
    }

    private static List<string> Truth(Scratch folder, Dictionary<string, byte[]> files)
    {
        folder.Fill(files, "", 0);
        using var store = JournalStore.Open(folder.Path, 1);
        return store.Repaired is null ? Bodies(store) : throw new RigException($"the journal of a killed node does not open: {store.Repaired.Fault}");
    }

    /// <summary>The one file that is left where a node was stopped in order.</summary>
    private static Dictionary<string, byte[]> Folded(Scratch folder, Dictionary<string, byte[]> files)
    {
        folder.Fill(files, "", 0);
        using (JournalStore.Open(folder.Path, 1)) { }
        return Directory.GetFiles(folder.Path).ToDictionary(it => Path.GetFileName(it), File.ReadAllBytes);
    }

    private static Outcome Judge(Scratch folder, Dictionary<string, byte[]> files, string cut, int length, List<string> truth, long through)
    {
        folder.Fill(files, cut, length);
        using var store = JournalStore.Open(folder.Path, 1);
        if (store.Repaired is not null)
            return store.Epoch == 0 && store.State(Streams.Access).Seq == 0 ? Outcome.SetAside : throw new RigException($"{cut} cut at {length}: set aside, and the new journal is not empty");
        List<string> found;
        try
        {
            found = Bodies(store);
        }
        catch (JournalException)
        {
            // From the last acknowledged record on the opening has proved the chain: what is damaged before it the hub holds, and whoever reads it is told.
            var acknowledged = store.State(Streams.Access).Acknowledged;
            return acknowledged > 0 && acknowledged <= through ? Outcome.FoundWhenRead : throw new RigException($"{cut} cut at {length}: a record is damaged that the hub may not hold, and the opening has passed over it");
        }

        if (!found.SequenceEqual(truth.Take(found.Count))) throw new RigException($"{cut} cut at {length}: what is read is not what was written");
        if (found.Count >= through) return Outcome.Kept;
        var state = store.State(Streams.Access);
        return store.Acknowledge(store.Epoch, Streams.Access, through, state.HubEpoch) == AckOutcome.ContinuityLost
            ? Outcome.HubTells : throw new RigException($"{cut} cut at {length}: {found.Count} of {through} records are left and nobody notices");
    }

    private static List<string> Bodies(JournalStore store)
    {
        var all = new List<string>();
        while (store.Read(store.Epoch, Streams.Access, all.Count + 1, long.MaxValue, 500, int.MaxValue) is { Count: > 0 } run) all.AddRange(run.Select(it => it.Body));
        return all;
    }

    /// <summary>A folder in memory, where there is one: ten thousand openings flush a lot.</summary>
    private sealed class Scratch : IDisposable
    {
        public string Path { get; } = Directory.CreateDirectory(System.IO.Path.Combine(
            Directory.Exists("/dev/shm") ? "/dev/shm" : System.IO.Path.GetTempPath(), $"physsec-torn-{Environment.ProcessId}")).FullName;

        public void Fill(Dictionary<string, byte[]> files, string cut, int length)
        {
            foreach (var it in Directory.GetFiles(Path)) File.Delete(it);
            foreach (var (name, bytes) in files)
            {
                using var file = File.Create(System.IO.Path.Combine(Path, name));
                file.Write(bytes.AsSpan(0, name == cut ? length : bytes.Length));
            }
        }

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
