using System.Numerics;
using System.Security.Cryptography;

namespace PhysSec.Core.Proof;

/// <summary>The root over the 2^level leaves that begin at leaf index × 2^level. Asked only of subtrees that are complete.</summary>
public delegate TreeHash Subtree(int level, long index);

/// <summary>
/// The Merkle tree of RFC 6962 section 2.1 over SHA-256: leaf = H(00 ‖ data), node = H(01 ‖ left ‖ right). Pure: where the hashes lie is the caller's affair.
/// </summary>
public static class MerkleTree
{
    /// <summary>The root of a tree without leaves: the hash of nothing.</summary>
    public static TreeHash Empty { get; } = new(SHA256.HashData([]));

    public static TreeHash Leaf(ReadOnlySpan<byte> data)
    {
        Span<byte> hash = stackalloc byte[TreeHash.Size];
        if (data.Length <= 1023)
        {
            Span<byte> prefixed = stackalloc byte[data.Length + 1];
            prefixed[0] = 0;
            data.CopyTo(prefixed[1..]);
            SHA256.HashData(prefixed, hash);
        }
        else
        {
            using var hasher = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            hasher.AppendData([0]);
            hasher.AppendData(data);
            hasher.GetHashAndReset(hash);
        }

        return new(hash);
    }

    public static TreeHash Node(TreeHash left, TreeHash right)
    {
        Span<byte> both = stackalloc byte[1 + (2 * TreeHash.Size)];
        both[0] = 1;
        left.CopyTo(both[1..]);
        right.CopyTo(both[(1 + TreeHash.Size)..]);
        Span<byte> hash = stackalloc byte[TreeHash.Size];
        SHA256.HashData(both, hash);
        return new(hash);
    }

