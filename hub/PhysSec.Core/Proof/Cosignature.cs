using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace PhysSec.Core.Proof;

/// <summary>
/// What a second machine says about a checkpoint: that it saw this tree at that time, and that it contains every tree that the machine had seen before. In the form of
/// C2SP tlog-cosignature (cosignature/v1 with Ed25519), so that other people's tools can read it.
/// </summary>
public static class Cosignature
{
    private const int TimeBytes = sizeof(ulong);
    private const int SignatureBytes = 64;

    /// <summary>The line that stands under the note. The caller has checked that the tree continues what it signed before.</summary>
    /// <param name="note">A signed checkpoint.</param>
    /// <param name="key">The cosigner's.</param>
    /// <param name="at">Whole seconds since 1970 UTC count.</param>
    /// <param name="sign">Ed25519.</param>
    public static NoteSignature Sign(SignedNote note, NoteKey key, DateTimeOffset at, Func<byte[], byte[]> sign)
    {
        if (key.Algorithm != NoteAlgorithm.Cosignature) throw new ArgumentException("this key signs notes and cosigns none", nameof(key));
        var bytes = new byte[TimeBytes + SignatureBytes];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, (ulong)at.ToUnixTimeSeconds());
        sign(Message(note, (ulong)at.ToUnixTimeSeconds())).CopyTo(bytes, TimeBytes);
        return new(key.Name, key.Id, bytes);
    }

    /// <summary>When the cosigner saw it; null: there is no line under its name and id, or a wrong one (which spoils the others).</summary>
    public static DateTimeOffset? TimeOf(SignedNote note, NoteKey key, Ed25519Check check)
    {
        DateTimeOffset? newest = null;
        foreach (var it in note.Signatures.Where(it => it.Name == key.Name && it.KeyId == key.Id))
        {
            if (key.Algorithm != NoteAlgorithm.Cosignature || it.Signature.Length != TimeBytes + SignatureBytes) return null;
            var time = BinaryPrimitives.ReadUInt64BigEndian(it.Signature.Span);
            if (time > (ulong)DateTimeOffset.MaxValue.ToUnixTimeSeconds() || !check(key.Public.Span, Message(note, time), it.Signature.Span[TimeBytes..])) return null;
            var at = DateTimeOffset.FromUnixTimeSeconds((long)time);
            if (!(newest >= at)) newest = at;
        }

        return newest;
    }

    private static byte[] Message(SignedNote note, ulong seconds) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"cosignature/v1\ntime {seconds}\n{note.Text}"));
}
