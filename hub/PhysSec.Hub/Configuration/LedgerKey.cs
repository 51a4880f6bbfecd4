using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc8032;
using PhysSec.Core.Proof;
using PhysSec.Hub.Fleet;

namespace PhysSec.Hub.Configuration;

/// <summary>
/// Signs the ledger's checkpoints (Ed25519, RFC 8032), and nothing else. Made at the first start; its public half is a record, and with its loss no new checkpoint can be
/// told from a stranger's.
/// </summary>
public sealed class LedgerKey : IDisposable
{
    private readonly byte[] _seed;
    private readonly byte[] _public = new byte[Ed25519.PublicKeySize];

    private LedgerKey(byte[] seed)
    {
        _seed = seed;
        Ed25519.GeneratePublicKey(_seed, 0, _public, 0);
    }

    internal static string File(string folder) => Path.Combine(folder, "ledger.key");

    /// <exception cref="FormatException">The file is no key.</exception>
    public static LedgerKey Open(string folder)
    {
        PrivateFiles.Folder(folder);
        if (!System.IO.File.Exists(File(folder))) PrivateFiles.Write(File(folder), Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Ed25519.SecretKeySize)));
        var seed = Convert.FromHexString(System.IO.File.ReadAllText(File(folder)).Trim());
        return seed.Length == Ed25519.SecretKeySize ? new(seed) : throw new FormatException($"{File(folder)} is no Ed25519 key");
    }

    /// <summary>The public half under the ledger's name.</summary>
    public NoteKey Named(string origin) => new(origin, _public);

    public SignedNote Sign(Checkpoint checkpoint) => SignedNote.Sign(checkpoint.Text, Named(checkpoint.Origin), text =>
    {
        var signature = new byte[Ed25519.SignatureSize];
        Ed25519.Sign(_seed, 0, text, 0, text.Length, signature, 0);
        return signature;
    });

    /// <summary>Checks a signature of any such key.</summary>
    public static bool Check(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        Ed25519.Verify(signature.ToArray(), 0, key.ToArray(), 0, message.ToArray(), 0, message.Length);

    public void Dispose() => CryptographicOperations.ZeroMemory(_seed);
}