    /// <summary>The root of the first <paramref name="size"/> leaves.</summary>
    public static TreeHash Root(long size, Subtree subtree)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        return size == 0 ? Empty : Range(0, size, subtree);
    }

    /// <summary>RFC 6962 section 2.1.1: the audit path of one leaf, from the leaf upwards.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such leaf in a tree of that size.</exception>
    public static IReadOnlyList<TreeHash> Inclusion(long index, long size, Subtree subtree)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        var path = new List<TreeHash>();
        for (long low = 0, high = size; high - low > 1;)
        {
            var middle = low + Split(high - low);
            path.Add(index < middle ? Range(middle, high, subtree) : Range(low, middle, subtree));
            (low, high) = index < middle ? (low, middle) : (middle, high);
        }

        path.Reverse();
        return path;
    }

    /// <summary>RFC 6962 section 2.1.2: proves that the tree of the first <paramref name="first"/> leaves is the beginning of that of <paramref name="second"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not 0 &lt; first ≤ second.</exception>
    public static IReadOnlyList<TreeHash> Consistency(long first, long second, Subtree subtree)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, second);
        var path = new List<TreeHash>();
        var (low, high) = (0L, second);
        while (first != high)
        {
            var middle = low + Split(high - low);
            path.Add(first <= middle ? Range(middle, high, subtree) : Range(low, middle, subtree));
            (low, high) = first <= middle ? (low, middle) : (middle, high);
        }

        if (low != 0) path.Add(Range(low, high, subtree)); // A verifier who holds the first root knows this one if it is the whole of the first tree.
        path.Reverse();
        return path;
    }

    /// <summary>RFC 9162 section 2.1.3.2.</summary>
    public static bool IsIncluded(TreeHash leaf, long index, long size, IReadOnlyList<TreeHash> path, TreeHash root)
    {
        if (index < 0 || index >= size) return false;
        var (at, last, hash) = (index, size - 1, leaf);
        foreach (var step in path)
        {
            if (last == 0) return false;
            if ((at & 1) == 1 || at == last)
            {
                hash = Node(step, hash);
                for (; (at & 1) == 0 && at != 0; at >>= 1) last >>= 1;
            }
            else
            {
                hash = Node(hash, step);
            }

            (at, last) = (at >> 1, last >> 1);
        }

        return last == 0 && hash == root;
    }

    /// <summary>RFC 9162 section 2.1.4.2. Nothing is consistent with a negative size; everything begins with the empty tree.</summary>
    public static bool IsConsistent(long first, TreeHash firstRoot, long second, TreeHash secondRoot, IReadOnlyList<TreeHash> path)
    {
        if (first < 0 || first > second) return false;
        if (first == second) return path.Count == 0 && firstRoot == secondRoot;
        if (first == 0) return path.Count == 0 && firstRoot == Empty;
        var whole = BitOperations.IsPow2(first);
        if (path.Count == 0 && !whole) return false;
        var (at, last) = (first - 1, second - 1);
        for (; (at & 1) == 1; at >>= 1) last >>= 1;
        var (one, two) = whole ? (firstRoot, firstRoot) : (path[0], path[0]);
        foreach (var step in whole ? path : path.Skip(1))
        {
            if (last == 0) return false;
            if ((at & 1) == 1 || at == last)
            {
                (one, two) = (Node(step, one), Node(step, two));
                for (; (at & 1) == 0 && at != 0; at >>= 1) last >>= 1;
            }
            else
            {
                two = Node(two, step);
            }

            (at, last) = (at >> 1, last >> 1);
        }

        return last == 0 && one == firstRoot && two == secondRoot;
    }

    /// <summary>
    /// One proof for many leaves: the roots, from left to right, of the greatest subtrees that hold none of them. With the leaves themselves they lead to the root
    /// of the tree; a run of neighbours costs no more than one leaf does.
    /// </summary>
    /// <param name="known">Indexes of the leaves, rising.</param>
    /// <param name="size">Of the tree.</param>
    /// <param name="subtree">The tree.</param>
    public static IReadOnlyList<TreeHash> Rest(IReadOnlyList<long> known, long size, Subtree subtree)
    {
        var rest = new List<TreeHash>();
        if (size > 0) Walk(0, size, 0, known.Count);
        return rest;

        void Walk(long low, long high, int from, int to)
        {
            if (from == to)
            {
                rest.Add(Range(low, high, subtree));
            }
            else if (high - low > 1)
            {
                var middle = low + Split(high - low);
                var split = FirstFrom(known, middle, from, to);
                Walk(low, middle, from, split);
                Walk(middle, high, split, to);
            }
        }
    }

    /// <summary>The root to which leaves and what <see cref="Rest"/> gave lead; null when they do not make one tree of that size.</summary>
    /// <param name="known">Indexes of the leaves, rising, each below <paramref name="size"/>.</param>
    /// <param name="leaves">Their hashes.</param>
    /// <param name="rest">See <see cref="Rest"/>.</param>
    /// <param name="size">Of the tree.</param>
    public static TreeHash? Rebuild(IReadOnlyList<long> known, IReadOnlyList<TreeHash> leaves, IReadOnlyList<TreeHash> rest, long size)
    {
        if (known.Count != leaves.Count || size < 0) return null;
        for (var i = 0; i < known.Count; i++)
            if (known[i] < 0 || known[i] >= size || (i > 0 && known[i] <= known[i - 1])) return null;
        if (size == 0) return rest.Count == 0 ? Empty : null;
        var used = 0;
        var root = Walk(0, size, 0, known.Count);
        return used == rest.Count ? root : null;

        TreeHash? Walk(long low, long high, int from, int to)
        {
            if (from == to) return used < rest.Count ? rest[used++] : null;
            if (high - low == 1) return leaves[from];
            var middle = low + Split(high - low);
            var split = FirstFrom(known, middle, from, to);
            return Walk(low, middle, from, split) is { } left && Walk(middle, high, split, to) is { } right ? Node(left, right) : null;
        }
    }

    private static int FirstFrom(IReadOnlyList<long> known, long value, int from, int to)
    {
        while (from < to)
        {
            var middle = from + ((to - from) / 2);
            if (known[middle] < value) from = middle + 1;
            else to = middle;
        }

        return from;
    }

    // The greatest power of two below n, n ≥ 2.
    private static long Split(long n) => 1L << (63 - BitOperations.LeadingZeroCount((ulong)(n - 1)));

    // Leaves low…high, where low is a multiple of every power of two that is split off.
    private static TreeHash Range(long low, long high, Subtree subtree)
    {
        var count = high - low;
        if (BitOperations.IsPow2(count))
        {
            var level = BitOperations.TrailingZeroCount(count);
            return subtree(level, low >> level);
        }

        var middle = low + Split(count);
        return Node(Range(low, middle, subtree), Range(middle, high, subtree));
    }
}
