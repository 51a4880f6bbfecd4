using System.Globalization;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Wire;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Ingest;

/// <summary>A node whose journal does not go on where the hub's copy ends.</summary>
/// <param name="Why">One sentence.</param>
/// <param name="History">The hub holds records of it: somebody has to look. A new board has none.</param>
/// <param name="Waiting">The last epoch that was issued is still unused and would do: another one would only be burnt.</param>
/// <param name="Held">What the hub holds of its records, so that they are not issued a second time: the epoch command's arguments.</param>
public sealed record Discontinuity(string Why, bool History, bool Waiting, IReadOnlyDictionary<string, string> Held)
{
    /// <summary>Null: the journal goes on.</summary>
    /// <param name="store">What the hub holds.</param>
    /// <param name="node">Whose journal.</param>
    /// <param name="birth">What it says of it.</param>
    /// <param name="before">What it said before: records that it has told of may never have come.</param>
    /// <param name="gone">What it has told of and has no more, by births that this hub need not have heard itself; null: nothing.</param>
    public static Discontinuity? Find(SqliteConnection store, EnrolledNode node, Birth birth, Birth? before = null, string? gone = null)
    {
        var (through, head) = Records.Through(store, node.Id.Value, node.Epoch, Streams.Access);
        var why = birth.Epoch != node.Epoch ? $"the node writes epoch {birth.Epoch}, issued is {node.Epoch}"
            : birth.LastSeqAccess < through ? $"the node ends at record {birth.LastSeqAccess}, stored are {through}"
            : birth.LastSeqAccess == through && through > 0 && birth.HeadAccess != head ? "the node's last record differs from the one stored"
            : null;
        var back = before is null ? null
            : before.Journal is not null && birth.Journal is not null && before.Journal != birth.Journal && (before.Epoch == birth.Epoch || birth.Epoch < node.Epoch) ? "the node's journal is another one than before"
            : before.Epoch != birth.Epoch ? null
            : birth.LastSeqAccess < before.LastSeqAccess ? $"the node ends at record {birth.LastSeqAccess}, it has told of {before.LastSeqAccess}"
            : birth.LastSeqAccess == before.LastSeqAccess && birth.HeadAccess != before.HeadAccess ? "the node's last record differs from the one it has told of"
            : birth.Number <= before.Number && !(birth.Number == before.Number && birth.Boot == before.Boot && birth.HeadAccess == before.HeadAccess)
                ? $"the node's birth {birth.Number} came after its birth {before.Number}"
            : null;
        back ??= gone;
        why ??= back;
        if (why is null) return null;
        return new Discontinuity(
            back is null || back == why ? why : $"{why}; {back}",
            Any(store, "select 1 from ledger where source = $node limit 1", node),
            birth.Epoch < node.Epoch && !(birth.HighestEpoch >= node.Epoch) && back is null && before?.Epoch != node.Epoch && !Any(store, "select 1 from ledger where source = $node and epoch = $epoch union all select 1 from reissued where source = $node and epoch = $epoch limit 1", node),
            HeldOf(store, node, birth.Epoch, birth.LastSeqAccess, birth.HeadAccess));
    }

    /// <summary>What the node sends shows that it has lost what it has told of.</summary>
    public static Discontinuity Within(SqliteConnection store, EnrolledNode node, string why) =>
        new(why, History: true, Waiting: false, HeldOf(store, node, node.Epoch, long.MaxValue, ""));

    private static bool Any(SqliteConnection store, string sql, EnrolledNode node) => store.Number(sql, ("$node", node.Id.Value), ("$epoch", node.Epoch)) == 1;

    // The node believes none of it without its own record of the same hash at the same place.
    private static Dictionary<string, string> HeldOf(SqliteConnection store, EnrolledNode node, long of, long last, string hash)
    {
        var epoch = of > 0 ? of : store.Number("select max(epoch) from streams where source = $node", ("$node", node.Id.Value));
        var held = new Dictionary<string, string> { ["of"] = epoch.ToString(CultureInfo.InvariantCulture) };
        foreach (var stream in (string[])[Streams.Access, Streams.Measurements])
        {
            var (through, head) = Records.Through(store, node.Id.Value, epoch, stream);
            if (stream == Streams.Access && of > 0 && last < through && Known.Has(store, node.Id, of, stream, last, hash, asides: false)) (through, head) = (last, hash);
            if (through == 0 || head.Length == 0 || Severed.Lowest(store, node.Id, epoch, stream) is not null) continue; // It would stand for everything before it.
            held["through." + stream] = through.ToString(CultureInfo.InvariantCulture);
            held["head." + stream] = head;
        }

        return held;
    }
}
