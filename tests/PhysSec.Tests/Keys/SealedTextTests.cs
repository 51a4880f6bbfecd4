using System.Security.Cryptography;
using PhysSec.Core.Wire;
using PhysSec.Node;
using PhysSec.Node.Enrolment;
using PhysSec.Node.Keys;
using PhysSec.Tests.Uplink;

namespace PhysSec.Tests.Keys;

/// <summary>SECRETS: a memory card alone gives away no key where the board has a TPM.</summary>
public sealed class SealedTextTests : IDisposable
{
    private const string Secret = "-----BEGIN PRIVATE KEY-----\nnot a real one\n-----END PRIVATE KEY-----\n";
    private static readonly DateTimeOffset _now = new(2026, 11, 24, 0, 0, 0, TimeSpan.Zero);
    private readonly SwTpm _chip;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("physsec-keys-");

    public SealedTextTests()
    {
        Assert.SkipUnless(SwTpm.IsThere, "swtpm is not installed (Debian: swtpm)");
        _chip = new SwTpm();
    }

    public void Dispose()
    {
        _chip?.Dispose(); // Null where the test was skipped.
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void What_a_TPM_has_sealed_it_opens_again_and_says_nothing_of_it_in_the_clear()
    {
        using var tpm = _chip.Open();
        var text = SealedText.Make(Secret, tpm);
        Assert.True(SealedText.Is(text));
        Assert.False(SealedText.Is(Secret));
        Assert.DoesNotContain("real", text, StringComparison.Ordinal);
        Assert.Equal(Secret, SealedText.Open(text, tpm));
        Assert.NotEqual(text, SealedText.Make(Secret, tpm));
    }

    [Fact]
    public void No_handle_is_left_in_the_chip_however_often_it_is_used()
    {
        using var tpm = _chip.Open();
        for (var i = 0; i < 20; i++) Assert.Equal(Secret, SealedText.Open(SealedText.Make(Secret, tpm), tpm)); // A TPM holds three objects.
    }

    [Fact]
    public void Another_board_s_TPM_does_not_open_it()
    {
        using var other = new SwTpm();
        using var mine = _chip.Open();
        using var foreign = other.Open();
        var failure = Assert.Throws<TpmException>(() => SealedText.Open(SealedText.Make(Secret, mine), foreign));
        Assert.True(failure.ForeignOrSpoilt);
    }

    [Fact]
    public void Without_a_TPM_it_stays_shut_but_may_open_later()
    {
        using var tpm = _chip.Open();
        Assert.False(Assert.Throws<TpmException>(() => SealedText.Open(SealedText.Make(Secret, tpm), null)).ForeignOrSpoilt);
    }

    [Fact]
    public void A_changed_or_cut_text_opens_nothing()
    {
        using var tpm = _chip.Open();
        var text = SealedText.Make(Secret, tpm);
        var (start, length) = PemEncoding.Find(text).Base64Data.GetOffsetAndLength(text.Length);
        for (var i = start; i < start + length - 4; i += 5)
        {
            var changed = text[..i] + (text[i] == 'A' ? 'B' : 'A') + text[(i + 1)..];
            if (text[i] == '\n') continue;
            Assert.Throws<TpmException>(() => SealedText.Open(changed, tpm));
        }
    }

    [Fact]
    public void An_enrolled_board_with_a_TPM_has_no_key_in_the_clear_and_starts_with_it_alone()
    {
        using var site = new TestSite();
        var folder = new EnrolmentFolder(_folder.FullName, _chip.Open);
        using (var key = folder.Key(anew: false))
        {
            var board = Path.Combine(_folder.FullName, "board.json");
            File.WriteAllText(board, "{}");
            folder.Store(new Core.Wire.Enrolment("city", "node-a", 1, site.Certify(key, "node-a", 2059), site.Authority.ExportCertificatePem(), Convert.ToHexStringLower(site.SiteKey), site.HubKey.ExportSubjectPublicKeyInfoPem(),
                new BrokerAddress("127.0.0.1", 8883)), board, Path.Combine(_folder.FullName, "state"), anew: false);
        }

        foreach (var file in (string[])["node.key", "site.key"])
        {
            var text = File.ReadAllText(Path.Combine(_folder.FullName, file));
            Assert.True(SealedText.Is(text));
            Assert.DoesNotContain(Convert.ToHexStringLower(site.SiteKey), text, StringComparison.Ordinal);
        }

        using (var config = NodeConfig.Load(folder.ConfigurationPath, _now, _chip.Open))
        {
            Assert.Equal(site.SiteKey, config.SiteKey);
            Assert.True(config.Certificate.HasPrivateKey);
        }

        Assert.False(Assert.Throws<TpmException>(() => NodeConfig.Load(folder.ConfigurationPath, _now, () => null)).ForeignOrSpoilt); // Perhaps it is there a second later.
        using var other = new SwTpm();
        var faults = Assert.Throws<ConfigException>(() => NodeConfig.Load(folder.ConfigurationPath, _now, other.Open)).Faults;
        Assert.Equal(["key", "siteKey"], faults.Select(it => it.Field));
    }
}
