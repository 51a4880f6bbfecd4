using System.Security.Cryptography;
using PhysSec.Core;
using PhysSec.Core.Wire;

namespace PhysSec.Tests.Wire;

/// <summary>Nobody on the way reads a board file, and none is taken for another's.</summary>
public sealed class BoardSealTests
{
    private const string Board = """{ "name": "サーバ室A", "devices": [] }""";
    private static readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private static readonly SiteId _site = new("city");
    private static readonly NodeId _node = new("node-a");

    [Fact]
    public void Node_and_hub_read_it_with_the_site_s_key() => Assert.Equal(Board, BoardSeal.Open(_key, _site, _node, BoardSeal.Seal(_key, _site, _node, Board)));

    [Fact]
    public void It_opens_for_no_other_key_site_or_node()
    {
        var text = BoardSeal.Seal(_key, _site, _node, Board);
        Assert.Null(BoardSeal.Open(RandomNumberGenerator.GetBytes(32), _site, _node, text));
        Assert.Null(BoardSeal.Open(_key, new("town"), _node, text));
        Assert.Null(BoardSeal.Open(_key, _site, new("node-b"), text));
    }

    [Fact]
    public void A_changed_byte_anywhere_or_a_cut_end_opens_nothing()
    {
        var bytes = Convert.FromBase64String(BoardSeal.Seal(_key, _site, _node, Board));
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 1;
            Assert.Null(BoardSeal.Open(_key, _site, _node, Convert.ToBase64String(bytes)));
            bytes[i] ^= 1;
        }

        for (var length = 0; length < bytes.Length; length++) Assert.Null(BoardSeal.Open(_key, _site, _node, Convert.ToBase64String(bytes.AsSpan(0, length))));
        Assert.Null(BoardSeal.Open(_key, _site, _node, "no base64"));
    }

    [Fact]
    public void The_same_file_is_never_sealed_the_same_way_twice() =>
        Assert.NotEqual(BoardSeal.Seal(_key, _site, _node, Board), BoardSeal.Seal(_key, _site, _node, Board));
}
