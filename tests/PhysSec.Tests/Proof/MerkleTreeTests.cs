using CsCheck;
using PhysSec.Core.Proof;

namespace PhysSec.Tests.Proof;

/// <summary>The tree of RFC 6962: the published roots, and proofs that hold for what they prove and for nothing else.</summary>
public sealed class MerkleTreeTests
{
    private static readonly string[] _inputs =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696A6B6C6D6E6F"];

    [Theory]
    [InlineData(0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData(1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")]
    [InlineData(2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125")]
    [InlineData(3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77")]
    [InlineData(5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4")]
    [InlineData(8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")]
    public void The_roots_are_those_of_the_published_vectors(int size, string root)
    {
        var leaves = _inputs.Select(it => MerkleTree.Leaf(Convert.FromHexString(it))).ToArray();
        Assert.Equal(root, Convert.ToHexStringLower(MerkleTree.Root(size, Over(leaves)).ToArray()));
    }

    [Fact]
    public void A_long_leaf_is_hashed_like_a_short_one()
    {
        foreach (var length in (int[])[1022, 1023, 1024, 5000])
        {
            var data = Enumerable.Range(0, length).Select(it => (byte)(it % 251)).ToArray();
            Assert.Equal(System.Security.Cryptography.SHA256.HashData([0, .. data]), MerkleTree.Leaf(data).ToArray());
        }
    }

    [Fact]
    public void Every_leaf_of_every_small_tree_is_proved_and_no_other_place_or_size()
    {
        for (var size = 1; size <= 40; size++)
        {
            var leaves = Leaves(size);
            var (tree, root) = (Over(leaves), MerkleTree.Root(size, Over(leaves)));
            for (var index = 0; index < size; index++)
            {
                var path = MerkleTree.Inclusion(index, size, tree);
                Assert.True(MerkleTree.IsIncluded(leaves[index], index, size, path, root));
                Assert.False(MerkleTree.IsIncluded(leaves[index], size, size, path, root));
                Assert.False(MerkleTree.IsIncluded(leaves[index], index, size, [.. path, root], root));
                if (path.Count > 0) Assert.False(MerkleTree.IsIncluded(leaves[index], index, size, [.. path.Skip(1)], root));
                for (var other = 0; other < size; other++)
                    if (other != index) Assert.False(MerkleTree.IsIncluded(leaves[other], index, size, path, root));
            }
        }
    }

    [Fact]
    public void Every_small_tree_is_proved_to_begin_with_each_smaller_one_and_with_no_other()
    {
        for (var second = 1; second <= 40; second++)
        {
            var tree = Over(Leaves(second));
            var root = MerkleTree.Root(second, tree);
            for (var first = 1; first <= second; first++)
            {
                var path = MerkleTree.Consistency(first, second, tree);
                Assert.True(MerkleTree.IsConsistent(first, MerkleTree.Root(first, tree), second, root, path));
                Assert.False(MerkleTree.IsConsistent(first, MerkleTree.Leaf([9, 9]), second, root, path));
                Assert.False(MerkleTree.IsConsistent(first, MerkleTree.Root(first, tree), second, MerkleTree.Leaf([9, 9]), path));
                Assert.False(MerkleTree.IsConsistent(first, MerkleTree.Root(first, tree), second, root, [.. path, root]));
            }
        }
    }

    [Fact]
    public void Any_choice_of_leaves_leads_to_the_root_with_the_rest_of_the_tree_and_a_changed_one_does_not() =>
        (from size in Gen.Int[1, 300]
         from known in Gen.Bool.Array[size]
         from victim in Gen.Int[0, size - 1]
         select (size, known, victim)).Sample(it =>
        {
            var leaves = Leaves(it.size);
            var root = MerkleTree.Root(it.size, Over(leaves));
            long[] known = [.. Enumerable.Range(0, it.size).Where(i => it.known[i]).Select(i => (long)i)];
            var rest = MerkleTree.Rest(known, it.size, Over(leaves));
            TreeHash[] chosen = [.. known.Select(i => leaves[i])];
            Assert.Equal(root, MerkleTree.Rebuild(known, chosen, rest, it.size));
            Assert.NotEqual(root, MerkleTree.Rebuild(known, chosen, [.. rest, root], it.size));
            if (known.Length == 0) return;
            chosen[it.victim % chosen.Length] = MerkleTree.Leaf([1, 2, 3, 4, 5]);
            Assert.NotEqual(root, MerkleTree.Rebuild(known, chosen, rest, it.size));
            Assert.Null(MerkleTree.Rebuild([.. known.Reverse(), known[^1]], [.. chosen, chosen[0]], rest, it.size));
        });

    [Fact]
    public void A_run_of_neighbours_needs_few_hashes_besides()
    {
        var tree = Over(Leaves(5000));
        Assert.InRange(MerkleTree.Rest([.. Enumerable.Range(1000, 3000).Select(it => (long)it)], 5000, tree).Count, 1, 26);
        Assert.Empty(MerkleTree.Rest([.. Enumerable.Range(0, 5000).Select(it => (long)it)], 5000, tree));
    }

    internal static TreeHash[] Leaves(int size) => [.. Enumerable.Range(0, size).Select(it => MerkleTree.Leaf(BitConverter.GetBytes(it)))];

    internal static Subtree Over(TreeHash[] leaves)
    {
        return At;
        TreeHash At(int level, long index) => level == 0 ? leaves[index] : MerkleTree.Node(At(level - 1, 2 * index), At(level - 1, (2 * index) + 1));
    }
}
