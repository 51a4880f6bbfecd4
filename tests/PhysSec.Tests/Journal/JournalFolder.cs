using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using PhysSec.Node.Journal;

namespace PhysSec.Tests.Journal;

/// <summary>A folder for a journal that vanishes with the test, and the words to write into it.</summary>
internal sealed class JournalFolder : IDisposable
{
    public static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.FromHours(9));

    public string Path { get; } = Directory.CreateTempSubdirectory("physsec-journal-").FullName;

    public string File => System.IO.Path.Combine(Path, "journal.db");

    public JournalStore Open(long epoch = 1, long checkBytesMax = 16 << 20) => JournalStore.Open(Path, epoch, checkBytesMax);

    public static Stamp At(double seconds = 0) =>
        new(Noon.AddSeconds(seconds), TimeSpan.FromSeconds(100 + seconds), "boot-1", ClockQuality.Synced, LinkState.Down);

    public static Entry Opened(string door = "door-a") => new(Streams.Access, new ExitRequested(new DoorId(door), 1));

    public static Entry Measured(double value) => new(Streams.Measurements, new Measured([new PointValue(new PointId("room.temperature"), value, "good")]));

    public static JournalWrite Write(double seconds, params Entry[] entries) => new(entries, null, At(seconds));

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

internal static class JournalWords
{
    public static IReadOnlyList<StoredRecord> Add(this JournalStore store, double seconds, params Entry[] entries) =>
        store.Commit([JournalFolder.Write(seconds, entries)])![0];

    public static IReadOnlyList<StoredRecord> All(this JournalStore store, string stream = Streams.Access, long? epoch = null)
    {
        var all = new List<StoredRecord>();
        while (store.Read(epoch ?? store.Epoch, stream, all.Count == 0 ? 1 : all[^1].Seq + 1, long.MaxValue, 500, int.MaxValue) is { Count: > 0 } run)
            all.AddRange(run);
        return all;
    }
}
