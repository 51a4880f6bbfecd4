using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using PhysSec.Core.Access;

namespace PhysSec.SystemTests.Secrets;

/// <summary>The scan finds what it is for: each kind of secret in each form in which it could slip out.</summary>
public sealed class SecretsScanTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("physsec-secrets-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_secret_in_any_form_and_place_is_found_and_none_is_imagined()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (pem, hex) = (key.ExportPkcs8PrivateKeyPem(), Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));
        Write("a.key", pem);
        Write("b.key", hex);
        var bits = CredentialTokens.Bits(77, 1001, 26);
        string[] leaks =
        [
            pem, pem.Split('\n')[1], Convert.ToBase64String(key.ExportParameters(true).D!), $"key={hex}", hex.ToUpperInvariant(), Convert.ToBase64String(Convert.FromHexString(hex)),
            "password: correct%20horse%20battery", "card 77:1001 refused", "\"facility\":77,\"number\":1001", string.Create(CultureInfo.InvariantCulture, $"frame {Convert.ToString((long)bits, 2)}"),
            "カード番号 1001", "credential=1001", "00112233445566778899aabbccddeeff", "ABEiM0RVZneImaq7zN3u/w==", "pin 90817263 door-b", "\"code\":\"90817263\"",
        ];
        foreach (var leak in leaks)
        {
            Assert.Single(Scan(it => it.LookIn("a log", leak)));
            Assert.Single(Scan(it => it.LookIn("a store", [0xff, 0x00, .. Encoding.UTF8.GetBytes(leak), 0xfe])));
            Assert.Single(Scan(it => it.LookIn("a pack", Zip(leak))), it => it.Contains("a pack/inner", StringComparison.Ordinal));
        }

        Assert.Empty(Scan(it => it.LookIn("a log", $"record 1001 of 10012 at 10:01; number 10010; 190817263 a90817263 0.90817263; {Convert.ToHexStringLower(SHA256.HashData(Convert.FromHexString(hex)))} {key.ExportSubjectPublicKeyInfoPem()}")));
        Write("copy.txt", hex);
        Assert.Equal(["b.key is in " + Path.Combine(_folder.FullName, "copy.txt")], Scan(it => it.LookBelow(_folder.FullName)));
    }

    private IReadOnlyList<string> Scan(Action<SecretsScan> look)
    {
        var scan = new SecretsScan();
        scan.AddKeys(_folder.FullName);
        scan.Add("a password", "correct horse battery");
        scan.AddCard("a card", 77, 1001);
        scan.AddKey("a reader's key", "00112233445566778899aabbccddeeff");
        scan.AddCode("a PIN", "90817263");
        look(scan);
        return scan.Run();
    }

    private void Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private static byte[] Zip(string text)
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            using var writer = new StreamWriter(zip.CreateEntry("inner").Open(), new UTF8Encoding(false));
            writer.Write(text);
        }

        return bytes.ToArray();
    }
}
