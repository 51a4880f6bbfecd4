using Org.BouncyCastle.Math.EC.Rfc8032;
using PhysSec.Core;
using PhysSec.Core.Proof;

namespace PhysSec.Tests.Proof;

/// <summary>Checkpoints as signed notes: the specification's own example, and every change found.</summary>
public sealed class CheckpointTests
{
    // The example of an implementation that is not ours (signed_note for Elixir, 1.0.0).
    private const string PublishedKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    private const string PublishedNote = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    private static readonly byte[] _seed = [.. Enumerable.Range(1, 32).Select(it => (byte)it)];
    private static readonly Checkpoint _checkpoint = new(
        Checkpoint.OriginOf(new SiteId("city-hall"), 3), 12345, MerkleTree.Leaf([7]), new DateTimeOffset(2026, 4, 1, 0, 0, 5, TimeSpan.Zero));

    [Fact]
    public void A_checkpoint_reads_as_it_was_written()
    {
        Assert.Equal(_checkpoint, Checkpoint.Parse(_checkpoint.Text));
        Assert.Equal(3, _checkpoint.HubEpoch);
        Assert.Equal($"physsec/city-hall/3\n12345\n{_checkpoint.Root}\ntime 2026-04-01T00:00:05Z\n", _checkpoint.Text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("physsec/city-hall/3\n12345\n")]
    [InlineData("physsec/city-hall/3\n-1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\ntime 2026-04-01T00:00:05Z\n")]
    [InlineData("physsec/city-hall/3\n012\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\ntime 2026-04-01T00:00:05Z\n")]
    [InlineData("physsec/city-hall/3\n12\nAAAA\ntime 2026-04-01T00:00:05Z\n")]
    [InlineData("physsec/city-hall/3\n12\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")]
    [InlineData("physsec/city-hall/3\n12\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\ntime yesterday\n")]
    public void What_is_no_checkpoint_is_refused_with_a_sentence(string text) => Assert.NotEmpty(Assert.Throws<FormatException>(() => Checkpoint.Parse(text)).Message);

    [Fact]
    public void A_published_key_reads_with_its_id_and_another_id_is_refused()
    {
        Assert.Equal(0x530d903au, NoteKey.Parse(PublishedKey).Id);
        Assert.Equal(PublishedKey, NoteKey.Parse(PublishedKey).ToString());
        Assert.Throws<FormatException>(() => NoteKey.Parse(PublishedKey.Replace("530d903a", "530d903b", StringComparison.Ordinal)));
        Assert.Throws<FormatException>(() => NoteKey.Parse("example.com/foo"));
    }

    [Fact]
    public void A_note_that_others_signed_is_believed_and_written_as_it_was()
    {
        Assert.True(SignedNote.Parse(PublishedNote).IsSignedBy(NoteKey.Parse(PublishedKey), Check));
        Assert.Equal(PublishedNote, SignedNote.Parse(PublishedNote).ToString());
    }

    [Fact]
    public void A_wrong_signature_of_a_known_key_beside_a_right_one_spoils_the_note()
    {
        var (key, note) = Sign();
        Assert.False((note with { Signatures = [.. note.Signatures, new(key.Name, key.Id, new byte[64])] }).IsSignedBy(key, Check));
    }

    [Fact]
    public void A_note_is_believed_under_its_key_alone_and_after_no_change()
    {
        var (key, note) = Sign();
        var text = note.ToString();
        Assert.True(SignedNote.Parse(text).IsSignedBy(key, Check));
        Assert.False(SignedNote.Parse(text).IsSignedBy(key with { Name = "physsec/other/1" }, Check));
        Assert.False(SignedNote.Parse(text).IsSignedBy(new NoteKey(key.Name, new byte[32]), Check));
        for (var i = 0; i < text.Length; i++)
        {
            var changed = text[..i] + (text[i] == 'B' ? 'C' : 'B') + text[(i + 1)..];
            Assert.False(Believed(changed, key), $"a change at {i} was believed");
        }
    }

    [Fact]
    public void A_second_signature_stands_beside_the_first()
    {
        var (key, note) = Sign();
        var both = note with { Signatures = [.. note.Signatures, new("witness.example", 5, new byte[72])] };
        Assert.True(SignedNote.Parse(both.ToString()).IsSignedBy(key, Check));
        Assert.Equal(2, SignedNote.Parse(both.ToString()).Signatures.Count);
    }

    private static bool Believed(string text, NoteKey key)
    {
        try
        {
            return SignedNote.Parse(text).IsSignedBy(key, Check);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static (NoteKey Key, SignedNote Note) Sign()
    {
        var bytes = new byte[32];
        Ed25519.GeneratePublicKey(_seed, 0, bytes, 0);
        var key = new NoteKey(_checkpoint.Origin, bytes);
        return (key, SignedNote.Sign(_checkpoint.Text, key, it =>
        {
            var signature = new byte[64];
            Ed25519.Sign(_seed, 0, it, 0, it.Length, signature, 0);
            return signature;
        }));
    }

    private static bool Check(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        Ed25519.Verify(signature.ToArray(), 0, key.ToArray(), 0, message.ToArray(), 0, message.Length);
}
