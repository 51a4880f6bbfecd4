using System.Globalization;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Proof;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Ledger;

/// <summary>The tree's stored hashes are not all there: hub.db was changed past this program, or its disk lost something.</summary>
public sealed class DamagedTreeException(string message) : InvalidOperationException(message);

/// <summary>
/// The Merkle tree over the ledger: record number n is leaf n − 1. Kept as the tiles of C2SP tlog-tiles (256 hashes wide, 8 levels high), grown in the same transaction
/// that stores the records, so that there is no record without its leaf and no leaf without its record.
/// </summary>
public static class LedgerTree
{
    public const int TileWidth = 256;
    private const int TileHeight = 8;
    private const int LevelShift = 48;
    private const string SizeName = "tree-size";

    /// <summary>Takes in what the ledger has beyond the tree. Runs at the end of every transaction that writes.</summary>
    /// <param name="store">Inside a transaction.</param>
    /// <param name="most">At most so many records.</param>
    /// <returns>How many were taken in.</returns>
    /// <exception cref="InvalidOperationException">A record is missing between two others: somebody has deleted it by hand.</exception>
    public static int Grow(SqliteConnection store, int most = int.MaxValue)
    {
        var size = Size(store);
        var leaves = new List<TreeHash>();
        using (var command = store.Command($"select {Columns} from ledger where id > $size order by id limit $most", ("$size", size), ("$most", most)))
        using (var rows = command.ExecuteReader())
        {
            while (rows.Read())
            {
                if (rows.GetInt64(0) != size + leaves.Count + 1)
                    throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"record {size + leaves.Count + 1} of the ledger is missing: hub.db was changed by hand; restore a backup"));
                leaves.Add(Leaf(rows).TreeHash);
            }
        }

        if (leaves.Count == 0) return 0;
        Add(store, 0, size, leaves);
        store.Execute("insert into meta values ($name, $size) on conflict do update set value = $size", ("$name", SizeName), ("$size", (size + leaves.Count).ToString(CultureInfo.InvariantCulture)));
        return leaves.Count;
    }

    /// <summary>Leaves in the tree.</summary>
    public static long Size(SqliteConnection store) => store.Number("select value from meta where name = $name", ("$name", SizeName));

    /// <summary>The tree's hashes; tiles are read once for each value that this returns.</summary>
    public static Subtree Of(SqliteConnection store)
    {
        var tiles = new Dictionary<long, byte[]>();
        return At;

        TreeHash At(int level, long index)
        {
            var (stored, within) = (level / TileHeight, level % TileHeight);
            return Within(stored, index << within, within);
        }

        // The root over 2^height hashes of a stored level; they lie in one tile.
        TreeHash Within(int stored, long first, int height)
        {
            if (height > 0) return MerkleTree.Node(Within(stored, first, height - 1), Within(stored, first + (1L << (height - 1)), height - 1));
            var (tile, place) = (Key(stored, first / TileWidth), (int)(first % TileWidth) * TreeHash.Size);
            if (!tiles.TryGetValue(tile, out var hashes)) tiles[tile] = hashes = Tile(store, tile);
            return place < hashes.Length ? new TreeHash(hashes.AsSpan(place, TreeHash.Size))
                : throw new DamagedTreeException($"the tree's tile {stored}/{first / TileWidth} is incomplete: hub.db was changed by hand; restore a backup");
        }
    }

    /// <summary>The hashes of one tile as tlog-tiles serves them; fewer than 256 at the tree's edge, empty beyond it.</summary>
    public static byte[] Tile(SqliteConnection store, int level, long index) => Tile(store, Key(level, index));

    /// <summary>The columns that make a leaf, in the order in which <see cref="Leaf"/> reads them, the record's number first.</summary>
    internal const string Columns = "id, source, epoch, stream, seq, received_at, late, hash, body, body_hash";

    internal static LedgerLeaf Leaf(SqliteDataReader row) => new(
        row.GetString(1), row.GetInt64(2), row.GetString(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6) != 0, row.GetString(7), row.IsDBNull(9) ? LedgerLeaf.HashOf(row.GetString(8)) : row.GetString(9));

    private static void Add(SqliteConnection store, int level, long from, List<TreeHash> hashes)
    {
        var above = new List<TreeHash>();
        for (var done = 0; done < hashes.Count;)
        {
            var (tile, place) = ((from + done) / TileWidth, (int)((from + done) % TileWidth));
            var count = Math.Min(TileWidth - place, hashes.Count - done);
            var bytes = new byte[(place + count) * TreeHash.Size];
            if (place > 0) Tile(store, Key(level, tile)).AsSpan(0, place * TreeHash.Size).CopyTo(bytes);
            for (var i = 0; i < count; i++) hashes[done + i].CopyTo(bytes.AsSpan((place + i) * TreeHash.Size));
            store.Execute("insert into tiles values ($id, $hashes) on conflict do update set hashes = $hashes", ("$id", Key(level, tile)), ("$hashes", bytes));
            done += count;
            if (place + count == TileWidth)
                above.Add(Over(bytes, TileHeight, 0));
        }

        if (above.Count > 0) Add(store, level + 1, from / TileWidth, above);
    }

    private static TreeHash Over(ReadOnlySpan<byte> tile, int height, long index) => height == 0
        ? new(tile.Slice((int)index * TreeHash.Size, TreeHash.Size))
        : MerkleTree.Node(Over(tile, height - 1, 2 * index), Over(tile, height - 1, (2 * index) + 1));

    private static long Key(int level, long index) => ((long)level << LevelShift) | index;

    private static byte[] Tile(SqliteConnection store, long key) =>
        store.One("select hashes from tiles where id = $id", it => it.GetFieldValue<byte[]>(0), ("$id", key)) ?? [];
}
