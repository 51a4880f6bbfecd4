using System.Security.Cryptography;
using PhysSec.Hub.Fleet;

namespace PhysSec.Hub.Configuration;

/// <summary>The hub's signing key (policies, acks, commands) and the site's card key, made at the first start under <c>DIR/keys</c>.</summary>
public sealed class SiteKeys : IDisposable
{
    private SiteKeys(ECDsa signing, byte[] card) => (Signing, Card) = (signing, card);

    public ECDsa Signing { get; }

    /// <summary>Key of the cards' tokens: whoever has it and a board's data can guess short card numbers.</summary>
    public byte[] Card { get; }

    public string SigningPublicPem => Signing.ExportSubjectPublicKeyInfoPem();

    /// <summary>What <see cref="Open"/> makes at the first start.</summary>
    internal static string[] Files(string folder) => [Path.Combine(folder, "hub-signing.key"), Path.Combine(folder, "site.key")];

    public static SiteKeys Open(string folder)
    {
        PrivateFiles.Folder(folder);
        var (signing, card) = (Path.Combine(folder, "hub-signing.key"), Path.Combine(folder, "site.key"));
        if (!File.Exists(signing))
        {
            using var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            PrivateFiles.Write(Path.Combine(folder, "hub-signing.pub"), made.ExportSubjectPublicKeyInfoPem());
            PrivateFiles.Write(signing, made.ExportPkcs8PrivateKeyPem());
        }

        if (!File.Exists(card)) PrivateFiles.Write(card, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));
        var cardKey = Convert.FromHexString(File.ReadAllText(card).Trim());
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(signing));
            return new SiteKeys(key, cardKey);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Signing.Dispose();
        CryptographicOperations.ZeroMemory(Card);
    }
}
