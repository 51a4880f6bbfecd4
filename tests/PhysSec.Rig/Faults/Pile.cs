using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using PhysSec.Node.Journal;

namespace PhysSec.Rig.Faults;

/// <summary>What a node that was away from its hub for long has recorded, written by its own journal while it does not run.</summary>
internal static class Pile
{
    private const int Group = 5_000;

    /// <summary>One record a second up to now, each saying the same; where the stream stands then.</summary>
    public static StreamState Up(Instance room, int records, string stream, Fact fact, CancellationToken cancel)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var store = JournalStore.Open(Path.Combine(room.NodeFolder, "state"), 0);
        for (var done = 0; done < records; done += Group)
        {
            cancel.ThrowIfCancellationRequested();
            store.Commit([.. Enumerable.Range(done, Math.Min(Group, records - done)).Select(it => new JournalWrite(
                [new Entry(stream, fact)], null, new Stamp(now.AddSeconds(it - records), TimeSpan.FromSeconds(it + 1), "boot-away", ClockQuality.Synced, LinkState.Down)))]);
        }

        return store.State(stream);
    }
}
