using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace PhysSec.Core.Proof;

/// <summary>Checks an Ed25519 signature (RFC 8032); the runtime has none of its own, so that whoever verifies brings one.</summary>
/// <param name="key">32 bytes.</param>
/// <param name="message">What was signed.</param>
/// <param name="signature">64 bytes.</param>
public delegate bool Ed25519Check(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature);

/// <summary>What a key of a note signs; the numbers are those of C2SP signed-note.</summary>
public enum NoteAlgorithm : byte
{
    /// <summary>The note's text.</summary>
    Ed25519 = 1,

    /// <summary>The note's text and the time at which it was seen; see <see cref="Cosignature"/>.</summary>
    Cosignature = 4,
}

/// <summary>The public half of a key that signs notes, under its name. Its text is the "vkey" of C2SP signed-note: name+id+base64(algorithm ‖ key).</summary>
public sealed record NoteKey(string Name, ReadOnlyMemory<byte> Public, NoteAlgorithm Algorithm = NoteAlgorithm.Ed25519)
{
    /// <summary>First four bytes of SHA-256(name ‖ LF ‖ algorithm ‖ key), as a number.</summary>
    public uint Id
    {
        get
        {
            var hash = SHA256.HashData([.. Encoding.UTF8.GetBytes(Name), (byte)'\n', (byte)Algorithm, .. Public.Span]);
            return BinaryPrimitives.ReadUInt32BigEndian(hash);
        }
    }

    /// <exception cref="FormatException">It is no vkey, of another kind of key, or its id is not its own.</exception>
    public static NoteKey Parse(string text, NoteAlgorithm algorithm = NoteAlgorithm.Ed25519)
    {
        var parts = text.Trim().Split('+', 3);
        var bytes = new byte[64];
        if (parts.Length != 3 || !SignedNote.IsName(parts[0]) || !Convert.TryFromBase64String(parts[2], bytes, out var length) || length != 33 || bytes[0] != (byte)algorithm)
            throw new FormatException($"this is no {(algorithm == NoteAlgorithm.Ed25519 ? "Ed25519 key" : "cosigner's key")} in the form name+id+base64");
        var key = new NoteKey(parts[0], bytes.AsMemory(1, 32), algorithm);
        return key.ToString() == text.Trim() ? key : throw new FormatException($"the key's id is {key.Id:x8}, not {parts[1]}");
    }

    public override string ToString() => $"{Name}+{Id:x8}+{Convert.ToBase64String([(byte)Algorithm, .. Public.Span])}";

    public bool Equals(NoteKey? other) => other is not null && Name == other.Name && Algorithm == other.Algorithm && Public.Span.SequenceEqual(other.Public.Span);

    public override int GetHashCode() => HashCode.Combine(Name, Id);
}

/// <summary>One signature under a note: who is said to have signed, the key's id, and the bytes.</summary>
public sealed record NoteSignature(string Name, uint KeyId, ReadOnlyMemory<byte> Signature)
{
    public override string ToString()
    {
        Span<byte> id = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(id, KeyId);
        return $"— {Name} {Convert.ToBase64String([.. id, .. Signature.Span])}";
    }
}

/// <summary>A text that keys have signed, in the form of C2SP signed-note (c2sp.org/signed-note): the text, an empty line, one line for each signature.</summary>
public sealed record SignedNote(string Text, IReadOnlyList<NoteSignature> Signatures)
{
    private const int SignaturesMax = 100;

    /// <summary>Signs a text that ends with a line feed and has no other control character.</summary>
    public static SignedNote Sign(string text, NoteKey key, Func<byte[], byte[]> sign)
    {
        if (Fault(text) is { } fault) throw new ArgumentException(fault, nameof(text));
        return new(text, [new(key.Name, key.Id, sign(Encoding.UTF8.GetBytes(text)))]);
    }

    /// <exception cref="FormatException">Says what is wrong with it.</exception>
    public static SignedNote Parse(string note)
    {
        var split = note.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (split < 0 || !note.EndsWith('\n')) throw new FormatException("a signed note is a text, an empty line and signatures, and ends with a line feed");
        var text = note[..(split + 1)];
        if (Fault(text) is { } fault) throw new FormatException(fault);
        var lines = note[(split + 2)..^1].Split('\n');
        if (lines.Length > SignaturesMax) throw new FormatException($"a note with more than {SignaturesMax} signatures is not read");
        return new(text, [.. lines.Select(Line)]);
    }

    /// <summary>Whether the key has signed this text. A wrong signature under its name and id spoils the note, as the specification has it.</summary>
    public bool IsSignedBy(NoteKey key, Ed25519Check check)
    {
        var its = Signatures.Where(it => it.Name == key.Name && it.KeyId == key.Id).ToArray();
        return its.Length > 0 && its.All(it => it.Signature.Length == 64 && check(key.Public.Span, Encoding.UTF8.GetBytes(Text), it.Signature.Span));
    }

    public override string ToString() => Text + "\n" + string.Concat(Signatures.Select(it => it + "\n"));

    internal static bool IsName(string name) => name.Length > 0 && !name.Any(it => char.IsWhiteSpace(it) || char.IsControl(it) || it == '+');

    private static string? Fault(string text) =>
        !text.EndsWith('\n') ? "the text of a note ends with a line feed"
        : text.Any(it => char.IsControl(it) && it != '\n') ? "the text of a note has a control character"
        : null;

    private static NoteSignature Line(string line)
    {
        var parts = line.Split(' ');
        var bytes = new byte[line.Length];
        return parts is ["—", var name, var signature] && IsName(name) && Convert.TryFromBase64String(signature, bytes, out var length) && length >= 5
            ? new(name, BinaryPrimitives.ReadUInt32BigEndian(bytes), bytes.AsMemory(4, length - 4))
            : throw new FormatException("a signature line is: — name base64");
    }
}
