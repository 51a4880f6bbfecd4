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
    public static Discontinuity? Find(SqliteConnection store, EnrolledNode node, Birth birth, Birth? before = null)
    {
        var (through, head) = Records.Through(store, node.Id.Value, node.Epoch, Streams.Access);
        var why = birth.Epoch != node.Epoch ? $"the node writes epoch {birth.Epoch}, issued is {node.Epoch}"
            : birth.LastSeqAccess < through ? $"the node ends at record {birth.LastSeqAccess}, stored are {through}"
            : birth.LastSeqAccess == through && through > 0 && birth.HeadAccess != head ? "the node's last record differs from the one stored"
            : null;
        var back = before is null || before.Epoch != birth.Epoch ? null
            : before.Journal is not null && birth.Journal is not null && before.Journal != birth.Journal ? "the node's journal is another one than before"
            : birth.LastSeqAccess < before.LastSeqAccess ? $"the node ends at record {birth.LastSeqAccess}, it has told of {before.LastSeqAccess}"
            : birth.LastSeqAccess == before.LastSeqAccess && birth.HeadAccess != before.HeadAccess ? "the node's last record differs from the one it has told of"
            : birth.Number <= before.Number && !(birth.Number == before.Number && birth.Boot == before.Boot && birth.HeadAccess == before.HeadAccess)
                ? $"the node's birth {birth.Number} came after its birth {before.Number}"
            : null;
        why ??= back;
        if (why is null) return null;
        return new Discontinuity(
            back is null || back == why ? why : $"{why}; {back}",
            Any(store, "select 1 from ledger where source = $node limit 1", node),
            birth.Epoch < node.Epoch && back is null && before?.Epoch != node.Epoch && !Any(store, "select 1 from ledger where source = $node and epoch = $epoch union all select 1 from reissued where source = $node and epoch = $epoch limit 1", node),
            HeldOf(store, node, birth));
    }

    private static bool Any(SqliteConnection store, string sql, EnrolledNode node) => store.Number(sql, ("$node", node.Id.Value), ("$epoch", node.Epoch)) == 1;

    // The node believes none of it without its own record of the same hash at the same place.
    private static Dictionary<string, string> HeldOf(SqliteConnection store, EnrolledNode node, Birth birth)
    {
        var epoch = birth.Epoch > 0 ? birth.Epoch : store.Number("select max(epoch) from streams where source = $node", ("$node", node.Id.Value));
        var held = new Dictionary<string, string> { ["of"] = epoch.ToString(CultureInfo.InvariantCulture) };
        foreach (var stream in (string[])[Streams.Access, Streams.Measurements])
        {
            var (through, head) = Records.Through(store, node.Id.Value, epoch, stream);
            if (stream == Streams.Access && birth.Epoch > 0 && birth.LastSeqAccess < through && Holds(store, node, birth)) (through, head) = (birth.LastSeqAccess, birth.HeadAccess);
            if (through == 0 || head.Length == 0) continue;
            held["through." + stream] = through.ToString(CultureInfo.InvariantCulture);
            held["head." + stream] = head;
        }

        return held;
    }

    private static bool Holds(SqliteConnection store, EnrolledNode node, Birth birth) => store.Number(
        """
        select (select count(*) from ledger where source = $node and epoch = $epoch and stream = 'a' and seq = $seq and hash = $hash)
          + (select count(*) from reissued where source = $node and epoch = $epoch and stream = 'a' and seq = $seq and hash = $hash)
        """,
        ("$node", node.Id.Value), ("$epoch", birth.Epoch), ("$seq", birth.LastSeqAccess), ("$hash", birth.HeadAccess)) == 1;
}
